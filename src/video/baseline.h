/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_BASELINE_H
#define VIDEO_BASELINE_H

/*
 * A person's own neutral face: some faces look angry or sad at rest. It is recorded while the
 * person is asked to look neutral, and taken out of what comes later by the correction for another
 * prior (Saerens, Latinne, Decaestecker: Adjusting the outputs of a classifier to new a priori
 * probabilities, Neural Computation 2002): p'_c = p_c r_c / b_c, scaled to the sum 1. b is the mean
 * of the recording; r what a face at rest ought to give: 0.9 neutral, the rest spread evenly. r / b
 * is kept within 0.1 to 10, so that no class is lost or made from nothing.
 */

#include <mien/model.h>
#include <stdbool.h>

/* Plain data; starts zeroed. */
typedef struct baseline {
    double sums[MIEN_MAX_CLASSES]; /* of probabilities times seconds */
    float last[MIEN_MAX_CLASSES];
    double last_s, recorded_s;
    bool started;
} baseline;

/*
 * A sample of count probabilities at time_s while the recording goes on: each holds until the next
 * one, at most 0.5 s. Time that steps back counts as no time.
 */
void baseline_record(baseline *b, double time_s, const float *probabilities, int count);

/* Takes the baseline out of count probabilities (sum 1). neutral: the class, 0..count-1. Before
 * anything was recorded they stay as they are. */
void baseline_remove(const baseline *b, int neutral, float *probabilities, int count);

#endif
