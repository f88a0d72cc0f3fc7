/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/build_parts.h"

#include "base/memory.h"
#include "nn/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUILD_OPSET  13
#define MOST_COUNTED 1000000

/* ---- Errors and shapes ---- */

int build_fail(nn_builder *b, mien_status status, const char *format, ...)
{
    if (b->status != MIEN_OK)
        return -1;
    char what[320];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    b->status = error_set(&b->error, status, "%s", what);
    return -1;
}

static int no_memory(nn_builder *b)
{
    return build_fail(b, MIEN_OUT_OF_MEMORY, "out of memory for the network");
}

bool build_shape_of(nn_builder *b, int value, nn_shape *shape)
{
    if (b->status != MIEN_OK)
        return false;
    if (value < 0 || (size_t)value >= b->graph->value_count) {
        build_fail(b, MIEN_INVALID_ARGUMENT, "the network has no value %d", value);
        return false;
    }
    *shape = b->graph->values[value].tensor.shape;
    return true;
}

bool build_takes(nn_builder *b, const char *what, int value, int rank, nn_shape *shape)
{
    char text[NN_SHAPE_TEXT_SIZE];
    if (!build_shape_of(b, value, shape))
        return false;
    if (shape->rank == rank)
        return true;
    build_fail(b, MIEN_SHAPE, "%s takes %d dimensions, '%s' has shape %s", what, rank,
               b->graph->values[value].name, nn_shape_text(shape, text));
    return false;
}

nn_shape nn_build_shape(const nn_builder *b, int value)
{
    if (b->status != MIEN_OK || value < 0 || (size_t)value >= b->graph->value_count)
        return (nn_shape){.rank = NN_UNKNOWN_RANK};
    return b->graph->values[value].tensor.shape;
}

/* ---- Values ---- */

build_layer build_next_layer(nn_builder *b, const char *kind)
{
    build_layer layer;
    snprintf(layer.name, sizeof layer.name, "%s_%d", kind, ++b->counter);
    return layer;
}

/* Takes over tensor.data, on failure too. */
static int add_value(nn_builder *b, const char *name, nn_tensor tensor)
{
    nn_graph *graph = b->graph;
    void *values = graph->values;
    char *copy = b->status == MIEN_OK ? memory_copy_string(name) : NULL;
    if (copy == NULL ||
        !memory_grow(&values, graph->value_count, &graph->value_capacity, sizeof *graph->values)) {
        free(copy);
        free(tensor.data);
        return no_memory(b);
    }
    graph->values = values;
    graph->values[graph->value_count] = (nn_value){copy, tensor};
    return (int)graph->value_count++;
}

int build_constant(nn_builder *b, const build_layer *layer, const char *part, nn_shape shape,
                   float **data)
{
    void *content;
    int index = build_typed_constant(b, layer, part, NN_FLOAT, shape, &content);
    *data = content;
    return index;
}

int build_typed_constant(nn_builder *b, const build_layer *layer, const char *part, nn_type type,
                         nn_shape shape, void **data)
{
    *data = NULL;
    if (b->status != MIEN_OK)
        return -1;
    char name[sizeof layer->name + 16];
    snprintf(name, sizeof name, "%s%s%s", layer->name, part[0] != '\0' ? "." : "", part);
    int64_t elements;
    if (!nn_shape_elements(&shape, &elements))
        return build_fail(b, MIEN_LIMIT, "'%s' is too large", name);
    size_t bytes = (size_t)elements * nn_type_size(type);
    nn_tensor tensor = {type, shape, memory_aligned(bytes)};
    if (tensor.data == NULL)
        return no_memory(b);
    memset(tensor.data, 0, bytes);
    int index = add_value(b, name, tensor);
    if (index >= 0)
        *data = tensor.data;
    return index;
}

int build_scalar(nn_builder *b, float value)
{
    const nn_shape scalar = {.rank = 0};
    for (size_t v = 0; b->status == MIEN_OK && v < b->graph->value_count; v++) {
        const nn_tensor *tensor = &b->graph->values[v].tensor;
        if (tensor->data != NULL && tensor->type == NN_FLOAT && tensor->shape.rank == 0 &&
            memcmp(tensor->data, &value, sizeof value) == 0)
            return (int)v;
    }
    build_layer layer = build_next_layer(b, "number");
    float *data;
    int index = build_constant(b, &layer, "", scalar, &data);
    if (data != NULL)
        *data = value;
    return index;
}

static bool append_index(nn_builder *b, int **list, size_t *count, size_t *capacity, int index)
{
    void *items = *list;
    if (!memory_grow(&items, *count, capacity, sizeof **list)) {
        no_memory(b);
        return false;
    }
    *list = items;
    (*list)[(*count)++] = index;
    return true;
}

/* ---- Nodes ---- */

static int *copy_indices(const int *indices, int count)
{
    int *copy = memory_zeroed((size_t)count, sizeof *copy);
    if (copy != NULL)
        memcpy(copy, indices, (size_t)count * sizeof *copy);
    return copy;
}

nn_node *build_node(nn_builder *b, const build_layer *layer, const char *op, const int *inputs,
                    int input_count, nn_shape output)
{
    int result = add_value(b, layer->name, (nn_tensor){NN_FLOAT, output, NULL});
    if (b->status != MIEN_OK)
        return NULL;
    nn_graph *graph = b->graph;
    void *nodes = graph->nodes;
    if (!memory_grow(&nodes, graph->node_count, &graph->node_capacity, sizeof *graph->nodes)) {
        no_memory(b);
        return NULL;
    }
    graph->nodes = nodes;
    nn_node *node = &graph->nodes[graph->node_count++];
    *node = (nn_node){.op = nn_op_find(op),
                      .name = memory_copy_string(layer->name),
                      .inputs = copy_indices(inputs, input_count),
                      .input_count = input_count,
                      .outputs = copy_indices(&result, 1),
                      .output_count = 1};
    if (node->name != NULL && node->inputs != NULL && node->outputs != NULL)
        return node;
    no_memory(b);
    return NULL;
}

static nn_attribute *add_attribute(nn_builder *b, nn_node *node, const char *name,
                                   nn_attribute_kind kind)
{
    if (node == NULL || b->status != MIEN_OK)
        return NULL;
    size_t bytes = (node->attribute_count + 1) * sizeof *node->attributes;
    nn_attribute *attributes = realloc(node->attributes, bytes);
    if (attributes == NULL) {
        no_memory(b);
        return NULL;
    }
    node->attributes = attributes;
    nn_attribute *attribute = &attributes[node->attribute_count++];
    *attribute = (nn_attribute){.name = memory_copy_string(name), .kind = kind};
    if (attribute->name != NULL)
        return attribute;
    no_memory(b);
    return NULL;
}

void build_int(nn_builder *b, nn_node *node, const char *name, int64_t value)
{
    nn_attribute *attribute = add_attribute(b, node, name, NN_ATTRIBUTE_INT);
    if (attribute != NULL)
        attribute->i = value;
}

void build_float(nn_builder *b, nn_node *node, const char *name, float value)
{
    nn_attribute *attribute = add_attribute(b, node, name, NN_ATTRIBUTE_FLOAT);
    if (attribute != NULL)
        attribute->f = value;
}

void build_ints(nn_builder *b, nn_node *node, const char *name, const int64_t *values, size_t count)
{
    nn_attribute *attribute = add_attribute(b, node, name, NN_ATTRIBUTE_INTS);
    if (attribute == NULL)
        return;
    attribute->ints = memory_zeroed(count, sizeof *attribute->ints);
    if (attribute->ints == NULL) {
        no_memory(b);
        return;
    }
    memcpy(attribute->ints, values, count * sizeof *values);
    attribute->count = count;
}

void build_string(nn_builder *b, nn_node *node, const char *name, const char *text)
{
    nn_attribute *attribute = add_attribute(b, node, name, NN_ATTRIBUTE_STRING);
    if (attribute == NULL)
        return;
    attribute->string = memory_copy_string(text);
    if (attribute->string == NULL)
        no_memory(b);
}

int build_result(const nn_builder *b, const nn_node *node)
{
    return b->status == MIEN_OK && node != NULL ? node->outputs[0] : -1;
}

int build_same_shape(nn_builder *b, const char *kind, const char *op, int x)
{
    nn_shape shape;
    if (!build_shape_of(b, x, &shape))
        return -1;
    build_layer layer = build_next_layer(b, kind);
    return build_result(b, build_node(b, &layer, op, &x, 1, shape));
}

/* ---- The graph ---- */

void nn_build_start(nn_builder *b, nn_graph *graph, uint64_t seed)
{
    *graph = (nn_graph){.opset = BUILD_OPSET};
    *b = (nn_builder){.graph = graph, .random = random_start(seed, 0)};
}

/* The N of "dense_N" and "dense_N.weight", or 0. */
static int number_in(const char *name)
{
    const char *underscore = strrchr(name, '_');
    long number = underscore != NULL ? strtol(underscore + 1, NULL, 10) : 0;
    return number > 0 && number < MOST_COUNTED ? (int)number : 0;
}

static int highest_number(const nn_graph *graph)
{
    int highest = 0;
    for (size_t v = 0; v < graph->value_count; v++)
        if (number_in(graph->values[v].name) > highest)
            highest = number_in(graph->values[v].name);
    for (size_t n = 0; n < graph->node_count; n++)
        if (number_in(graph->nodes[n].name) > highest)
            highest = number_in(graph->nodes[n].name);
    return highest;
}

void nn_build_continue(nn_builder *b, nn_graph *graph, uint64_t seed)
{
    *b = (nn_builder){
        .graph = graph, .random = random_start(seed, 0), .counter = highest_number(graph)};
}

mien_status nn_build_finish(nn_builder *b, mien_error *error)
{
    if (b->graph->input_count == 0 || b->graph->output_count == 0)
        build_fail(b, MIEN_INVALID_ARGUMENT, "the network has no %s",
                   b->graph->input_count == 0 ? "input" : "output");
    if (b->status == MIEN_OK)
        b->status = nn_graph_sort(b->graph, &b->error);
    if (b->status == MIEN_OK)
        return MIEN_OK;
    nn_graph_free(b->graph);
    return error_set(error, b->status, "%s", b->error.message);
}

static bool name_is_free(nn_builder *b, const char *name)
{
    if (b->status != MIEN_OK)
        return false;
    for (size_t v = 0; v < b->graph->value_count; v++)
        if (strcmp(b->graph->values[v].name, name) == 0) {
            build_fail(b, MIEN_INVALID_ARGUMENT, "two values have the name '%s'", name);
            return false;
        }
    return true;
}

int nn_build_input(nn_builder *b, const char *name, int64_t channels, int64_t height, int64_t width)
{
    if (!name_is_free(b, name))
        return -1;
    bool known_or_open = channels >= 1 && (height >= 1 || height == NN_UNKNOWN_DIM) &&
                         (width >= 1 || width == NN_UNKNOWN_DIM);
    if (!known_or_open)
        return build_fail(b, MIEN_INVALID_ARGUMENT,
                          "an input of %lld channels, %lld rows and %lld columns cannot be",
                          (long long)channels, (long long)height, (long long)width);
    nn_shape shape = {4, {NN_UNKNOWN_DIM, channels, height, width}};
    int index = add_value(b, name, (nn_tensor){NN_FLOAT, shape, NULL});
    nn_graph *graph = b->graph;
    if (index < 0 ||
        !append_index(b, &graph->inputs, &graph->input_count, &graph->input_capacity, index))
        return -1;
    return index;
}

/* Whether a value has a name that must stay: of an input, an output or a constant. */
static bool name_is_kept(const nn_graph *graph, int value)
{
    bool kept = graph->values[value].tensor.data != NULL;
    for (size_t i = 0; i < graph->input_count; i++)
        kept = kept || graph->inputs[i] == value;
    for (size_t o = 0; o < graph->output_count; o++)
        kept = kept || graph->outputs[o] == value;
    return kept;
}

void nn_build_output(nn_builder *b, int value, const char *name)
{
    nn_shape shape;
    nn_graph *graph = b->graph;
    if (!build_shape_of(b, value, &shape) || !name_is_free(b, name))
        return;
    if (name_is_kept(graph, value))
        value = build_same_shape(b, "output", "Identity", value);
    char *copy = value >= 0 ? memory_copy_string(name) : NULL;
    if (copy == NULL) {
        no_memory(b);
        return;
    }
    free(graph->values[value].name);
    graph->values[value].name = copy;
    append_index(b, &graph->outputs, &graph->output_count, &graph->output_capacity, value);
}

void nn_build_metadata(nn_builder *b, const char *key, const char *value)
{
    if (b->status == MIEN_OK)
        b->status = nn_graph_set_metadata(b->graph, key, value, &b->error);
}
