/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_FIGURES_H
#define EVAL_FIGURES_H

/*
 * The single figures behind eval_score. They trust their arguments: eval_score has checked them.
 * labels: (n), each 0..class_count-1. probabilities: (n, class_count), row-major, finite. n >= 1.
 * Pure functions: thread-safe.
 */

#include <mien/status.h>
#include <stddef.h>

/* Index of the largest of class_count values, the first of equals. */
int eval_argmax(const float *values, int class_count);

/* One sample as the ROC sees it. */
typedef struct eval_ranked {
    float score;
    int positive; /* 1 or 0 */
} eval_ranked;

/*
 * Area under the ROC curve: the chance that a positive scores higher than a negative, ties counted
 * half, by midranks (Hanley and McNeil 1982). NaN without positives or without negatives.
 * samples: (n), sorted in place by score.
 */
double eval_roc_auc(eval_ranked *samples, size_t n);

/* Mean -ln p(true class), p not below 1e-12. */
double eval_nll(const int *labels, const float *probabilities, size_t n, int class_count);

/* Mean over samples of the sum over classes of (p - y)^2 (Brier 1950). */
double eval_brier(const int *labels, const float *probabilities, size_t n, int class_count);

/*
 * Expected calibration error (Guo et al. 2017): samples fall by the largest probability into the
 * bins (k/15, (k+1)/15], and |accuracy - mean confidence| is averaged, weighted by bin size.
 * Values outside 0..1 count in the first or last bin.
 */
double eval_ece(const int *labels, const float *probabilities, size_t n, int class_count);

#endif
