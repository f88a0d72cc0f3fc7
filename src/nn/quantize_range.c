/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/quantize_range.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define BINS        NN_HISTOGRAM_BINS
#define STEPS       256
#define FIRST_KEPT  STEPS /* fewest bins that are left of the range */
#define TRIED_EVERY 16    /* bins from one range that is tried to the next */

static int bin_of(const nn_histogram *h, float value)
{
    double place = ((double)value - (double)h->low) / ((double)h->high - (double)h->low);
    int bin = (int)(place * BINS);
    return bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
}

void nn_histogram_add(nn_histogram *histogram, const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        histogram->bins[bin_of(histogram, values[i])]++;
}

static uint64_t total_of(const nn_histogram *h)
{
    uint64_t total = 0;
    for (int i = 0; i < BINS; i++)
        total += h->bins[i];
    return total;
}

/* The range that bins first..end-1 cover. */
static nn_range range_of(const nn_histogram *h, int first, int end)
{
    double width = ((double)h->high - (double)h->low) / BINS;
    return (nn_range){first == 0 ? h->low : (float)((double)h->low + first * width),
                      end == BINS ? h->high : (float)((double)h->low + end * width)};
}

nn_range nn_range_percentile(const nn_histogram *histogram, double share)
{
    double outside = (1 - share) * (double)total_of(histogram);
    int first = 0, end = BINS;
    uint64_t below = 0, above = 0;
    while (first < BINS - 1 && (double)(below + histogram->bins[first]) <= outside)
        below += histogram->bins[first++];
    while (end > first + 1 && (double)(above + histogram->bins[end - 1]) <= outside)
        above += histogram->bins[--end];
    return range_of(histogram, first, end);
}

/* ---- Divergence ---- */

/* The numbers as a range of bins keeps them: what lies outside counts at its ends. */
static void clip(const nn_histogram *h, int first, int end, double *kept)
{
    for (int i = first; i < end; i++)
        kept[i - first] = (double)h->bins[i];
    for (int i = 0; i < first; i++)
        kept[0] += (double)h->bins[i];
    for (int i = end; i < BINS; i++)
        kept[end - first - 1] += (double)h->bins[i];
}

/*
 * The divergence of the clipped numbers from the same in steps: each step spreads what lies in the
 * range over those of its bins that are not empty.
 */
static double divergence(const nn_histogram *h, int first, int end)
{
    double kept[BINS], sum = 0, result = 0;
    int count = end - first;
    clip(h, first, end, kept);
    for (int i = 0; i < count; i++)
        sum += kept[i];
    for (int step = 0; step < STEPS; step++) {
        int from = step * count / STEPS, to = (step + 1) * count / STEPS, filled = 0;
        double inside = 0;
        for (int i = from; i < to; i++) {
            inside += (double)h->bins[first + i];
            filled += kept[i] > 0;
        }
        for (int i = from; i < to; i++)
            if (kept[i] > 0) /* a bin that only what was clipped fills gets half a number */
                result += kept[i] / sum * log(kept[i] / (inside > 0 ? inside / filled : 0.5));
    }
    return result;
}

/*
 * What ReLU leaves as 0 is a spike that one step holds exactly; it would hide how the rest fares,
 * so it counts as its neighbours do.
 */
static nn_histogram without_spike(const nn_histogram *histogram, int zero)
{
    nn_histogram h = *histogram;
    uint64_t before = zero > 0 ? h.bins[zero - 1] : 0;
    uint64_t after = zero + 1 < BINS ? h.bins[zero + 1] : 0;
    uint64_t beside = before > after ? before : after;
    h.bins[zero] = h.bins[zero] < beside ? h.bins[zero] : beside;
    return h;
}

nn_range nn_range_divergence(const nn_histogram *histogram)
{
    int zero = bin_of(histogram, fminf(fmaxf(0, histogram->low), histogram->high));
    nn_histogram h = without_spike(histogram, zero);
    int best_first = 0, best_end = BINS;
    double least = INFINITY;
    if (total_of(&h) == 0)
        return range_of(histogram, 0, BINS);
    for (int kept = FIRST_KEPT; kept <= BINS; kept += TRIED_EVERY) {
        int first = zero - zero * kept / BINS, end = zero + (BINS - zero) * kept / BINS;
        double here = divergence(&h, first, end);
        if (here < least) {
            least = here;
            best_first = first;
            best_end = end;
        }
    }
    return range_of(histogram, best_first, best_end);
}
