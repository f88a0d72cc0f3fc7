/* SPDX-License-Identifier: Apache-2.0 */
#include "train/elementwise.h"

#include "train/rules.h"
#include "train/vectorised.h"

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
        y[i] = rule_activated(activation, y[i]);
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
        dx[i] = dy[i] * rule_slope(activation, x != NULL ? x[i] : 0, y[i]);
}

/* Of numbers base + i: kept where their hash reaches the threshold. */
VECTORISED static void drop(const float *restrict x, size_t count, uint64_t base,
                            uint32_t threshold, float kept, float *restrict y)
{
    for (size_t i = 0; i < count; i++) {
        float value = x[i] * kept;
        y[i] = rule_keeps(base + i, threshold) ? value : 0;
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
    rule_drop rule = rule_drop_of(ratio, seed, step, layer);
#pragma omp parallel for schedule(static)
    for (size_t first = 0; first < count; first += DROP_BLOCK)
        drop(x + first, count - first < DROP_BLOCK ? count - first : DROP_BLOCK, rule.base + first,
             rule.threshold, rule.kept, y + first);
}

void elementwise_transpose(const float *x, int64_t planes, int64_t rows, int64_t columns, float *y)
{
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < planes; p++)
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns; c++)
                y[(p * columns + c) * rows + r] = x[(p * rows + r) * columns + c];
}
