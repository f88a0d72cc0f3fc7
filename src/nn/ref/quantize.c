/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <inttypes.h>
#include <math.h>

/*
 * QuantizeLinear: y = saturate(round(x / scale) + zero point), halves to even; DequantizeLinear:
 * y = (x - zero point) scale. One scale and zero point for all, or one for each index of an axis.
 */

/* Scales and zero points are constants, as long as the axis or single. */
static mien_status check_scales(nn_shaping *shaping)
{
    const nn_tensor *scale = &shaping->inputs[1];
    const nn_shape *x = &shaping->inputs[0].shape;
    nn_params *params = shaping->params;
    if (scale->type != NN_FLOAT || scale->data == NULL || scale->shape.rank > 1)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED,
                             "its scale must be one constant, or one for each index of an axis");
    int64_t count = nn_elements(&scale->shape);
    params->quantize.axis = 0;
    if (count != 1) {
        mien_status status = nn_resolve_axis(shaping, nn_node_int(shaping->node, "axis", 1),
                                             x->rank, &params->quantize.axis);
        if (status != MIEN_OK)
            return status;
        if (x->dims[params->quantize.axis] != count)
            return nn_shape_fail(shaping, MIEN_SHAPE,
                                 "it has %" PRId64 " scales for an axis of %" PRId64, count,
                                 x->dims[params->quantize.axis]);
    }
    for (int64_t i = 0; i < count; i++)
        if (!(((const float *)scale->data)[i] > 0) || isinf(((const float *)scale->data)[i]))
            return nn_shape_fail(shaping, MIEN_SHAPE, "a scale is %g, not over 0",
                                 (double)((const float *)scale->data)[i]);
    if (nn_has_input(shaping, 2) &&
        (shaping->inputs[2].data == NULL || nn_elements(&shaping->inputs[2].shape) != count))
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED,
                             "its zero points must be constants, as many as scales");
    return MIEN_OK;
}

/* Walks the elements of a tensor with the scale and the zero point of each. */
typedef struct scale_walk {
    const float *scales;
    const nn_tensor *zero_points; /* NULL: 0 */
    int64_t count, each;          /* scales; neighbouring elements that share one */
} scale_walk;

static scale_walk walk_of(const nn_params *params, const nn_tensor *inputs, int input_count)
{
    const nn_shape *x = &inputs[0].shape;
    bool has_zero = input_count > 2 && inputs[2].shape.rank != NN_UNKNOWN_RANK;
    int64_t count = nn_elements(&inputs[1].shape);
    return (scale_walk){.scales = inputs[1].data,
                        .zero_points = has_zero ? &inputs[2] : NULL,
                        .count = count,
                        .each = count == 1 ? nn_elements(x)
                                           : nn_product(x, params->quantize.axis + 1, x->rank)};
}

static int64_t scale_index(const scale_walk *walk, int64_t element)
{
    return element / walk->each % walk->count;
}

static int64_t zero_point(const scale_walk *walk, int64_t index)
{
    return walk->zero_points != NULL ? nn_int_at(walk->zero_points, index) : 0;
}

/* ---- QuantizeLinear ---- */

static mien_status shape_quantize(nn_shaping *shaping)
{
    mien_status status = nn_require_floats(shaping, 0, 2);
    if (status == MIEN_OK)
        status = check_scales(shaping);
    if (status != MIEN_OK)
        return status;
    nn_type type = nn_has_input(shaping, 2) ? shaping->inputs[2].type : NN_UINT8;
    if (!nn_type_is_byte(type))
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "only int8 and uint8 are supported");
    shaping->outputs[0].type = type;
    shaping->outputs[0].shape = shaping->inputs[0].shape;
    return MIEN_OK;
}

static int64_t quantize(float x, float scale, int64_t zero, int64_t low, int64_t high)
{
    float steps = rintf(x / scale);
    if (!(steps > -1e6f)) /* also what is no number */
        return low;
    int64_t y = (int64_t)fminf(steps, 1e6f) + zero;
    return y < low ? low : y > high ? high : y;
}

static void run_quantize(const nn_params *params, const nn_tensor *inputs, int input_count,
                         nn_tensor *outputs)
{
    scale_walk walk = walk_of(params, inputs, input_count);
    const float *x = inputs[0].data;
    bool is_signed = outputs[0].type == NN_INT8;
    int64_t low = is_signed ? INT8_MIN : 0, high = is_signed ? INT8_MAX : UINT8_MAX;
    int64_t count = nn_elements(&inputs[0].shape);
    for (int64_t i = 0; i < count; i++) {
        int64_t s = scale_index(&walk, i);
        int64_t y = quantize(x[i], walk.scales[s], zero_point(&walk, s), low, high);
        ((uint8_t *)outputs[0].data)[i] = (uint8_t)y;
    }
}

/* ---- DequantizeLinear ---- */

static mien_status shape_dequantize(nn_shaping *shaping)
{
    if (shaping->inputs[0].type == NN_FLOAT)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "its input holds floats, not integers");
    mien_status status = check_scales(shaping);
    if (status != MIEN_OK)
        return status;
    if (nn_has_input(shaping, 2) && shaping->inputs[2].type != shaping->inputs[0].type)
        return nn_shape_fail(shaping, MIEN_SHAPE, "its zero point has another type than its input");
    shaping->outputs[0].type = NN_FLOAT;
    shaping->outputs[0].shape = shaping->inputs[0].shape;
    return MIEN_OK;
}

static void run_dequantize(const nn_params *params, const nn_tensor *inputs, int input_count,
                           nn_tensor *outputs)
{
    scale_walk walk = walk_of(params, inputs, input_count);
    float *y = outputs[0].data;
    int64_t count = nn_elements(&inputs[0].shape);
    for (int64_t i = 0; i < count; i++) {
        int64_t s = scale_index(&walk, i);
        y[i] = (float)(nn_int_at(&inputs[0], i) - zero_point(&walk, s)) * walk.scales[s];
    }
}

/* takes_ints: what is made of constants alone, weights and biases, is made when planning. */
const nn_op nn_op_dequantize = {.name = "DequantizeLinear",
                                .min_inputs = 2,
                                .max_inputs = 3,
                                .takes_ints = true,
                                .takes_bytes = true,
                                .shape = shape_dequantize,
                                .run = run_dequantize};
const nn_op nn_op_quantize = {.name = "QuantizeLinear",
                              .min_inputs = 2,
                              .max_inputs = 3,
                              .takes_bytes = true,
                              .shape = shape_quantize,
                              .run = run_quantize};
