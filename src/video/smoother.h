/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_SMOOTHER_H
#define VIDEO_SMOOTHER_H

/*
 * Causal exponential smoothing of one person's class probabilities, for samples at any times:
 * s += (1 - exp(-dt / T)) (p - s). What comes out is a mixture of what went in, so its sum stays 1.
 *
 * Delay: after a change the output has gone half-way after 0.69 T, 63 % after T, 95 % after 3 T;
 * behind a steady drift it runs by at most T. With T = 0 nothing is smoothed and nothing delayed.
 */

#include <mien/model.h>
#include <stdbool.h>

/* Plain data; starts zeroed. */
typedef struct smoother {
    float values[MIEN_MAX_CLASSES];
    int count;
    double time_s;
    bool started;
} smoother;

/*
 * One sample of count probabilities (1..MIEN_MAX_CLASSES, the same from call to call) at time_s;
 * they are replaced by the smoothed ones. time_constant_s: T, at least 0. The first sample comes
 * out as it went in; time that steps back counts as no time.
 * MIEN_INVALID_ARGUMENT (a number is not finite, count or T out of range): nothing has changed.
 */
mien_status smoother_update(smoother *smoother, double time_s, double time_constant_s,
                            float *probabilities, int count, mien_error *error);

#endif
