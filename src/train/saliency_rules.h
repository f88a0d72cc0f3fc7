/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_SALIENCY_RULES_H
#define TRAIN_SALIENCY_RULES_H

/*
 * How a gradient goes back through each operator, from its output to what flows into it. Weights
 * get none. Plain C over row-major tensors: for one picture, to look at. Pure functions.
 */

#include "nn/op.h"

/* One node on the way back. */
typedef struct saliency_step {
    const nn_params *params;
    const nn_tensor *inputs; /* with their data */
    int input_count;
    int which;        /* the input whose gradient is wanted */
    nn_tensor output; /* with its data */
    const float *dy;  /* gradient of the output */
    bool guided;      /* ReLU lets through only what is positive (Springenberg et al. 2015) */
    float *dx;        /* gradient of the input: added to */
    float *scratch;   /* as large as the largest tensor */
} saliency_step;

typedef void (*saliency_rule)(const saliency_step *step);

/*
 * The rule of an operator for its input `which`, or NULL: it has none, or not for such inputs
 * (weights that the network computes, products of two things that flow).
 */
saliency_rule saliency_rule_for(const nn_op *op, const nn_params *params, const nn_tensor *inputs,
                                int input_count, int which);

#endif
