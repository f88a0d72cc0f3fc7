/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "image/codec/codec.h"
#include "image/codec/formats.h"
#include "image/image.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

/* The largest side that libjpeg writes. */
enum { JPEG_MAX_SIDE = 65500 };

bool jpeg_matches(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

static int turbojpeg_format(mien_pixel_format format)
{
    switch (format) {
    case MIEN_PIXEL_GRAY8:
        return TJPF_GRAY;
    case MIEN_PIXEL_RGB8:
        return TJPF_RGB;
    case MIEN_PIXEL_BGR8:
        return TJPF_BGR;
    case MIEN_PIXEL_RGBA8:
        return TJPF_RGBA;
    case MIEN_PIXEL_BGRA8:
        return TJPF_BGRA;
    }
    return TJPF_UNKNOWN;
}

/* TurboJPEG tells errors apart only by libjpeg's texts, which have not changed for decades. */
static mien_status turbojpeg_error(tjhandle handle, mien_error *error)
{
    const char *text = tjGetErrorStr2(handle);
    mien_status status = MIEN_MALFORMED;
    if (strstr(text, "Insufficient memory") != NULL || strstr(text, "allocation failure") != NULL)
        status = MIEN_OUT_OF_MEMORY;
    else if (strncmp(text, "Unsupported", strlen("Unsupported")) == 0)
        status = MIEN_UNSUPPORTED;
    else if (strstr(text, "Maximum supported image dimension") != NULL)
        status = MIEN_LIMIT;
    return error_set(error, status, "JPEG: %s", text);
}

/* Whether the last marker that can stand near the end of a file is its end, not a scan. */
static bool has_end_marker(const codec_input *input)
{
    for (size_t i = input->size - 1; i > 0; i--)
        if (input->bytes[i - 1] == 0xFF && (input->bytes[i] == 0xD9 || input->bytes[i] == 0xDA))
            return input->bytes[i] == 0xD9;
    return false;
}

/*
 * libjpeg goes on after damage and paints what is missing grey, which only a warning tells. Stray
 * bytes between segments are harmless, unless that first warning hides that the end is missing.
 */
static bool is_harmless(tjhandle handle, const codec_input *input)
{
    return tjGetErrorCode(handle) == TJERR_WARNING &&
           strstr(tjGetErrorStr2(handle), "extraneous bytes before marker") != NULL &&
           has_end_marker(input);
}

/* Multiplies ink into light, in place: C, M, Y, K become R, G, B, 255. */
static void cmyk_to_rgba(mien_image *image, bool is_inverted)
{
    unsigned flip = is_inverted ? 0 : 255;
    for (int y = 0; y < image->height; y++) {
        uint8_t *pixel = image_row(image, y);
        for (int x = 0; x < image->width; x++, pixel += 4) {
            unsigned key = pixel[3] ^ flip;
            for (int c = 0; c < 3; c++)
                pixel[c] = (uint8_t)(((pixel[c] ^ flip) * key + 127) / 255);
            pixel[3] = 255;
        }
    }
}

static mien_pixel_format handiest_format(int colorspace, mien_pixel_format wanted)
{
    if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK)
        return MIEN_PIXEL_RGBA8;
    if (colorspace != TJCS_GRAY && wanted == MIEN_PIXEL_GRAY8)
        return MIEN_PIXEL_RGB8;
    return wanted;
}

mien_image_reduction jpeg_reduction(const uint8_t *bytes, size_t size, int least_side)
{
    jpeg_header header = jpeg_read_header(bytes, size);
    bool is_turned = header.orientation >= 5;
    mien_image_reduction reduction = {.factor = 1,
                                      .full_width = is_turned ? header.height : header.width,
                                      .full_height = is_turned ? header.width : header.height};
    int longer = header.width > header.height ? header.width : header.height;
    while (reduction.factor < 8 && longer / (2 * reduction.factor) >= least_side)
        reduction.factor *= 2;
    return reduction;
}

static mien_status decompress(tjhandle handle, const codec_input *input, bool is_adobe,
                              mien_image *out, mien_error *error)
{
    int width = 0, height = 0, subsampling = -1, colorspace = -1;
    /* It fails on unusual subsampling after it has told the rest, which is all that counts here. */
    if (tjDecompressHeader3(handle, input->bytes, input->size, &width, &height, &subsampling,
                            &colorspace) != 0 &&
        (width < 1 || height < 1 || colorspace < 0))
        return turbojpeg_error(handle, error);
    mien_status status = codec_check_size("JPEG", width, height, input->max_pixels, error);
    if (status != MIEN_OK)
        return status;
    const tjscalingfactor scale = {1, input->factor};
    width = TJSCALED(width, scale);
    height = TJSCALED(height, scale);
    mien_image image;
    status =
        image_alloc_unset(width, height, handiest_format(colorspace, input->wanted), &image, error);
    if (status != MIEN_OK)
        return status;
    bool is_cmyk = colorspace == TJCS_CMYK || colorspace == TJCS_YCCK;
    int format = is_cmyk ? TJPF_CMYK : turbojpeg_format(image.format);
    if (tjDecompress2(handle, input->bytes, input->size, image.data, width, (int)image.stride,
                      height, format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0 &&
        !is_harmless(handle, input)) {
        mien_image_free(&image);
        return turbojpeg_error(handle, error);
    }
    if (is_cmyk)
        cmyk_to_rgba(&image, is_adobe);
    *out = image;
    return MIEN_OK;
}

mien_status jpeg_decode(const codec_input *input, mien_image *out, mien_error *error)
{
    jpeg_header header = jpeg_read_header(input->bytes, input->size);
    if (!header.has_size)
        return error_set(error, MIEN_MALFORMED,
                         "JPEG: the file ends before the size of its picture");
    mien_status status =
        codec_check_size("JPEG", header.width, header.height, input->max_pixels, error);
    if (status != MIEN_OK)
        return status;
    tjhandle handle = tjInitDecompress();
    if (handle == NULL)
        return error_no_memory(error, "the JPEG decoder", 0);
    mien_image image = {0};
    status = decompress(handle, input, header.is_adobe, &image, error);
    tjDestroy(handle);
    if (status == MIEN_OK)
        status = codec_orient(&image, header.orientation, error);
    if (status == MIEN_OK)
        *out = image;
    else
        mien_image_free(&image);
    return status;
}

static mien_status compress(const mien_image *image, int quality, uint8_t **bytes, size_t *size,
                            mien_error *error)
{
    bool is_gray = image->format == MIEN_PIXEL_GRAY8;
    int subsampling = is_gray ? TJSAMP_GRAY : TJSAMP_444;
    unsigned long room = tjBufSize(image->width, image->height, subsampling);
    tjhandle handle = tjInitCompress();
    uint8_t *buffer = malloc(room);
    mien_status status = MIEN_OK;
    unsigned long used = room;
    if (handle == NULL || buffer == NULL)
        status = error_no_memory(error, "the JPEG encoder", room);
    else if (tjCompress2(handle, image->data, image->width, (int)image->stride, image->height,
                         turbojpeg_format(image->format), &buffer, &used, subsampling, quality,
                         TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT) != 0)
        status = turbojpeg_error(handle, error);
    if (handle != NULL)
        tjDestroy(handle);
    if (status != MIEN_OK) {
        free(buffer);
        return status;
    }
    uint8_t *shrunk = realloc(buffer, used);
    *bytes = shrunk != NULL ? shrunk : buffer;
    *size = used;
    return MIEN_OK;
}

mien_status image_encode_jpeg(const mien_image *image, int quality, uint8_t **bytes, size_t *size,
                              mien_error *error)
{
    *bytes = NULL;
    *size = 0;
    mien_status status = image_check(image, error);
    if (status != MIEN_OK)
        return status;
    if (quality < 1 || quality > 100)
        return error_set(error, MIEN_INVALID_ARGUMENT, "JPEG quality %d is not in 1..100", quality);
    if (image->stride > INT32_MAX)
        return error_set(error, MIEN_INVALID_ARGUMENT, "a stride of %zu bytes is too long for JPEG",
                         image->stride);
    if (image->width > JPEG_MAX_SIDE || image->height > JPEG_MAX_SIDE)
        return error_set(error, MIEN_LIMIT,
                         "a picture of %d x %d pixels: JPEG holds at most %d pixels a side",
                         image->width, image->height, JPEG_MAX_SIDE);
    return compress(image, quality, bytes, size, error);
}
