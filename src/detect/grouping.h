/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_GROUPING_H
#define DETECT_GROUPING_H

/* From the raw windows of a cascade to objects: what OpenCV's groupRectangles does with eps 0.2. */

#include "detect/faces.h"

/* A raw window in pixels of the picture. */
typedef struct raw_window {
    int x, y, width, height;
} raw_window;

typedef struct raw_windows {
    raw_window *windows;
    size_t count;
    size_t capacity;
} raw_windows;

/* false when out of memory; then the list is unchanged. */
bool raw_windows_add(raw_windows *list, const raw_window *window);
void raw_windows_free(raw_windows *list);

/* The memory of group_windows from call to call. Starts zeroed. */
typedef struct window_grouping {
    struct window_group *groups;
    size_t *parents;
    size_t capacity; /* of each */
} window_grouping;

void window_grouping_free(window_grouping *memory);

/*
 * Similar windows, directly or by a chain of others, form a group; a group of more than
 * min_neighbours windows becomes one face, its mean, unless it lies within a stronger one. With
 * min_neighbours 0 or less every window becomes a face of score 1. Faces are cut to the picture of
 * width x height and added to list in the order in which their groups first appear.
 * The windows must be sorted by rising width; it is fast when windows of one size are sorted by y.
 * false when out of memory; then the list is unchanged.
 */
bool group_windows(const raw_windows *raw, int min_neighbours, int width, int height,
                   window_grouping *memory, face_list *list);

#endif
