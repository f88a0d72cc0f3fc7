/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/attempt.h"

#include <math.h>
#include <string.h>

#define LONGEST_GAP_S 0.5

void attempt_begin(attempt *a, double started_s, double hold_s)
{
    *a = (attempt){.hold_s = hold_s, .started_s = started_s, .reached_s = -1};
}

/* The mean over the last hold_s seconds; negative where the stretch is not that long. */
static double mean_held(const attempt *a)
{
    double end_s = a->times_s[a->count - 1], from_s = end_s - a->hold_s, area = 0;
    if (a->times_s[0] > from_s + 1e-9)
        return -1;
    for (size_t i = a->count - 1; i > 0 && a->times_s[i] > from_s; i--) {
        double long_s = a->times_s[i] - a->times_s[i - 1];
        double held_s = a->times_s[i] - fmax(from_s, a->times_s[i - 1]);
        double slope = long_s > 0 ? (a->values[i] - a->values[i - 1]) / long_s : 0;
        area += held_s * (a->values[i] - slope * held_s / 2);
    }
    return a->hold_s > 0 ? area / a->hold_s : a->values[a->count - 1];
}

void attempt_see(attempt *a, double time_s, double probability)
{
    if (a->count > 0) {
        double gap_s = time_s - a->times_s[a->count - 1];
        if (gap_s < 0 || gap_s > LONGEST_GAP_S)
            a->count = 0;
    }
    if (a->count == ATTEMPT_SAMPLES) {
        a->count--;
        memmove(a->times_s, a->times_s + 1, a->count * sizeof *a->times_s);
        memmove(a->values, a->values + 1, a->count * sizeof *a->values);
    }
    a->times_s[a->count] = time_s;
    a->values[a->count++] = probability;
    a->now = 100 * probability;
    a->score = fmax(a->score, 100 * mean_held(a));
    if (a->reached_s < 0 && a->score >= 50)
        a->reached_s = time_s - a->started_s;
}
