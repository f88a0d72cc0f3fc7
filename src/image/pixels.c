/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/memory.h"
#include "image/check.h"

#include <stdlib.h>
#include <string.h>

int mien_pixel_size(mien_pixel_format format)
{
    switch (format) {
    case MIEN_PIXEL_GRAY8:
        return 1;
    case MIEN_PIXEL_RGB8:
    case MIEN_PIXEL_BGR8:
        return 3;
    case MIEN_PIXEL_RGBA8:
    case MIEN_PIXEL_BGRA8:
        return 4;
    }
    return 0;
}

static mien_status check_geometry(int width, int height, mien_pixel_format format,
                                  mien_error *error)
{
    if (mien_pixel_size(format) == 0)
        return error_set(error, MIEN_INVALID_ARGUMENT, "unknown pixel format %d", (int)format);
    if (width < 1 || height < 1)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a picture of %d x %d pixels: both sides must be at least 1", width,
                         height);
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE)
        return error_set(error, MIEN_LIMIT,
                         "a picture of %d x %d pixels: the limit is %d pixels a side", width,
                         height, IMAGE_MAX_SIDE);
    return MIEN_OK;
}

static void *get_unset(size_t count, size_t size)
{
    size_t bytes;
    return size_multiply(count, size, &bytes) ? memory_aligned(bytes) : NULL;
}

static mien_status make_picture(int width, int height, mien_pixel_format format,
                                void *(*get)(size_t count, size_t size), mien_image *out,
                                mien_error *error)
{
    if (out == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT, "no place for the picture was given");
    *out = (mien_image){0};
    mien_status status = check_geometry(width, height, format, error);
    if (status != MIEN_OK)
        return status;
    size_t stride = (size_t)width * (size_t)mien_pixel_size(format);
    uint8_t *data = get((size_t)height, stride);
    if (data == NULL)
        return error_no_memory(error, "a picture", (uint64_t)height * stride);
    *out = (mien_image){data, width, height, stride, format};
    return MIEN_OK;
}

mien_status mien_image_alloc(int width, int height, mien_pixel_format format, mien_image *out,
                             mien_error *error)
{
    return make_picture(width, height, format, memory_zeroed, out, error);
}

mien_status image_alloc_unset(int width, int height, mien_pixel_format format, mien_image *out,
                              mien_error *error)
{
    return make_picture(width, height, format, get_unset, out, error);
}

void mien_image_free(mien_image *image)
{
    if (image == NULL)
        return;
    free(image->data);
    *image = (mien_image){0};
}

mien_status image_check(const mien_image *image, mien_error *error)
{
    if (image == NULL || image->data == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT, "the picture has no pixels (NULL)");
    mien_status status = check_geometry(image->width, image->height, image->format, error);
    if (status != MIEN_OK)
        return status;
    size_t row_bytes = (size_t)image->width * (size_t)mien_pixel_size(image->format);
    if (image->stride < row_bytes)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a stride of %zu bytes is too short for rows of %zu bytes", image->stride,
                         row_bytes);
    size_t whole;
    if (!size_multiply(image->stride, (size_t)image->height, &whole))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "%d rows with a stride of %zu bytes do not fit into memory", image->height,
                         image->stride);
    return MIEN_OK;
}

mien_status image_check_pair(const mien_image *src, const mien_image *dst, mien_error *error)
{
    mien_status status = image_check(src, error);
    if (status == MIEN_OK)
        status = image_check(dst, error);
    return status;
}

mien_status image_check_same_format(const mien_image *src, const mien_image *dst, mien_error *error)
{
    mien_status status = image_check_pair(src, dst, error);
    if (status == MIEN_OK && src->format != dst->format)
        status = error_set(error, MIEN_INVALID_ARGUMENT,
                           "the pictures have different pixel formats (%d and %d)",
                           (int)src->format, (int)dst->format);
    return status;
}

mien_status image_check_same_size(const mien_image *src, const mien_image *dst, mien_error *error)
{
    mien_status status = image_check_pair(src, dst, error);
    if (status == MIEN_OK && (src->width != dst->width || src->height != dst->height))
        status = error_set(error, MIEN_INVALID_ARGUMENT,
                           "the pictures have different sizes (%d x %d and %d x %d)", src->width,
                           src->height, dst->width, dst->height);
    return status;
}

mien_status image_view(const mien_image *image, int x, int y, int width, int height,
                       mien_image *view, mien_error *error)
{
    mien_status status = image_check(image, error);
    if (status != MIEN_OK)
        return status;
    if (x < 0 || y < 0 || width < 1 || height < 1 || width > image->width - x ||
        height > image->height - y)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a crop of %d x %d pixels at (%d, %d) is not inside a picture of %d x %d",
                         width, height, x, y, image->width, image->height);
    size_t offset = (size_t)x * (size_t)mien_pixel_size(image->format);
    *view = (mien_image){image_row(image, y) + offset, width, height, image->stride, image->format};
    return MIEN_OK;
}

mien_status image_mirror(const mien_image *src, mien_image *dst, mien_error *error)
{
    mien_status status = image_check_same_format(src, dst, error);
    if (status == MIEN_OK)
        status = image_check_same_size(src, dst, error);
    if (status != MIEN_OK)
        return status;
    size_t pixel = (size_t)mien_pixel_size(src->format);
    for (int y = 0; y < src->height; y++) {
        const uint8_t *from = image_row(src, y);
        uint8_t *to = image_row(dst, y) + (size_t)src->width * pixel;
        for (int x = 0; x < src->width; x++, from += pixel)
            memcpy(to -= pixel, from, pixel);
    }
    return MIEN_OK;
}
