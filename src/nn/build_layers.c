/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/build_parts.h"

#include <inttypes.h>
#include <math.h>

/* ---- Windows ---- */

/* A square window over the rows and columns of a picture. */
typedef struct square_window {
    int64_t kernel, stride;
    nn_build_padding padding;
    int64_t pads[4];   /* top, left, bottom, right */
    bool pads_by_size; /* SAME with a stride over an open size: the program that runs it pads */
    int64_t out[2];    /* rows, columns */
} square_window;

/* Padding for as many outputs as strides, more of it after than before. */
static void pad_same(square_window *w, int axis, int64_t size)
{
    if (size == NN_UNKNOWN_DIM && w->stride > 1) {
        w->pads_by_size = true;
        w->out[axis] = NN_UNKNOWN_DIM;
        return;
    }
    int64_t outputs = size == NN_UNKNOWN_DIM ? NN_UNKNOWN_DIM : (size + w->stride - 1) / w->stride;
    int64_t total =
        size == NN_UNKNOWN_DIM ? w->kernel - 1 : (outputs - 1) * w->stride + w->kernel - size;
    if (total < 0)
        total = 0;
    w->pads[axis] = total / 2;
    w->pads[axis + 2] = total - total / 2;
    w->out[axis] = outputs;
}

static bool set_window(nn_builder *b, const char *what, square_window *w, const nn_shape *in)
{
    if (w->kernel < 1 || w->kernel > 64 || w->stride < 1 || w->stride > 64) {
        build_fail(b, MIEN_INVALID_ARGUMENT,
                   "%s: a window of %" PRId64 " and a stride of %" PRId64 " must be 1 to 64", what,
                   w->kernel, w->stride);
        return false;
    }
    for (int axis = 0; axis < 2; axis++) {
        int64_t size = in->dims[2 + axis];
        if (w->padding == NN_BUILD_SAME) {
            pad_same(w, axis, size);
        } else if (size == NN_UNKNOWN_DIM) {
            w->out[axis] = NN_UNKNOWN_DIM;
        } else if (size >= w->kernel) {
            w->out[axis] = (size - w->kernel) / w->stride + 1;
        } else {
            build_fail(b, MIEN_SHAPE,
                       "%s: a window of %" PRId64 " does not fit into a side of %" PRId64, what,
                       w->kernel, size);
            return false;
        }
    }
    return true;
}

static void write_window(nn_builder *b, nn_node *node, const square_window *w)
{
    const int64_t kernel[2] = {w->kernel, w->kernel}, strides[2] = {w->stride, w->stride};
    build_ints(b, node, "kernel_shape", kernel, 2);
    build_ints(b, node, "strides", strides, 2);
    if (w->pads_by_size)
        build_string(b, node, "auto_pad", "SAME_UPPER");
    else
        build_ints(b, node, "pads", w->pads, 4);
}

/* ---- Layers with weights ---- */

/* Normal with variance 2 / fan_in (He et al. 2015). */
static void fill_he_normal(nn_builder *b, float *weights, int64_t count, int64_t fan_in)
{
    double deviation = sqrt(2.0 / (double)fan_in);
    for (int64_t i = 0; i < count; i++)
        weights[i] = (float)(deviation * random_normal(&b->random));
}

/* Uniform with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010). */
static void fill_glorot_uniform(nn_builder *b, float *weights, int64_t fan_in, int64_t fan_out)
{
    double limit = sqrt(6.0 / (double)(fan_in + fan_out));
    for (int64_t i = 0; i < fan_in * fan_out; i++)
        weights[i] = (float)random_between(&b->random, -limit, limit);
}

int nn_build_conv(nn_builder *b, int x, nn_build_conv_options options)
{
    nn_shape in;
    if (!build_takes(b, "a convolution", x, 4, &in))
        return -1;
    int64_t group = options.group != 0 ? options.group : 1;
    square_window w = {.kernel = options.kernel,
                       .stride = options.stride != 0 ? options.stride : 1,
                       .padding = options.padding};
    int64_t channels = in.dims[1], outputs = options.outputs;
    if (outputs < 1 || group < 1 || channels % group != 0 || outputs % group != 0)
        return build_fail(b, MIEN_INVALID_ARGUMENT,
                          "a convolution from %" PRId64 " to %" PRId64 " channels in %" PRId64
                          " groups cannot be",
                          channels, outputs, group);
    if (!set_window(b, "a convolution", &w, &in))
        return -1;
    build_layer layer = build_next_layer(b, "conv");
    float *weights, *bias;
    int64_t each = channels / group * w.kernel * w.kernel;
    nn_shape weight_shape = {4, {outputs, channels / group, w.kernel, w.kernel}};
    int inputs[3] = {x, build_constant(b, &layer, "weight", weight_shape, &weights), -1};
    if (weights != NULL)
        fill_he_normal(b, weights, outputs * each, each);
    if (options.bias)
        inputs[2] = build_constant(b, &layer, "bias", (nn_shape){1, {outputs}}, &bias);
    nn_shape out = {4, {in.dims[0], outputs, w.out[0], w.out[1]}};
    nn_node *node = build_node(b, &layer, "Conv", inputs, options.bias ? 3 : 2, out);
    build_int(b, node, "group", group);
    write_window(b, node, &w);
    return build_result(b, node);
}

int nn_build_depthwise(nn_builder *b, int x, int kernel, int stride, nn_build_padding padding,
                       bool bias)
{
    nn_shape in;
    if (!build_takes(b, "a depthwise convolution", x, 4, &in))
        return -1;
    return nn_build_conv(b, x,
                         (nn_build_conv_options){.outputs = in.dims[1],
                                                 .kernel = kernel,
                                                 .stride = stride,
                                                 .padding = padding,
                                                 .group = in.dims[1],
                                                 .bias = bias});
}

static int filled(nn_builder *b, const build_layer *layer, const char *part, int64_t count,
                  float value)
{
    float *data;
    int index = build_constant(b, layer, part, (nn_shape){1, {count}}, &data);
    for (int64_t i = 0; data != NULL && i < count; i++)
        data[i] = value;
    return index;
}

int nn_build_batch_norm(nn_builder *b, int x, float epsilon)
{
    nn_shape shape;
    if (!build_shape_of(b, x, &shape))
        return -1;
    if (shape.rank < 2 || shape.dims[1] < 1)
        return build_fail(b, MIEN_SHAPE, "batch normalisation needs a known number of channels");
    build_layer layer = build_next_layer(b, "bn");
    int64_t channels = shape.dims[1];
    const int inputs[5] = {
        x, filled(b, &layer, "scale", channels, 1), filled(b, &layer, "bias", channels, 0),
        filled(b, &layer, "mean", channels, 0), filled(b, &layer, "variance", channels, 1)};
    nn_node *node = build_node(b, &layer, "BatchNormalization", inputs, 5, shape);
    build_float(b, node, "epsilon", epsilon);
    return build_result(b, node);
}

int nn_build_dense(nn_builder *b, int x, int64_t outputs)
{
    nn_shape in;
    if (!build_takes(b, "a dense layer", x, 2, &in))
        return -1;
    if (in.dims[1] < 1 || outputs < 1)
        return build_fail(b, MIEN_SHAPE,
                          "a dense layer from %" PRId64 " to %" PRId64 " numbers cannot be",
                          in.dims[1], outputs);
    build_layer layer = build_next_layer(b, "dense");
    float *weights, *bias;
    nn_shape weight_shape = {2, {outputs, in.dims[1]}};
    int inputs[3] = {x, build_constant(b, &layer, "weight", weight_shape, &weights), -1};
    if (weights != NULL)
        fill_glorot_uniform(b, weights, in.dims[1], outputs);
    inputs[2] = build_constant(b, &layer, "bias", (nn_shape){1, {outputs}}, &bias);
    nn_node *node = build_node(b, &layer, "Gemm", inputs, 3, (nn_shape){2, {in.dims[0], outputs}});
    build_int(b, node, "transB", 1);
    return build_result(b, node);
}

/* ---- Functions of one number ---- */

int nn_build_relu(nn_builder *b, int x)
{
    return build_same_shape(b, "relu", "Relu", x);
}

int nn_build_clip(nn_builder *b, int x, float low, float high)
{
    nn_shape shape;
    if (!build_shape_of(b, x, &shape))
        return -1;
    const int inputs[3] = {x, build_scalar(b, low), build_scalar(b, high)};
    build_layer layer = build_next_layer(b, "clip");
    return build_result(b, build_node(b, &layer, "Clip", inputs, 3, shape));
}

int nn_build_hard_sigmoid(nn_builder *b, int x)
{
    nn_shape shape;
    if (!build_shape_of(b, x, &shape))
        return -1;
    build_layer layer = build_next_layer(b, "hard_sigmoid");
    nn_node *node = build_node(b, &layer, "HardSigmoid", &x, 1, shape);
    build_float(b, node, "alpha", 1.0f / 6);
    build_float(b, node, "beta", 0.5f);
    return build_result(b, node);
}

int nn_build_hard_swish(nn_builder *b, int x)
{
    return nn_build_multiply(b, x, nn_build_hard_sigmoid(b, x));
}

int nn_build_dropout(nn_builder *b, int x, float ratio)
{
    nn_shape shape;
    if (!build_shape_of(b, x, &shape))
        return -1;
    if (!(ratio >= 0 && ratio < 1))
        return build_fail(b, MIEN_INVALID_ARGUMENT, "a dropout of %g is not in 0 to 1",
                          (double)ratio);
    const int inputs[2] = {x, build_scalar(b, ratio)};
    build_layer layer = build_next_layer(b, "dropout");
    return build_result(b, build_node(b, &layer, "Dropout", inputs, 2, shape));
}

int nn_build_softmax(nn_builder *b, int x)
{
    nn_shape shape;
    if (!build_shape_of(b, x, &shape))
        return -1;
    build_layer layer = build_next_layer(b, "softmax");
    nn_node *node = build_node(b, &layer, "Softmax", &x, 1, shape);
    build_int(b, node, "axis", 1);
    return build_result(b, node);
}

/* ---- Two values and more ---- */

int nn_build_add(nn_builder *b, int x, int y)
{
    nn_shape left, right;
    char left_text[NN_SHAPE_TEXT_SIZE], right_text[NN_SHAPE_TEXT_SIZE];
    if (!build_shape_of(b, x, &left) || !build_shape_of(b, y, &right))
        return -1;
    if (!nn_shape_equal(&left, &right))
        return build_fail(b, MIEN_SHAPE, "%s and %s cannot be added",
                          nn_shape_text(&left, left_text), nn_shape_text(&right, right_text));
    build_layer layer = build_next_layer(b, "add");
    const int inputs[2] = {x, y};
    return build_result(b, build_node(b, &layer, "Add", inputs, 2, left));
}

int nn_build_multiply(nn_builder *b, int x, int y)
{
    nn_shape left, right;
    char left_text[NN_SHAPE_TEXT_SIZE], right_text[NN_SHAPE_TEXT_SIZE];
    if (!build_shape_of(b, x, &left) || !build_shape_of(b, y, &right))
        return -1;
    bool per_channel = left.rank == 4 && right.rank == 4 && left.dims[1] == right.dims[1] &&
                       right.dims[2] == 1 && right.dims[3] == 1;
    if (!per_channel && !nn_shape_equal(&left, &right))
        return build_fail(b, MIEN_SHAPE, "%s and %s cannot be multiplied",
                          nn_shape_text(&left, left_text), nn_shape_text(&right, right_text));
    build_layer layer = build_next_layer(b, "multiply");
    const int inputs[2] = {x, y};
    return build_result(b, build_node(b, &layer, "Mul", inputs, 2, left));
}

int nn_build_concat(nn_builder *b, const int *values, int count)
{
    nn_shape whole = {.rank = 0};
    for (int i = 0; i < count; i++) {
        nn_shape part;
        if (!build_takes(b, "joining channels", values[i], 4, &part))
            return -1;
        int64_t before = i > 0 ? whole.dims[1] : 0;
        if (i > 0 && (part.dims[2] != whole.dims[2] || part.dims[3] != whole.dims[3]))
            return build_fail(b, MIEN_SHAPE, "pictures of different sizes cannot be joined");
        whole = part;
        whole.dims[1] += before;
    }
    if (count < 1)
        return build_fail(b, MIEN_INVALID_ARGUMENT, "there is nothing to join");
    build_layer layer = build_next_layer(b, "concat");
    nn_node *node = build_node(b, &layer, "Concat", values, count, whole);
    build_int(b, node, "axis", 1);
    return build_result(b, node);
}

/* ---- Pooling ---- */

static int pool(nn_builder *b, const char *kind, const char *op, int x, square_window w)
{
    nn_shape in;
    if (!build_takes(b, "pooling", x, 4, &in) || !set_window(b, "pooling", &w, &in))
        return -1;
    build_layer layer = build_next_layer(b, kind);
    nn_shape out = {4, {in.dims[0], in.dims[1], w.out[0], w.out[1]}};
    nn_node *node = build_node(b, &layer, op, &x, 1, out);
    write_window(b, node, &w);
    return build_result(b, node);
}

int nn_build_max_pool(nn_builder *b, int x, int kernel, int stride, nn_build_padding padding)
{
    return pool(b, "max_pool", "MaxPool", x, (square_window){kernel, stride, padding});
}

int nn_build_average_pool(nn_builder *b, int x, int kernel, int stride, nn_build_padding padding)
{
    return pool(b, "average_pool", "AveragePool", x, (square_window){kernel, stride, padding});
}

int nn_build_global_average(nn_builder *b, int x)
{
    nn_shape in;
    if (!build_takes(b, "a global average", x, 4, &in))
        return -1;
    build_layer layer = build_next_layer(b, "global_average");
    nn_shape out = {4, {in.dims[0], in.dims[1], 1, 1}};
    return build_result(b, build_node(b, &layer, "GlobalAveragePool", &x, 1, out));
}

int nn_build_flatten(nn_builder *b, int x)
{
    nn_shape in;
    if (!build_shape_of(b, x, &in))
        return -1;
    if (in.rank < 1)
        return build_fail(b, MIEN_SHAPE, "a single number cannot be flattened");
    int64_t columns = 1;
    for (int i = 1; i < in.rank; i++)
        columns =
            in.dims[i] == NN_UNKNOWN_DIM || columns < 0 ? NN_UNKNOWN_DIM : columns * in.dims[i];
    build_layer layer = build_next_layer(b, "flatten");
    nn_node *node = build_node(b, &layer, "Flatten", &x, 1, (nn_shape){2, {in.dims[0], columns}});
    build_int(b, node, "axis", 1);
    return build_result(b, node);
}
