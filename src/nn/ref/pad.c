/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <inttypes.h>
#include <string.h>

/* Pad: constant, reflected or repeated edges around the input. */
static mien_status read_mode(nn_shaping *shaping, nn_pad_mode *mode)
{
    const char *name = nn_node_string(shaping->node, "mode", "constant");
    if (strcmp(name, "constant") == 0)
        *mode = NN_PAD_CONSTANT;
    else if (strcmp(name, "reflect") == 0)
        *mode = NN_PAD_REFLECT;
    else if (strcmp(name, "edge") == 0)
        *mode = NN_PAD_EDGE;
    else
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "mode is '%.20s'", name);
    return MIEN_OK;
}

static mien_status read_value(nn_shaping *shaping, float *value)
{
    *value = nn_node_float(shaping->node, "value", 0);
    if (!nn_has_input(shaping, 2))
        return MIEN_OK;
    const nn_tensor *tensor = &shaping->inputs[2];
    if (tensor->data == NULL || tensor->type != NN_FLOAT || nn_elements(&tensor->shape) != 1)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "its value must be one constant");
    *value = *(const float *)tensor->data;
    return MIEN_OK;
}

static mien_status add_padding(nn_shaping *shaping, int axis, int64_t before, int64_t after)
{
    nn_shape *out = &shaping->outputs[0].shape;
    int64_t dim = out->dims[axis];
    if (before < 0 || after < 0 || before > NN_MAX_ELEMENTS || after > NN_MAX_ELEMENTS)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "it pads by %" PRId64 " and %" PRId64,
                             before, after);
    if (shaping->params->pad.mode == NN_PAD_REFLECT && (before >= dim || after >= dim))
        return nn_shape_fail(shaping, MIEN_SHAPE, "it reflects more than there is");
    shaping->params->pad.before[axis] = before;
    out->dims[axis] = dim + before + after;
    return MIEN_OK;
}

static mien_status shape_pad(nn_shaping *shaping)
{
    const int64_t *pads, *axes;
    size_t pad_count, axis_count;
    mien_status status =
        nn_constant_ints(shaping, shaping->opset >= 11 ? 1 : -1, "pads", &pads, &pad_count);
    if (status == MIEN_OK)
        status = nn_constant_ints(shaping, 3, "", &axes, &axis_count);
    if (status == MIEN_OK)
        status = read_mode(shaping, &shaping->params->pad.mode);
    if (status == MIEN_OK)
        status = read_value(shaping, &shaping->params->pad.value);
    if (status != MIEN_OK)
        return status;
    nn_shape_as_input(shaping);
    int rank = shaping->outputs[0].shape.rank;
    size_t padded = axes != NULL ? axis_count : (size_t)rank;
    if (pad_count != padded * 2)
        return nn_shape_fail(shaping, MIEN_SHAPE, "pads has %zu numbers for %zu dimensions",
                             pad_count, padded);
    for (int i = 0; i < rank; i++)
        shaping->params->pad.before[i] = 0;
    bool seen[NN_MAX_RANK] = {false};
    for (size_t i = 0; status == MIEN_OK && i < padded; i++) {
        int axis = axes == NULL ? (int)i : 0;
        if (axes != NULL)
            status = nn_resolve_axis(shaping, axes[i], rank, &axis);
        if (status == MIEN_OK && seen[axis])
            return nn_shape_fail(shaping, MIEN_SHAPE, "axis %d is named twice", axis);
        seen[axis] = true;
        if (status == MIEN_OK)
            status = add_padding(shaping, axis, pads[i], pads[padded + i]);
    }
    return status;
}

/* Where an output position reads on one axis, or -1 for the constant. */
static int64_t source(nn_pad_mode mode, int64_t at, int64_t dim)
{
    if (at >= 0 && at < dim)
        return at;
    if (mode == NN_PAD_CONSTANT)
        return -1;
    if (mode == NN_PAD_EDGE)
        return at < 0 ? 0 : dim - 1;
    return at < 0 ? -at : 2 * (dim - 1) - at;
}

static void run_pad(const nn_params *params, const nn_tensor *inputs, int input_count,
                    nn_tensor *outputs)
{
    (void)input_count;
    const nn_shape *in = &inputs[0].shape, *out = &outputs[0].shape;
    int64_t strides[NN_MAX_RANK], index[NN_MAX_RANK] = {0};
    nn_broadcast_strides(in, in, strides);
    const float *x = inputs[0].data;
    float *y = outputs[0].data;
    do {
        int64_t offset = 0;
        for (int i = 0; i < out->rank && offset >= 0; i++) {
            int64_t from = source(params->pad.mode, index[i] - params->pad.before[i], in->dims[i]);
            offset = from >= 0 ? offset + from * strides[i] * (in->dims[i] != 1) : -1;
        }
        *y++ = offset >= 0 ? x[offset] : params->pad.value;
    } while (nn_next_index(out, index));
}

const nn_op nn_op_pad = {
    .name = "Pad", .min_inputs = 1, .max_inputs = 4, .shape = shape_pad, .run = run_pad};
