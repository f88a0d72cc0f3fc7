/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_METRICS_H
#define EVAL_METRICS_H

/*
 * Scores of a classifier, as pure functions of true labels and predicted probabilities. Each
 * formula names its source. Shares are 0..1; a share whose denominator is 0 is NaN (JSON: null).
 */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>

#define EVAL_MAX_CLASSES 64
#define EVAL_ECE_BINS    15

typedef struct eval_class_score {
    size_t support;   /* samples whose label is this class */
    size_t predicted; /* samples predicted as this class */
    double precision, recall, specificity, f1;
    double roc_auc; /* one against the rest (Hanley and McNeil 1982; ties count half) */
} eval_class_score;

typedef struct eval_scores {
    size_t n;
    int class_count;
    size_t confusion[EVAL_MAX_CLASSES][EVAL_MAX_CLASSES]; /* [true][predicted] */
    eval_class_score classes[EVAL_MAX_CLASSES];
    double accuracy;
    double accuracy_low, accuracy_high; /* 95 % Wilson score interval (Wilson 1927) */
    double balanced_accuracy;           /* mean recall of the classes with support */
    double macro_f1;                    /* mean F1 of the classes with support */
    double macro_roc_auc;               /* mean of the classes' defined AUC */
    double nll;   /* mean -ln p(true class), natural logarithm, p clipped at 1e-12 */
    double brier; /* mean over samples of sum over classes (p - y)^2 (Brier 1950): 0..2 */
    double ece;   /* expected calibration error, EVAL_ECE_BINS equal bins (Guo et al. 2017) */
} eval_scores;

/*
 * Scores n samples. labels: (n), each 0..class_count-1. probabilities: (n, class_count), row-major.
 * The prediction is the largest probability (the first of equals).
 * Failure: MIEN_INVALID_ARGUMENT (no samples, a label out of range, a probability that is
 * not finite: the message names the row, from 0), MIEN_OUT_OF_MEMORY.
 */
mien_status eval_score(const int *labels, const float *probabilities, size_t n, int class_count,
                       eval_scores *scores, mien_error *error);

/* 95 % Wilson score interval of a share of successes of n. */
void eval_wilson_interval(size_t successes, size_t n, double *low, double *high);

#endif
