/* SPDX-License-Identifier: Apache-2.0 */
#include "prep/taps.h"

#include "prep/sample.h"

#include <math.h>

size_t prep_most_weights(float extent, int length)
{
    return (size_t)length * ((size_t)ceilf(extent / (float)length) + 2);
}

/* The two pixels whose centres lie around a position, or the one whose centre it is. */
static void set_bilinear(prep_axis *a, int i, float position, size_t *used)
{
    float first = floorf(position - 0.5f);
    float share = position - 0.5f - first;
    a->taps[i] = (prep_tap){(int)first, share != 0 ? 2 : 1, *used};
    a->weights[(*used)++] = 1 - share;
    a->weights[(*used)++] = share;
}

/*
 * The pixels covered by from..to, each by its part. What lies beyond the picture of `size` pixels
 * counts for the edge, so that a box far larger than the picture costs no more than the picture.
 */
static void set_area(prep_axis *a, int i, float from, float to, int size, size_t *used)
{
    int first = prep_clamp((int)floorf(from), size - 1);
    int last = prep_clamp((int)ceilf(to) - 1, size - 1);
    a->taps[i] = (prep_tap){first, last - first + 1, *used};
    for (int p = first; p <= last; p++) {
        float left = p == first ? from : (float)p;
        float right = p == last ? to : (float)(p + 1);
        a->weights[(*used)++] = (right - left) / (to - from);
    }
}

static bool is_even(const prep_axis *a)
{
    for (int i = 0; i < a->length; i++) {
        const float *weights = a->weights + a->taps[i].weights;
        for (int t = 1; t < a->taps[i].count; t++)
            if (weights[t] != weights[0])
                return false;
    }
    return true;
}

void prep_make_taps(prep_axis *axis, float start, float extent, int size)
{
    float step = extent / (float)axis->length;
    size_t used = 0;
    for (int i = 0; i < axis->length; i++) {
        if (step <= 1)
            set_bilinear(axis, i, start + ((float)i + 0.5f) * step, &used);
        else
            set_area(axis, i, start + (float)i * step, start + (float)(i + 1) * step, size, &used);
    }
    axis->same_count = axis->taps[0].count;
    for (int i = 1; i < axis->length; i++)
        if (axis->taps[i].count != axis->taps[0].count)
            axis->same_count = 0;
    axis->even = is_even(axis);
}

size_t prep_most_pixels(float extent, int length, int size)
{
    float longest = (float)(length > size ? length : size);
    return (size_t)ceilf(extent < longest ? extent : longest) + 3;
}
