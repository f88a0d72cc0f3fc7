/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/kernel.h"

KERNEL(kernel_add_bias)
{
    work->y[i] += work->bias[i % work->channels];
}

KERNEL(kernel_copy_channels)
{
    uint32_t row = i / work->channels, channel = i % work->channels;
    work->to[row * work->to_channels + work->to_first + channel] =
        work->from[row * work->from_channels + work->from_first + channel];
}

/* Which picture and channel a number belongs to. */
DEVICE uint32_t factor_of(uint32_t i, uint32_t pixels, uint32_t channels)
{
    return i / (pixels * channels) * channels + i % channels;
}

KERNEL(kernel_scale_channels)
{
    work->y[i] = work->x[i] * work->factor[factor_of(i, work->pixels, work->channels)];
}

KERNEL(kernel_sum_pixels)
{
    uint32_t at = i / work->channels * work->pixels * work->channels + i % work->channels;
    float sum = 0;
    for (uint32_t p = 0; p < work->pixels; p++, at += work->channels)
        sum += work->b != NULL ? work->a[at] * work->b[at] : work->a[at];
    work->sums[i] = sum * work->factor;
}

KERNEL(kernel_spread_pixels)
{
    work->y[i] = work->x[factor_of(i, work->pixels, work->channels)] * work->factor;
}

KERNEL(kernel_sum_rows)
{
    uint32_t first = i / work->width * work->each, column = i % work->width;
    uint32_t end = work->rows - first < work->each ? work->rows : first + work->each;
    float sum = 0;
    for (uint32_t row = first; row < end; row++) {
        uint32_t at = row * work->width + column;
        sum += work->mask == NULL || work->mask[at] > 0 ? work->x[at] : 0;
    }
    work->y[i] = sum;
}
