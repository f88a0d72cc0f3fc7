/* SPDX-License-Identifier: Apache-2.0 */
#include "video/baseline.h"

#include <math.h>
#include <string.h>

#define LONGEST_HOLD_S 0.5
#define AT_REST        0.9 /* probability of neutral */
#define MOST_CHANGE    10.0

void baseline_record(baseline *b, double time_s, const float *probabilities, int count)
{
    if (b->started) {
        double held_s = fmin(fmax(time_s - b->last_s, 0), LONGEST_HOLD_S);
        for (int c = 0; c < count; c++)
            b->sums[c] += held_s * (double)b->last[c];
        b->recorded_s += held_s;
    }
    b->started = true;
    b->last_s = time_s;
    memcpy(b->last, probabilities, (size_t)count * sizeof *probabilities);
}

void baseline_remove(const baseline *b, int neutral, float *probabilities, int count)
{
    double changed[MIEN_MAX_CLASSES], sum = 0;
    if (!(b->recorded_s > 0) || count < 2)
        return;
    for (int c = 0; c < count; c++) {
        double at_rest = c == neutral ? AT_REST : (1 - AT_REST) / (count - 1);
        double factor = at_rest * b->recorded_s / fmax(b->sums[c], 1e-12);
        changed[c] = (double)probabilities[c] * fmin(fmax(factor, 1 / MOST_CHANGE), MOST_CHANGE);
        sum += changed[c];
    }
    for (int c = 0; c < count; c++)
        probabilities[c] = (float)(changed[c] / sum);
}
