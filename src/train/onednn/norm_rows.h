/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_ONEDNN_NORM_ROWS_H
#define TRAIN_ONEDNN_NORM_ROWS_H

/*
 * What BatchNormalization does to rows of channels, (rows, channels): on one thread, for as many
 * rows as a caller has in its cache. Private to this folder.
 */

#include "train/backend.h"

/* y = factor x + offset, kept within low..high (the joined activation); by channel. */
typedef struct norm_map {
    const float *factor, *offset;
    float low, high;
} norm_map;

/* Gradient of x = by_gradient back + by_x x + constant; by channel. `back` is the gradient of y, 0
 * where y is at a bound. */
typedef struct norm_slopes {
    const float *by_gradient, *by_x, *constant;
} norm_slopes;

norm_map norm_map_of(nn_activation activation, const float *factor, const float *offset);

/* sums += x - origin, squares += (x - origin)^2: (channels) each. */
void norm_rows_moments(const float *x, int64_t rows, int64_t channels, const float *origin,
                       float *sums, float *squares);

/* rounded: y once more, or NULL. */
void norm_rows_map(const float *x, int64_t rows, int64_t channels, const norm_map *map, float *y,
                   train_bf16 *rounded);

/* sums += back, dots += back (x - mean): (channels) each. */
void norm_rows_gradient_sums(const float *x, const float *dy, int64_t rows, int64_t channels,
                             const float *mean, const norm_map *map, float *sums, float *dots);

/* Into dx, which may be dy, or rounded into `rounded` in its place where that is not NULL. */
void norm_rows_gradient(const float *x, const float *dy, int64_t rows, int64_t channels,
                        const norm_map *map, const norm_slopes *slopes, float *dx,
                        train_bf16 *rounded);

#endif
