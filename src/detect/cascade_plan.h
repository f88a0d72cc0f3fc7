/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_PLAN_H
#define DETECT_CASCADE_PLAN_H

/* All that depends on the size of the picture and not on its pixels: made once for many pictures.
 */

#include "detect/cascade_layout.h"
#include "detect/cascade_scales.h"
#include "image/image.h"

/* Rows of positions of one scale that are worked on at once: first .. end-1. */
typedef struct scan_band {
    int scale;
    int first, end;
} scan_band;

/* Starts zeroed. */
typedef struct cascade_plan {
    int width, height; /* of the picture; 0 before the first plan */
    cascade_options options;
    scale_list scales;
    image_tap
        *taps; /* of all scales: (width) along x, then (height) along y; see image_bilinear_taps */
    cascade_layout layouts[2]; /* for steps 1 and 2; those without a scale stay zeroed */
    scan_band *bands;          /* by rising scale and row */
    size_t band_count;
    /* What a band needs at most: */
    size_t band_pixels;                 /* of the shrunk picture */
    size_t sum_entries, square_entries; /* of the tables; the tilted sums count as sums */
    size_t band_windows;
} cascade_plan;

/*
 * Plans for a picture of width x height; *changed is false when the plan was made for the like.
 * Failure: the plan is zeroed; errors of cascade_list_scales and cascade_layout_create.
 */
mien_status cascade_plan_make(const cascade *model, int width, int height,
                              const cascade_options *options, cascade_plan *plan, bool *changed,
                              mien_error *error);
void cascade_plan_free(cascade_plan *plan);

#endif
