/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_CURVES_H
#define EVAL_CURVES_H

/*
 * The curves behind the figures of eval/metrics.h, for drawing. Arguments as of eval_score, which
 * has checked them. Pure functions.
 */

#include "eval/metrics.h"

/* A point of a ROC curve, both 0..1. */
typedef struct eval_roc_point {
    float false_positives; /* share of the negatives, 1 - specificity */
    float true_positives;  /* share of the positives, recall */
} eval_roc_point;

#define EVAL_ROC_POINTS 130

/*
 * The ROC curve of one class against the rest (Fawcett 2006): from (0, 0) to (1, 1), a step for
 * every different score, thinned to points that are 1/64 apart in either direction. *count: number
 * of points, at most EVAL_ROC_POINTS; 0 where the class or the rest has no sample.
 * MIEN_OUT_OF_MEMORY.
 */
mien_status eval_roc_curve(const int *labels, const float *probabilities, size_t n, int class_count,
                           int index, eval_roc_point points[EVAL_ROC_POINTS], size_t *count,
                           mien_error *error);

/* One bin of the reliability diagram: samples by their largest probability. */
typedef struct eval_bin {
    size_t count;
    double confidence; /* mean of the largest probability; 0 for an empty bin */
    double accuracy;   /* share that is right; 0 for an empty bin */
} eval_bin;

/* The bins (k/15, (k+1)/15] that the ECE is a mean of (Guo et al. 2017). */
void eval_reliability(const int *labels, const float *probabilities, size_t n, int class_count,
                      eval_bin bins[EVAL_ECE_BINS]);

/* Which samples eval_most_confident looks for. */
typedef struct eval_search {
    bool right;  /* rightly predicted ones, else wrongly predicted ones */
    int label;   /* of this class; -1: of any */
    size_t most; /* so many */
} eval_search;

/*
 * Fills order with up to search->most indices of samples, the most confident first, equal ones in
 * the order of the samples. Returns their number.
 */
size_t eval_most_confident(const int *labels, const float *probabilities, size_t n, int class_count,
                           const eval_search *search, size_t *order);

#endif
