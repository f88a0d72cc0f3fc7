/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/cudnn.h"

#include <math.h>

static kernel_update_work work_of(const optimiser_settings *settings, float rate, int64_t step,
                                  float kept)
{
    double correction1 = 1 - pow((double)settings->beta1, (double)step);
    double correction2 = 1 - pow((double)settings->beta2, (double)step);
    return (kernel_update_work){.kind = settings->kind,
                                .rate = rate,
                                .momentum = settings->momentum,
                                .nesterov = settings->nesterov,
                                .beta1 = settings->beta1,
                                .beta2 = settings->beta2,
                                .epsilon = settings->epsilon,
                                .size = (float)((double)rate / correction1),
                                .spread = (float)(1 / sqrt(correction2)),
                                .kept = kept};
}

/* end: of those before it. */
static kernel_slice slice_of(const optimiser_settings *settings, const train_moved *moved,
                             int64_t end)
{
    int states = optimiser_state_arrays(settings);
    return (kernel_slice){.values = moved->values,
                          .average = moved->average,
                          .gradients = moved->gradients,
                          .first = states > 0 ? moved->state : NULL,
                          .second = states > 1 ? moved->state + moved->count : NULL,
                          .decay = moved->decays ? settings->weight_decay : 0,
                          .end = (uint32_t)(end + (int64_t)moved->count)};
}

static void update(train_device *device, const optimiser_settings *settings, float rate,
                   int64_t step, float kept, const train_moved *list, size_t count)
{
    kernel_update_work work = work_of(settings, rate, step, kept);
    int64_t end = 0;
    int slices = 0;
    for (const train_moved *m = list; m < list + count; m++) {
        if (slices == KERNEL_SLICES || end + (int64_t)m->count > INT32_MAX) {
            kernel_update(device, &work, end);
            end = slices = 0;
        }
        work.slices[slices] = slice_of(settings, m, end);
        end = work.slices[slices++].end;
    }
    kernel_update(device, &work, end);
}

static void swap(train_device *device, float *a, float *b, size_t count)
{
    kernel_swap(device, &(kernel_swap_work){a, b}, (int64_t)count);
}

#define SQUARE_SUMS 1024 /* sums side by side */

/* The host adds up what the device has summed side by side, over all arrays. */
static double norm(train_device *device, const float *const *arrays, const size_t *counts,
                   size_t array_count)
{
    double sums[SQUARE_SUMS] = {0}, sum = 0;
    double *side_by_side = (double *)device_sums(device);
    device_memory.zero(device, side_by_side, sizeof sums);
    for (size_t a = 0; a < array_count; a++) {
        kernel_square_work work = {arrays[a], side_by_side, (uint32_t)counts[a], SQUARE_SUMS};
        kernel_square(device, &work, SQUARE_SUMS);
    }
    device_memory.fetch(device, sums, side_by_side, sizeof sums);
    for (size_t i = 0; i < SQUARE_SUMS; i++)
        sum += sums[i];
    return sqrt(sum);
}

static void clip(train_device *device, float *const *gradients, const size_t *counts,
                 size_t array_count, double gradient_norm, double max_norm)
{
    if (!(gradient_norm > max_norm))
        return;
    for (size_t a = 0; a < array_count; a++) {
        kernel_scale_work work = {
            .x = gradients[a], .y = gradients[a], .factor = (float)(max_norm / gradient_norm)};
        kernel_scale(device, &work, (int64_t)counts[a]);
    }
}

static void ascend(train_device *device, float *values, const float *gradients, size_t count,
                   double gradient_norm, float rho)
{
    if (!(gradient_norm > 0))
        return;
    kernel_scale_work work = {
        .x = gradients, .y = values, .factor = (float)((double)rho / gradient_norm), .adds = true};
    kernel_scale(device, &work, (int64_t)count);
}

static void quantise(train_device *device, float *values, size_t outputs, size_t inner)
{
    kernel_quantise(device, &(kernel_quantise_work){values, (uint32_t)inner}, (int64_t)outputs);
}

static void move_statistics(train_device *device, int64_t rows, int64_t channels, float epsilon,
                            float momentum, const float *mean, const float *inverse,
                            float *running_mean, float *running_variance)
{
    kernel_move_statistics_work work = {.mean = mean,
                                        .inverse = inverse,
                                        .running_mean = running_mean,
                                        .running_variance = running_variance,
                                        .unbiased =
                                            rows > 1 ? (double)rows / (double)(rows - 1) : 1,
                                        .epsilon = epsilon,
                                        .momentum = momentum};
    kernel_move_statistics(device, &work, channels);
}

const train_updates cudnn_updates = {.update = update,
                                     .swap = swap,
                                     .norm = norm,
                                     .clip = clip,
                                     .ascend = ascend,
                                     .quantise = quantise,
                                     .move_statistics = move_statistics};
