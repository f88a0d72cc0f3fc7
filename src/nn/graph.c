/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/graph.h"

#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nn_attribute_free(nn_attribute *attribute)
{
    free(attribute->name);
    free(attribute->string);
    free(attribute->ints);
    free(attribute->floats);
    free(attribute->tensor.data);
    *attribute = (nn_attribute){0};
}

static void node_free(nn_node *node)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        nn_attribute_free(&node->attributes[i]);
    free(node->attributes);
    free(node->name);
    free(node->inputs);
    free(node->outputs);
}

void nn_graph_free(nn_graph *graph)
{
    if (graph == NULL)
        return;
    for (size_t i = 0; i < graph->value_count; i++) {
        free(graph->values[i].name);
        free(graph->values[i].tensor.data);
    }
    for (size_t i = 0; i < graph->node_count; i++)
        node_free(&graph->nodes[i]);
    for (size_t i = 0; i < graph->metadata_count; i++) {
        free(graph->metadata[i].key);
        free(graph->metadata[i].value);
    }
    free(graph->values);
    free(graph->nodes);
    free(graph->inputs);
    free(graph->outputs);
    free(graph->metadata);
    *graph = (nn_graph){0};
}

const char *nn_graph_metadata(const nn_graph *graph, const char *key)
{
    for (size_t i = 0; i < graph->metadata_count; i++)
        if (strcmp(graph->metadata[i].key, key) == 0)
            return graph->metadata[i].value;
    return NULL;
}

mien_status nn_graph_set_metadata(nn_graph *graph, const char *key, const char *value,
                                  mien_error *error)
{
    char *value_copy = memory_copy_string(value);
    if (value_copy == NULL)
        return error_no_memory(error, key, strlen(value));
    for (size_t i = 0; i < graph->metadata_count; i++)
        if (strcmp(graph->metadata[i].key, key) == 0) {
            free(graph->metadata[i].value);
            graph->metadata[i].value = value_copy;
            return MIEN_OK;
        }
    char *key_copy = memory_copy_string(key);
    void *metadata = graph->metadata;
    if (key_copy == NULL || !memory_grow(&metadata, graph->metadata_count,
                                         &graph->metadata_capacity, sizeof *graph->metadata)) {
        free(key_copy);
        free(value_copy);
        return error_no_memory(error, key, strlen(key));
    }
    graph->metadata = metadata;
    graph->metadata[graph->metadata_count++] = (nn_metadata){key_copy, value_copy};
    return MIEN_OK;
}

const nn_attribute *nn_node_attribute(const nn_node *node, const char *name, nn_attribute_kind kind)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (node->attributes[i].kind == kind && strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    return NULL;
}

int64_t nn_node_int(const nn_node *node, const char *name, int64_t otherwise)
{
    const nn_attribute *attribute = nn_node_attribute(node, name, NN_ATTRIBUTE_INT);
    return attribute != NULL ? attribute->i : otherwise;
}

float nn_node_float(const nn_node *node, const char *name, float otherwise)
{
    const nn_attribute *attribute = nn_node_attribute(node, name, NN_ATTRIBUTE_FLOAT);
    return attribute != NULL ? attribute->f : otherwise;
}

const char *nn_node_string(const nn_node *node, const char *name, const char *otherwise)
{
    const nn_attribute *attribute = nn_node_attribute(node, name, NN_ATTRIBUTE_STRING);
    return attribute != NULL && attribute->string != NULL ? attribute->string : otherwise;
}

bool nn_shape_elements(const nn_shape *shape, int64_t *elements)
{
    int64_t product = 1;
    for (int i = 0; i < shape->rank; i++) {
        int64_t dim = shape->dims[i];
        if (dim < 0 || (dim > 0 && product > NN_MAX_ELEMENTS / dim))
            return false;
        product *= dim;
    }
    *elements = product;
    return shape->rank >= 0;
}

bool nn_shape_equal(const nn_shape *a, const nn_shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

const char *nn_shape_text(const nn_shape *shape, char text[NN_SHAPE_TEXT_SIZE])
{
    if (shape->rank == NN_UNKNOWN_RANK)
        return strcpy(text, "unknown");
    if (shape->rank == 0)
        return strcpy(text, "scalar");
    size_t used = 0;
    for (int i = 0; i < shape->rank && used < NN_SHAPE_TEXT_SIZE; i++) {
        char number[24] = "?";
        if (shape->dims[i] != NN_UNKNOWN_DIM)
            snprintf(number, sizeof number, "%" PRId64, shape->dims[i]);
        used += (size_t)snprintf(text + used, NN_SHAPE_TEXT_SIZE - used, "%s%s", i > 0 ? "x" : "",
                                 number);
    }
    return text;
}

size_t nn_type_size(nn_type type)
{
    return type == NN_FLOAT      ? sizeof(float)
           : type == NN_INT      ? sizeof(int64_t)
           : type == NN_BFLOAT16 ? sizeof(uint16_t)
                                 : 1;
}

bool nn_type_is_byte(nn_type type)
{
    return type == NN_INT8 || type == NN_UINT8;
}

/* Marks each value with the node that makes it. */
static mien_status find_producers(const nn_graph *graph, int *producer, mien_error *error)
{
    for (size_t v = 0; v < graph->value_count; v++)
        producer[v] = -1;
    for (size_t n = 0; n < graph->node_count; n++) {
        const nn_node *node = &graph->nodes[n];
        for (int o = 0; o < node->output_count; o++) {
            int value = node->outputs[o];
            if (producer[value] >= 0 || graph->values[value].tensor.data != NULL)
                return error_set(error, MIEN_MALFORMED, "tensor '%s' is made twice",
                                 graph->values[value].name);
            producer[value] = (int)n;
        }
    }
    for (size_t i = 0; i < graph->input_count; i++)
        if (producer[graph->inputs[i]] >= 0)
            return error_set(error, MIEN_MALFORMED,
                             "tensor '%s' is an input of the network and the output of a node",
                             graph->values[graph->inputs[i]].name);
    return MIEN_OK;
}

static bool is_input(const nn_graph *graph, int value)
{
    for (size_t i = 0; i < graph->input_count; i++)
        if (graph->inputs[i] == value)
            return true;
    return false;
}

static mien_status check_sources(const nn_graph *graph, const int *producer, mien_error *error)
{
    for (size_t n = 0; n < graph->node_count; n++) {
        const nn_node *node = &graph->nodes[n];
        for (int i = 0; i < node->input_count; i++) {
            int value = node->inputs[i];
            if (value >= 0 && producer[value] < 0 && graph->values[value].tensor.data == NULL &&
                !is_input(graph, value))
                return error_set(error, MIEN_MALFORMED,
                                 "node '%s' reads tensor '%s', which nothing makes", node->name,
                                 graph->values[value].name);
        }
    }
    for (size_t o = 0; o < graph->output_count; o++) {
        int value = graph->outputs[o];
        if (producer[value] < 0 && graph->values[value].tensor.data == NULL &&
            !is_input(graph, value))
            return error_set(error, MIEN_MALFORMED, "nothing makes the network's output '%s'",
                             graph->values[value].name);
    }
    return MIEN_OK;
}

/* A node is ready when all nodes it reads from have their place. */
static bool is_ready(const nn_node *node, const int *producer, const bool *placed)
{
    for (int i = 0; i < node->input_count; i++) {
        int value = node->inputs[i];
        if (value >= 0 && producer[value] >= 0 && !placed[producer[value]])
            return false;
    }
    return true;
}

/* Repeated sweeps: one is enough for a file in order, as ONNX demands. */
static mien_status place_nodes(nn_graph *graph, const int *producer, bool *placed, nn_node *sorted,
                               mien_error *error)
{
    size_t count = 0;
    while (count < graph->node_count) {
        size_t before = count;
        const nn_node *stuck = NULL;
        for (size_t n = 0; n < graph->node_count; n++) {
            if (placed[n])
                continue;
            if (is_ready(&graph->nodes[n], producer, placed)) {
                sorted[count++] = graph->nodes[n];
                placed[n] = true;
            } else if (stuck == NULL) {
                stuck = &graph->nodes[n];
            }
        }
        if (count == before)
            return error_set(error, MIEN_MALFORMED, "node '%s' (%s) is part of a cycle",
                             stuck->name, "it reads what is made from its own output");
    }
    return MIEN_OK;
}

mien_status nn_graph_sort(nn_graph *graph, mien_error *error)
{
    int *producer = memory_zeroed(graph->value_count, sizeof *producer);
    bool *placed = memory_zeroed(graph->node_count, sizeof *placed);
    nn_node *sorted = memory_zeroed(graph->node_count, sizeof *sorted);
    mien_status status;
    if (producer == NULL || placed == NULL || sorted == NULL) {
        status = error_no_memory(error, "sorting the network", graph->node_count * sizeof *sorted);
        goto cleanup;
    }
    status = find_producers(graph, producer, error);
    if (status == MIEN_OK)
        status = check_sources(graph, producer, error);
    if (status == MIEN_OK)
        status = place_nodes(graph, producer, placed, sorted, error);
    if (status == MIEN_OK && graph->node_count != 0)
        memcpy(graph->nodes, sorted, graph->node_count * sizeof *sorted);
cleanup:
    free(producer);
    free(placed);
    free(sorted);
    return status;
}
