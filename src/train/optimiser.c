/* SPDX-License-Identifier: Apache-2.0 */
#include "train/optimiser.h"

#include <math.h>

optimiser_settings optimiser_defaults(optimiser_kind kind)
{
    optimiser_settings settings = {.kind = kind};
    if (kind == OPTIMISER_SGD) {
        settings.momentum = 0.9f;
        settings.nesterov = true;
        return settings;
    }
    settings.beta1 = 0.9f;
    settings.beta2 = 0.999f;
    settings.epsilon = 1e-8f;
    settings.weight_decay = kind == OPTIMISER_ADAMW ? 0.01f : 0;
    return settings;
}

int optimiser_state_arrays(const optimiser_settings *settings)
{
    if (settings->kind == OPTIMISER_SGD)
        return settings->momentum != 0 ? 1 : 0;
    return 2;
}

static void update_plain(float rate, float decay, float *restrict values,
                         const float *restrict gradients, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] -= rate * (gradients[i] + decay * values[i]);
}

static void update_momentum(const optimiser_settings *settings, float rate, float decay,
                            float *restrict values, const float *restrict gradients,
                            float *restrict velocity, size_t count)
{
    float momentum = settings->momentum;
    float ahead = settings->nesterov ? momentum : 1; /* share of the velocity in the step */
    float present = settings->nesterov ? 1 : 0;      /* share of the gradient in the step */
    for (size_t i = 0; i < count; i++) {
        float gradient = gradients[i] + decay * values[i];
        velocity[i] = momentum * velocity[i] + gradient;
        values[i] -= rate * (present * gradient + ahead * velocity[i]);
    }
}

/* coupled, decoupled: the weight decay in the gradient, and in the values. */
static void update_adam(const optimiser_settings *settings, float rate, int64_t step, float coupled,
                        float decoupled, float *restrict values, const float *restrict gradients,
                        float *restrict first, float *restrict second, size_t count)
{
    float beta1 = settings->beta1, beta2 = settings->beta2, epsilon = settings->epsilon;
    double correction1 = 1 - pow((double)beta1, (double)step);
    double correction2 = 1 - pow((double)beta2, (double)step);
    float size = (float)((double)rate / correction1);
    float spread = (float)(1 / sqrt(correction2));
    float kept = 1 - rate * decoupled;
    for (size_t i = 0; i < count; i++) {
        float gradient = gradients[i] + coupled * values[i];
        first[i] = beta1 * first[i] + (1 - beta1) * gradient;
        second[i] = beta2 * second[i] + (1 - beta2) * gradient * gradient;
        values[i] = kept * values[i] - size * first[i] / (sqrtf(second[i]) * spread + epsilon);
    }
}

void optimiser_update(const optimiser_settings *settings, float rate, int64_t step, bool decays,
                      float *values, const float *gradients, float *state, size_t count)
{
    float decay = decays ? settings->weight_decay : 0;
    bool decoupled = settings->kind == OPTIMISER_ADAMW;
    if (settings->kind != OPTIMISER_SGD)
        update_adam(settings, rate, step, decoupled ? 0 : decay, decoupled ? decay : 0, values,
                    gradients, state, state + count, count);
    else if (optimiser_state_arrays(settings) == 0)
        update_plain(rate, decay, values, gradients, count);
    else
        update_momentum(settings, rate, decay, values, gradients, state, count);
}

/* Several sums side by side: the order is fixed, and the compiler may use vectors. */
static double sum_of_squares(const float *numbers, size_t count)
{
    enum { LANES = 8 };
    double lanes[LANES] = {0};
    size_t whole = count - count % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += (double)numbers[i + lane] * (double)numbers[i + lane];
    for (size_t i = whole; i < count; i++)
        lanes[i - whole] += (double)numbers[i] * (double)numbers[i];
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

double optimiser_norm(const float *const *gradients, const size_t *counts, size_t arrays)
{
    double sum = 0;
    for (size_t a = 0; a < arrays; a++)
        sum += sum_of_squares(gradients[a], counts[a]);
    return sqrt(sum);
}

void optimiser_clip(float *const *gradients, const size_t *counts, size_t arrays, double norm,
                    double max_norm)
{
    if (!(norm > max_norm))
        return;
    float scale = (float)(max_norm / norm);
    for (size_t a = 0; a < arrays; a++)
        for (size_t i = 0; i < counts[a]; i++)
            gradients[a][i] *= scale;
}

void optimiser_average(float *average, const float *values, size_t count, float decay)
{
    for (size_t i = 0; i < count; i++)
        average[i] = decay * average[i] + (1 - decay) * values[i];
}

void optimiser_ascend(float *values, const float *gradients, size_t count, double norm, float rho)
{
    if (!(norm > 0))
        return;
    float scale = (float)((double)rho / norm);
    for (size_t i = 0; i < count; i++)
        values[i] += scale * gradients[i];
}

void optimiser_quantise(float *values, size_t outputs, size_t inner)
{
    for (float *row = values; row < values + outputs * inner; row += inner) {
        float largest = 0;
        for (size_t i = 0; i < inner; i++)
            largest = fmaxf(largest, fabsf(row[i]));
        float scale = fmaxf(largest / 127, 1e-12f);
        for (size_t i = 0; i < inner; i++)
            row[i] = scale * rintf(row[i] / scale);
    }
}
