/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PREP_SAMPLE_H
#define PREP_SAMPLE_H

/* How pixels of a picture become channels of a network: shared with augmentation. */

#include "prep/prep.h"

#include <math.h>

/* Where red, green and blue lie in a pixel of a picture; size: bytes of a pixel. */
typedef struct prep_byte_order {
    int size, red, green, blue;
} prep_byte_order;

static inline prep_byte_order prep_order_of(mien_pixel_format format)
{
    switch (format) {
    case MIEN_PIXEL_RGB8:
        return (prep_byte_order){3, 0, 1, 2};
    case MIEN_PIXEL_BGR8:
        return (prep_byte_order){3, 2, 1, 0};
    case MIEN_PIXEL_RGBA8:
        return (prep_byte_order){4, 0, 1, 2};
    case MIEN_PIXEL_BGRA8:
        return (prep_byte_order){4, 2, 1, 0};
    case MIEN_PIXEL_GRAY8:
        break;
    }
    return (prep_byte_order){1, 0, 0, 0};
}

/* 1 or 3. */
static inline int prep_channels(const prep_settings *settings)
{
    return settings->format == PREP_GRAY ? 1 : 3;
}

static inline int prep_clamp(int value, int high)
{
    return value < 0 ? 0 : value > high ? high : value;
}

/* One source pixel in the channels of the network; grey as image_convert makes it. */
static inline void prep_read_pixel(const uint8_t *pixel, prep_byte_order order, prep_format format,
                                   float *channels)
{
    int red = pixel[order.red], green = pixel[order.green], blue = pixel[order.blue];
    if (format == PREP_GRAY) {
        channels[0] = order.size == 1 ? (float)red : (float)image_luma(red, green, blue);
        return;
    }
    channels[0] = (float)(format == PREP_RGB ? red : blue);
    channels[1] = (float)green;
    channels[2] = (float)(format == PREP_RGB ? blue : red);
}

/*
 * Adds weight times the bilinear sample at (x, y) to sums, one a channel. The centre of the first
 * pixel is 0.5, 0.5; beyond the picture its edge is repeated. x, y: between -1e9 and 1e9.
 */
static inline void prep_add_sample(const prep_settings *settings, const mien_image *image, float x,
                                   float y, float weight, float *sums)
{
    prep_byte_order order = prep_order_of(image->format);
    float left = floorf(x - 0.5f), top = floorf(y - 0.5f);
    float right_share = x - 0.5f - left, bottom_share = y - 0.5f - top;
    int channels = prep_channels(settings);
    for (int corner = 0; corner < 4; corner++) {
        int column = prep_clamp((int)left + corner % 2, image->width - 1);
        int row = prep_clamp((int)top + corner / 2, image->height - 1);
        float values[3];
        prep_read_pixel(image_row(image, row) + (size_t)column * (size_t)order.size, order,
                        settings->format, values);
        float share = (corner % 2 != 0 ? right_share : 1 - right_share) *
                      (corner / 2 != 0 ? bottom_share : 1 - bottom_share) * weight;
        for (int c = 0; c < channels; c++)
            sums[c] += share * values[c];
    }
}

/* A row of the input, (channels, width), normalised into its place. */
static inline void prep_write_row(const prep_settings *settings, const float *sums, int y,
                                  float *input)
{
    size_t plane = (size_t)settings->width * (size_t)settings->height;
    for (int c = 0; c < prep_channels(settings); c++, sums += settings->width) {
        float *out = input + (size_t)c * plane + (size_t)y * (size_t)settings->width;
        float mean = settings->mean[c], scale = settings->scale[c];
        for (int x = 0; x < settings->width; x++)
            out[x] = (sums[x] - mean) * scale;
    }
}

/* prep_crop, refused with MIEN_INVALID_ARGUMENT when it has no area or reaches beyond 1e6 pixels.
 */
mien_status prep_checked_crop(const prep_settings *settings, const image_rect *box,
                              image_rect *crop, mien_error *error);

#endif
