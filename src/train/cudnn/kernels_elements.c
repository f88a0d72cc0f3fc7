/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/kernel.h"
#include "train/rules.h"

KERNEL(kernel_add)
{
    work->y[i] = work->a[i] + work->b[i];
}

KERNEL(kernel_multiply)
{
    work->y[i] = work->a[i] * work->b[i];
}

KERNEL(kernel_activate)
{
    work->y[i] = rule_activated(work->activation, work->y[i]);
}

KERNEL(kernel_activate_backward)
{
    float x = work->x != NULL ? work->x[i] : 0;
    work->dx[i] = work->dy[i] * rule_slope(work->activation, x, work->y[i]);
}

KERNEL(kernel_dropout)
{
    float value = work->x[i] * work->kept;
    work->y[i] = rule_keeps(work->base + i, work->threshold) ? value : 0;
}

KERNEL(kernel_transpose)
{
    uint32_t plane = work->rows * work->columns;
    uint32_t row = i % work->rows, column = i % plane / work->rows;
    work->y[i] = work->x[i - i % plane + row * work->columns + column];
}

KERNEL(kernel_widen)
{
    work->y[i] = rule_float(work->x[i]);
}

KERNEL(kernel_round)
{
    bool flat = work->y != NULL && !(work->y[i] > 0);
    work->rounded[i] = rule_bf16(flat ? 0 : work->x[i]);
}
