/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/onnx_qlinear.h"

#include "base/error.h"
#include "nn/build_parts.h"
#include "nn/ref/ref.h"

#include <stdlib.h>
#include <string.h>

/* Inputs of QLinearConv and QLinearMatMul. */
enum { X, X_SCALE, X_ZERO, W, W_SCALE, W_ZERO, Y_SCALE, Y_ZERO, BIAS };

static bool is_qlinear(const nn_node *node)
{
    return node->op == &nn_op_qlinear_conv || node->op == &nn_op_qlinear_matmul;
}

/* The content of a float constant and its length, or NULL. */
static const float *constant_floats(const nn_graph *graph, int value, int64_t *count)
{
    const nn_tensor *tensor = &graph->values[value].tensor;
    if (tensor->data == NULL || tensor->type != NN_FLOAT)
        return NULL;
    *count = nn_elements(&tensor->shape);
    return tensor->data;
}

static int dequantize(nn_builder *b, const int inputs[3], int axis)
{
    build_layer layer = build_next_layer(b, "dequantize");
    nn_shape unknown = {.rank = NN_UNKNOWN_RANK};
    nn_node *node = build_node(b, &layer, "DequantizeLinear", inputs, 3, unknown);
    build_int(b, node, "axis", axis);
    return build_result(b, node);
}

/* The scale of a bias: that of the picture times that of the weights, for each output. */
static int bias_scale(nn_builder *b, const int *inputs)
{
    const nn_graph *graph = b->graph;
    int64_t x_count = 0, w_count = 0;
    const float *x = constant_floats(graph, inputs[X_SCALE], &x_count);
    const float *w = constant_floats(graph, inputs[W_SCALE], &w_count);
    if (x == NULL || w == NULL || x_count != 1)
        return build_fail(b, MIEN_UNSUPPORTED, "the scales of a QLinearConv are not constant");
    float *data, x_scale = x[0];
    build_layer layer = build_next_layer(b, "bias_scale");
    int scale = build_constant(b, &layer, "", graph->values[inputs[W_SCALE]].tensor.shape, &data);
    w = scale >= 0 ? constant_floats(graph, inputs[W_SCALE], &w_count) : NULL;
    for (int64_t i = 0; w != NULL && i < w_count; i++)
        data[i] = x_scale * w[i];
    return scale;
}

static int dequantize_bias(nn_builder *b, const int *inputs)
{
    const int pair[] = {inputs[BIAS], bias_scale(b, inputs)};
    build_layer layer = build_next_layer(b, "dequantize");
    nn_shape unknown = {.rank = NN_UNKNOWN_RANK};
    nn_node *node = build_node(b, &layer, "DequantizeLinear", pair, 2, unknown);
    build_int(b, node, "axis", 0);
    return build_result(b, node);
}

/* The axis of the weights along which a scale for each output lies. */
static int weight_axis(const nn_graph *graph, const nn_node *node, int weights)
{
    int rank = graph->values[weights].tensor.shape.rank;
    return node->op == &nn_op_qlinear_conv || rank < 1 ? 0 : rank - 1;
}

/*
 * The node becomes the Conv or MatMul between, with its attributes; a QuantizeLinear makes what the
 * node made.
 */
static void expand(nn_builder *b, size_t n)
{
    nn_graph *graph = b->graph;
    const nn_node node = graph->nodes[n];
    bool conv = node.op == &nn_op_qlinear_conv;
    bool has_bias = conv && node.input_count > BIAS && node.inputs[BIAS] >= 0;
    const int x[] = {node.inputs[X], node.inputs[X_SCALE], node.inputs[X_ZERO]};
    const int w[] = {node.inputs[W], node.inputs[W_SCALE], node.inputs[W_ZERO]};
    int plain[3] = {dequantize(b, x, 1),
                    dequantize(b, w, weight_axis(graph, &node, node.inputs[W])),
                    has_bias ? dequantize_bias(b, node.inputs) : -1};
    build_layer layer = build_next_layer(b, "quantize");
    nn_shape unknown = {.rank = NN_UNKNOWN_RANK};
    const int y[] = {node.outputs[0], node.inputs[Y_SCALE], node.inputs[Y_ZERO]};
    nn_node *quantize = build_node(b, &layer, "QuantizeLinear", y, 3, unknown);
    int between = build_result(b, quantize);
    if (between < 0)
        return;
    /* The new value lies between; the node's own output keeps its name behind QuantizeLinear. */
    quantize->inputs[0] = between;
    quantize->outputs[0] = node.outputs[0];
    nn_node *product = &graph->nodes[n];
    product->op = conv ? &nn_op_conv : &nn_op_matmul;
    memcpy(product->inputs, plain, sizeof plain);
    product->input_count = has_bias ? 3 : 2;
    product->outputs[0] = between;
}

mien_status onnx_expand_qlinear(nn_graph *graph, mien_error *error)
{
    size_t count = graph->node_count, first = 0;
    while (first < count && !is_qlinear(&graph->nodes[first]))
        first++;
    if (first == count)
        return MIEN_OK;
    nn_builder b;
    nn_build_continue(&b, graph, 0);
    for (size_t n = first; n < count && b.status == MIEN_OK; n++)
        if (is_qlinear(&graph->nodes[n]))
            expand(&b, n);
    return b.status == MIEN_OK ? MIEN_OK : error_set(error, b.status, "%s", b.error.message);
}

/* ---- The operators, which no graph holds ---- */

static mien_status refuse(nn_shaping *shaping)
{
    return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "it was not taken apart");
}

static void do_nothing(const nn_params *params, const nn_tensor *inputs, int input_count,
                       nn_tensor *outputs)
{
    (void)params;
    (void)inputs;
    (void)input_count;
    (void)outputs;
}

const nn_op nn_op_qlinear_conv = {.name = "QLinearConv",
                                  .min_inputs = 8,
                                  .max_inputs = 9,
                                  .takes_bytes = true,
                                  .shape = refuse,
                                  .run = do_nothing};
const nn_op nn_op_qlinear_matmul = {.name = "QLinearMatMul",
                                    .min_inputs = 8,
                                    .max_inputs = 8,
                                    .takes_bytes = true,
                                    .shape = refuse,
                                    .run = do_nothing};
