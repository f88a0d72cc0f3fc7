/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/file.h"
#include "image/codec/formats.h"
#include "image/image.h"

#include <stdio.h>
#include <stdlib.h>

#define KNOWN_FORMATS "mien reads JPEG, PNG, PGM (P2, P5) and PPM (P3, P6)"

/* 100 million pixels take 600 MB as 16-bit PPM. */
static const size_t max_file_bytes = (size_t)1 << 30;

typedef struct format_decoder {
    bool (*matches)(const uint8_t *bytes, size_t size);
    mien_status (*decode)(const codec_input *input, mien_image *out, mien_error *error);
    /* NULL: decodes whole pictures only. */
    mien_image_reduction (*reduce)(const uint8_t *bytes, size_t size, int least_side);
} format_decoder;

static const format_decoder decoders[] = {
    {jpeg_matches, jpeg_decode, jpeg_reduction},
    {png_matches, png_decode, NULL},
    {pnm_matches, pnm_decode, NULL},
};

mien_status codec_check_size(const char *format, int64_t width, int64_t height, int64_t max_pixels,
                             mien_error *error)
{
    if (width < 1 || height < 1)
        return error_set(error, MIEN_MALFORMED, "the %s picture has no pixels (%lld x %lld)",
                         format, (long long)width, (long long)height);
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE)
        return error_set(error, MIEN_LIMIT,
                         "the %s picture has %lld x %lld pixels, the limit is %d pixels a side",
                         format, (long long)width, (long long)height, IMAGE_MAX_SIDE);
    if (width * height > max_pixels)
        return error_set(error, MIEN_LIMIT,
                         "the %s picture has %lld x %lld pixels, the limit is %lld pixels in all",
                         format, (long long)width, (long long)height, (long long)max_pixels);
    return MIEN_OK;
}

static mien_status unknown_format(const uint8_t *bytes, size_t size, mien_error *error)
{
    char start[3 * 8 + 1] = "";
    for (size_t i = 0; i < 8 && i < size; i++)
        snprintf(start + 3 * i, 4, " %02x", bytes[i]);
    return error_set(error, MIEN_UNSUPPORTED,
                     "not a picture in a known format (it starts with the bytes%s); " KNOWN_FORMATS,
                     start);
}

static const format_decoder *find_decoder(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++)
        if (decoders[i].matches(bytes, size))
            return &decoders[i];
    return NULL;
}

/* Converts a decoded picture to the wanted format; picture is freed or handed on. */
static mien_status deliver(mien_image *picture, mien_pixel_format wanted, mien_image *out,
                           mien_error *error)
{
    if (picture->format == wanted) {
        *out = *picture;
        return MIEN_OK;
    }
    mien_status status = image_alloc_unset(picture->width, picture->height, wanted, out, error);
    if (status == MIEN_OK)
        status = image_convert(picture, out, error);
    mien_image_free(picture);
    return status;
}

/* least_side 0: whole. */
static mien_status decode(const void *bytes, size_t size, mien_pixel_format format,
                          int64_t max_pixels, int least_side, mien_image *out,
                          mien_image_reduction *reduction, mien_error *error)
{
    if (out == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT, "no place for the picture was given");
    *out = (mien_image){0};
    if (mien_pixel_size(format) == 0)
        return error_set(error, MIEN_INVALID_ARGUMENT, "unknown pixel format %d", (int)format);
    if (max_pixels < 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a limit of %lld pixels: it must be at least 1, or 0 for the default",
                         (long long)max_pixels);
    if (bytes == NULL || size == 0)
        return error_set(error, MIEN_MALFORMED,
                         "there is no picture, the input is empty; " KNOWN_FORMATS);
    const format_decoder *decoder = find_decoder(bytes, size);
    if (decoder == NULL)
        return unknown_format(bytes, size, error);
    *reduction = (mien_image_reduction){.factor = 1};
    if (least_side > 0 && decoder->reduce != NULL)
        *reduction = decoder->reduce(bytes, size, least_side);
    codec_input input = {bytes, size, format,
                         max_pixels != 0 ? max_pixels : MIEN_DEFAULT_MAX_PIXELS, reduction->factor};
    mien_image picture = {0};
    mien_status status = decoder->decode(&input, &picture, error);
    if (status == MIEN_OK)
        status = deliver(&picture, format, out, error);
    if (status == MIEN_OK && reduction->factor == 1) {
        reduction->full_width = out->width;
        reduction->full_height = out->height;
    }
    return status;
}

mien_status mien_image_decode(const void *bytes, size_t size, mien_pixel_format format,
                              int64_t max_pixels, mien_image *out, mien_error *error)
{
    mien_image_reduction whole;
    return decode(bytes, size, format, max_pixels, 0, out, &whole, error);
}

mien_status mien_image_decode_reduced(const void *bytes, size_t size, mien_pixel_format format,
                                      int64_t max_pixels, int least_side, mien_image *out,
                                      mien_image_reduction *reduction, mien_error *error)
{
    if (out != NULL)
        *out = (mien_image){0};
    if (reduction != NULL)
        *reduction = (mien_image_reduction){0};
    if (least_side < 1 || reduction == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         reduction == NULL ? "no place for the reduction was given"
                                           : "a longer side of %d pixels: it must be at least 1",
                         least_side);
    mien_status status = decode(bytes, size, format, max_pixels, least_side, out, reduction, error);
    if (status != MIEN_OK)
        *reduction = (mien_image_reduction){0};
    return status;
}

mien_status mien_image_load(const char *path, mien_pixel_format format, int64_t max_pixels,
                            mien_image *out, mien_error *error)
{
    if (out == NULL || path == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT, "no %s was given",
                         out == NULL ? "place for the picture" : "path of a picture");
    *out = (mien_image){0};
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(path, max_file_bytes, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = mien_image_decode(bytes, size, format, max_pixels, out, error);
    free(bytes);
    return status == MIEN_OK ? status : error_prefix(error, status, "'%s'", path);
}
