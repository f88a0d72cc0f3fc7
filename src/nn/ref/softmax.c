/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <math.h>

/* Softmax over one axis (opset 13 on), or over all axes from `axis` on (before). */
static mien_status shape_softmax(nn_shaping *shaping)
{
    int rank = shaping->inputs[0].shape.rank;
    int64_t axis = nn_node_int(shaping->node, "axis", shaping->opset >= 13 ? -1 : 1);
    mien_status status = nn_resolve_axis(shaping, axis, rank, &shaping->params->axis.axis);
    if (status != MIEN_OK)
        return status;
    shaping->params->axis.axis_end = shaping->opset >= 13 ? shaping->params->axis.axis + 1 : rank;
    return nn_shape_as_input(shaping);
}

/* count values, `step` apart. The largest is subtracted first, so that nothing overflows. */
static void softmax(const float *x, float *y, int64_t count, int64_t step)
{
    float largest = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        if (x[i * step] > largest)
            largest = x[i * step];
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += exp((double)x[i * step] - largest);
    for (int64_t i = 0; i < count; i++)
        y[i * step] = (float)(exp((double)x[i * step] - largest) / sum);
}

static void run_softmax(const nn_params *params, const nn_tensor *inputs, int input_count,
                        nn_tensor *outputs)
{
    (void)input_count;
    const nn_shape *shape = &inputs[0].shape;
    int64_t outer = nn_product(shape, 0, params->axis.axis);
    int64_t count = nn_product(shape, params->axis.axis, params->axis.axis_end);
    int64_t inner = nn_product(shape, params->axis.axis_end, shape->rank);
    const float *x = inputs[0].data;
    float *y = outputs[0].data;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            softmax(x + o * count * inner + i, y + o * count * inner + i, count, inner);
}

const nn_op nn_op_softmax = {.name = "Softmax",
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .shape = shape_softmax,
                             .run = run_softmax};
