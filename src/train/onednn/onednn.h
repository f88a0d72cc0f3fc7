/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_ONEDNN_ONEDNN_H
#define TRAIN_ONEDNN_ONEDNN_H

/* The parts of the onednn backend; backend.h says what each does. Private to this folder. */

#include "train/backend.h"

/* ---- dense.c: oneDNN's convolutions and products ---- */

typedef struct dense_conv dense_conv;

mien_status dense_conv_create(const nn_conv *conv, bool needs_input_gradient, dense_conv **out,
                              mien_error *error);
void dense_conv_free(dense_conv *conv);
void dense_conv_forward(dense_conv *conv, const float *x, const float *weights, const float *bias,
                        float *y);
void dense_conv_backward(dense_conv *conv, const float *x, const float *weights, const float *dy,
                         float *dx, float *d_weights);

void dense_forward(int64_t rows, int64_t inner, int64_t outputs, const float *x,
                   const float *weights, const float *bias, float *y);
void dense_backward(int64_t rows, int64_t inner, int64_t outputs, const float *x,
                    const float *weights, const float *dy, float *dx, float *d_weights,
                    float *d_bias);

/* ---- depthwise.c: each channel by itself, with the kernels of the runtime and some of our own
 * ---- */

typedef struct depthwise_conv depthwise_conv;

mien_status depthwise_create(const nn_conv *conv, depthwise_conv **out, mien_error *error);
void depthwise_free(depthwise_conv *conv);
void depthwise_forward(depthwise_conv *conv, const float *x, const float *weights,
                       const float *bias, float *y);
void depthwise_backward_input(depthwise_conv *conv, const float *dy, const float *weights,
                              float *dx);
void depthwise_backward_weights(depthwise_conv *conv, const float *x, const float *dy,
                                float *d_weights);

/* ---- channels.c ---- */

/* sums[c] = sum over rows of x[r][c]; the same for the same number of threads. */
void sum_rows(const float *x, int64_t rows, int64_t channels, float *sums);

/* Threads that the loops of this backend use. */
int onednn_threads(void);

#endif
