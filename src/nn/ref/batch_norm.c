/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <math.h>

/* BatchNormalization at inference: y = scale (x - mean) / sqrt(variance + epsilon) + bias, each of
 * the four (C). X: (N, C, ...). */
static mien_status shape_batch_norm(nn_shaping *shaping)
{
    const nn_shape *x = &shaping->inputs[0].shape;
    if (x->rank < 2)
        return nn_shape_fail(shaping, MIEN_SHAPE, "the input has no channels");
    for (int i = 1; i < 5; i++) {
        const nn_shape *shape = &shaping->inputs[i].shape;
        if (shape->rank != 1 || shape->dims[0] != x->dims[1])
            return nn_shape_fail(shaping, MIEN_SHAPE, "input %d does not have a number per channel",
                                 i);
    }
    if (nn_node_int(shaping->node, "training_mode", 0) != 0)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "it is in training mode");
    if (nn_node_int(shaping->node, "spatial", 1) == 0)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "spatial is 0");
    shaping->params->norm.epsilon = nn_node_float(shaping->node, "epsilon", 1e-5f);
    mien_status status = nn_require_floats(shaping, 0, 5);
    return status == MIEN_OK ? nn_shape_as_input(shaping) : status;
}

static void run_batch_norm(const nn_params *params, const nn_tensor *inputs, int input_count,
                           nn_tensor *outputs)
{
    (void)input_count;
    const nn_shape *shape = &inputs[0].shape;
    const float *x = inputs[0].data, *scale = inputs[1].data, *bias = inputs[2].data;
    const float *mean = inputs[3].data, *variance = inputs[4].data;
    float *out = outputs[0].data;
    int64_t inner = nn_product(shape, 2, shape->rank);
    for (int64_t n = 0; n < shape->dims[0]; n++)
        for (int64_t c = 0; c < shape->dims[1]; c++) {
            double factor = scale[c] / sqrt((double)variance[c] + params->norm.epsilon);
            for (int64_t i = 0; i < inner; i++)
                *out++ = (float)((*x++ - (double)mean[c]) * factor + bias[c]);
        }
}

const nn_op nn_op_batch_norm = {.name = "BatchNormalization",
                                .min_inputs = 5,
                                .max_inputs = 5,
                                .shape = shape_batch_norm,
                                .run = run_batch_norm};
