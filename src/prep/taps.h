/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PREP_TAPS_H
#define PREP_TAPS_H

/* Which pixels of a picture make one pixel of the input, along one axis. Private to prep. */

#include <stdbool.h>
#include <stddef.h>

/* The source pixels that make one output pixel on one axis: weights of first..first+count-1. */
typedef struct prep_tap {
    int first, count;
    size_t weights; /* index of the first weight */
} prep_tap;

typedef struct prep_axis {
    prep_tap *taps; /* (length) */
    float *weights;
    int length;     /* output pixels */
    int same_count; /* of all taps, or 0 */
    bool even;      /* each tap takes the mean of its pixels */
} prep_axis;

/* Weights that an axis takes at most, of a crop of `extent` pixels. */
size_t prep_most_weights(float extent, int length);

/* Source pixels that an axis asks for at most; size: pixels of the picture along it. */
size_t prep_most_pixels(float extent, int length, int size);

/*
 * Fills the axis, whose length and memory are set, for start..start+extent of the picture of `size`
 * pixels. Enlarging, its taps may lie beyond the picture; shrinking, they never do.
 */
void prep_make_taps(prep_axis *axis, float start, float extent, int size);

#endif
