/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/kernel.h"

#include <math.h>

DEVICE void move_by_sgd(const kernel_update_work *work, const kernel_slice *s, uint32_t i)
{
    float gradient = s->gradients[i] + s->decay * s->values[i], step = gradient;
    if (s->first != NULL) {
        float velocity = work->momentum * s->first[i] + gradient;
        s->first[i] = velocity;
        step = work->nesterov ? gradient + work->momentum * velocity : velocity;
    }
    s->values[i] -= work->rate * step;
}

DEVICE void move_by_adam(const kernel_update_work *work, const kernel_slice *s, uint32_t i)
{
    bool decoupled = work->kind == OPTIMISER_ADAMW;
    float kept = decoupled ? 1 - work->rate * s->decay : 1;
    float gradient = s->gradients[i] + (decoupled ? 0 : s->decay) * s->values[i];
    float first = work->beta1 * s->first[i] + (1 - work->beta1) * gradient;
    float second = work->beta2 * s->second[i] + (1 - work->beta2) * gradient * gradient;
    s->first[i] = first;
    s->second[i] = second;
    s->values[i] =
        kept * s->values[i] - work->size * first / (sqrtf(second) * work->spread + work->epsilon);
}

KERNEL(kernel_update)
{
    const kernel_slice *s = work->slices;
    uint32_t begin = 0;
    for (; i >= s->end; s++)
        begin = s->end;
    i -= begin;
    if (s->gradients != NULL && work->kind == OPTIMISER_SGD)
        move_by_sgd(work, s, i);
    else if (s->gradients != NULL)
        move_by_adam(work, s, i);
    if (s->average != NULL)
        s->average[i] = work->kept * s->average[i] + (1 - work->kept) * s->values[i];
}

KERNEL(kernel_swap)
{
    float moved = work->a[i];
    work->a[i] = work->b[i];
    work->b[i] = moved;
}

KERNEL(kernel_scale)
{
    work->y[i] = work->factor * work->x[i] + (work->adds ? work->y[i] : 0);
}

KERNEL(kernel_square)
{
    double sum = 0;
    for (uint64_t at = i; at < work->numbers; at += work->stride)
        sum += (double)work->x[at] * (double)work->x[at];
    work->sums[i] += sum;
}

KERNEL(kernel_quantise)
{
    float *row = work->values + (size_t)i * work->inner, largest = 0;
    for (uint32_t at = 0; at < work->inner; at++)
        largest = fmaxf(largest, fabsf(row[at]));
    float scale = fmaxf(largest / 127, 1e-12f);
    for (uint32_t at = 0; at < work->inner; at++)
        row[at] = scale * rintf(row[at] / scale);
}
