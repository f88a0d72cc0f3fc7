/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/graph_edit.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ONNX_FLOAT_TYPE 1 /* TensorProto.FLOAT */

int graph_find_value(const nn_graph *graph, const char *name)
{
    for (size_t v = 0; v < graph->value_count; v++)
        if (strcmp(graph->values[v].name, name) == 0)
            return (int)v;
    return -1;
}

static void free_node(nn_node *node)
{
    for (size_t a = 0; a < node->attribute_count; a++)
        nn_attribute_free(&node->attributes[a]);
    free(node->attributes);
    free(node->name);
    free(node->inputs);
    free(node->outputs);
}

static void free_value(nn_value *value)
{
    free(value->name);
    free(value->tensor.data);
}

/* Whether a node turns a float constant into float32 (the graph holds it as float32 already). */
static bool casts_constant(const nn_graph *graph, const nn_node *node)
{
    if (node->op != &nn_op_cast || nn_node_int(node, "to", 0) != ONNX_FLOAT_TYPE)
        return false;
    const nn_tensor *from = &graph->values[node->inputs[0]].tensor;
    return from->data != NULL && from->type == NN_FLOAT;
}

static mien_status copy_constant(const nn_graph *graph, const nn_node *node, mien_error *error)
{
    const nn_tensor *from = &graph->values[node->inputs[0]].tensor;
    nn_tensor *to = &graph->values[node->outputs[0]].tensor;
    int64_t count = 0;
    nn_shape_elements(&from->shape, &count);
    float *data = memory_aligned((size_t)count * sizeof *data);
    if (data == NULL)
        return error_no_memory(error, node->name, (uint64_t)count * sizeof *data);
    memcpy(data, from->data, (size_t)count * sizeof *data);
    *to = (nn_tensor){NN_FLOAT, from->shape, data};
    return MIEN_OK;
}

mien_status graph_fold_casts(nn_graph *graph, mien_error *error)
{
    mien_status status = MIEN_OK;
    size_t kept = 0;
    for (size_t n = 0; n < graph->node_count; n++) {
        nn_node node = graph->nodes[n];
        bool folds = status == MIEN_OK && casts_constant(graph, &node);
        if (folds)
            status = copy_constant(graph, &node, error);
        if (folds && status == MIEN_OK)
            free_node(&node);
        else
            graph->nodes[kept++] = node;
    }
    graph->node_count = kept;
    return status;
}

/* ---- What does nothing when the network runs ---- */

static bool is_output(const nn_graph *graph, int value)
{
    for (size_t o = 0; o < graph->output_count; o++)
        if (graph->outputs[o] == value)
            return true;
    return false;
}

static void read_instead(nn_graph *graph, int value, int instead)
{
    for (size_t n = 0; n < graph->node_count; n++)
        for (int i = 0; i < graph->nodes[n].input_count; i++)
            if (graph->nodes[n].inputs[i] == value)
                graph->nodes[n].inputs[i] = instead;
}

static void remove_node(nn_graph *graph, size_t n)
{
    free_node(&graph->nodes[n]);
    graph->node_count--;
    memmove(&graph->nodes[n], &graph->nodes[n + 1], (graph->node_count - n) * sizeof *graph->nodes);
}

void graph_drop_passing(nn_graph *graph)
{
    for (size_t n = graph->node_count; n-- > 0;) {
        const nn_node *node = &graph->nodes[n];
        if ((node->op != &nn_op_identity && node->op != &nn_op_dropout) ||
            is_output(graph, node->outputs[0]))
            continue;
        read_instead(graph, node->outputs[0], node->inputs[0]);
        remove_node(graph, n);
    }
}

/* ---- BatchNormalization ---- */

static int count_reads(const nn_graph *graph, int value)
{
    int reads = is_output(graph, value);
    for (size_t n = 0; n < graph->node_count; n++)
        for (int i = 0; i < graph->nodes[n].input_count; i++)
            reads += graph->nodes[n].inputs[i] == value;
    return reads;
}

static nn_node *producer_of(nn_graph *graph, int value)
{
    for (size_t n = 0; n < graph->node_count; n++)
        if (graph->nodes[n].outputs[0] == value)
            return &graph->nodes[n];
    return NULL;
}

/* The content of a constant input of `count` floats, or NULL. */
static float *constant_floats(const nn_graph *graph, const nn_node *node, int input, int64_t count)
{
    const nn_tensor *tensor = input < node->input_count && node->inputs[input] >= 0
                                  ? &graph->values[node->inputs[input]].tensor
                                  : NULL;
    bool fits = tensor != NULL && tensor->data != NULL && tensor->type == NN_FLOAT &&
                nn_elements(&tensor->shape) == count;
    return fits ? tensor->data : NULL;
}

/* A convolution and the BatchNormalization behind it; all constants, (channels) but for weights. */
typedef struct folding {
    nn_node *conv;
    int64_t channels, each; /* weights of one channel */
    float *weights;
    const float *bias; /* NULL: none */
    const float *scale, *mean, *variance;
    float *shift; /* becomes the bias */
} folding;

/* Whether the normalisation can go into the convolution; its weights and the shift are its own. */
static bool find_folding(nn_graph *graph, const nn_node *norm, folding *f)
{
    f->conv = norm->op == &nn_op_batch_norm ? producer_of(graph, norm->inputs[0]) : NULL;
    if (f->conv == NULL || f->conv->op != &nn_op_conv || count_reads(graph, norm->inputs[0]) != 1 ||
        count_reads(graph, f->conv->inputs[1]) != 1 || count_reads(graph, norm->inputs[2]) != 1)
        return false;
    const nn_shape *shape = &graph->values[f->conv->inputs[1]].tensor.shape;
    if (shape->rank != 4)
        return false;
    f->channels = shape->dims[0];
    f->each = nn_product(shape, 1, 4);
    f->weights = constant_floats(graph, f->conv, 1, f->channels * f->each);
    f->bias = constant_floats(graph, f->conv, 2, f->channels);
    f->scale = constant_floats(graph, norm, 1, f->channels);
    f->shift = constant_floats(graph, norm, 2, f->channels);
    f->mean = constant_floats(graph, norm, 3, f->channels);
    f->variance = constant_floats(graph, norm, 4, f->channels);
    bool has_bias = f->conv->input_count > 2 && f->conv->inputs[2] >= 0;
    return f->weights != NULL && f->scale != NULL && f->shift != NULL && f->mean != NULL &&
           f->variance != NULL && has_bias == (f->bias != NULL);
}

/* factor = scale / sqrt(variance + epsilon); the bias is (bias - mean) factor + shift. */
static void fold_numbers(const folding *f, double epsilon)
{
    for (int64_t c = 0; c < f->channels; c++) {
        double factor = (double)f->scale[c] / sqrt((double)f->variance[c] + epsilon);
        float *weights = f->weights + c * f->each;
        for (int64_t i = 0; i < f->each; i++)
            weights[i] = (float)((double)weights[i] * factor);
        double from = f->bias != NULL ? (double)f->bias[c] : 0;
        f->shift[c] = (float)((from - (double)f->mean[c]) * factor + (double)f->shift[c]);
    }
}

static mien_status give_bias(nn_node *conv, int bias, mien_error *error)
{
    int *inputs = realloc(conv->inputs, 3 * sizeof *inputs);
    if (inputs == NULL)
        return error_no_memory(error, conv->name, 3 * sizeof *inputs);
    conv->inputs = inputs;
    conv->inputs[2] = bias;
    conv->input_count = 3;
    return MIEN_OK;
}

mien_status graph_fold_norms(nn_graph *graph, mien_error *error)
{
    for (size_t n = graph->node_count; n-- > 0;) {
        const nn_node *norm = &graph->nodes[n];
        folding f;
        if (!find_folding(graph, norm, &f))
            continue;
        mien_status status = give_bias(f.conv, norm->inputs[2], error);
        if (status != MIEN_OK)
            return status;
        fold_numbers(&f, (double)nn_node_float(norm, "epsilon", 1e-5f));
        f.conv->outputs[0] = norm->outputs[0];
        remove_node(graph, n);
    }
    return MIEN_OK;
}

/* ---- Cutting ---- */

/* What stays of a graph. */
typedef struct cut {
    bool *wanted; /* by value */
    int *place;   /* by value: its index afterwards */
} cut;

static void mark_wanted(const nn_graph *graph, cut *c)
{
    for (size_t o = 0; o < graph->output_count; o++)
        c->wanted[graph->outputs[o]] = true;
    for (size_t i = 0; i < graph->input_count; i++)
        c->wanted[graph->inputs[i]] = true;
    for (size_t n = graph->node_count; n-- > 0;) {
        const nn_node *node = &graph->nodes[n];
        if (!c->wanted[node->outputs[0]])
            continue;
        for (int i = 0; i < node->input_count; i++)
            if (node->inputs[i] >= 0)
                c->wanted[node->inputs[i]] = true;
        for (int o = 0; o < node->output_count; o++)
            if (node->outputs[o] >= 0)
                c->wanted[node->outputs[o]] = true;
    }
}

static void move_indices(const cut *c, int *indices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (indices[i] >= 0)
            indices[i] = c->place[indices[i]];
}

static void drop_nodes(nn_graph *graph, const cut *c)
{
    size_t kept = 0;
    for (size_t n = 0; n < graph->node_count; n++) {
        nn_node node = graph->nodes[n];
        if (!c->wanted[node.outputs[0]]) {
            free_node(&node);
            continue;
        }
        move_indices(c, node.inputs, (size_t)node.input_count);
        move_indices(c, node.outputs, (size_t)node.output_count);
        graph->nodes[kept++] = node;
    }
    graph->node_count = kept;
}

static void drop_values(nn_graph *graph, const cut *c)
{
    size_t kept = 0;
    for (size_t v = 0; v < graph->value_count; v++) {
        if (c->wanted[v])
            graph->values[kept++] = graph->values[v];
        else
            free_value(&graph->values[v]);
    }
    graph->value_count = kept;
}

mien_status graph_drop_unused(nn_graph *graph, mien_error *error)
{
    cut c = {memory_zeroed(graph->value_count, sizeof *c.wanted),
             memory_zeroed(graph->value_count, sizeof *c.place)};
    mien_status status = MIEN_OK;
    if (c.wanted == NULL || c.place == NULL) {
        status = error_no_memory(error, "a graph", graph->value_count * sizeof *c.place);
        goto cleanup;
    }
    mark_wanted(graph, &c);
    int kept = 0;
    for (size_t v = 0; v < graph->value_count; v++)
        c.place[v] = c.wanted[v] ? kept++ : -1;
    drop_nodes(graph, &c);
    drop_values(graph, &c);
    move_indices(&c, graph->inputs, graph->input_count);
    move_indices(&c, graph->outputs, graph->output_count);
cleanup:
    free(c.wanted);
    free(c.place);
    return status;
}

mien_status graph_cut_behind(nn_graph *graph, int *target, mien_error *error)
{
    int first = graph->outputs[0]; /* a graph that was read has an output */
    size_t count = graph->output_count;
    graph->outputs[0] = *target;
    graph->output_count = 1;
    mien_status status = graph_drop_unused(graph, error);
    if (status != MIEN_OK) {
        graph->outputs[0] = first;
        graph->output_count = count;
        return status;
    }
    *target = graph->outputs[0];
    return MIEN_OK;
}
