/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/memory.h"
#include "image/codec/codec.h"
#include "image/codec/formats.h"
#include "image/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SAMPLE = 65535 };

/* Numbers in text stop growing here: over every limit, far from overflow. */
#define NUMBER_CEILING ((int64_t)1 << 40)

typedef struct pnm_reader {
    const uint8_t *bytes;
    size_t size;
    size_t position;
} pnm_reader;

typedef struct pnm_header {
    bool is_text; /* P2, P3 */
    int channels; /* 1 or 3 */
    int64_t width, height;
    int64_t maximum; /* the value that stands for white, 1..65535 */
} pnm_header;

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

bool pnm_matches(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 'P' && strchr("2356", bytes[1]) != NULL && bytes[1] != 0 &&
           (is_space(bytes[2]) || bytes[2] == '#');
}

static void skip_space_and_comments(pnm_reader *reader)
{
    bool in_comment = false;
    for (; reader->position < reader->size; reader->position++) {
        uint8_t byte = reader->bytes[reader->position];
        if (in_comment)
            in_comment = byte != '\n' && byte != '\r';
        else if (byte == '#')
            in_comment = true;
        else if (!is_space(byte))
            return;
    }
}

static mien_status read_number(pnm_reader *reader, const char *what, int64_t *number,
                               mien_error *error)
{
    skip_space_and_comments(reader);
    size_t start = reader->position;
    int64_t value = 0;
    for (; reader->position < reader->size; reader->position++) {
        uint8_t byte = reader->bytes[reader->position];
        if (byte < '0' || byte > '9')
            break;
        if (value < NUMBER_CEILING)
            value = 10 * value + (byte - '0');
    }
    if (reader->position == reader->size && start == reader->position)
        return error_set_at(error, MIEN_MALFORMED, (int64_t)start,
                            "PNM: the file ends before its %s", what);
    if (start == reader->position)
        return error_set_at(error, MIEN_MALFORMED, (int64_t)start,
                            "PNM: byte 0x%02x at offset %zu where the %s should be",
                            reader->bytes[start], start, what);
    *number = value;
    return MIEN_OK;
}

static mien_status read_header(pnm_reader *reader, int64_t max_pixels, pnm_header *header,
                               mien_error *error)
{
    uint8_t kind = reader->bytes[1];
    header->is_text = kind == '2' || kind == '3';
    header->channels = kind == '2' || kind == '5' ? 1 : 3;
    reader->position = 2;
    mien_status status = read_number(reader, "width", &header->width, error);
    if (status == MIEN_OK)
        status = read_number(reader, "height", &header->height, error);
    if (status == MIEN_OK)
        status = codec_check_size("PNM", header->width, header->height, max_pixels, error);
    if (status == MIEN_OK)
        status = read_number(reader, "largest value", &header->maximum, error);
    if (status != MIEN_OK)
        return status;
    if (header->maximum < 1 || header->maximum > MAX_SAMPLE)
        return error_set_at(error, MIEN_MALFORMED, (int64_t)reader->position,
                            "PNM: the largest value %lld is not in 1..%d",
                            (long long)header->maximum, MAX_SAMPLE);
    if (reader->position == reader->size || !is_space(reader->bytes[reader->position]))
        return error_set_at(error, MIEN_MALFORMED, (int64_t)reader->position,
                            "PNM: no white space after the header");
    reader->position++;
    return MIEN_OK;
}

/* Refuses a file that is too short for its pixels before memory is taken for them. */
static mien_status check_length(const pnm_reader *reader, const pnm_header *header,
                                mien_error *error)
{
    uint64_t samples = (uint64_t)(header->width * header->height) * (uint64_t)header->channels;
    uint64_t needed = samples * (header->maximum > 255 ? 2 : 1);
    if (header->is_text)
        needed = 2 * samples - 1; /* a digit each and a space between */
    uint64_t left = reader->size - reader->position;
    if (left >= needed)
        return MIEN_OK;
    return error_set_at(error, MIEN_MALFORMED, (int64_t)reader->size,
                        "PNM: the file is cut short: %lld x %lld pixels need %s%llu bytes after "
                        "the header, there are %llu",
                        (long long)header->width, (long long)header->height,
                        header->is_text ? "at least " : "", (unsigned long long)needed,
                        (unsigned long long)left);
}

static mien_status read_sample(pnm_reader *reader, const pnm_header *header, int64_t *sample,
                               mien_error *error)
{
    if (header->is_text) {
        mien_status status = read_number(reader, "next value", sample, error);
        if (status != MIEN_OK)
            return status;
    } else {
        *sample = reader->bytes[reader->position++]; /* check_length has seen that it is there */
        if (header->maximum > 255)
            *sample = *sample << 8 | reader->bytes[reader->position++];
    }
    if (*sample > header->maximum)
        return error_set_at(error, MIEN_MALFORMED, (int64_t)reader->position,
                            "PNM: the value %lld is over the largest value %lld",
                            (long long)*sample, (long long)header->maximum);
    return MIEN_OK;
}

static uint8_t scale_to_8_bits(int64_t sample, int64_t maximum)
{
    if (maximum == 65535)
        return (uint8_t)(sample >> 8);
    return (uint8_t)((sample * 255 + maximum / 2) / maximum);
}

static mien_status read_samples(pnm_reader *reader, const pnm_header *header, mien_image *image,
                                mien_error *error)
{
    size_t count = image->stride * (size_t)image->height; /* a picture of its own has no gaps */
    if (!header->is_text && header->maximum == 255) {
        memcpy(image->data, reader->bytes + reader->position, count);
        return MIEN_OK;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t sample;
        mien_status status = read_sample(reader, header, &sample, error);
        if (status != MIEN_OK)
            return status;
        image->data[i] = scale_to_8_bits(sample, header->maximum);
    }
    return MIEN_OK;
}

mien_status pnm_decode(const codec_input *input, mien_image *out, mien_error *error)
{
    pnm_reader reader = {input->bytes, input->size, 0};
    pnm_header header;
    mien_status status = read_header(&reader, input->max_pixels, &header, error);
    if (status == MIEN_OK)
        status = check_length(&reader, &header, error);
    if (status != MIEN_OK)
        return status;
    mien_image image;
    status =
        mien_image_alloc((int)header.width, (int)header.height,
                         header.channels == 1 ? MIEN_PIXEL_GRAY8 : MIEN_PIXEL_RGB8, &image, error);
    if (status != MIEN_OK)
        return status;
    status = read_samples(&reader, &header, &image, error);
    if (status != MIEN_OK) {
        mien_image_free(&image);
        return status;
    }
    *out = image;
    return MIEN_OK;
}

mien_status image_encode_pnm(const mien_image *image, uint8_t **bytes, size_t *size,
                             mien_error *error)
{
    *bytes = NULL;
    *size = 0;
    mien_status status = image_check(image, error);
    if (status != MIEN_OK)
        return status;
    bool is_gray = image->format == MIEN_PIXEL_GRAY8;
    char header[32];
    size_t header_size = (size_t)snprintf(header, sizeof header, "P%c\n%d %d\n255\n",
                                          is_gray ? '5' : '6', image->width, image->height);
    size_t row_bytes = (size_t)image->width * (is_gray ? 1 : 3);
    size_t total;
    if (!size_multiply(row_bytes, (size_t)image->height, &total) ||
        !size_add(total, header_size, &total))
        return error_no_memory(error, "a PNM file", UINT64_MAX);
    uint8_t *buffer = malloc(total);
    if (buffer == NULL)
        return error_no_memory(error, "a PNM file", total);
    memcpy(buffer, header, header_size);
    mien_image pixels = {buffer + header_size, image->width, image->height, row_bytes,
                         is_gray ? MIEN_PIXEL_GRAY8 : MIEN_PIXEL_RGB8};
    status = image_convert(image, &pixels, error);
    if (status != MIEN_OK) {
        free(buffer);
        return status;
    }
    *bytes = buffer;
    *size = total;
    return MIEN_OK;
}
