/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <math.h>

/* Pooling over the last two of four dimensions: (N, C, H, W) -> (N, C, H', W'). */
static mien_status shape_pool(nn_shaping *shaping)
{
    mien_status status = nn_require_rank(shaping, 0, 4);
    if (status != MIEN_OK)
        return status;
    const int64_t *x = shaping->inputs[0].shape.dims;
    int64_t output[2];
    bool ceil_mode = nn_node_int(shaping->node, "ceil_mode", 0) != 0;
    nn_window *window = &shaping->params->pool.window;
    status = nn_shape_window(shaping, NULL, x + 2, ceil_mode, window, output);
    if (status != MIEN_OK)
        return status;
    for (int i = 0; i < 2; i++) {
        int64_t reach = (int64_t)window->kernel[i] * window->dilation[i];
        if (window->pad_before[i] >= reach || window->pad_after[i] >= reach)
            return nn_shape_fail(shaping, MIEN_SHAPE, "the padding is as large as the window");
    }
    shaping->params->pool.count_padding = nn_node_int(shaping->node, "count_include_pad", 0) != 0;
    shaping->outputs[0].type = NN_FLOAT;
    shaping->outputs[0].shape = (nn_shape){4, {x[0], x[1], output[0], output[1]}};
    return MIEN_OK;
}

/* The part of one axis that a window at output position `at` covers. */
typedef struct span {
    int64_t start; /* may lie in the padding */
    int64_t step;
    int count;
} span;

static span window_span(const nn_window *window, int axis, int64_t at)
{
    return (span){at * window->stride[axis] - window->pad_before[axis], window->dilation[axis],
                  window->kernel[axis]};
}

static float max_in_window(const float *x, const int64_t *dims, span rows, span columns)
{
    float best = -INFINITY;
    for (int ky = 0; ky < rows.count; ky++) {
        int64_t y = rows.start + ky * rows.step;
        if (y < 0 || y >= dims[2])
            continue;
        for (int kx = 0; kx < columns.count; kx++) {
            int64_t column = columns.start + kx * columns.step;
            if (column < 0 || column >= dims[3])
                continue;
            float value = x[y * dims[3] + column];
            if (value > best)
                best = value;
        }
    }
    return best;
}

/* Cells of a span inside 0..size-1. */
static int64_t cells_inside(span s, int64_t low, int64_t size)
{
    int64_t count = 0;
    for (int k = 0; k < s.count; k++) {
        int64_t at = s.start + k * s.step;
        count += at >= low && at < size;
    }
    return count;
}

static float mean_in_window(const nn_params *params, const float *x, const int64_t *dims, span rows,
                            span columns)
{
    double sum = 0;
    for (int ky = 0; ky < rows.count; ky++) {
        int64_t y = rows.start + ky * rows.step;
        if (y < 0 || y >= dims[2])
            continue;
        for (int kx = 0; kx < columns.count; kx++) {
            int64_t column = columns.start + kx * columns.step;
            if (column >= 0 && column < dims[3])
                sum += x[y * dims[3] + column];
        }
    }
    const nn_window *w = &params->pool.window;
    int64_t cells = cells_inside(rows, 0, dims[2]) * cells_inside(columns, 0, dims[3]);
    if (params->pool.count_padding)
        cells = cells_inside(rows, -w->pad_before[0], dims[2] + w->pad_after[0]) *
                cells_inside(columns, -w->pad_before[1], dims[3] + w->pad_after[1]);
    return cells > 0 ? (float)(sum / (double)cells) : 0;
}

static void run_pool(const nn_params *params, const nn_tensor *inputs, nn_tensor *outputs,
                     bool maximum)
{
    const int64_t *x = inputs[0].shape.dims;
    const int64_t *o = outputs[0].shape.dims;
    const float *plane = inputs[0].data;
    float *out = outputs[0].data;
    for (int64_t p = 0; p < o[0] * o[1]; p++, plane += x[2] * x[3]) {
        for (int64_t row = 0; row < o[2]; row++) {
            span rows = window_span(&params->pool.window, 0, row);
            for (int64_t column = 0; column < o[3]; column++) {
                span columns = window_span(&params->pool.window, 1, column);
                *out++ = maximum ? max_in_window(plane, x, rows, columns)
                                 : mean_in_window(params, plane, x, rows, columns);
            }
        }
    }
}

static void run_max_pool(const nn_params *params, const nn_tensor *inputs, int input_count,
                         nn_tensor *outputs)
{
    (void)input_count;
    run_pool(params, inputs, outputs, true);
}

static void run_average_pool(const nn_params *params, const nn_tensor *inputs, int input_count,
                             nn_tensor *outputs)
{
    (void)input_count;
    run_pool(params, inputs, outputs, false);
}

const nn_op nn_op_max_pool = {
    .name = "MaxPool", .min_inputs = 1, .max_inputs = 1, .shape = shape_pool, .run = run_max_pool};

const nn_op nn_op_average_pool = {.name = "AveragePool",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .shape = shape_pool,
                                  .run = run_average_pool};
