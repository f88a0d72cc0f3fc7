/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_ELEMENTWISE_H
#define TRAIN_ELEMENTWISE_H

/* Arithmetic that does not care how a picture lies: shared by the backends. Pure functions. */

#include "train/backend.h"

void elementwise_add(const float *a, const float *b, size_t count, float *y); /* y may be a or b */
void elementwise_multiply(const float *a, const float *b, size_t count, float *y);

/* y = activation(y), in place. */
void elementwise_activate(nn_activation activation, size_t count, float *y);

/* dx = dy * slope; x: the activation's input, y: its output. RELU and CLIP need only y: then x may
 * be NULL. dx may be dy. */
void elementwise_activate_backward(nn_activation activation, const float *x, const float *y,
                                   const float *dy, size_t count, float *dx);

/*
 * Inverted dropout: y = x / (1 - ratio) or 0. What is dropped is a hash of seed, step, layer and
 * position, so that the way backwards drops the same (call it with dy).
 */
void elementwise_dropout(const float *x, size_t count, float ratio, uint64_t seed, uint64_t step,
                         uint64_t layer, float *y);

/* (planes, rows, columns) -> (planes, columns, rows) */
void elementwise_transpose(const float *x, int64_t planes, int64_t rows, int64_t columns, float *y);

#endif
