/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/lower.h"

#include "nn/ref/ref.h"

#include <string.h>

/* Resize to the nearest pixel, channels last: whole pixels are copied, and rows that are the same.
 */

static void copy_pixels(const float *x, const int64_t *columns, int64_t count, int64_t channels,
                        float *y)
{
    for (int64_t i = 0; i < count; i++, y += channels)
        memcpy(y, x + columns[i] * channels, (size_t)channels * sizeof *y);
}

static void run_nearest(const nn_step *step, nn_part part, const nn_tensor *inputs,
                        nn_tensor *output, void *scratch)
{
    (void)scratch;
    const int64_t *in = inputs[0].shape.dims, *out = output->shape.dims; /* (N, H, W, C) */
    int64_t channels = out[3], row_floats = out[2] * channels, last = -1;
    nn_span rows = nn_share(part, out[0] * out[1], 1);
    float *y = (float *)output->data + rows.first * row_floats;
    for (int64_t row = rows.first; row < rows.end; row++, y += row_floats) {
        int64_t from = row / out[1] * in[1] + step->u.resize.rows[row % out[1]];
        if (from == last)
            memcpy(y, y - row_floats, (size_t)row_floats * sizeof *y);
        else
            copy_pixels((const float *)inputs[0].data + from * in[2] * channels,
                        step->u.resize.columns, out[2], channels, y);
        last = from;
    }
}

static bool is_of_pictures(const lowerer *l, const plan_node *node)
{
    if (node->op != &nn_op_resize || node->params.resize.linear ||
        lower_shape_of(l, node->output)->rank != 4)
        return false;
    const float *scales = node->params.resize.scales;
    return scales[0] == 1 && scales[1] == 1;
}

mien_status lower_resize(lowerer *l, const plan_node *node, bool *done)
{
    *done = is_of_pictures(l, node);
    if (!*done)
        return MIEN_OK;
    const int64_t *in = lower_shape_of(l, node->inputs[0])->dims;
    const int64_t *out = lower_shape_of(l, node->output)->dims;
    int input;
    void *places;
    mien_status status = lower_in_layout(l, node->inputs[0], true, &input);
    if (status == MIEN_OK)
        status = plan_add_buffer(l->plan, (size_t)(out[2] + out[3]) * sizeof(int64_t), &places,
                                 l->error);
    if (status != MIEN_OK)
        return status;
    int64_t *rows = places, *columns = rows + out[2];
    for (int64_t i = 0; i < out[2]; i++)
        rows[i] = nn_resize_nearest(&node->params, 2, i, in[2], out[2]);
    for (int64_t i = 0; i < out[3]; i++)
        columns[i] = nn_resize_nearest(&node->params, 3, i, in[3], out[3]);
    nn_step *step = lower_step(l, node->op->name, run_nearest, &input, 1, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->u.resize.rows = rows;
    step->u.resize.columns = columns;
    step->nanoseconds = lower_pass_time(nn_elements(lower_shape_of(l, node->output)));
    l->plan->values[node->output].channels_last = true;
    return MIEN_OK;
}
