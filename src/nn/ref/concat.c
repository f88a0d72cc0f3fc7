/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <string.h>

/* Concat: the inputs one behind the other along an axis. */
static mien_status shape_concat(nn_shaping *shaping)
{
    nn_tensor *out = &shaping->outputs[0];
    out->type = shaping->inputs[0].type;
    out->shape = shaping->inputs[0].shape;
    int axis;
    mien_status status =
        nn_resolve_axis(shaping, nn_node_int(shaping->node, "axis", 1), out->shape.rank, &axis);
    if (status != MIEN_OK)
        return status;
    shaping->params->axis.axis = axis;
    for (int i = 1; i < shaping->input_count; i++) {
        const nn_tensor *in = &shaping->inputs[i];
        nn_shape expected = out->shape;
        if (in->shape.rank == out->shape.rank)
            expected.dims[axis] = in->shape.dims[axis];
        if (in->type != out->type || !nn_shape_equal(&in->shape, &expected))
            return nn_shape_fail(shaping, MIEN_SHAPE, "input %d does not fit input 0", i);
        out->shape.dims[axis] += in->shape.dims[axis];
        int64_t elements;
        if (!nn_shape_elements(&out->shape, &elements))
            return nn_shape_fail(shaping, MIEN_LIMIT, "the result is too large");
    }
    return MIEN_OK;
}

static void run_concat(const nn_params *params, const nn_tensor *inputs, int input_count,
                       nn_tensor *outputs)
{
    int axis = params->axis.axis;
    const nn_shape *shape = &outputs[0].shape;
    size_t size = nn_type_size(outputs[0].type);
    int64_t outer = nn_product(shape, 0, axis);
    char *to = outputs[0].data;
    for (int64_t o = 0; o < outer; o++)
        for (int i = 0; i < input_count; i++) {
            size_t part = (size_t)nn_product(&inputs[i].shape, axis, shape->rank) * size;
            memcpy(to, (const char *)inputs[i].data + (size_t)o * part, part);
            to += part;
        }
}

const nn_op nn_op_concat = {.name = "Concat",
                            .min_inputs = 1,
                            .max_inputs = 4096,
                            .takes_ints = true,
                            .shape = shape_concat,
                            .run = run_concat};
