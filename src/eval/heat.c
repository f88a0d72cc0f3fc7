/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/heat.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/image.h"

#include <math.h>
#include <stdlib.h>

void heat_colour(float share, uint8_t rgb[3])
{
    static const float stops[][3] = {
        {40, 20, 90}, {120, 30, 130}, {205, 50, 90}, {245, 125, 45}, {252, 230, 100}};
    const int last = (int)(sizeof stops / sizeof *stops) - 1;
    float place = fminf(fmaxf(share, 0), 1) * (float)last;
    int stop = (int)place < last ? (int)place : last - 1;
    for (int c = 0; c < 3; c++) {
        float colour =
            stops[stop][c] + (place - (float)stop) * (stops[stop + 1][c] - stops[stop][c]);
        rgb[c] = (uint8_t)lrintf(colour);
    }
}

/* The neighbours of a pixel's centre on a shorter or longer axis, and the share of the second. */
static float neighbours(int at, int side, int map_side, int *low, int *high)
{
    float place = ((float)at + 0.5f) * (float)map_side / (float)side - 0.5f;
    place = fminf(fmaxf(place, 0), (float)(map_side - 1));
    *low = (int)place;
    *high = *low + 1 < map_side ? *low + 1 : *low;
    return place - (float)*low;
}

static void blend(float share, uint8_t *pixel)
{
    const float most = 0.75f, least = 0.1f;
    uint8_t colour[3];
    float opacity = least + (most - least) * fminf(fmaxf(share, 0), 1);
    heat_colour(share, colour);
    for (int c = 0; c < 3; c++)
        pixel[c] = (uint8_t)lrintf((1 - opacity) * (float)pixel[c] + opacity * (float)colour[c]);
}

void heat_lay_over(const float *map, int height, int width, mien_image *face)
{
    for (int y = 0; y < face->height; y++) {
        int top, bottom, left, right;
        float down = neighbours(y, face->height, height, &top, &bottom);
        for (int x = 0; x < face->width; x++) {
            float across = neighbours(x, face->width, width, &left, &right);
            const float *upper = map + (size_t)top * (size_t)width;
            const float *lower = map + (size_t)bottom * (size_t)width;
            float share = (1 - down) * ((1 - across) * upper[left] + across * upper[right]) +
                          down * ((1 - across) * lower[left] + across * lower[right]);
            blend(share, image_row(face, y) + 3 * (size_t)x);
        }
    }
}

static int compare_floats(const void *a, const void *b)
{
    float first = *(const float *)a, second = *(const float *)b;
    return (first > second) - (first < second);
}

/* The size that 99 % of the values do not exceed; where that is 0, the largest. */
static float usual_size(const float *values, size_t count, float *sizes)
{
    for (size_t i = 0; i < count; i++)
        sizes[i] = fabsf(values[i]);
    qsort(sizes, count, sizeof *sizes, compare_floats);
    float usual = sizes[(count - 1) * 99 / 100];
    return usual > 0 ? usual : sizes[count - 1];
}

/* flat (plane): of the channels the value furthest from 0. */
static void flatten(const float *map, int channels, size_t plane, float *flat)
{
    for (size_t i = 0; i < plane; i++) {
        flat[i] = map[i];
        for (int c = 1; c < channels; c++) {
            float value = map[(size_t)c * plane + i];
            if (fabsf(value) > fabsf(flat[i]))
                flat[i] = value;
        }
    }
}

mien_status heat_signed(const float *map, int channels, int height, int width, mien_image *out,
                        mien_error *error)
{
    mien_status status = mien_image_alloc(width, height, MIEN_PIXEL_RGB8, out, error);
    if (status != MIEN_OK)
        return status;
    size_t plane = (size_t)width * (size_t)height;
    float *flat = memory_zeroed(2 * plane, sizeof *flat);
    if (flat == NULL) {
        mien_image_free(out);
        return error_no_memory(error, "a map", 2 * plane * sizeof *flat);
    }
    flatten(map, channels, plane, flat);
    float usual = usual_size(flat, plane, flat + plane);
    for (size_t i = 0; i < plane; i++) {
        float share = usual > 0 ? fminf(fmaxf(flat[i] / usual, -1), 1) : 0;
        uint8_t *pixel = image_row(out, (int)(i / (size_t)width)) + 3 * (i % (size_t)width);
        pixel[0] = pixel[1] = pixel[2] = (uint8_t)lrintf(127.5f + 127.5f * share);
    }
    free(flat);
    return MIEN_OK;
}
