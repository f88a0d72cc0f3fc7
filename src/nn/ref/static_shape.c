/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <inttypes.h>
#include <string.h>

/* Operators by which a network computes shapes: Cast, Shape, Gather. */

static mien_status shape_cast(nn_shaping *shaping)
{
    shaping->outputs[0].shape = shaping->inputs[0].shape;
    switch (nn_node_int(shaping->node, "to", 0)) {
    case 1:  /* float */
    case 10: /* float16 */
    case 11: /* double */
        shaping->outputs[0].type = NN_FLOAT;
        return MIEN_OK;
    case 2: /* uint8 */
    case 3: /* int8 */
    case 5: /* int16 */
    case 6: /* int32 */
    case 7: /* int64 */
        shaping->outputs[0].type = NN_INT;
        return MIEN_OK;
    default:
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "it casts to type %" PRId64,
                             nn_node_int(shaping->node, "to", 0));
    }
}

/* Values that no int64 can hold become 0. */
static int64_t to_int(float value)
{
    return value > -9.2e18f && value < 9.2e18f ? (int64_t)value : 0;
}

static void run_cast(const nn_params *params, const nn_tensor *inputs, int input_count,
                     nn_tensor *outputs)
{
    (void)params;
    (void)input_count;
    int64_t count = nn_elements(&inputs[0].shape);
    if (inputs[0].type == outputs[0].type) {
        memcpy(outputs[0].data, inputs[0].data, (size_t)count * nn_type_size(inputs[0].type));
        return;
    }
    for (int64_t i = 0; i < count; i++)
        if (outputs[0].type == NN_FLOAT)
            ((float *)outputs[0].data)[i] = (float)nn_int_at(&inputs[0], i);
        else
            ((int64_t *)outputs[0].data)[i] = inputs[0].type == NN_FLOAT
                                                  ? to_int(((const float *)inputs[0].data)[i])
                                                  : nn_int_at(&inputs[0], i);
}

static mien_status shape_shape_of(nn_shaping *shaping)
{
    int rank = shaping->inputs[0].shape.rank;
    int64_t start = nn_node_int(shaping->node, "start", 0);
    int64_t end = nn_node_int(shaping->node, "end", rank);
    start = start < -rank ? 0 : start < 0 ? start + rank : start;
    end = end > rank ? rank : end < 0 ? end + rank : end;
    if (start >= end || end > rank)
        return nn_shape_fail(shaping, MIEN_SHAPE, "it names no dimension");
    shaping->params->axis.axis = (int)start;
    shaping->params->axis.axis_end = (int)end;
    shaping->outputs[0].type = NN_INT;
    shaping->outputs[0].shape = (nn_shape){1, {end - start}};
    return MIEN_OK;
}

static void run_shape_of(const nn_params *params, const nn_tensor *inputs, int input_count,
                         nn_tensor *outputs)
{
    (void)input_count;
    int64_t *out = outputs[0].data;
    for (int i = params->axis.axis; i < params->axis.axis_end; i++)
        *out++ = inputs[0].shape.dims[i];
}

static mien_status shape_gather(nn_shaping *shaping)
{
    const nn_shape *in = &shaping->inputs[0].shape;
    const nn_tensor *indices = &shaping->inputs[1];
    int axis;
    mien_status status =
        nn_resolve_axis(shaping, nn_node_int(shaping->node, "axis", 0), in->rank, &axis);
    if (status != MIEN_OK)
        return status;
    if (indices->data == NULL || indices->type != NN_INT)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "its indices must be constant");
    if (in->rank - 1 + indices->shape.rank > NN_MAX_RANK)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "the result has too many dimensions");
    int64_t count = nn_elements(&indices->shape);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = ((const int64_t *)indices->data)[i];
        if (at < -in->dims[axis] || at >= in->dims[axis])
            return nn_shape_fail(shaping, MIEN_SHAPE, "index %" PRId64 " is not below %" PRId64, at,
                                 in->dims[axis]);
    }
    shaping->params->axis.axis = axis;
    nn_shape *out = &shaping->outputs[0].shape;
    out->rank = 0;
    for (int i = 0; i < axis; i++)
        out->dims[out->rank++] = in->dims[i];
    for (int i = 0; i < indices->shape.rank; i++)
        out->dims[out->rank++] = indices->shape.dims[i];
    for (int i = axis + 1; i < in->rank; i++)
        out->dims[out->rank++] = in->dims[i];
    shaping->outputs[0].type = shaping->inputs[0].type;
    return MIEN_OK;
}

static void run_gather(const nn_params *params, const nn_tensor *inputs, int input_count,
                       nn_tensor *outputs)
{
    (void)input_count;
    const nn_shape *in = &inputs[0].shape;
    int axis = params->axis.axis;
    int64_t dim = in->dims[axis];
    int64_t outer = nn_product(in, 0, axis);
    int64_t count = nn_elements(&inputs[1].shape);
    size_t part = (size_t)nn_product(in, axis + 1, in->rank) * nn_type_size(inputs[0].type);
    const int64_t *indices = inputs[1].data;
    char *to = outputs[0].data;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < count; i++) {
            int64_t at = indices[i] < 0 ? indices[i] + dim : indices[i];
            memcpy(to, (const char *)inputs[0].data + (size_t)(o * dim + at) * part, part);
            to += part;
        }
}

const nn_op nn_op_cast = {.name = "Cast",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .takes_ints = true,
                          .takes_bytes = true,
                          .shape = shape_cast,
                          .run = run_cast};
const nn_op nn_op_shape_of = {.name = "Shape",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .takes_ints = true,
                              .needs_no_data = true,
                              .shape = shape_shape_of,
                              .run = run_shape_of};
const nn_op nn_op_gather = {.name = "Gather",
                            .min_inputs = 2,
                            .max_inputs = 2,
                            .takes_ints = true,
                            .shape = shape_gather,
                            .run = run_gather};
