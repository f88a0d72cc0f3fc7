/* SPDX-License-Identifier: Apache-2.0 */
#include "image/check.h"

#include <string.h>

/* Where the channels of a pixel lie, as byte offsets; alpha is -1 when there is none. */
typedef struct layout {
    int size, red, green, blue, alpha;
} layout;

static layout layout_of(mien_pixel_format format)
{
    switch (format) {
    case MIEN_PIXEL_RGB8:
        return (layout){3, 0, 1, 2, -1};
    case MIEN_PIXEL_BGR8:
        return (layout){3, 2, 1, 0, -1};
    case MIEN_PIXEL_RGBA8:
        return (layout){4, 0, 1, 2, 3};
    case MIEN_PIXEL_BGRA8:
        return (layout){4, 2, 1, 0, 3};
    case MIEN_PIXEL_GRAY8:
        break;
    }
    return (layout){1, 0, 0, 0, -1};
}

/* Always inlined with constant offsets, so that the compiler can use vectors. */
static inline __attribute__((always_inline)) void
luma_row(const uint8_t *restrict src, uint8_t *restrict dst, int width, int size, int red, int blue)
{
    for (int x = 0; x < width; x++, src += size)
        dst[x] = image_luma(src[red], src[1], src[blue]);
}

static void row_to_gray(const uint8_t *src, mien_pixel_format format, uint8_t *dst, int width)
{
    switch (format) {
    case MIEN_PIXEL_RGB8:
        luma_row(src, dst, width, 3, 0, 2);
        break;
    case MIEN_PIXEL_BGR8:
        luma_row(src, dst, width, 3, 2, 0);
        break;
    case MIEN_PIXEL_RGBA8:
        luma_row(src, dst, width, 4, 0, 2);
        break;
    case MIEN_PIXEL_BGRA8:
        luma_row(src, dst, width, 4, 2, 0);
        break;
    case MIEN_PIXEL_GRAY8:
        break;
    }
}

static void row_to_color(const uint8_t *restrict src, layout from, uint8_t *restrict dst, layout to,
                         int width)
{
    for (int x = 0; x < width; x++, src += from.size, dst += to.size) {
        dst[to.red] = src[from.red];
        dst[to.green] = src[from.green];
        dst[to.blue] = src[from.blue];
        if (to.alpha >= 0)
            dst[to.alpha] = from.alpha >= 0 ? src[from.alpha] : 255;
    }
}

mien_status image_convert(const mien_image *src, mien_image *dst, mien_error *error)
{
    mien_status status = image_check_same_size(src, dst, error);
    if (status != MIEN_OK)
        return status;
    layout from = layout_of(src->format);
    layout to = layout_of(dst->format);
    for (int y = 0; y < src->height; y++) {
        const uint8_t *from_row = image_row(src, y);
        uint8_t *to_row = image_row(dst, y);
        if (src->format == dst->format)
            memcpy(to_row, from_row, (size_t)src->width * (size_t)from.size);
        else if (dst->format == MIEN_PIXEL_GRAY8)
            row_to_gray(from_row, src->format, to_row, src->width);
        else
            row_to_color(from_row, from, to_row, to, src->width);
    }
    return MIEN_OK;
}
