/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_ONEDNN_ONEDNN_H
#define TRAIN_ONEDNN_ONEDNN_H

/* The parts of the onednn backend; backend.h says what each does. Private to this folder. */

#include "train/backend.h"
#include "train/rules.h"
#include "train/vectorised.h"

/* Threads that the loops of this backend use. */
int onednn_threads(void);

/* ---- dense.c: oneDNN's convolutions and products ---- */

typedef struct dense_conv dense_conv;

/*
 * bf16: x and dy of this convolution are train_bf16, else float. MIEN_UNSUPPORTED also where oneDNN
 * has only a slow kernel for it in BF16.
 */
mien_status dense_conv_create(const nn_conv *conv, bool needs_input_gradient, bool bf16,
                              dense_conv **out, mien_error *error);
void dense_conv_free(dense_conv *conv);
bool dense_conv_is_bf16(const dense_conv *conv);
size_t dense_conv_scratch(const dense_conv *conv); /* bytes */
void dense_conv_forward(dense_conv *conv, const void *x, const float *weights, const float *bias,
                        float *y, void *scratch);
void dense_conv_backward(dense_conv *conv, const void *x, const float *weights, const void *dy,
                         float *dx, float *d_weights, void *scratch);

/* ---- narrow.c: windows of 3x3 from few channels to eight ---- */

typedef struct narrow_conv narrow_conv;

/* Whether it takes this convolution, and is faster than oneDNN at it. */
bool narrow_takes(const nn_conv *conv, bool needs_input_gradient);
mien_status narrow_create(const nn_conv *conv, narrow_conv **out, mien_error *error);
void narrow_free(narrow_conv *conv);
void narrow_forward(narrow_conv *conv, const float *x, const float *weights, const float *bias,
                    float *y);
/* dx: only where narrow_takes was asked for the input's gradient; else NULL. */
void narrow_backward(narrow_conv *conv, const float *x, const float *weights, const float *dy,
                     float *dx, float *d_weights);

/* ---- winograd.c: windows of 3x3 from many channels to many ---- */

typedef struct winograd_conv winograd_conv;

/* Whether it takes this convolution, and is faster than oneDNN at it. */
bool winograd_takes(const nn_conv *conv);
mien_status winograd_create(const nn_conv *conv, winograd_conv **out, mien_error *error);
void winograd_free(winograd_conv *conv);
size_t winograd_scratch(const winograd_conv *conv); /* bytes */
void winograd_forward(winograd_conv *conv, const float *x, const float *weights, const float *bias,
                      float *y, void *scratch);
void winograd_backward(winograd_conv *conv, const float *x, const float *weights, const float *dy,
                       float *dx, float *d_weights, void *scratch);

/* ---- strided.c: the pixels that a 1x1 window with strides reads ---- */

/* dense_conv never shows oneDNN such a convolution: it gathers the pixels first. */
bool strided_must_gather(const nn_conv *conv);
/* The convolution of the gathered pixels. */
nn_conv strided_gathered(const nn_conv *conv);
/* x: pictures whose numbers have `size` bytes each. */
void strided_gather(const nn_conv *conv, const void *x, size_t size, void *gathered);
/* The way back: pixels that the window does not read get 0. */
void strided_scatter(const nn_conv *conv, const float *gathered, float *dx);

/* ---- products.c ---- */

void dense_forward(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                   const float *x, const float *weights, const float *bias, float *y);
void dense_backward(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                    const float *x, const float *weights, const float *dy, float *dx,
                    float *d_weights, float *d_bias);

/* ---- pointwise.c: windows of 1x1, on rows of channels ---- */

bool pointwise_takes(const nn_conv *conv);
void pointwise_forward(const nn_conv *conv, int64_t rows, const float *x, const float *weights,
                       const float *bias, float *y);
void pointwise_input(const nn_conv *conv, int64_t rows, const float *dy, const float *weights,
                     float *dx);
/* sums (M, C) += the rows' gradient of the weights. */
void pointwise_weights(const nn_conv *conv, int64_t rows, const float *x, const float *dy,
                       float *sums);

/* ---- depthwise.c: each channel by itself, with the kernels of the runtime and some of our own
 * ---- */

typedef struct depthwise_conv depthwise_conv;

bool depthwise_takes(const nn_conv *conv);
mien_status depthwise_create(const nn_conv *conv, depthwise_conv **out, mien_error *error);
void depthwise_free(depthwise_conv *conv);
/* Whether depthwise_rows.c works with it. */
bool depthwise_goes_by_rows(const depthwise_conv *conv);
/* Before the others of the same way, which may then run on several threads. */
void depthwise_start_forward(depthwise_conv *conv, const float *weights, const float *bias);
void depthwise_start_backward(depthwise_conv *conv, const float *weights);
/* Some pictures at once; not where depthwise_goes_by_rows. */
void depthwise_forward(const depthwise_conv *conv, int64_t pictures, const float *x, float *y);
void depthwise_input(const depthwise_conv *conv, int64_t pictures, const float *dy, float *dx);
/* sums (taps, C) += the pictures' gradient of the weights. */
void depthwise_weights(const depthwise_conv *conv, int64_t pictures, const float *x,
                       const float *dy, float *sums);
/* From (taps, C) to ONNX's order. */
void depthwise_unpack_weights(const depthwise_conv *conv, const float *sums, float *d_weights);

/* ---- pieces.c: these two, a piece of the batch at a time ---- */

typedef struct pieces_conv pieces_conv;

bool pieces_takes(const nn_conv *conv);
mien_status pieces_create(const nn_conv *conv, pieces_conv **out, mien_error *error);
void pieces_free(pieces_conv *conv);
size_t pieces_scratch(const pieces_conv *conv); /* bytes */
/* As in train_joining. */
void pieces_forward(pieces_conv *conv, const train_joined_norm *before, const float *x,
                    const float *weights, const float *bias, float *y,
                    const train_joined_norm *after, void *scratch);
void pieces_backward(pieces_conv *conv, const train_joined_norm *before, const float *x,
                     const float *weights, const train_joined_norm *after, const float *y,
                     const float *dy, float *dx, float *d_weights, void *scratch);

/* ---- norm.c ---- */

/* sums[c] = sum over rows of x[r][c]; the same for the same number of threads. */
void sum_rows(const float *x, int64_t rows, int64_t channels, float *sums);

void channels_norm_batch_map(const train_norm *norm, const float *scale, const float *shift,
                             const float *mean, const float *inverse, float *factor, float *offset);
void channels_norm_running_map(const train_norm *norm, const float *scale, const float *shift,
                               const float *mean, const float *variance, float *factor,
                               float *offset);
void channels_norm_forward(const train_norm *norm, const float *x, const float *scale,
                           const float *shift, float *mean, float *inverse, float *y);
void channels_norm_again(const train_norm *norm, const float *x, const float *scale,
                         const float *shift, const float *mean, const float *inverse, float *y);
void channels_norm_running(const train_norm *norm, const float *x, const float *scale,
                           const float *shift, const float *mean, const float *variance, float *y);
void channels_norm_backward(const train_norm *norm, const float *x, const float *scale,
                            const float *shift, const float *mean, const float *inverse,
                            const float *dy, float *dx, float *d_scale, float *d_shift);

/* ---- pool.c ---- */

void channels_pool_forward(train_device *device, const nn_pool *pool, const float *x, float *y,
                           uint8_t *winners);
void channels_pool_backward(train_device *device, const nn_pool *pool, const float *dy,
                            const uint8_t *winners, float *dx);
void channels_global_average_forward(train_device *device, const nn_extent *in, const float *x,
                                     float *y);
void channels_global_average_backward(train_device *device, const nn_extent *in, const float *dy,
                                      float *dx);

/* ---- channels.c ---- */

void channels_scale_forward(train_device *device, const nn_extent *in, const float *x,
                            const float *factor, float *y);
void channels_scale_backward(train_device *device, const nn_extent *in, const float *x,
                             const float *factor, const float *dy, float *dx, float *d_factor);
void channels_join(train_device *device, const nn_extent *part, int64_t first, int64_t all_channels,
                   const float *from, float *whole);
void channels_split(train_device *device, const nn_extent *part, int64_t first,
                    int64_t all_channels, const float *whole, float *to);

/* ---- bf16.c: train_rounding's functions ---- */

bool bf16_available(void);
void bf16_enter(train_modes *modes);
void bf16_leave(const train_modes *modes);
void bf16_round(train_device *device, const float *x, size_t count, train_bf16 *rounded);
void bf16_round_gradient(train_device *device, const float *y, const float *dy, int64_t rows,
                         int64_t channels, float *scratch, train_bf16 *rounded, float *d_bias);

#endif
