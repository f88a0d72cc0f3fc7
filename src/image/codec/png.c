/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "image/codec/codec.h"
#include "image/codec/formats.h"
#include "image/image.h"

#include <spng.h>
#include <stdlib.h>
#include <string.h>

/* Enough for any colour profile or text; keeps a small file from taking much memory by a chunk. */
static const size_t max_chunk_bytes = (size_t)8 << 20;
static const size_t max_kept_chunk_bytes = (size_t)32 << 20;

bool png_matches(const uint8_t *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static mien_status spng_failure(int code, mien_error *error)
{
    mien_status status = MIEN_MALFORMED;
    if (code == SPNG_EMEM)
        status = MIEN_OUT_OF_MEMORY;
    else if (code == SPNG_ECHUNK_LIMITS)
        status = MIEN_LIMIT;
    return error_set(error, status, "PNG: %s", spng_strerror(code));
}

static mien_status read_size(spng_ctx *context, const codec_input *input, struct spng_ihdr *header,
                             mien_error *error)
{
    int code = spng_set_crc_action(context, SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
    if (code == 0)
        code = spng_set_chunk_limits(context, max_chunk_bytes, max_kept_chunk_bytes);
    if (code == 0)
        code = spng_set_png_buffer(context, input->bytes, input->size);
    if (code == 0)
        code = spng_get_ihdr(context, header);
    if (code == SPNG_EWIDTH || code == SPNG_EHEIGHT)
        return error_set(error, MIEN_MALFORMED,
                         "the PNG picture has no pixels, or a side over 2^31 - 1");
    if (code != 0)
        return spng_failure(code, error);
    return codec_check_size("PNG", header->width, header->height, input->max_pixels, error);
}

/* libspng makes grey pictures only from 8 bits or fewer. */
static mien_pixel_format handiest_format(const struct spng_ihdr *header, mien_pixel_format wanted)
{
    if (wanted == MIEN_PIXEL_RGBA8 || wanted == MIEN_PIXEL_BGRA8)
        return MIEN_PIXEL_RGBA8;
    bool is_small_gray = header->color_type == SPNG_COLOR_TYPE_GRAYSCALE && header->bit_depth <= 8;
    return wanted == MIEN_PIXEL_GRAY8 && is_small_gray ? MIEN_PIXEL_GRAY8 : MIEN_PIXEL_RGB8;
}

static enum spng_format spng_format_of(mien_pixel_format format)
{
    if (format == MIEN_PIXEL_GRAY8)
        return SPNG_FMT_G8;
    return format == MIEN_PIXEL_RGB8 ? SPNG_FMT_RGB8 : SPNG_FMT_RGBA8;
}

static mien_status decode_pixels(spng_ctx *context, const codec_input *input, mien_image *out,
                                 mien_error *error)
{
    struct spng_ihdr header;
    mien_status status = read_size(context, input, &header, error);
    if (status != MIEN_OK)
        return status;
    mien_image image;
    status = mien_image_alloc((int)header.width, (int)header.height,
                              handiest_format(&header, input->wanted), &image, error);
    if (status != MIEN_OK)
        return status;
    int flags = image.format == MIEN_PIXEL_RGBA8 ? SPNG_DECODE_TRNS : 0;
    int code = spng_decode_image(context, image.data, image.stride * (size_t)image.height,
                                 (int)spng_format_of(image.format), flags);
    if (code != 0) {
        mien_image_free(&image);
        return spng_failure(code, error);
    }
    *out = image;
    return MIEN_OK;
}

mien_status png_decode(const codec_input *input, mien_image *out, mien_error *error)
{
    spng_ctx *context = spng_ctx_new(0);
    if (context == NULL)
        return error_no_memory(error, "the PNG decoder", 0);
    mien_status status = decode_pixels(context, input, out, error);
    spng_ctx_free(context);
    return status;
}

/* Encodes row by row, so that any stride and channel order is taken without a copy of the whole. */
static mien_status encode_rows(spng_ctx *context, const mien_image *image, mien_image *row,
                               mien_error *error)
{
    for (int y = 0; y < image->height; y++) {
        mien_image source = {image_row(image, y), image->width, 1, image->stride, image->format};
        mien_status status = image_convert(&source, row, error);
        if (status != MIEN_OK)
            return status;
        int code = spng_encode_row(context, row->data, row->stride);
        if (code != 0 && code != SPNG_EOI)
            return spng_failure(code, error);
    }
    return MIEN_OK;
}

static mien_status encode(spng_ctx *context, const mien_image *image, mien_image *row,
                          uint8_t **bytes, size_t *size, mien_error *error)
{
    struct spng_ihdr header = {
        .width = (uint32_t)image->width,
        .height = (uint32_t)image->height,
        .bit_depth = 8,
        .color_type =
            row->format == MIEN_PIXEL_GRAY8 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR,
    };
    int code = spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1);
    if (code == 0)
        code = spng_set_ihdr(context, &header);
    if (code == 0)
        code = spng_encode_image(context, NULL, 0, SPNG_FMT_PNG,
                                 SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE);
    if (code != 0)
        return spng_failure(code, error);
    mien_status status = encode_rows(context, image, row, error);
    if (status != MIEN_OK)
        return status;
    *bytes = spng_get_png_buffer(context, size, &code);
    return *bytes != NULL ? MIEN_OK : spng_failure(code, error);
}

mien_status image_encode_png(const mien_image *image, uint8_t **bytes, size_t *size,
                             mien_error *error)
{
    *bytes = NULL;
    *size = 0;
    mien_status status = image_check(image, error);
    if (status != MIEN_OK)
        return status;
    mien_image row;
    status = mien_image_alloc(
        image->width, 1, image->format == MIEN_PIXEL_GRAY8 ? MIEN_PIXEL_GRAY8 : MIEN_PIXEL_RGB8,
        &row, error);
    if (status != MIEN_OK)
        return status;
    spng_ctx *context = spng_ctx_new(SPNG_CTX_ENCODER);
    if (context == NULL)
        status = error_no_memory(error, "the PNG encoder", 0);
    else
        status = encode(context, image, &row, bytes, size, error);
    spng_ctx_free(context);
    mien_image_free(&row);
    return status;
}
