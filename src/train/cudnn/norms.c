/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/cudnn.h"

static int64_t rows_of(const train_norm *norm)
{
    return norm->extent.batch * norm->extent.height * norm->extent.width;
}

static kernel_normal normal_of(const train_norm *norm, const float *x, const float *scale,
                               const float *shift, const float *mean, const float *inverse)
{
    return (kernel_normal){.x = x,
                           .scale = scale,
                           .shift = shift,
                           .mean = mean,
                           .inverse = inverse,
                           .activation = norm->activation,
                           .channels = (uint32_t)norm->extent.channels};
}

void cudnn_norm_forward(const train_norm *norm, const float *x, const float *scale,
                        const float *shift, float *mean, float *inverse, float *y)
{
    int64_t channels = norm->extent.channels;
    sums_plan plan = sums_of(norm->device, rows_of(norm), 2 * channels, NULL);
    kernel_moments_work moments = {.x = x,
                                   .sums = sums_begin(&plan),
                                   .rows = plan.rows,
                                   .channels = (uint32_t)channels,
                                   .each = plan.each};
    kernel_moments(norm->device, &moments, plan.parts * channels);
    sums_finish(&plan);
    kernel_statistics_work statistics = {.x = x,
                                         .sums = plan.result,
                                         .mean = mean,
                                         .inverse = inverse,
                                         .rows = plan.rows,
                                         .channels = (uint32_t)channels,
                                         .epsilon = norm->epsilon};
    kernel_statistics(norm->device, &statistics, channels);
    cudnn_norm_again(norm, x, scale, shift, mean, inverse, y);
}

void cudnn_norm_again(const train_norm *norm, const float *x, const float *scale,
                      const float *shift, const float *mean, const float *inverse, float *y)
{
    kernel_normalise_work work = {normal_of(norm, x, scale, shift, mean, inverse), y,
                                  norm->rounded};
    kernel_normalise(norm->device, &work, cudnn_count(&norm->extent));
}

void cudnn_norm_running(const train_norm *norm, const float *x, const float *scale,
                        const float *shift, const float *mean, const float *variance, float *y)
{
    kernel_normalise_running_work work = {normal_of(norm, x, scale, shift, mean, variance),
                                          norm->epsilon, y, norm->rounded};
    kernel_normalise_running(norm->device, &work, cudnn_count(&norm->extent));
}

void cudnn_norm_backward(const train_norm *norm, const float *x, const float *scale,
                         const float *shift, const float *mean, const float *inverse,
                         const float *dy, float *dx, float *d_scale, float *d_shift)
{
    int64_t channels = norm->extent.channels;
    kernel_normal normal = normal_of(norm, x, scale, shift, mean, inverse);
    sums_plan plan = sums_of(norm->device, rows_of(norm), 2 * channels, NULL);
    float *slopes = sums_spare(&plan);
    kernel_back_sums_work sums = {normal, dy, sums_begin(&plan), plan.rows, plan.each};
    kernel_back_sums(norm->device, &sums, plan.parts * channels);
    sums_finish(&plan);
    kernel_slopes_work work = {.sums = plan.result,
                               .scale = scale,
                               .mean = mean,
                               .inverse = inverse,
                               .d_scale = d_scale,
                               .d_shift = d_shift,
                               .slopes = slopes,
                               .rows = plan.rows,
                               .channels = (uint32_t)channels};
    kernel_slopes(norm->device, &work, channels);
    if (dx == NULL && norm->rounded_gradient == NULL)
        return;
    kernel_normalise_backward_work back = {normal, dy, slopes, dx, norm->rounded_gradient};
    kernel_normalise_backward(norm->device, &back, cudnn_count(&norm->extent));
}
