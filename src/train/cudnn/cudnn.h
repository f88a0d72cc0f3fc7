/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_CUDNN_CUDNN_H
#define TRAIN_CUDNN_CUDNN_H

/*
 * The parts of the cudnn backend; backend.h says what each does. They are plain C over kernels.h,
 * vendor.h and device.h, and the same whether these run on a GPU or, in tests, on the host. Private
 * to this folder.
 */

#include "train/cudnn/device.h"
#include "train/cudnn/kernels.h"
#include "train/cudnn/vendor.h"

/* In TF32, and in BF16. */
extern const train_backend train_backend_cudnn;
extern const train_backend train_backend_cudnn_bf16;

/* ---- sums.c: sums over rows, by many threads in a fixed order ---- */

/*
 * The rows are cut into parts of `each` rows. A kernel first writes the sums of each part, (parts,
 * width), to sums_begin; sums_finish adds them up in `result` (width).
 */
typedef struct sums_plan {
    train_device *device;
    uint32_t rows, width, parts, each;
    float *result;
} sums_plan;

/* result: the device's, NULL for a place of the plan's own. rows, width: 1..INT32_MAX. */
sums_plan sums_of(train_device *device, int64_t rows, int64_t width, float *result);
float *sums_begin(const sums_plan *plan);
void sums_finish(const sums_plan *plan);

/* A place of the device behind plan->result where that is the plan's own: up to 2^17 floats. */
float *sums_spare(const sums_plan *plan);

/* The sums of x (rows, channels) over its rows; mask as in kernel_sum_rows. */
void sums_of_rows(train_device *device, const float *x, const float *mask, int64_t rows,
                  int64_t channels, float *result);

/* ---- elements.c ---- */

extern const train_elements cudnn_elements;

/* ---- updates.c ---- */

extern const train_updates cudnn_updates;

/* ---- convolutions.c ---- */

mien_status cudnn_conv_create(train_device *device, const nn_conv *shape, bool needs_input_gradient,
                              train_conv **out, mien_error *error);
mien_status cudnn_conv_create_bf16(train_device *device, const nn_conv *shape,
                                   bool needs_input_gradient, train_conv **out, mien_error *error);
void cudnn_conv_free(train_conv *conv);
size_t cudnn_conv_scratch(const train_conv *conv);
void cudnn_conv_forward(train_conv *conv, const float *x, const float *weights, const float *bias,
                        float *y, void *scratch);
void cudnn_conv_backward(train_conv *conv, const float *x, const float *weights, const float *dy,
                         float *dx, float *d_weights, float *d_bias, void *scratch);
void cudnn_dense_forward(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                         const float *x, const float *weights, const float *bias, float *y);
void cudnn_dense_backward(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                          const float *x, const float *weights, const float *dy, float *dx,
                          float *d_weights, float *d_bias);
extern const train_rounding cudnn_rounding;

/* ---- norms.c ---- */

void cudnn_norm_forward(const train_norm *norm, const float *x, const float *scale,
                        const float *shift, float *mean, float *inverse, float *y);
void cudnn_norm_again(const train_norm *norm, const float *x, const float *scale,
                      const float *shift, const float *mean, const float *inverse, float *y);
void cudnn_norm_running(const train_norm *norm, const float *x, const float *scale,
                        const float *shift, const float *mean, const float *variance, float *y);
void cudnn_norm_backward(const train_norm *norm, const float *x, const float *scale,
                         const float *shift, const float *mean, const float *inverse,
                         const float *dy, float *dx, float *d_scale, float *d_shift);

/* ---- pictures.c ---- */

/* The window of a convolution or pooling, for kernels. */
kernel_window cudnn_window(const nn_extent *in, const nn_extent *out, const nn_window *window);
int64_t cudnn_count(const nn_extent *extent);

void cudnn_pool_forward(train_device *device, const nn_pool *pool, const float *x, float *y,
                        uint8_t *winners);
void cudnn_pool_backward(train_device *device, const nn_pool *pool, const float *dy,
                         const uint8_t *winners, float *dx);
void cudnn_global_average_forward(train_device *device, const nn_extent *in, const float *x,
                                  float *y);
void cudnn_global_average_backward(train_device *device, const nn_extent *in, const float *dy,
                                   float *dx);
void cudnn_scale_channels_forward(train_device *device, const nn_extent *in, const float *x,
                                  const float *factor, float *y);
void cudnn_scale_channels_backward(train_device *device, const nn_extent *in, const float *x,
                                   const float *factor, const float *dy, float *dx,
                                   float *d_factor);
void cudnn_join_channels(train_device *device, const nn_extent *part, int64_t first,
                         int64_t all_channels, const float *from, float *whole);
void cudnn_split_channels(train_device *device, const nn_extent *part, int64_t first,
                          int64_t all_channels, const float *whole, float *to);

#endif
