/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_QUANTIZE_H
#define NN_QUANTIZE_H

/*
 * A float network turned into one of 8-bit numbers, after training: weights as int8 with a scale
 * for each output channel (symmetric, -127..127), activations as uint8 with a scale and a zero
 * point (Jacob et al. 2018), written as pairs of QuantizeLinear and DequantizeLinear that every
 * ONNX program understands.
 */

#include "nn/graph.h"

typedef enum nn_range_method {
    NN_RANGE_LARGEST,    /* from the least to the largest number that came */
    NN_RANGE_PERCENTILE, /* without the share of 1 - percentile at each end */
    NN_RANGE_DIVERGENCE  /* the least divergence of Kullback and Leibler */
} nn_range_method;

/* Fills the network's input with sample `index`, 0..samples-1; the same each time it is asked. */
typedef mien_status (*nn_sample_source)(void *context, size_t index, float *input,
                                        mien_error *error);

typedef struct nn_quantize_options {
    nn_range_method method;
    double percentile;    /* 0.5..1 */
    nn_shape input_shape; /* of one sample, batch 1 */
    size_t samples;       /* over 0; a few hundred will do */
    nn_sample_source source;
    void *context;
} nn_quantize_options;

/*
 * Quantises what enters and leaves convolutions, products with constants, sums of two pictures and
 * pooling; what cannot be quantised stays float. Batch normalisation goes into the convolutions
 * first, Dropout and Identity go. *quantised: how many convolutions and products were.
 * The graph is the caller's before and after; after a failure it can only be freed.
 * MIEN_UNSUPPORTED (more than one input, opset below 13, nothing to quantise), MIEN_OUT_OF_MEMORY,
 * errors of nn_plan_create and of the source.
 */
mien_status nn_quantize(nn_graph *graph, const nn_quantize_options *options, size_t *quantised,
                        mien_error *error);

#endif
