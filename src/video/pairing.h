/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_PAIRING_H
#define VIDEO_PAIRING_H

/*
 * What it costs to take a box for a track's next one: by place, and where several tracks or boxes
 * compete also by looks.
 *
 * The cost of a pair is 1 - overlap + distance of the centres. With looks it grows by
 * looks_weight times their distance (max_looks stands for it where they cannot be compared), and a
 * pair that differs by more than max_looks is none when its box or its track has another possible
 * partner that differs by at most max_looks, and by looks_margin less. A pair without competitors
 * is assigned as it would be without looks.
 *
 * For one thread at a time.
 */

#include "video/scratch.h"
#include "video/tracker.h"

/* What pairing_costs keeps from call to call. Starts zeroed. */
typedef struct pairing_scratch {
    scratch costs, looks, nearest_of_box, nearest_of_track;
} pairing_scratch;

void pairing_scratch_free(pairing_scratch *kept);

/*
 * *costs: (boxes, tracks), row-major, finite, kept's until its next use; tracks that are away have
 * no pairs. looks NULL: by place alone; otherwise one for each box. MIEN_OUT_OF_MEMORY.
 */
mien_status pairing_costs(pairing_scratch *kept, const tracker_settings *settings,
                          const image_rect *boxes, const looks *looks, size_t box_count,
                          const track *tracks, size_t track_count, const double **costs,
                          mien_error *error);

/* Whether this cost is one of a pair that may be. */
bool pairing_is_possible(double cost);

/* How far the centres of two boxes are apart, in sides (the mean of the roots of their areas). */
double pairing_distance(const image_rect *a, const image_rect *b);

/* How many times the side of the larger box is that of the other: at least 1. */
double pairing_ratio(const image_rect *a, const image_rect *b);

#endif
