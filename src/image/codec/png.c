/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "image/codec/codec.h"
#include "image/codec/formats.h"
#include "image/image.h"

#include <spng.h>
#include <stdlib.h>
#include <string.h>

/* What libspng may take for a chunk, and for all: of those that it gets, none is large. */
static const size_t max_chunk_bytes = (size_t)1 << 20;
static const size_t max_kept_chunk_bytes = (size_t)4 << 20;

enum { SIGNATURE_SIZE = 8, CHUNK_FRAME_SIZE = 12 /* length, type and checksum */ };

/*
 * Hands libspng the file without its ancillary chunks, of which only transparency matters here: so
 * compressed texts and colour profiles are never inflated, and damage in them does no harm.
 */
typedef struct chunk_reader {
    const uint8_t *bytes;
    size_t size;
    size_t position;
    size_t run_end; /* up to here the bytes are handed on as they are */
} chunk_reader;

bool png_matches(const uint8_t *bytes, size_t size)
{
    return size >= SIGNATURE_SIZE && memcmp(bytes, "\x89PNG\r\n\x1a\n", SIGNATURE_SIZE) == 0;
}

static bool is_wanted_chunk(const uint8_t *type)
{
    bool is_ancillary = (type[0] & 0x20) != 0;
    return !is_ancillary || memcmp(type, "tRNS", 4) == 0;
}

/* Moves to the next chunk that is handed on; false at the end of the file. */
static bool find_next_chunk(chunk_reader *reader)
{
    while (reader->size - reader->position >= CHUNK_FRAME_SIZE) {
        const uint8_t *chunk = reader->bytes + reader->position;
        size_t left = reader->size - reader->position;
        size_t length = (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 |
                        (size_t)chunk[3];
        size_t whole = length < left - CHUNK_FRAME_SIZE ? length + CHUNK_FRAME_SIZE : left;
        if (is_wanted_chunk(chunk + 4)) {
            reader->run_end = reader->position + whole;
            return true;
        }
        reader->position += whole;
    }
    return false;
}

/* spng_rw_fn */
static int read_chunks(spng_ctx *context, void *user, void *destination, size_t length)
{
    (void)context;
    chunk_reader *reader = user;
    uint8_t *to = destination;
    while (length > 0) {
        if (reader->position == reader->run_end && !find_next_chunk(reader))
            return SPNG_IO_EOF;
        size_t run = reader->run_end - reader->position;
        size_t part = length < run ? length : run;
        memcpy(to, reader->bytes + reader->position, part);
        reader->position += part;
        to += part;
        length -= part;
    }
    return 0;
}

static mien_status spng_failure(int code, mien_error *error)
{
    mien_status status = MIEN_MALFORMED;
    if (code == SPNG_EMEM || code == SPNG_EZLIB_INIT) /* zlib fails to start only without memory */
        status = MIEN_OUT_OF_MEMORY;
    else if (code == SPNG_ECHUNK_LIMITS)
        status = MIEN_LIMIT;
    return error_set(error, status, "PNG: %s", spng_strerror(code));
}

static mien_status read_size(spng_ctx *context, chunk_reader *reader, int64_t max_pixels,
                             struct spng_ihdr *header, mien_error *error)
{
    int code = spng_set_chunk_limits(context, max_chunk_bytes, max_kept_chunk_bytes);
    if (code == 0)
        code = spng_set_png_stream(context, read_chunks, reader);
    if (code == 0)
        code = spng_get_ihdr(context, header);
    if (code == SPNG_EWIDTH || code == SPNG_EHEIGHT)
        return error_set(error, MIEN_MALFORMED,
                         "the PNG picture has no pixels, or a side over 2^31 - 1");
    if (code != 0)
        return spng_failure(code, error);
    return codec_check_size("PNG", header->width, header->height, max_pixels, error);
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
    chunk_reader reader = {input->bytes, input->size, 0, SIGNATURE_SIZE};
    mien_status status = read_size(context, &reader, input->max_pixels, &header, error);
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

/* Of photographs, rows less the rows above them hold as much as the best filter for each row. */
static int encode_fast(spng_ctx *context)
{
    int code = spng_set_option(context, SPNG_IMG_COMPRESSION_LEVEL, 2);
    return code == 0 ? spng_set_option(context, SPNG_FILTER_CHOICE, SPNG_FILTER_CHOICE_UP) : code;
}

static mien_status encode(spng_ctx *context, const mien_image *image, bool fast, mien_image *row,
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
    if (code == 0 && fast)
        code = encode_fast(context);
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

static mien_status encode_png(const mien_image *image, bool fast, uint8_t **bytes, size_t *size,
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
        status = encode(context, image, fast, &row, bytes, size, error);
    spng_ctx_free(context);
    mien_image_free(&row);
    return status;
}

mien_status image_encode_png(const mien_image *image, uint8_t **bytes, size_t *size,
                             mien_error *error)
{
    return encode_png(image, false, bytes, size, error);
}

mien_status image_encode_png_fast(const mien_image *image, uint8_t **bytes, size_t *size,
                                  mien_error *error)
{
    return encode_png(image, true, bytes, size, error);
}
