/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_QUANTIZE_RANGE_H
#define NN_QUANTIZE_RANGE_H

/* Which range of numbers 256 steps should cover. Pure functions. */

#include <stdint.h>

#define NN_HISTOGRAM_BINS 2048

/* How often numbers came; the bins divide low..high evenly. */
typedef struct nn_histogram {
    float low, high; /* the least and the largest number; low < high */
    uint64_t bins[NN_HISTOGRAM_BINS];
} nn_histogram;

typedef struct nn_range {
    float low, high;
} nn_range;

/* Counts numbers, which lie in low..high. */
void nn_histogram_add(nn_histogram *histogram, const float *values, int64_t count);

/* The least range outside which lies at most 1 - share of the numbers at each end; share: 0..1. */
nn_range nn_range_percentile(const nn_histogram *histogram, double share);

/*
 * The range whose 256 steps tell least from the numbers as they came, by the divergence of Kullback
 * and Leibler (Migacz 2017, "8-bit inference with TensorRT"): both ends are drawn in by the same
 * share, what lies outside counts at the ends. A histogram of nothing keeps its range.
 */
nn_range nn_range_divergence(const nn_histogram *histogram);

#endif
