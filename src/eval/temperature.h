/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_TEMPERATURE_H
#define EVAL_TEMPERATURE_H

/*
 * Temperature scaling (Guo et al. 2017): one number that makes confidences mean what they say. Two
 * ways to find it; both are pure and deterministic, search over its logarithm between the bounds
 * below to 1e-6, and take n of at least 1.
 */

#include <mien/status.h>
#include <stddef.h>

#define EVAL_MIN_TEMPERATURE 0.05
#define EVAL_MAX_TEMPERATURE 20.0

/*
 * Mean negative log likelihood of softmax(logits / temperature). Probabilities p count as logits
 * ln p, p at least 1e-30. labels: (n); probabilities: (n, classes), row-major.
 */
double eval_nll_at(const int *labels, const float *probabilities, size_t n, int classes,
                   double temperature);

/* The temperature with the least NLL. */
double eval_fit_temperature(const int *labels, const float *probabilities, size_t n, int classes);

/*
 * The temperature at which the mean confidence is the accuracy ("expectation consistency", Clarte
 * et al. 2023): less drawn by a few confident mistakes, such as wrong labels.
 */
double eval_fit_confidence(const int *labels, const float *probabilities, size_t n, int classes);

#endif
