/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/kernel.h"

#include <math.h>

KERNEL(kernel_sgd)
{
    float gradient = work->gradients[i] + work->decay * work->values[i], step = gradient;
    if (work->velocity != NULL) {
        float velocity = work->momentum * work->velocity[i] + gradient;
        work->velocity[i] = velocity;
        step = work->nesterov ? gradient + work->momentum * velocity : velocity;
    }
    work->values[i] -= work->rate * step;
}

KERNEL(kernel_adam)
{
    float gradient = work->gradients[i] + work->coupled * work->values[i];
    float first = work->beta1 * work->first[i] + (1 - work->beta1) * gradient;
    float second = work->beta2 * work->second[i] + (1 - work->beta2) * gradient * gradient;
    work->first[i] = first;
    work->second[i] = second;
    work->values[i] = work->kept * work->values[i] -
                      work->size * first / (sqrtf(second) * work->spread + work->epsilon);
}

KERNEL(kernel_average)
{
    work->average[i] = work->decay * work->average[i] + (1 - work->decay) * work->values[i];
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
