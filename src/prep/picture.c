/* SPDX-License-Identifier: Apache-2.0 */
#include "prep/prep.h"

#include <math.h>

static uint8_t pixel_of(const prep_settings *settings, int channel, float value)
{
    float scale = settings->scale[channel];
    float pixel = (scale != 0 ? value / scale : 0) + settings->mean[channel];
    return (uint8_t)lrintf(fminf(fmaxf(pixel, 0), 255)); /* NaN: 0 */
}

/* The network's channel that holds red, green or blue. */
static int channel_of(prep_format format, int colour)
{
    return format == PREP_GRAY ? 0 : format == PREP_RGB ? colour : 2 - colour;
}

mien_status prep_picture(const prep_settings *settings, const float *input, mien_image *out,
                         mien_error *error)
{
    mien_status status =
        mien_image_alloc(settings->width, settings->height, MIEN_PIXEL_RGB8, out, error);
    if (status != MIEN_OK)
        return status;
    size_t plane = (size_t)settings->width * (size_t)settings->height;
    for (int y = 0; y < settings->height; y++) {
        uint8_t *row = image_row(out, y);
        for (int x = 0; x < settings->width; x++)
            for (int colour = 0; colour < 3; colour++) {
                int channel = channel_of(settings->format, colour);
                size_t at = (size_t)y * (size_t)settings->width + (size_t)x;
                row[3 * x + colour] =
                    pixel_of(settings, channel, input[(size_t)channel * plane + at]);
            }
    }
    return MIEN_OK;
}
