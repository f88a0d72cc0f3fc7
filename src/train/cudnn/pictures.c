/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/cudnn.h"

#include <string.h>

int64_t cudnn_count(const nn_extent *extent)
{
    return extent->batch * extent->height * extent->width * extent->channels;
}

/* ---- Windows ---- */

kernel_window cudnn_window(const nn_extent *in, const nn_extent *out, const nn_window *window)
{
    kernel_window w = {.in_height = (int)in->height,
                       .in_width = (int)in->width,
                       .in_channels = (int)in->channels,
                       .out_height = (int)out->height,
                       .out_width = (int)out->width,
                       .out_channels = (int)out->channels};
    memcpy(w.kernel, window->kernel, sizeof w.kernel);
    memcpy(w.stride, window->stride, sizeof w.stride);
    memcpy(w.dilation, window->dilation, sizeof w.dilation);
    memcpy(w.pad_before, window->pad_before, sizeof w.pad_before);
    memcpy(w.pad_after, window->pad_after, sizeof w.pad_after);
    return w;
}

void cudnn_pool_forward(train_device *device, const nn_pool *pool, const float *x, float *y,
                        uint8_t *winners)
{
    kernel_pool_work work = {.window = cudnn_window(&pool->in, &pool->out, &pool->window),
                             .count_padding = pool->count_padding,
                             .x = x,
                             .y = y,
                             .winners = pool->maximum ? winners : NULL};
    kernel_pool(device, &work, cudnn_count(&pool->out));
}

void cudnn_pool_backward(train_device *device, const nn_pool *pool, const float *dy,
                         const uint8_t *winners, float *dx)
{
    kernel_pool_backward_work work = {.window = cudnn_window(&pool->in, &pool->out, &pool->window),
                                      .count_padding = pool->count_padding,
                                      .dy = dy,
                                      .winners = pool->maximum ? winners : NULL,
                                      .dx = dx};
    kernel_pool_backward(device, &work, cudnn_count(&pool->in));
}

/* ---- Channels ---- */

static uint32_t pixels_of(const nn_extent *extent)
{
    return (uint32_t)(extent->height * extent->width);
}

void cudnn_global_average_forward(train_device *device, const nn_extent *in, const float *x,
                                  float *y)
{
    kernel_sum_pixels_work work = {.a = x,
                                   .sums = y,
                                   .pixels = pixels_of(in),
                                   .channels = (uint32_t)in->channels,
                                   .factor = 1 / (float)pixels_of(in)};
    kernel_sum_pixels(device, &work, in->batch * in->channels);
}

void cudnn_global_average_backward(train_device *device, const nn_extent *in, const float *dy,
                                   float *dx)
{
    kernel_spread_pixels_work work = {.x = dy,
                                      .y = dx,
                                      .pixels = pixels_of(in),
                                      .channels = (uint32_t)in->channels,
                                      .factor = 1 / (float)pixels_of(in)};
    kernel_spread_pixels(device, &work, cudnn_count(in));
}

void cudnn_scale_channels_forward(train_device *device, const nn_extent *in, const float *x,
                                  const float *factor, float *y)
{
    kernel_scale_channels_work work = {x, factor, y, pixels_of(in), (uint32_t)in->channels};
    kernel_scale_channels(device, &work, cudnn_count(in));
}

void cudnn_scale_channels_backward(train_device *device, const nn_extent *in, const float *x,
                                   const float *factor, const float *dy, float *dx, float *d_factor)
{
    kernel_sum_pixels_work sums = {.a = dy,
                                   .b = x,
                                   .sums = d_factor,
                                   .pixels = pixels_of(in),
                                   .channels = (uint32_t)in->channels,
                                   .factor = 1};
    kernel_sum_pixels(device, &sums, in->batch * in->channels);
    cudnn_scale_channels_forward(device, in, dy, factor, dx);
}

void cudnn_join_channels(train_device *device, const nn_extent *part, int64_t first,
                         int64_t all_channels, const float *from, float *whole)
{
    kernel_copy_channels_work work = {.from = from,
                                      .to = whole,
                                      .channels = (uint32_t)part->channels,
                                      .from_channels = (uint32_t)part->channels,
                                      .to_first = (uint32_t)first,
                                      .to_channels = (uint32_t)all_channels};
    kernel_copy_channels(device, &work, cudnn_count(part));
}

void cudnn_split_channels(train_device *device, const nn_extent *part, int64_t first,
                          int64_t all_channels, const float *whole, float *to)
{
    kernel_copy_channels_work work = {.from = whole,
                                      .to = to,
                                      .channels = (uint32_t)part->channels,
                                      .from_first = (uint32_t)first,
                                      .from_channels = (uint32_t)all_channels,
                                      .to_channels = (uint32_t)part->channels};
    kernel_copy_channels(device, &work, cudnn_count(part));
}
