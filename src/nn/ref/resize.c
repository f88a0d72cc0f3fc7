/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <math.h>
#include <string.h>

/* Resize: nearest on every axis, linear on the last two. Inputs by opset: X, scales (10); X, roi,
 * scales, sizes (11 on). */
static mien_status read_coordinates(nn_shaping *shaping)
{
    static const struct {
        const char *name;
        nn_resize_coordinates mode;
    } modes[] = {{"half_pixel", NN_RESIZE_HALF_PIXEL},
                 {"pytorch_half_pixel", NN_RESIZE_PYTORCH_HALF_PIXEL},
                 {"asymmetric", NN_RESIZE_ASYMMETRIC},
                 {"align_corners", NN_RESIZE_ALIGN_CORNERS}};
    const char *otherwise = shaping->opset >= 11 ? "half_pixel" : "asymmetric";
    const char *name = nn_node_string(shaping->node, "coordinate_transformation_mode", otherwise);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].name, name) == 0) {
            shaping->params->resize.coordinates = modes[i].mode;
            return MIEN_OK;
        }
    return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "coordinate_transformation_mode is '%.40s'",
                         name);
}

static mien_status read_rounding(nn_shaping *shaping)
{
    static const struct {
        const char *name;
        nn_resize_rounding rounding;
    } modes[] = {{"round_prefer_floor", NN_ROUND_PREFER_FLOOR},
                 {"round_prefer_ceil", NN_ROUND_PREFER_CEIL},
                 {"floor", NN_ROUND_FLOOR},
                 {"ceil", NN_ROUND_CEIL}};
    if (shaping->opset < 11) {
        shaping->params->resize.rounding = NN_ROUND_OPSET_10;
        return MIEN_OK;
    }
    const char *name = nn_node_string(shaping->node, "nearest_mode", "round_prefer_floor");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].name, name) == 0) {
            shaping->params->resize.rounding = modes[i].rounding;
            return MIEN_OK;
        }
    return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "nearest_mode is '%.40s'", name);
}

static mien_status read_modes(nn_shaping *shaping)
{
    const char *mode = nn_node_string(shaping->node, "mode", "nearest");
    shaping->params->resize.linear = strcmp(mode, "linear") == 0;
    if (!shaping->params->resize.linear && strcmp(mode, "nearest") != 0)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "mode is '%.20s', not nearest or linear",
                             mode);
    if (nn_node_int(shaping->node, "antialias", 0) != 0)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "antialias is on");
    const char *policy = nn_node_string(shaping->node, "keep_aspect_ratio_policy", "stretch");
    if (strcmp(policy, "stretch") != 0)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "keep_aspect_ratio_policy is '%.20s'",
                             policy);
    mien_status status = read_coordinates(shaping);
    return status == MIEN_OK ? read_rounding(shaping) : status;
}

/* The axis that entry `i` of scales or sizes speaks of. */
static mien_status axis_of_entry(nn_shaping *shaping, size_t count, size_t i, int *axis)
{
    int rank = shaping->inputs[0].shape.rank;
    const nn_attribute *axes = nn_node_attribute(shaping->node, "axes", NN_ATTRIBUTE_INTS);
    if (axes != NULL ? axes->count != count : count != (size_t)rank)
        return nn_shape_fail(shaping, MIEN_SHAPE, "it names %zu sizes for %d dimensions", count,
                             rank);
    *axis = (int)i;
    return axes != NULL ? nn_resolve_axis(shaping, axes->ints[i], rank, axis) : MIEN_OK;
}

static mien_status set_by_scales(nn_shaping *shaping, const nn_tensor *scales)
{
    if (scales->data == NULL || scales->type != NN_FLOAT)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "its scales must be constant");
    size_t count = (size_t)nn_elements(&scales->shape);
    const float *values = scales->data;
    nn_shape *out = &shaping->outputs[0].shape;
    for (size_t i = 0; i < count; i++) {
        int axis;
        mien_status status = axis_of_entry(shaping, count, i, &axis);
        if (status != MIEN_OK)
            return status;
        /* In float, as ONNX Runtime does: 10 times 0.7 is 7. */
        float dim = floorf((float)shaping->inputs[0].shape.dims[axis] * values[i]);
        if (!(values[i] > 0) || !(dim >= 1) || dim > (float)NN_MAX_ELEMENTS)
            return nn_shape_fail(shaping, MIEN_SHAPE, "a scale is %g", (double)values[i]);
        out->dims[axis] = (int64_t)dim;
        shaping->params->resize.scales[axis] = values[i];
    }
    return MIEN_OK;
}

static mien_status set_by_sizes(nn_shaping *shaping, int input)
{
    const int64_t *sizes;
    size_t count;
    mien_status status = nn_constant_ints(shaping, input, "", &sizes, &count);
    nn_shape *out = &shaping->outputs[0].shape;
    for (size_t i = 0; status == MIEN_OK && i < count; i++) {
        int axis = 0;
        status = axis_of_entry(shaping, count, i, &axis);
        if (status != MIEN_OK)
            return status;
        if (sizes[i] < 1 || sizes[i] > NN_MAX_ELEMENTS)
            return nn_shape_fail(shaping, MIEN_SHAPE, "a size is out of range");
        out->dims[axis] = sizes[i];
        shaping->params->resize.scales[axis] =
            (float)sizes[i] / (float)shaping->inputs[0].shape.dims[axis];
    }
    return status;
}

static bool has_elements(const nn_shaping *shaping, int input)
{
    return nn_has_input(shaping, input) && nn_elements(&shaping->inputs[input].shape) != 0;
}

static mien_status shape_resize(nn_shaping *shaping)
{
    mien_status status = read_modes(shaping);
    if (status != MIEN_OK)
        return status;
    nn_shape_as_input(shaping);
    nn_shape *out = &shaping->outputs[0].shape;
    for (int i = 0; i < out->rank; i++)
        shaping->params->resize.scales[i] = 1;
    int scales = shaping->opset >= 11 ? 2 : 1;
    if (has_elements(shaping, scales))
        status = set_by_scales(shaping, &shaping->inputs[scales]);
    else if (shaping->opset >= 11 && has_elements(shaping, 3))
        status = set_by_sizes(shaping, 3);
    else
        return nn_shape_fail(shaping, MIEN_MALFORMED, "it has neither scales nor sizes");
    if (status != MIEN_OK || !shaping->params->resize.linear)
        return status;
    for (int i = 0; i < out->rank - 2; i++)
        if (out->dims[i] != shaping->inputs[0].shape.dims[i])
            return nn_shape_fail(shaping, MIEN_UNSUPPORTED,
                                 "linear mode is supported on the last two axes only");
    return out->rank >= 2 ? MIEN_OK : nn_require_rank(shaping, 0, 4);
}

/* Where output position `at` lies on the input's axis. */
static float source(const nn_params *params, int axis, int64_t at, int64_t in, int64_t out)
{
    float scale = params->resize.scales[axis];
    switch (params->resize.coordinates) {
    case NN_RESIZE_HALF_PIXEL:
        return ((float)at + 0.5f) / scale - 0.5f;
    case NN_RESIZE_PYTORCH_HALF_PIXEL:
        return out > 1 ? ((float)at + 0.5f) / scale - 0.5f : 0;
    case NN_RESIZE_ASYMMETRIC:
        return (float)at / scale;
    case NN_RESIZE_ALIGN_CORNERS:
        return out > 1 ? (float)at * (float)(in - 1) / (float)(out - 1) : 0;
    }
    return 0;
}

static int64_t clamp(int64_t value, int64_t high)
{
    return value < 0 ? 0 : value > high ? high : value;
}

static int64_t nearest(nn_resize_rounding rounding, float scale, float at)
{
    switch (rounding) {
    case NN_ROUND_OPSET_10:
        return (int64_t)(scale < 1 ? ceilf(at) : floorf(at));
    case NN_ROUND_PREFER_FLOOR:
        return (int64_t)ceilf(at - 0.5f);
    case NN_ROUND_PREFER_CEIL:
        return (int64_t)floorf(at + 0.5f);
    case NN_ROUND_FLOOR:
        return (int64_t)floorf(at);
    case NN_ROUND_CEIL:
        return (int64_t)ceilf(at);
    }
    return 0;
}

int64_t nn_resize_nearest(const nn_params *params, int axis, int64_t at, int64_t in, int64_t out)
{
    float scale = params->resize.scales[axis];
    if (scale != 1)
        at = nearest(params->resize.rounding, scale, source(params, axis, at, in, out));
    return clamp(at, in - 1);
}

/* The last axes that keep their size: what they hold is copied in one piece. */
static int first_kept_axis(const nn_params *params, int rank)
{
    int axis = rank;
    while (axis > 0 && params->resize.scales[axis - 1] == 1)
        axis--;
    return axis;
}

static void run_nearest(const nn_params *params, const nn_tensor *in, nn_tensor *out)
{
    int64_t strides[NN_MAX_RANK], index[NN_MAX_RANK] = {0};
    nn_shape outer = out->shape; /* the axes that are walked */
    outer.rank = first_kept_axis(params, in->shape.rank);
    int64_t piece = nn_product(&in->shape, outer.rank, in->shape.rank);
    nn_broadcast_strides(&in->shape, &in->shape, strides);
    const float *x = in->data;
    float *y = out->data;
    do {
        int64_t offset = 0;
        for (int i = 0; i < outer.rank; i++) {
            offset += strides[i] *
                      nn_resize_nearest(params, i, index[i], in->shape.dims[i], out->shape.dims[i]);
        }
        memcpy(y, x + offset, (size_t)piece * sizeof *y);
        y += piece;
    } while (nn_next_index(&outer, index));
}

/* The two cells around a position, and how far it lies towards the second. */
typedef struct linear_tap {
    int64_t first, second;
    float weight;
} linear_tap;

static linear_tap tap(const nn_params *params, int axis, int64_t at, int64_t in, int64_t out)
{
    float position =
        params->resize.scales[axis] != 1 ? source(params, axis, at, in, out) : (float)at;
    position = position < 0 ? 0 : position > (float)(in - 1) ? (float)(in - 1) : position;
    int64_t first = (int64_t)floorf(position);
    return (linear_tap){first, clamp(first + 1, in - 1), position - (float)first};
}

static void run_linear(const nn_params *params, const nn_tensor *in, nn_tensor *out)
{
    int rank = in->shape.rank;
    int64_t height = in->shape.dims[rank - 2], width = in->shape.dims[rank - 1];
    int64_t rows = out->shape.dims[rank - 2], columns = out->shape.dims[rank - 1];
    int64_t planes = nn_product(&in->shape, 0, rank - 2);
    float *y = out->data;
    for (int64_t p = 0; p < planes; p++) {
        const float *x = (const float *)in->data + p * height * width;
        for (int64_t row = 0; row < rows; row++) {
            linear_tap v = tap(params, rank - 2, row, height, rows);
            const float *upper = x + v.first * width, *lower = x + v.second * width;
            for (int64_t column = 0; column < columns; column++) {
                linear_tap h = tap(params, rank - 1, column, width, columns);
                float a = upper[h.first] * (1 - h.weight) + upper[h.second] * h.weight;
                float b = lower[h.first] * (1 - h.weight) + lower[h.second] * h.weight;
                *y++ = a * (1 - v.weight) + b * v.weight;
            }
        }
    }
}

static void run_resize(const nn_params *params, const nn_tensor *inputs, int input_count,
                       nn_tensor *outputs)
{
    (void)input_count;
    if (params->resize.linear)
        run_linear(params, &inputs[0], &outputs[0]);
    else
        run_nearest(params, &inputs[0], &outputs[0]);
}

const nn_op nn_op_resize = {
    .name = "Resize", .min_inputs = 1, .max_inputs = 4, .shape = shape_resize, .run = run_resize};
