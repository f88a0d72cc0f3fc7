/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_CALIBRATE_H
#define EVAL_CALIBRATE_H

/*
 * Finds the calibration under which what really was is the likeliest. Pure and deterministic. n is
 * at least 1. labels: (n); probabilities: (n, classes), row-major, before any calibration; p counts
 * as the logit ln p, p at least 1e-30.
 */

#include "base/calibration.h"

#include <stddef.h>

#define EVAL_MIN_TEMPERATURE 0.05
#define EVAL_MAX_TEMPERATURE 20.0

/* Mean negative log likelihood of the calibrated probabilities. classes: 1..MIEN_MAX_CLASSES. */
double eval_nll_at(const int *labels, const float *probabilities, size_t n, int classes,
                   const calibration *at);

/*
 * The calibration with the least NLL. Temperature: between the bounds above, to 1e-5 of itself;
 * floor: 0 to half of what every class has where nothing is known, to 1e-4. No floor where one
 * makes the NLL less by under 1e-4 only.
 */
calibration eval_fit_calibration(const int *labels, const float *probabilities, size_t n,
                                 int classes);

#endif
