/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

/* Means over axes. ReduceMean: the axes of an attribute or input; GlobalAveragePool: all behind
 * the channels. */

static void set_output(nn_shaping *shaping, bool keep_dims)
{
    const nn_shape *in = &shaping->inputs[0].shape;
    nn_shape *out = &shaping->outputs[0].shape;
    out->rank = 0;
    for (int i = 0; i < in->rank; i++) {
        bool reduced = shaping->params->reduce.axes[i];
        if (!reduced || keep_dims)
            out->dims[out->rank++] = reduced ? 1 : in->dims[i];
    }
    shaping->outputs[0].type = NN_FLOAT;
}

static mien_status shape_reduce_mean(nn_shaping *shaping)
{
    const int64_t *axes;
    size_t count;
    int rank = shaping->inputs[0].shape.rank;
    mien_status status =
        nn_constant_ints(shaping, shaping->opset >= 18 ? 1 : -1, "axes", &axes, &count);
    if (status != MIEN_OK)
        return status;
    bool *reduced = shaping->params->reduce.axes;
    bool all = count == 0 && nn_node_int(shaping->node, "noop_with_empty_axes", 0) == 0;
    for (int i = 0; i < rank; i++)
        reduced[i] = all;
    for (size_t i = 0; i < count; i++) {
        int axis;
        status = nn_resolve_axis(shaping, axes[i], rank, &axis);
        if (status != MIEN_OK)
            return status;
        reduced[axis] = true;
    }
    set_output(shaping, nn_node_int(shaping->node, "keepdims", 1) != 0);
    return MIEN_OK;
}

static mien_status shape_global_average_pool(nn_shaping *shaping)
{
    int rank = shaping->inputs[0].shape.rank;
    if (rank < 3)
        return nn_shape_fail(shaping, MIEN_SHAPE, "an input of %d dimensions has nothing to pool",
                             rank);
    for (int i = 0; i < rank; i++)
        shaping->params->reduce.axes[i] = i >= 2;
    set_output(shaping, true);
    return MIEN_OK;
}

/* The shape with the reduced (or the kept) dimensions set to 1. */
static nn_shape with_ones(const nn_params *params, const nn_shape *shape, bool where_reduced)
{
    nn_shape result = *shape;
    for (int i = 0; i < shape->rank; i++)
        if (params->reduce.axes[i] == where_reduced)
            result.dims[i] = 1;
    return result;
}

static void run_reduce_mean(const nn_params *params, const nn_tensor *inputs, int input_count,
                            nn_tensor *outputs)
{
    (void)input_count;
    const nn_shape *in = &inputs[0].shape;
    const float *x = inputs[0].data;
    float *out = outputs[0].data;
    nn_shape kept = with_ones(params, in, true);
    nn_shape window = with_ones(params, in, false);
    int64_t strides[NN_MAX_RANK];
    nn_broadcast_strides(in, in, strides);
    int64_t at[NN_MAX_RANK] = {0};
    do {
        double sum = 0;
        int64_t inner[NN_MAX_RANK] = {0};
        do {
            int64_t offset = 0;
            for (int i = 0; i < in->rank; i++)
                offset += (at[i] + inner[i]) * strides[i];
            sum += x[offset];
        } while (nn_next_index(&window, inner));
        *out++ = (float)(sum / (double)nn_elements(&window));
    } while (nn_next_index(&kept, at));
}

const nn_op nn_op_reduce_mean = {.name = "ReduceMean",
                                 .min_inputs = 1,
                                 .max_inputs = 2,
                                 .shape = shape_reduce_mean,
                                 .run = run_reduce_mean};

const nn_op nn_op_global_average_pool = {.name = "GlobalAveragePool",
                                         .min_inputs = 1,
                                         .max_inputs = 1,
                                         .shape = shape_global_average_pool,
                                         .run = run_reduce_mean};
