/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/cudnn.h"
#include "train/rules.h"

static void add(train_device *device, const float *a, const float *b, size_t count, float *y)
{
    kernel_add(device, &(kernel_add_work){a, b, y}, (int64_t)count);
}

static void multiply(train_device *device, const float *a, const float *b, size_t count, float *y)
{
    kernel_multiply(device, &(kernel_multiply_work){a, b, y}, (int64_t)count);
}

static void activate(train_device *device, nn_activation activation, size_t count, float *y)
{
    kernel_activate(device, &(kernel_activate_work){activation, y}, (int64_t)count);
}

static void activate_backward(train_device *device, nn_activation activation, const float *x,
                              const float *y, const float *dy, size_t count, float *dx)
{
    kernel_activate_backward_work work = {activation, x, y, dy, dx};
    kernel_activate_backward(device, &work, (int64_t)count);
}

static void dropout(train_device *device, const float *x, size_t count, float ratio, uint64_t seed,
                    uint64_t step, uint64_t layer, float *y)
{
    if (ratio <= 0) {
        device_memory.copy(device, y, x, count * sizeof *y);
        return;
    }
    rule_drop rule = rule_drop_of(ratio, seed, step, layer);
    kernel_dropout_work work = {x, y, rule.base, rule.threshold, rule.kept};
    kernel_dropout(device, &work, (int64_t)count);
}

static void transpose(train_device *device, const float *x, int64_t planes, int64_t rows,
                      int64_t columns, float *y)
{
    kernel_transpose_work work = {x, y, (uint32_t)rows, (uint32_t)columns};
    kernel_transpose(device, &work, planes * rows * columns);
}

static void take_input(train_device *device, const float *host, const nn_extent *extent,
                       float *scratch, float *y)
{
    int64_t pixels = extent->height * extent->width;
    device_memory.bring(device, scratch, host, (size_t)cudnn_count(extent) * sizeof *host);
    transpose(device, scratch, extent->batch, extent->channels, pixels, y);
}

const train_elements cudnn_elements = {.add = add,
                                       .multiply = multiply,
                                       .activate = activate,
                                       .activate_backward = activate_backward,
                                       .dropout = dropout,
                                       .transpose = transpose,
                                       .take_input = take_input};
