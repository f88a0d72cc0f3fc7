/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PICTURES_H
#define TESTS_PICTURES_H

/* What the picture tests share. */

#include "support.h"

#include <mien/image.h>

/* The format with 1, 3 or 4 channels that the golden values were made with. */
static inline mien_pixel_format format_with(int channels)
{
    return channels == 1 ? MIEN_PIXEL_GRAY8 : channels == 3 ? MIEN_PIXEL_RGB8 : MIEN_PIXEL_RGBA8;
}

static inline mien_image new_picture(int width, int height, mien_pixel_format format)
{
    mien_error error;
    mien_image image;
    assert_ok(mien_image_alloc(width, height, format, &image, &error), &error);
    return image;
}

static inline mien_image random_picture(uint64_t seed, int width, int height,
                                        mien_pixel_format format)
{
    mien_image image = new_picture(width, height, format);
    test_random random = {seed};
    for (size_t i = 0; i < image.stride * (size_t)height; i++)
        image.data[i] = (uint8_t)(test_random_next(&random) >> 56);
    return image;
}

/* FNV-1a */
static inline uint32_t hash_bytes(const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 16777619u;
    return hash;
}

/* Of a picture without gaps between its rows. */
static inline uint32_t hash_picture(const mien_image *image)
{
    return hash_bytes(image->data, image->stride * (size_t)image->height);
}

static inline const uint8_t *pixel_at(const mien_image *image, int x, int y)
{
    return image->data + (size_t)y * image->stride +
           (size_t)x * (size_t)mien_pixel_size(image->format);
}

static inline void assert_pixels_equal(const mien_image *a, const mien_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->format, b->format);
    size_t row = (size_t)a->width * (size_t)mien_pixel_size(a->format);
    for (int y = 0; y < a->height; y++)
        assert_memory_equal(pixel_at(a, 0, y), pixel_at(b, 0, y), row);
}

static inline void assert_zeroed(const mien_image *image)
{
    assert_null(image->data);
    assert_int_equal(image->width, 0);
    assert_int_equal(image->height, 0);
}

/* The bytes decode to this status, the message has this part, and nothing is delivered. */
static inline void assert_decode_fails(mien_status expected, const void *bytes, size_t size,
                                       const char *part_of_message)
{
    mien_error error = {0};
    mien_image image;
    memset(&image, 0x55, sizeof image);
    mien_status status = mien_image_decode(bytes, size, MIEN_PIXEL_RGB8, 0, &image, &error);
    assert_fails(expected, status, &error, part_of_message);
    assert_zeroed(&image);
    assert_int_equal(mien_image_decode(bytes, size, MIEN_PIXEL_RGB8, 0, &image, NULL), expected);
}

#endif
