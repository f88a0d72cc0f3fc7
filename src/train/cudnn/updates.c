/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/cudnn.h"

#include <math.h>

static void update_sgd(train_device *device, const optimiser_settings *settings, float rate,
                       float decay, float *values, const float *gradients, float *state,
                       size_t count)
{
    kernel_sgd_work work = {.values = values,
                            .velocity = optimiser_state_arrays(settings) > 0 ? state : NULL,
                            .gradients = gradients,
                            .rate = rate,
                            .decay = decay,
                            .momentum = settings->momentum,
                            .nesterov = settings->nesterov};
    kernel_sgd(device, &work, (int64_t)count);
}

static void update(train_device *device, const optimiser_settings *settings, float rate,
                   int64_t step, bool decays, float *values, const float *gradients, float *state,
                   size_t count)
{
    float decay = decays ? settings->weight_decay : 0;
    bool decoupled = settings->kind == OPTIMISER_ADAMW;
    if (settings->kind == OPTIMISER_SGD) {
        update_sgd(device, settings, rate, decay, values, gradients, state, count);
        return;
    }
    double correction1 = 1 - pow((double)settings->beta1, (double)step);
    double correction2 = 1 - pow((double)settings->beta2, (double)step);
    kernel_adam_work work = {.values = values,
                             .first = state,
                             .second = state + count,
                             .gradients = gradients,
                             .beta1 = settings->beta1,
                             .beta2 = settings->beta2,
                             .epsilon = settings->epsilon,
                             .coupled = decoupled ? 0 : decay,
                             .kept = decoupled ? 1 - rate * decay : 1,
                             .size = (float)((double)rate / correction1),
                             .spread = (float)(1 / sqrt(correction2))};
    kernel_adam(device, &work, (int64_t)count);
}

static void average(train_device *device, float *averages, const float *values, size_t count,
                    float decay)
{
    kernel_average(device, &(kernel_average_work){averages, values, decay}, (int64_t)count);
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
                                     .average = average,
                                     .swap = swap,
                                     .norm = norm,
                                     .clip = clip,
                                     .ascend = ascend,
                                     .move_statistics = move_statistics};
