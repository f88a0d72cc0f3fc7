/* SPDX-License-Identifier: Apache-2.0 */

/* Factors of channels, joining and splitting, channels last. */

#include "train/onednn/onednn.h"

#include <string.h>

void channels_scale_forward(train_device *device, const nn_extent *in, const float *x,
                            const float *factor, float *y)
{
    (void)device;
    int64_t pixels = in->height * in->width, channels = in->channels;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < in->batch * pixels; row++)
        for (int64_t c = 0; c < channels; c++)
            y[row * channels + c] = x[row * channels + c] * factor[row / pixels * channels + c];
}

void channels_scale_backward(train_device *device, const nn_extent *in, const float *x,
                             const float *factor, const float *dy, float *dx, float *d_factor)
{
    (void)device;
    int64_t pixels = in->height * in->width, channels = in->channels;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < in->batch; n++) {
        float *sums = d_factor + n * channels;
        const float *factors = factor + n * channels;
        memset(sums, 0, (size_t)channels * sizeof *sums);
        for (int64_t i = n * pixels * channels; i < (n + 1) * pixels * channels; i += channels)
            for (int64_t c = 0; c < channels; c++) {
                sums[c] += dy[i + c] * x[i + c];
                dx[i + c] = dy[i + c] * factors[c];
            }
    }
}

void channels_join(train_device *device, const nn_extent *part, int64_t first, int64_t all_channels,
                   const float *from, float *whole)
{
    (void)device;
    for (int64_t row = 0; row < part->batch * part->height * part->width; row++)
        memcpy(whole + row * all_channels + first, from + row * part->channels,
               (size_t)part->channels * sizeof *from);
}

void channels_split(train_device *device, const nn_extent *part, int64_t first,
                    int64_t all_channels, const float *whole, float *to)
{
    (void)device;
    for (int64_t row = 0; row < part->batch * part->height * part->width; row++)
        memcpy(to + row * part->channels, whole + row * all_channels + first,
               (size_t)part->channels * sizeof *to);
}
