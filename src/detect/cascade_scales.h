/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_SCALES_H
#define DETECT_CASCADE_SCALES_H

/* The sizes of window that are searched in a picture, as OpenCV chooses them. */

#include "base/error.h"
#include "detect/cascade_model.h"

/* One size of window: the picture is shrunk by the factor and scanned with the cascade's window. */
typedef struct scan_scale {
    float factor;
    int width, height;               /* of the shrunk picture, pixels */
    int window_width, window_height; /* pixels of the picture */
    int step;                        /* from window to window, pixels of the shrunk picture */
    int columns, rows; /* positions 0 .. columns-1, 0 .. rows-1 of the window's corner */
    size_t first_tap;  /* see cascade_plan */
} scan_scale;

/* Starts zeroed. */
typedef struct scale_list {
    scan_scale *scales; /* by rising factor */
    size_t count;
    size_t capacity;
} scale_list;

/*
 * Fills the list (what it held goes) for a picture of width x height; it may stay empty.
 * Failure: MIEN_INVALID_ARGUMENT when there are too many, MIEN_OUT_OF_MEMORY; the list is empty.
 */
mien_status cascade_list_scales(const cascade *model, int width, int height,
                                const cascade_options *options, scale_list *list,
                                mien_error *error);
void scale_list_free(scale_list *list);

#endif
