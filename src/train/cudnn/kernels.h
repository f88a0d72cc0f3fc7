/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_CUDNN_KERNELS_H
#define TRAIN_CUDNN_KERNELS_H

/*
 * The kernels, each with what it is to do; kernel.h says how they are written and run. `count` is
 * the number of results, said at each. All arrays are the device's; pictures are channels last,
 * (N, H, W, C), taken as rows (N H W) of channels. Sums have a fixed order.
 */

#include "train/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- kernels_elements.c: number by number ---- */

typedef struct kernel_add_work {
    const float *a, *b;
    float *y; /* may be a or b */
} kernel_add_work;
void kernel_add(train_device *device, const kernel_add_work *work, int64_t count);

typedef struct kernel_multiply_work {
    const float *a, *b;
    float *y;
} kernel_multiply_work;
void kernel_multiply(train_device *device, const kernel_multiply_work *work, int64_t count);

typedef struct kernel_activate_work {
    nn_activation activation;
    float *y;
} kernel_activate_work;
void kernel_activate(train_device *device, const kernel_activate_work *work, int64_t count);

typedef struct kernel_activate_backward_work {
    nn_activation activation;
    const float *x, *y, *dy; /* x: NULL where the slope does not need it */
    float *dx;               /* may be dy */
} kernel_activate_backward_work;
void kernel_activate_backward(train_device *device, const kernel_activate_backward_work *work,
                              int64_t count);

/* As rule_drop says. */
typedef struct kernel_dropout_work {
    const float *x;
    float *y;
    uint64_t base;
    uint32_t threshold;
    float kept;
} kernel_dropout_work;
void kernel_dropout(train_device *device, const kernel_dropout_work *work, int64_t count);

/* (planes, rows, columns) -> (planes, columns, rows) */
typedef struct kernel_transpose_work {
    const float *x;
    float *y;
    uint32_t rows, columns;
} kernel_transpose_work;
void kernel_transpose(train_device *device, const kernel_transpose_work *work, int64_t count);

/* To BF16; where y is not NULL, 0 where it is not above 0. */
typedef struct kernel_round_work {
    const float *x, *y;
    train_bf16 *rounded;
} kernel_round_work;
void kernel_round(train_device *device, const kernel_round_work *work, int64_t count);

/* From BF16. */
typedef struct kernel_widen_work {
    const train_bf16 *x;
    float *y;
} kernel_widen_work;
void kernel_widen(train_device *device, const kernel_widen_work *work, int64_t count);

/* ---- kernels_channels.c: channels of pictures ---- */

/* y += bias; count: rows * channels */
typedef struct kernel_add_bias_work {
    const float *bias;
    float *y;
    uint32_t channels;
} kernel_add_bias_work;
void kernel_add_bias(train_device *device, const kernel_add_bias_work *work, int64_t count);

/* Channels from_first.. of `from` to to_first.. of `to`; count: rows * channels */
typedef struct kernel_copy_channels_work {
    const float *from;
    float *to;
    uint32_t channels, from_first, from_channels, to_first, to_channels;
} kernel_copy_channels_work;
void kernel_copy_channels(train_device *device, const kernel_copy_channels_work *work,
                          int64_t count);

/* x times a factor for each picture and channel; count: numbers of x */
typedef struct kernel_scale_channels_work {
    const float *x, *factor;
    float *y;
    uint32_t pixels, channels;
} kernel_scale_channels_work;
void kernel_scale_channels(train_device *device, const kernel_scale_channels_work *work,
                           int64_t count);

/* The sums of a b over the pixels of each picture and channel, times `factor`; b: NULL for 1.
 * count: pictures * channels */
typedef struct kernel_sum_pixels_work {
    const float *a, *b;
    float *sums;
    uint32_t pixels, channels;
    float factor;
} kernel_sum_pixels_work;
void kernel_sum_pixels(train_device *device, const kernel_sum_pixels_work *work, int64_t count);

/* y = factor x[picture, channel]; count: numbers of y */
typedef struct kernel_spread_pixels_work {
    const float *x;
    float *y;
    uint32_t pixels, channels;
    float factor;
} kernel_spread_pixels_work;
void kernel_spread_pixels(train_device *device, const kernel_spread_pixels_work *work,
                          int64_t count);

/*
 * Sums over rows, in parts of `each` rows: x (rows, width) to y (parts, width), 0 counted where
 * mask is not NULL and not above 0. count: parts * width
 */
typedef struct kernel_sum_rows_work {
    const float *x, *mask;
    float *y;
    uint32_t rows, width, each;
} kernel_sum_rows_work;
void kernel_sum_rows(train_device *device, const kernel_sum_rows_work *work, int64_t count);

/* ---- kernels_norm.c: BatchNormalization ---- */

/*
 * Sums of x - x[0] and of their squares, in parts of `each` rows: sums (parts, 2, channels).
 * count: parts * channels
 */
typedef struct kernel_moments_work {
    const float *x;
    float *sums;
    uint32_t rows, channels, each;
} kernel_moments_work;
void kernel_moments(train_device *device, const kernel_moments_work *work, int64_t count);

/* From sums (2, channels) of kernel_moments over all rows. count: channels */
typedef struct kernel_statistics_work {
    const float *x, *sums;
    float *mean, *inverse;
    uint32_t rows, channels;
    float epsilon;
} kernel_statistics_work;
void kernel_statistics(train_device *device, const kernel_statistics_work *work, int64_t count);

/* A picture as it is normalised: activation((x - mean) inverse scale + shift). */
typedef struct kernel_normal {
    const float *x, *scale, *shift, *mean, *inverse;
    nn_activation activation;
    uint32_t channels;
} kernel_normal;

typedef struct kernel_normalise_work {
    kernel_normal normal;
    float *y;
    train_bf16 *rounded; /* y once more, or NULL */
} kernel_normalise_work;
void kernel_normalise(train_device *device, const kernel_normalise_work *work, int64_t count);

/* normal.inverse is the variance here. */
typedef struct kernel_normalise_running_work {
    kernel_normal normal;
    float epsilon;
    float *y;
    train_bf16 *rounded;
} kernel_normalise_running_work;
void kernel_normalise_running(train_device *device, const kernel_normalise_running_work *work,
                              int64_t count);

/*
 * Sums of what comes back behind the activation, and of that times (x - mean), in parts of `each`
 * rows: sums (parts, 2, channels). count: parts * channels
 */
typedef struct kernel_back_sums_work {
    kernel_normal normal;
    const float *dy;
    float *sums;
    uint32_t rows, each;
} kernel_back_sums_work;
void kernel_back_sums(train_device *device, const kernel_back_sums_work *work, int64_t count);

/*
 * From sums (2, channels) of kernel_back_sums over all rows: gradients of scale and shift, and
 * slopes (3, channels), with which dx = slopes[0] back + slopes[1] x + slopes[2]. count: channels
 */
typedef struct kernel_slopes_work {
    const float *sums, *scale, *mean, *inverse;
    float *d_scale, *d_shift, *slopes;
    uint32_t rows, channels;
} kernel_slopes_work;
void kernel_slopes(train_device *device, const kernel_slopes_work *work, int64_t count);

typedef struct kernel_normalise_backward_work {
    kernel_normal normal;
    const float *dy, *slopes;
    float *dx;           /* may be dy */
    train_bf16 *rounded; /* in the place of dx, or NULL */
} kernel_normalise_backward_work;
void kernel_normalise_backward(train_device *device, const kernel_normalise_backward_work *work,
                               int64_t count);

/* As move_statistics of train_updates. count: channels */
typedef struct kernel_move_statistics_work {
    const float *mean, *inverse;
    float *running_mean, *running_variance;
    double unbiased; /* rows / (rows - 1) */
    float epsilon, momentum;
} kernel_move_statistics_work;
void kernel_move_statistics(train_device *device, const kernel_move_statistics_work *work,
                            int64_t count);

/* ---- kernels_window.c: what looks through a window ---- */

/* Two pictures and the window between them, as nn_conv and nn_pool have them. */
typedef struct kernel_window {
    int in_height, in_width, in_channels;
    int out_height, out_width, out_channels;
    int kernel[2], stride[2], dilation[2], pad_before[2], pad_after[2];
} kernel_window;

/*
 * Convolution where each result reads one channel of x: out channel m reads in channel
 * m / (out_channels / in_channels). weights (M, kH, kW) row-major. count: numbers of y
 */
typedef struct kernel_depthwise_work {
    kernel_window window;
    const float *x, *weights, *bias; /* bias may be NULL */
    float *y;
} kernel_depthwise_work;
void kernel_depthwise(train_device *device, const kernel_depthwise_work *work, int64_t count);

/* count: numbers of dx */
typedef struct kernel_depthwise_input_work {
    kernel_window window;
    const float *weights, *dy;
    float *dx;
} kernel_depthwise_input_work;
void kernel_depthwise_input(train_device *device, const kernel_depthwise_input_work *work,
                            int64_t count);

/* In parts of `each` rows of dy: sums (parts, M, kH, kW). count: parts * M kH kW */
typedef struct kernel_depthwise_weights_work {
    kernel_window window;
    const float *x, *dy;
    float *sums;
    uint32_t rows, each;
} kernel_depthwise_weights_work;
void kernel_depthwise_weights(train_device *device, const kernel_depthwise_weights_work *work,
                              int64_t count);

/* winners: as train_backend has them, NULL for the average. count: numbers of y */
typedef struct kernel_pool_work {
    kernel_window window;
    bool count_padding;
    const float *x;
    float *y;
    uint8_t *winners;
} kernel_pool_work;
void kernel_pool(train_device *device, const kernel_pool_work *work, int64_t count);

/* count: numbers of dx */
typedef struct kernel_pool_backward_work {
    kernel_window window;
    bool count_padding;
    const float *dy;
    const uint8_t *winners;
    float *dx;
} kernel_pool_backward_work;
void kernel_pool_backward(train_device *device, const kernel_pool_backward_work *work,
                          int64_t count);

/* ---- kernels_update.c: parameters ---- */

/* Parameters that one run of a kernel moves: each launch costs time, and networks have hundreds. */
#define KERNEL_SLICES 32

typedef struct kernel_slice {
    float *values, *average; /* as train_moved has them */
    const float *gradients;
    float *first, *second; /* arrays of the optimiser's state, NULL where there is none */
    float decay;           /* of the weights */
    uint32_t end;          /* of its numbers among those of all slices */
} kernel_slice;

/* As optimiser_update and optimiser_average have them; what depends on the step alone comes with
 * the work. count: the last slice's end */
typedef struct kernel_update_work {
    optimiser_kind kind;
    float rate, momentum; /* SGD */
    bool nesterov;
    float beta1, beta2, epsilon; /* Adam: values -= size first / (sqrt(second) spread + epsilon) */
    float size, spread;
    float kept; /* by averages */
    kernel_slice slices[KERNEL_SLICES];
} kernel_update_work;
void kernel_update(train_device *device, const kernel_update_work *work, int64_t count);

typedef struct kernel_swap_work {
    float *a, *b;
} kernel_swap_work;
void kernel_swap(train_device *device, const kernel_swap_work *work, int64_t count);

/* y = factor x + (adds ? y : 0); x may be y */
typedef struct kernel_scale_work {
    const float *x;
    float *y;
    float factor;
    bool adds;
} kernel_scale_work;
void kernel_scale(train_device *device, const kernel_scale_work *work, int64_t count);

/* sums[i] += the squares of x[i], x[i + stride], x[i + 2 stride], ... count: stride */
typedef struct kernel_square_work {
    const float *x;
    double *sums;
    uint32_t numbers; /* of x */
    uint32_t stride;
} kernel_square_work;
void kernel_square(train_device *device, const kernel_square_work *work, int64_t count);

/* As optimiser_quantise: rows of `inner` numbers. count: rows */
typedef struct kernel_quantise_work {
    float *values;
    uint32_t inner;
} kernel_quantise_work;
void kernel_quantise(train_device *device, const kernel_quantise_work *work, int64_t count);

#ifdef __cplusplus
}
#endif

#endif
