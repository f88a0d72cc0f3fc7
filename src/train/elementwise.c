/* SPDX-License-Identifier: Apache-2.0 */
#include "train/elementwise.h"

#include "train/vectorised.h"

#include <math.h>
#include <string.h>

void elementwise_add(const float *a, const float *b, size_t count, float *y)
{
#pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < count; i++)
        y[i] = a[i] + b[i];
}

void elementwise_multiply(const float *a, const float *b, size_t count, float *y)
{
#pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < count; i++)
        y[i] = a[i] * b[i];
}

static float activated(nn_activation a, float x)
{
    float y;
    switch (a.kind) {
    case NN_ACTIVATION_NONE:
        return x;
    case NN_ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case NN_ACTIVATION_CLIP:
        y = x > a.alpha ? x : a.alpha;
        return y < a.beta ? y : a.beta;
    case NN_ACTIVATION_LEAKY_RELU:
        return x >= 0 ? x : x * a.alpha;
    case NN_ACTIVATION_ELU:
        return x >= 0 ? x : a.alpha * expm1f(x);
    case NN_ACTIVATION_SIGMOID:
        return 1 / (1 + expf(-x));
    case NN_ACTIVATION_HARD_SIGMOID:
        y = a.alpha * x + a.beta;
        return y < 0 ? 0 : y > 1 ? 1 : y;
    case NN_ACTIVATION_HARD_SWISH:
        y = x / 6 + 0.5f;
        return x * (y < 0 ? 0 : y > 1 ? 1 : y);
    case NN_ACTIVATION_TANH:
        return tanhf(x);
    }
    return x;
}

/* The slope at input x, where the output is y. */
static float slope_at(nn_activation a, float x, float y)
{
    switch (a.kind) {
    case NN_ACTIVATION_NONE:
        return 1;
    case NN_ACTIVATION_RELU:
        return y > 0 ? 1 : 0;
    case NN_ACTIVATION_CLIP:
        return y > a.alpha && y < a.beta ? 1 : 0;
    case NN_ACTIVATION_LEAKY_RELU:
        return x >= 0 ? 1 : a.alpha;
    case NN_ACTIVATION_ELU:
        return x >= 0 ? 1 : y + a.alpha;
    case NN_ACTIVATION_SIGMOID:
        return y * (1 - y);
    case NN_ACTIVATION_HARD_SIGMOID:
        return y > 0 && y < 1 ? a.alpha : 0;
    case NN_ACTIVATION_HARD_SWISH:
        return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f;
    case NN_ACTIVATION_TANH:
        return 1 - y * y;
    }
    return 1;
}

void elementwise_activate(nn_activation activation, size_t count, float *y)
{
    if (activation.kind == NN_ACTIVATION_NONE)
        return;
    if (activation.kind == NN_ACTIVATION_RELU) {
#pragma omp parallel for simd schedule(static)
        for (size_t i = 0; i < count; i++) {
            float value = y[i];
            y[i] = value > 0 ? value : 0;
        }
        return;
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++)
        y[i] = activated(activation, y[i]);
}

void elementwise_activate_backward(nn_activation activation, const float *x, const float *y,
                                   const float *dy, size_t count, float *dx)
{
    if (activation.kind == NN_ACTIVATION_RELU) {
#pragma omp parallel for simd schedule(static)
        for (size_t i = 0; i < count; i++) {
            float gradient = dy[i]; /* read in any case, so that there is no branch */
            dx[i] = y[i] > 0 ? gradient : 0;
        }
        return;
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++)
        dx[i] = dy[i] * slope_at(activation, x != NULL ? x[i] : 0, y[i]);
}

/* splitmix64's mixing of a position. */
static inline uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Of numbers base + i: kept where their hash reaches the threshold. */
VECTORISED static void drop(const float *restrict x, size_t count, uint64_t base,
                            uint32_t threshold, float kept, float *restrict y)
{
    for (size_t i = 0; i < count; i++) {
        float value = x[i] * kept;
        y[i] = (uint32_t)(mix(base + i) >> 32) >= threshold ? value : 0;
    }
}

#define DROP_BLOCK 4096 /* numbers that a thread takes at once */

void elementwise_dropout(const float *x, size_t count, float ratio, uint64_t seed, uint64_t step,
                         uint64_t layer, float *y)
{
    if (ratio <= 0) {
        memcpy(y, x, count * sizeof *y);
        return;
    }
    uint64_t base = mix(mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ mix(step) ^ (layer << 48));
    uint32_t threshold = (uint32_t)((double)ratio * 4294967296.0);
    float kept = 1 / (1 - ratio);
#pragma omp parallel for schedule(static)
    for (size_t first = 0; first < count; first += DROP_BLOCK)
        drop(x + first, count - first < DROP_BLOCK ? count - first : DROP_BLOCK, base + first,
             threshold, kept, y + first);
}

void elementwise_transpose(const float *x, int64_t planes, int64_t rows, int64_t columns, float *y)
{
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes; p++)
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns; c++)
                y[(p * columns + c) * rows + r] = x[(p * rows + r) * columns + c];
}
