/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/quantize.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/build_parts.h"
#include "nn/graph_edit.h"
#include "nn/nn.h"
#include "nn/onnx_write.h"
#include "nn/quantize_range.h"
#include "nn/ref/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIN_OPSET    13 /* scales by axis */
#define MOST_LEVEL   127
#define LEAST_SCALE  1e-12f
#define WEIGHT_INPUT 1

/* A value of the graph that becomes 8-bit numbers. */
typedef struct activation {
    int value;
    int ranges_as; /* index of the activation with whose range it goes, or its own */
    float low, high;
    nn_histogram *histogram;
    float scale;
    int zero_point;
    int dequantised; /* the value that is read instead */
} activation;

typedef struct quantizer {
    nn_graph *graph;
    const nn_quantize_options *options;
    activation *activations;
    size_t count;
    nn_builder builder;
    mien_error *error;
} quantizer;

/* ---- What is quantised ---- */

static const nn_tensor *constant_input(const nn_graph *graph, const nn_node *node, int input)
{
    if (input >= node->input_count || node->inputs[input] < 0)
        return NULL;
    const nn_tensor *tensor = &graph->values[node->inputs[input]].tensor;
    return tensor->data != NULL ? tensor : NULL;
}

/* The axis of the weights along which outputs lie, or -1 when the node has no weights to quantise.
 */
static int output_axis(const nn_graph *graph, const nn_node *node)
{
    const nn_tensor *weights = constant_input(graph, node, WEIGHT_INPUT);
    if (weights == NULL || weights->type != NN_FLOAT)
        return -1;
    if (node->op == &nn_op_conv)
        return weights->shape.rank == 4 ? 0 : -1;
    if (node->op == &nn_op_matmul)
        return weights->shape.rank == 2 ? 1 : -1;
    bool plain = node->op == &nn_op_gemm && weights->shape.rank == 2 &&
                 nn_node_float(node, "alpha", 1) == 1 && nn_node_float(node, "beta", 1) == 1 &&
                 nn_node_int(node, "transA", 0) == 0;
    return !plain ? -1 : nn_node_int(node, "transB", 0) != 0 ? 0 : 1;
}

/* What comes out has the range of what goes in. */
static bool keeps_range(const nn_node *node)
{
    return node->op == &nn_op_max_pool || node->op == &nn_op_flatten || node->op == &nn_op_reshape;
}

/* How many of its first inputs are activations that it reads as 8-bit numbers. */
static int quantised_inputs(const nn_graph *graph, const nn_node *node)
{
    if (output_axis(graph, node) >= 0 || keeps_range(node) ||
        node->op == &nn_op_global_average_pool || node->op == &nn_op_average_pool)
        return 1;
    bool sum = node->op == &nn_op_add && constant_input(graph, node, 0) == NULL &&
               constant_input(graph, node, 1) == NULL;
    return sum ? 2 : 0;
}

static activation *activation_of(const quantizer *q, int value)
{
    for (size_t a = 0; a < q->count; a++)
        if (q->activations[a].value == value)
            return &q->activations[a];
    return NULL;
}

static void choose_activations(quantizer *q)
{
    for (size_t n = 0; n < q->graph->node_count; n++) {
        const nn_node *node = &q->graph->nodes[n];
        int inputs = quantised_inputs(q->graph, node);
        for (int i = 0; i < inputs; i++) {
            if (constant_input(q->graph, node, i) != NULL ||
                activation_of(q, node->inputs[i]) != NULL)
                continue;
            int index = (int)q->count++;
            q->activations[index] = (activation){
                .value = node->inputs[i], .ranges_as = index, .low = INFINITY, .high = -INFINITY};
        }
    }
    for (size_t n = 0; n < q->graph->node_count; n++) { /* in the order in which they run */
        const nn_node *node = &q->graph->nodes[n];
        const activation *from = keeps_range(node) ? activation_of(q, node->inputs[0]) : NULL;
        activation *to = from != NULL ? activation_of(q, node->outputs[0]) : NULL;
        if (to != NULL)
            to->ranges_as = from->ranges_as;
    }
}

/* ---- Watching the float network ---- */

/* The network with the activations as outputs, by way of a file. */
static mien_status watched_model(const quantizer *q, nn_model **model)
{
    nn_graph watched = *q->graph;
    uint8_t *bytes;
    size_t size;
    watched.outputs = memory_zeroed(q->count, sizeof *watched.outputs);
    if (watched.outputs == NULL)
        return error_no_memory(q->error, "outputs", q->count * sizeof *watched.outputs);
    watched.output_count = q->count;
    for (size_t a = 0; a < q->count; a++)
        watched.outputs[a] = q->activations[a].value;
    mien_status status = onnx_write(&watched, ONNX_WEIGHTS_FLOAT32, &bytes, &size, q->error);
    free(watched.outputs);
    if (status != MIEN_OK)
        return status;
    status = nn_model_read(bytes, size, model, q->error);
    free(bytes);
    return status;
}

typedef void (*activation_reader)(activation *a, const float *values, int64_t count);

static void widen(activation *a, const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        a->low = fminf(a->low, values[i]);
        a->high = fmaxf(a->high, values[i]);
    }
}

static void count_values(activation *a, const float *values, int64_t count)
{
    nn_histogram_add(a->histogram, values, count);
}

/* Runs every sample and lets each activation be read. */
static mien_status watch(const quantizer *q, const nn_plan *plan, nn_session *session,
                         activation_reader read)
{
    for (size_t s = 0; s < q->options->samples; s++) {
        mien_status status =
            q->options->source(q->options->context, s, nn_session_input(session, 0), q->error);
        if (status != MIEN_OK)
            return status;
        nn_session_run(session);
        for (size_t a = 0; a < q->count; a++)
            read(&q->activations[a], nn_session_output(session, a),
                 nn_elements(nn_plan_output_shape(plan, a)));
    }
    return MIEN_OK;
}

static mien_status make_histograms(const quantizer *q)
{
    for (size_t a = 0; a < q->count; a++) {
        activation *item = &q->activations[a];
        item->histogram = memory_zeroed(1, sizeof *item->histogram);
        if (item->histogram == NULL)
            return error_no_memory(q->error, "a histogram", sizeof *item->histogram);
        item->histogram->low = item->low;
        item->histogram->high = fmaxf(item->high, item->low + LEAST_SCALE);
    }
    return MIEN_OK;
}

static mien_status watch_network(const quantizer *q)
{
    nn_model *model = NULL;
    nn_plan *plan = NULL;
    nn_session *session = NULL;
    nn_plan_options options = {.input_shapes = &q->options->input_shape,
                               .kernels = nn_kernels_best()};
    mien_status status = watched_model(q, &model);
    if (status == MIEN_OK)
        status = nn_plan_create(model, &options, &plan, q->error);
    if (status == MIEN_OK)
        status = nn_session_create(plan, &session, q->error);
    if (status == MIEN_OK)
        status = watch(q, plan, session, widen);
    if (status == MIEN_OK && q->options->method != NN_RANGE_LARGEST) {
        status = make_histograms(q);
        if (status == MIEN_OK)
            status = watch(q, plan, session, count_values);
    }
    nn_session_free(session);
    nn_plan_free(plan);
    nn_model_free(model);
    return status;
}

/* ---- Scales ---- */

static nn_range range_of(const quantizer *q, const activation *a)
{
    switch (q->options->method) {
    case NN_RANGE_PERCENTILE:
        return nn_range_percentile(a->histogram, q->options->percentile);
    case NN_RANGE_DIVERGENCE:
        return nn_range_divergence(a->histogram);
    default:
        return (nn_range){a->low, a->high};
    }
}

/* 0 gets a step of its own: padding and ReLU stay exact. */
static void choose_scales(const quantizer *q)
{
    for (size_t i = 0; i < q->count; i++) {
        activation *a = &q->activations[i];
        nn_range range = range_of(q, &q->activations[a->ranges_as]);
        float low = fminf(range.low, 0), high = fmaxf(range.high, 0);
        a->scale = fmaxf((high - low) / UINT8_MAX, LEAST_SCALE);
        a->zero_point = (int)lrintf(-low / a->scale);
    }
}

/* ---- The quantised network ---- */

static int byte_constant(nn_builder *b, const build_layer *layer, const char *part, int value)
{
    void *data;
    int index = build_typed_constant(b, layer, part, NN_UINT8, (nn_shape){.rank = 0}, &data);
    if (data != NULL)
        *(uint8_t *)data = (uint8_t)value;
    return index;
}

static int float_constant(nn_builder *b, const build_layer *layer, const char *part, float value)
{
    float *data;
    int index = build_constant(b, layer, part, (nn_shape){.rank = 0}, &data);
    if (data != NULL)
        *data = value;
    return index;
}

/* QuantizeLinear and DequantizeLinear behind an activation. */
static void add_pair(quantizer *q, activation *a)
{
    nn_builder *b = &q->builder;
    nn_shape shape = nn_build_shape(b, a->value);
    build_layer first = build_next_layer(b, "quantize"), second = build_next_layer(b, "dequantize");
    int scale = float_constant(b, &first, "scale", a->scale);
    int zero = byte_constant(b, &first, "zero", a->zero_point);
    const int plain[] = {a->value, scale, zero};
    int bytes = build_result(b, build_node(b, &first, "QuantizeLinear", plain, 3, shape));
    if (bytes >= 0)
        q->graph->values[bytes].tensor.type = NN_UINT8;
    const int quantised[] = {bytes, scale, zero};
    a->dequantised =
        build_result(b, build_node(b, &second, "DequantizeLinear", quantised, 3, shape));
}

/* Weights as (outer, outputs, inner) with outputs along the axis. */
typedef struct weight_view {
    int64_t outer, outputs, inner;
} weight_view;

static weight_view view_weights(const nn_shape *shape, int axis)
{
    return (weight_view){nn_product(shape, 0, axis), shape->dims[axis],
                         nn_product(shape, axis + 1, shape->rank)};
}

/* Scale of each output: its largest weight is 127. */
static void find_weight_scales(const float *weights, weight_view view, float *scales)
{
    for (int64_t m = 0; m < view.outputs; m++) {
        float largest = 0;
        for (int64_t o = 0; o < view.outer; o++)
            for (int64_t i = 0; i < view.inner; i++)
                largest = fmaxf(largest, fabsf(weights[(o * view.outputs + m) * view.inner + i]));
        scales[m] = fmaxf(largest / MOST_LEVEL, LEAST_SCALE);
    }
}

static void round_weights(const float *weights, weight_view view, const float *scales,
                          int8_t *rounded)
{
    int64_t count = view.outer * view.outputs * view.inner;
    for (int64_t k = 0; k < count; k++)
        rounded[k] = (int8_t)lrintf(weights[k] / scales[k / view.inner % view.outputs]);
}

/* A DequantizeLinear with a scale for each index of the axis; its value. */
static int add_dequantize(nn_builder *b, const build_layer *layer, int integers, int scales,
                          nn_shape shape, int axis)
{
    const int inputs[] = {integers, scales};
    nn_node *node = build_node(b, layer, "DequantizeLinear", inputs, 2, shape);
    build_int(b, node, "axis", axis);
    return build_result(b, node);
}

/* The dequantised weights; *scales: (outputs), the graph's. */
static int add_weights(quantizer *q, int weights, int axis, const float **scales)
{
    nn_builder *b = &q->builder;
    nn_tensor from = q->graph->values[weights].tensor;
    weight_view view = view_weights(&from.shape, axis);
    build_layer layer = build_next_layer(b, "weight");
    void *rounded;
    float *scale_data;
    int integers = build_typed_constant(b, &layer, "int8", NN_INT8, from.shape, &rounded);
    int scale = build_constant(b, &layer, "scale", (nn_shape){1, {view.outputs}}, &scale_data);
    if (scale < 0)
        return -1;
    find_weight_scales(from.data, view, scale_data);
    round_weights(from.data, view, scale_data, rounded);
    *scales = scale_data;
    return add_dequantize(b, &layer, integers, scale, from.shape, axis);
}

/* The bias in steps of input scale times weight scale, in 32 bits, as sums of products come. */
static int add_bias(quantizer *q, int bias, float input_scale, const float *weight_scales)
{
    nn_builder *b = &q->builder;
    nn_tensor from = q->graph->values[bias].tensor;
    build_layer layer = build_next_layer(b, "bias");
    void *rounded;
    float *scale_data;
    int integers = build_typed_constant(b, &layer, "int32", NN_INT, from.shape, &rounded);
    int scale = build_constant(b, &layer, "scale", from.shape, &scale_data);
    if (scale < 0)
        return -1;
    for (int64_t m = 0; m < from.shape.dims[0]; m++) {
        scale_data[m] = fmaxf(input_scale * weight_scales[m], LEAST_SCALE * LEAST_SCALE);
        double steps = (double)((const float *)from.data)[m] / (double)scale_data[m];
        ((int64_t *)rounded)[m] = (int64_t)rint(fmin(fmax(steps, INT32_MIN), INT32_MAX));
    }
    return add_dequantize(b, &layer, integers, scale, from.shape, 0);
}

/* A bias with one number for each output. */
static bool has_plain_bias(const nn_graph *graph, const nn_node *node, int64_t outputs)
{
    const nn_tensor *bias = constant_input(graph, node, 2);
    return node->op != &nn_op_matmul && bias != NULL && bias->type == NN_FLOAT &&
           bias->shape.rank == 1 && bias->shape.dims[0] == outputs;
}

static void quantise_weights(quantizer *q, size_t n, int axis)
{
    const nn_node *node = &q->graph->nodes[n];
    const activation *input = activation_of(q, node->inputs[0]);
    int64_t outputs = q->graph->values[node->inputs[WEIGHT_INPUT]].tensor.shape.dims[axis];
    int bias = has_plain_bias(q->graph, node, outputs) ? node->inputs[2] : -1;
    const float *scales = NULL;
    int weights = add_weights(q, node->inputs[WEIGHT_INPUT], axis, &scales);
    if (weights < 0)
        return;
    q->graph->nodes[n].inputs[WEIGHT_INPUT] = weights;
    if (bias >= 0)
        bias = add_bias(q, bias, input->scale, scales);
    if (bias >= 0)
        q->graph->nodes[n].inputs[2] = bias;
}

/* Everything that reads an activation reads what came back from 8 bits. */
static void read_dequantised(quantizer *q, nn_node *node)
{
    for (int i = 0; i < node->input_count; i++) {
        const activation *a = activation_of(q, node->inputs[i]);
        if (a != NULL)
            node->inputs[i] = a->dequantised;
    }
}

static mien_status rewrite(quantizer *q, size_t *quantised)
{
    size_t nodes = q->graph->node_count;
    nn_build_continue(&q->builder, q->graph, 0);
    *quantised = 0;
    for (size_t n = 0; n < nodes; n++) {
        int axis = output_axis(q->graph, &q->graph->nodes[n]);
        if (axis < 0 || q->builder.status != MIEN_OK)
            continue;
        quantise_weights(q, n, axis);
        ++*quantised;
    }
    for (size_t a = 0; a < q->count; a++)
        add_pair(q, &q->activations[a]);
    for (size_t n = 0; q->builder.status == MIEN_OK && n < nodes; n++)
        read_dequantised(q, &q->graph->nodes[n]);
    if (q->builder.status != MIEN_OK)
        return error_set(q->error, q->builder.status, "%s", q->builder.error.message);
    mien_status status = nn_graph_sort(q->graph, q->error);
    return status == MIEN_OK ? graph_drop_unused(q->graph, q->error) : status;
}

/* ---- All of it ---- */

static mien_status prepare(quantizer *q)
{
    nn_graph *graph = q->graph;
    if (graph->input_count != 1)
        return error_set(q->error, MIEN_UNSUPPORTED,
                         "the network has %zu inputs; only networks of one are quantised",
                         graph->input_count);
    if (graph->opset < MIN_OPSET)
        return error_set(q->error, MIEN_UNSUPPORTED,
                         "opset %d is too old to quantise: %d is needed", graph->opset, MIN_OPSET);
    mien_status status = graph_fold_casts(graph, q->error);
    if (status != MIEN_OK)
        return status;
    graph_drop_passing(graph);
    status = graph_fold_norms(graph, q->error);
    if (status == MIEN_OK)
        status = graph_drop_unused(graph, q->error);
    if (status != MIEN_OK)
        return status;
    q->activations = memory_zeroed(graph->value_count, sizeof *q->activations);
    if (q->activations == NULL)
        return error_no_memory(q->error, "activations",
                               graph->value_count * sizeof *q->activations);
    choose_activations(q);
    if (q->count == 0)
        return error_set(q->error, MIEN_UNSUPPORTED, "the network has nothing to quantise");
    return MIEN_OK;
}

mien_status nn_quantize(nn_graph *graph, const nn_quantize_options *options, size_t *quantised,
                        mien_error *error)
{
    quantizer q = {.graph = graph, .options = options, .error = error};
    mien_status status = prepare(&q);
    if (status == MIEN_OK)
        status = watch_network(&q);
    if (status == MIEN_OK) {
        choose_scales(&q);
        status = rewrite(&q, quantised);
    }
    for (size_t a = 0; a < q.count; a++)
        free(q.activations[a].histogram);
    free(q.activations);
    return status;
}
