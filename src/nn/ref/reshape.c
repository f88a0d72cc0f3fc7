/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <inttypes.h>
#include <string.h>

/* Operators that give the same numbers another shape. */

static void run_copy(const nn_params *params, const nn_tensor *inputs, int input_count,
                     nn_tensor *outputs)
{
    (void)params;
    (void)input_count;
    memcpy(outputs[0].data, inputs[0].data,
           (size_t)nn_elements(&outputs[0].shape) * nn_type_size(outputs[0].type));
}

/* The dimension written -1, or one too many, is what the others leave. */
static mien_status infer_dimension(nn_shaping *shaping, nn_shape *shape, int unknown)
{
    int64_t total = nn_elements(&shaping->inputs[0].shape);
    int64_t rest = 1;
    for (int i = 0; i < shape->rank; i++)
        if (i != unknown && shape->dims[i] > 0 && rest <= NN_MAX_ELEMENTS)
            rest *= shape->dims[i];
        else if (i != unknown && shape->dims[i] == 0)
            rest = 0;
    if (rest <= 0 || rest > total || total % rest != 0)
        return nn_shape_fail(shaping, MIEN_SHAPE, "%" PRId64 " numbers do not fit the new shape",
                             total);
    shape->dims[unknown] = total / rest;
    return MIEN_OK;
}

static mien_status shape_reshape(nn_shaping *shaping)
{
    const nn_shape *in = &shaping->inputs[0].shape;
    const int64_t *wanted;
    size_t count;
    mien_status status = nn_constant_ints(shaping, 1, "shape", &wanted, &count);
    if (status != MIEN_OK)
        return status;
    if (count > NN_MAX_RANK)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "the new shape has %zu dimensions", count);
    bool keep_zero = nn_node_int(shaping->node, "allowzero", 0) != 0;
    nn_shape out = {(int)count, {0}};
    int unknown = -1;
    for (int i = 0; i < out.rank; i++) {
        out.dims[i] = wanted[i];
        if (wanted[i] == 0 && !keep_zero && i < in->rank)
            out.dims[i] = in->dims[i];
        if (wanted[i] == -1 && unknown < 0)
            unknown = i;
        else if (out.dims[i] < 0 || out.dims[i] > NN_MAX_ELEMENTS)
            return nn_shape_fail(shaping, MIEN_SHAPE, "the new shape holds %" PRId64, wanted[i]);
    }
    if (unknown >= 0)
        status = infer_dimension(shaping, &out, unknown);
    if (status != MIEN_OK)
        return status;
    int64_t elements;
    char text[NN_SHAPE_TEXT_SIZE];
    if (!nn_shape_elements(&out, &elements) || elements != nn_elements(in))
        return nn_shape_fail(shaping, MIEN_SHAPE, "%" PRId64 " numbers do not fit shape %s",
                             nn_elements(in), nn_shape_text(&out, text));
    shaping->outputs[0].type = shaping->inputs[0].type;
    shaping->outputs[0].shape = out;
    return MIEN_OK;
}

static mien_status shape_flatten(nn_shaping *shaping)
{
    const nn_shape *in = &shaping->inputs[0].shape;
    int64_t axis = nn_node_int(shaping->node, "axis", 1);
    if (axis < 0)
        axis += in->rank;
    if (axis < 0 || axis > in->rank)
        return nn_shape_fail(shaping, MIEN_SHAPE, "axis %" PRId64 " does not exist", axis);
    shaping->outputs[0].type = shaping->inputs[0].type;
    shaping->outputs[0].shape =
        (nn_shape){2, {nn_product(in, 0, (int)axis), nn_product(in, (int)axis, in->rank)}};
    return MIEN_OK;
}

/* Marks the listed axes of a shape of `rank` dimensions. */
static mien_status mark_axes(nn_shaping *shaping, int rank, bool marked[NN_MAX_RANK], size_t *count)
{
    const int64_t *axes;
    mien_status status =
        nn_constant_ints(shaping, shaping->opset >= 13 ? 1 : -1, "axes", &axes, count);
    for (size_t i = 0; status == MIEN_OK && i < *count; i++) {
        int axis = 0;
        status = nn_resolve_axis(shaping, axes[i], rank, &axis);
        if (status == MIEN_OK && marked[axis])
            return nn_shape_fail(shaping, MIEN_SHAPE, "axis %d is named twice", axis);
        if (status == MIEN_OK)
            marked[axis] = true;
    }
    return status;
}

static mien_status shape_squeeze(nn_shaping *shaping)
{
    const nn_shape *in = &shaping->inputs[0].shape;
    bool removed[NN_MAX_RANK] = {false};
    size_t count = 0;
    mien_status status = mark_axes(shaping, in->rank, removed, &count);
    if (status != MIEN_OK)
        return status;
    nn_shape out = {0, {0}};
    for (int i = 0; i < in->rank; i++) {
        if (removed[i] && in->dims[i] != 1)
            return nn_shape_fail(shaping, MIEN_SHAPE, "axis %d has size %" PRId64 ", not 1", i,
                                 in->dims[i]);
        if (!removed[i] && (count != 0 || in->dims[i] != 1))
            out.dims[out.rank++] = in->dims[i];
    }
    shaping->outputs[0].type = shaping->inputs[0].type;
    shaping->outputs[0].shape = out;
    return MIEN_OK;
}

static mien_status shape_unsqueeze(nn_shaping *shaping)
{
    const nn_shape *in = &shaping->inputs[0].shape;
    const int64_t *axes;
    size_t count = 0;
    mien_status status =
        nn_constant_ints(shaping, shaping->opset >= 13 ? 1 : -1, "axes", &axes, &count);
    if (status != MIEN_OK)
        return status;
    if (count == 0 || count > (size_t)(NN_MAX_RANK - in->rank))
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "it adds %zu dimensions to %d", count,
                             in->rank);
    nn_shape out = {in->rank + (int)count, {0}};
    bool added[NN_MAX_RANK] = {false};
    status = mark_axes(shaping, out.rank, added, &count);
    for (int i = 0, from = 0; status == MIEN_OK && i < out.rank; i++)
        out.dims[i] = added[i] ? 1 : in->dims[from++];
    shaping->outputs[0].type = shaping->inputs[0].type;
    shaping->outputs[0].shape = out;
    return status;
}

static mien_status shape_dropout(nn_shaping *shaping)
{
    const nn_tensor *mode = shaping->input_count > 2 ? &shaping->inputs[2] : NULL;
    if (mode != NULL && mode->data != NULL && mode->type == NN_INT &&
        nn_elements(&mode->shape) == 1 && *(const int64_t *)mode->data != 0)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "it is in training mode");
    return nn_shape_as_input(shaping);
}

const nn_op nn_op_reshape = {.name = "Reshape",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .takes_ints = true,
                             .shape = shape_reshape,
                             .run = run_copy};
const nn_op nn_op_flatten = {.name = "Flatten",
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .takes_ints = true,
                             .shape = shape_flatten,
                             .run = run_copy};
const nn_op nn_op_squeeze = {.name = "Squeeze",
                             .min_inputs = 1,
                             .max_inputs = 2,
                             .takes_ints = true,
                             .shape = shape_squeeze,
                             .run = run_copy};
const nn_op nn_op_unsqueeze = {.name = "Unsqueeze",
                               .min_inputs = 1,
                               .max_inputs = 2,
                               .takes_ints = true,
                               .shape = shape_unsqueeze,
                               .run = run_copy};
const nn_op nn_op_identity = {.name = "Identity",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .takes_ints = true,
                              .shape = nn_shape_as_input,
                              .run = run_copy};
const nn_op nn_op_dropout = {
    .name = "Dropout", .min_inputs = 1, .max_inputs = 3, .shape = shape_dropout, .run = run_copy};
