/* SPDX-License-Identifier: Apache-2.0 */
#include "train/graph_edit.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

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

/* ---- Cutting ---- */

/* What stays of a graph. */
typedef struct cut {
    bool *wanted; /* by value */
    int *place;   /* by value: its index afterwards */
} cut;

static void mark_wanted(const nn_graph *graph, int target, cut *c)
{
    c->wanted[target] = true;
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

mien_status graph_cut_behind(nn_graph *graph, int *target, mien_error *error)
{
    cut c = {memory_zeroed(graph->value_count, sizeof *c.wanted),
             memory_zeroed(graph->value_count, sizeof *c.place)};
    mien_status status = MIEN_OK;
    if (c.wanted == NULL || c.place == NULL) {
        status = error_no_memory(error, "a graph", graph->value_count * sizeof *c.place);
        goto cleanup;
    }
    mark_wanted(graph, *target, &c);
    int kept = 0;
    for (size_t v = 0; v < graph->value_count; v++)
        c.place[v] = c.wanted[v] ? kept++ : -1;
    drop_nodes(graph, &c);
    drop_values(graph, &c);
    move_indices(&c, graph->inputs, graph->input_count);
    *target = c.place[*target];
    graph->outputs[0] = *target; /* a graph that was read has an output */
    graph->output_count = 1;
cleanup:
    free(c.wanted);
    free(c.place);
    return status;
}
