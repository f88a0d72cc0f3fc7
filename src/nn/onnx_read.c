/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/onnx.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/names.h"
#include "nn/onnx_tensor.h"
#include "nn/op.h"
#include "nn/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    nn_graph *graph;
    name_table values; /* name -> index in graph->values */
    mien_error *error;
} reader;

/* Called for each field of a message; fields that are not wanted are passed over. */
typedef mien_status (*field_handler)(reader *r, const wire_field *field, void *context);

static mien_status for_each_field(reader *r, wire_span span, field_handler handle, void *context)
{
    wire_field field;
    wire_result result;
    while ((result = wire_next(&span, &field)) == WIRE_FIELD) {
        mien_status status = handle(r, &field, context);
        if (status != MIEN_OK)
            return status;
    }
    if (result == WIRE_BROKEN)
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)span.offset,
                            "not a well-formed ONNX file: broken or cut short at byte %zu",
                            span.offset);
    return MIEN_OK;
}

static mien_status no_memory(reader *r)
{
    return error_set(r->error, MIEN_OUT_OF_MEMORY, "out of memory for the network");
}

static mien_status copy_text(reader *r, wire_span span, char **text)
{
    if (memchr(span.bytes, 0, span.size) != NULL)
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)span.offset,
                            "a name holds a zero byte");
    char *copy = memory_copy_bytes_as_string((const char *)span.bytes, span.size);
    if (copy == NULL)
        return no_memory(r);
    free(*text);
    *text = copy;
    return MIEN_OK;
}

/* The index of the value of that name; made new when there is none. */
static mien_status value_named(reader *r, wire_span name, int *index)
{
    *index = name_table_find(&r->values, (const char *)name.bytes, name.size);
    if (*index >= 0)
        return MIEN_OK;
    nn_graph *graph = r->graph;
    void *values = graph->values;
    if (!memory_grow(&values, graph->value_count, &graph->value_capacity, sizeof *graph->values))
        return no_memory(r);
    graph->values = values;
    nn_value *value = &graph->values[graph->value_count];
    *value = (nn_value){.tensor.shape.rank = NN_UNKNOWN_RANK};
    mien_status status = copy_text(r, name, &value->name);
    if (status != MIEN_OK)
        return status;
    *index = (int)graph->value_count++;
    if (!name_table_add(&r->values, value->name, name.size, *index))
        return no_memory(r);
    return MIEN_OK;
}

static mien_status append_index(reader *r, int **list, size_t *count, size_t *capacity, int index)
{
    void *items = *list;
    if (!memory_grow(&items, *count, capacity, sizeof **list))
        return no_memory(r);
    *list = items;
    (*list)[(*count)++] = index;
    return MIEN_OK;
}

/* ---- Attributes ---- */

static mien_status append_int(reader *r, nn_attribute *attribute, size_t *capacity, int64_t value)
{
    void *ints = attribute->ints;
    if (!memory_grow(&ints, attribute->count, capacity, sizeof *attribute->ints))
        return no_memory(r);
    attribute->ints = ints;
    attribute->ints[attribute->count++] = value;
    return MIEN_OK;
}

static mien_status append_float(reader *r, nn_attribute *attribute, size_t *capacity, float value)
{
    void *floats = attribute->floats;
    if (!memory_grow(&floats, attribute->count, capacity, sizeof *attribute->floats))
        return no_memory(r);
    attribute->floats = floats;
    attribute->floats[attribute->count++] = value;
    return MIEN_OK;
}

/* An attribute holds floats or ints, never both: they share its count. */
typedef struct attribute_context {
    nn_attribute *attribute;
    size_t capacity;
} attribute_context;

/* ints (8) or floats (7): packed or one by one. */
static mien_status read_list(reader *r, const wire_field *field, attribute_context *c)
{
    nn_attribute *attribute = c->attribute;
    size_t *capacity = &c->capacity;
    bool ints = field->number == 8;
    if (ints ? attribute->floats != NULL : attribute->ints != NULL)
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)field->span.offset,
                            "an attribute holds both integers and real numbers");
    attribute->kind = ints ? NN_ATTRIBUTE_INTS : NN_ATTRIBUTE_FLOATS;
    if (field->type == WIRE_VARINT && ints)
        return append_int(r, attribute, capacity, (int64_t)field->scalar);
    if (field->type == WIRE_FIXED32 && !ints)
        return append_float(r, attribute, capacity, wire_float((uint32_t)field->scalar));
    wire_span span = field->span;
    mien_status status = field->type == WIRE_BYTES ? MIEN_OK : MIEN_MALFORMED;
    while (status == MIEN_OK && span.size > 0) {
        uint64_t bits;
        if (ints && wire_varint(&span, &bits)) {
            status = append_int(r, attribute, capacity, (int64_t)bits);
        } else if (!ints && span.size >= 4) {
            status = append_float(r, attribute, capacity, wire_float(wire_load32(span.bytes)));
            span = (wire_span){span.bytes + 4, span.size - 4, span.offset + 4};
        } else {
            status = MIEN_MALFORMED;
        }
    }
    if (status == MIEN_MALFORMED)
        return error_set_at(r->error, status, (int64_t)span.offset,
                            "a list of numbers in an attribute is broken");
    return status;
}

/* AttributeProto.AttributeType */
static nn_attribute_kind kind_of_type(uint64_t type, nn_attribute_kind otherwise)
{
    switch (type) {
    case 1:
        return NN_ATTRIBUTE_FLOAT;
    case 2:
        return NN_ATTRIBUTE_INT;
    case 3:
        return NN_ATTRIBUTE_STRING;
    case 4:
        return NN_ATTRIBUTE_TENSOR;
    case 6:
        return NN_ATTRIBUTE_FLOATS;
    case 7:
        return NN_ATTRIBUTE_INTS;
    default:
        return otherwise;
    }
}

/* As in any protobuf reader, a field of another type than its number says is passed over. */
static bool has_type_of_attribute(const wire_field *field)
{
    switch (field->number) {
    case 1:
    case 4:
    case 5:
    case 6:
        return field->type == WIRE_BYTES;
    case 2:
        return field->type == WIRE_FIXED32;
    case 3:
    case 20:
        return field->type == WIRE_VARINT;
    default:
        return true;
    }
}

static mien_status attribute_field(reader *r, const wire_field *field, void *context)
{
    attribute_context *c = context;
    nn_attribute *attribute = c->attribute;
    wire_span unnamed;
    if (!has_type_of_attribute(field))
        return MIEN_OK;
    switch (field->number) {
    case 1:
        return copy_text(r, field->span, &attribute->name);
    case 2:
        attribute->kind = NN_ATTRIBUTE_FLOAT;
        attribute->f = wire_float((uint32_t)field->scalar);
        return MIEN_OK;
    case 3:
        attribute->kind = NN_ATTRIBUTE_INT;
        attribute->i = (int64_t)field->scalar;
        return MIEN_OK;
    case 4:
        attribute->kind = NN_ATTRIBUTE_STRING;
        return copy_text(r, field->span, &attribute->string);
    case 5:
        attribute->kind = NN_ATTRIBUTE_TENSOR;
        free(attribute->tensor.data);
        return onnx_read_tensor(field->span, &attribute->tensor, &unnamed, r->error);
    case 6:
        return error_set_at(r->error, MIEN_UNSUPPORTED, (int64_t)field->span.offset,
                            "networks inside nodes (If, Loop, Scan) are not supported");
    case 7:
    case 8:
        return read_list(r, field, c);
    case 20: /* a zero or an empty list may be left out: then only the type tells */
        attribute->kind = kind_of_type(field->scalar, attribute->kind);
        return MIEN_OK;
    default:
        return MIEN_OK;
    }
}

/* ---- Nodes ---- */

typedef struct node_context {
    nn_node *node;
    size_t input_count, input_capacity;
    size_t output_count, output_capacity;
    size_t attribute_capacity;
    wire_span op_type;
    wire_span domain;
} node_context;

static mien_status read_attribute(reader *r, node_context *c, wire_span span)
{
    nn_node *node = c->node;
    void *attributes = node->attributes;
    if (!memory_grow(&attributes, node->attribute_count, &c->attribute_capacity,
                     sizeof *node->attributes))
        return no_memory(r);
    node->attributes = attributes;
    nn_attribute *attribute = &node->attributes[node->attribute_count++];
    *attribute = (nn_attribute){0};
    attribute_context context = {.attribute = attribute};
    mien_status status = for_each_field(r, span, attribute_field, &context);
    if (status == MIEN_OK && attribute->name == NULL)
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)span.offset,
                            "an attribute has no name");
    if (status == MIEN_OK && ((attribute->kind == NN_ATTRIBUTE_INTS && attribute->floats != NULL) ||
                              (attribute->kind == NN_ATTRIBUTE_FLOATS && attribute->ints != NULL)))
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)span.offset,
                            "attribute '%s' holds other numbers than its type says",
                            attribute->name);
    return status;
}

static mien_status node_field(reader *r, const wire_field *field, void *context)
{
    node_context *c = context;
    int index = -1;
    mien_status status = MIEN_OK;
    if (field->type != WIRE_BYTES)
        return MIEN_OK;
    switch (field->number) {
    case 1: /* input; an empty name is an optional input left out */
        if (field->span.size != 0)
            status = value_named(r, field->span, &index);
        if (status == MIEN_OK)
            status = append_index(r, &c->node->inputs, &c->input_count, &c->input_capacity, index);
        return status;
    case 2:
        if (field->span.size == 0)
            return MIEN_OK;
        status = value_named(r, field->span, &index);
        if (status == MIEN_OK)
            status =
                append_index(r, &c->node->outputs, &c->output_count, &c->output_capacity, index);
        return status;
    case 3:
        return copy_text(r, field->span, &c->node->name);
    case 4:
        c->op_type = field->span;
        return MIEN_OK;
    case 5:
        return read_attribute(r, c, field->span);
    case 7:
        c->domain = field->span;
        return MIEN_OK;
    default:
        return MIEN_OK;
    }
}

static bool span_is(wire_span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.bytes, text, span.size) == 0;
}

/* Constant nodes become constant values at once. */
static mien_status take_constant(reader *r, nn_node *node, size_t offset)
{
    nn_value *value = node->output_count == 1 ? &r->graph->values[node->outputs[0]] : NULL;
    if (value == NULL || node->attribute_count != 1 || value->tensor.data != NULL)
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)offset,
                            "Constant '%s' needs one output and one value", node->name);
    nn_attribute *attribute = &node->attributes[0];
    nn_tensor tensor = {.type = NN_FLOAT, .shape.rank = 0};
    size_t count = 1;
    const void *content = NULL;
    switch (attribute->kind) {
    case NN_ATTRIBUTE_TENSOR:
        value->tensor = attribute->tensor;
        attribute->tensor.data = NULL;
        return MIEN_OK;
    case NN_ATTRIBUTE_FLOAT:
        content = &attribute->f;
        break;
    case NN_ATTRIBUTE_INT:
        tensor.type = NN_INT;
        content = &attribute->i;
        break;
    case NN_ATTRIBUTE_FLOATS:
    case NN_ATTRIBUTE_INTS:
        count = attribute->count;
        tensor.shape = (nn_shape){1, {(int64_t)count}};
        tensor.type = attribute->kind == NN_ATTRIBUTE_INTS ? NN_INT : NN_FLOAT;
        content = tensor.type == NN_INT ? (const void *)attribute->ints : attribute->floats;
        break;
    case NN_ATTRIBUTE_STRING:
        return error_set_at(r->error, MIEN_UNSUPPORTED, (int64_t)offset, "Constant '%s' is a text",
                            node->name);
    }
    tensor.data = memory_aligned(count * nn_type_size(tensor.type));
    if (tensor.data == NULL)
        return no_memory(r);
    if (count != 0)
        memcpy(tensor.data, content, count * nn_type_size(tensor.type));
    value->tensor = tensor;
    return MIEN_OK;
}

static mien_status check_node(reader *r, const node_context *c, size_t offset)
{
    nn_node *node = c->node;
    int length = (int)(c->op_type.size < 60 ? c->op_type.size : 60);
    const char *op_name = (const char *)c->op_type.bytes;
    if (c->domain.size != 0 && !span_is(c->domain, "ai.onnx"))
        return error_set_at(r->error, MIEN_UNSUPPORTED, (int64_t)offset,
                            "node '%s' uses operator %.*s of the domain '%.*s'; only standard ONNX "
                            "operators are supported",
                            node->name, length, op_name,
                            (int)(c->domain.size < 60 ? c->domain.size : 60),
                            (const char *)c->domain.bytes);
    if (node->op == NULL)
        return error_set_at(r->error, MIEN_UNSUPPORTED, (int64_t)offset,
                            "node '%s' uses operator %.*s, which is not supported", node->name,
                            length, op_name);
    if (node->input_count < node->op->min_inputs || node->input_count > node->op->max_inputs)
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)offset,
                            "node '%s' (%s) has %d inputs, not %d to %d", node->name,
                            node->op->name, node->input_count, node->op->min_inputs,
                            node->op->max_inputs);
    for (int i = 0; i < node->op->min_inputs; i++)
        if (node->inputs[i] < 0)
            return error_set_at(r->error, MIEN_MALFORMED, (int64_t)offset,
                                "node '%s' (%s) leaves out its input %d", node->name,
                                node->op->name, i);
    return MIEN_OK;
}

static mien_status read_node(reader *r, wire_span span)
{
    nn_graph *graph = r->graph;
    if (graph->node_count == ONNX_MAX_NODES)
        return error_set_at(r->error, MIEN_LIMIT, (int64_t)span.offset,
                            "the network has more than %d nodes", ONNX_MAX_NODES);
    void *nodes = graph->nodes;
    if (!memory_grow(&nodes, graph->node_count, &graph->node_capacity, sizeof *graph->nodes))
        return no_memory(r);
    graph->nodes = nodes;
    nn_node *node = &graph->nodes[graph->node_count++];
    *node = (nn_node){0};
    wire_span empty = {(const uint8_t *)"", 0, span.offset};
    node_context context = {.node = node, .op_type = empty, .domain = empty};
    mien_status status = for_each_field(r, span, node_field, &context);
    if (status == MIEN_OK && node->name == NULL)
        status = copy_text(r, context.op_type, &node->name);
    if (status != MIEN_OK)
        return status;
    node->input_count = (int)context.input_count;
    node->output_count = (int)context.output_count;
    if (span_is(context.op_type, "Constant")) {
        status = take_constant(r, node, span.offset);
        nn_graph constant = {.nodes = NULL};
        constant.nodes = memory_zeroed(1, sizeof *constant.nodes);
        if (constant.nodes == NULL)
            return no_memory(r);
        constant.nodes[0] = *node;
        constant.node_count = 1;
        nn_graph_free(&constant);
        graph->node_count--;
        return status;
    }
    char op_name[64] = "";
    if (context.op_type.size < sizeof op_name)
        memcpy(op_name, context.op_type.bytes, context.op_type.size);
    node->op = nn_op_find(op_name);
    status = check_node(r, &context, span.offset);
    if (status == MIEN_OK && node->output_count == 0)
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)span.offset,
                            "node '%s' (%s) has no output", node->name, node->op->name);
    /* Further outputs (Dropout's mask, statistics of training) are not made: a node that reads one
     * is told that nothing makes it. */
    if (status == MIEN_OK)
        node->output_count = 1;
    return status;
}

/* ---- Inputs, outputs, constants ---- */

typedef struct type_context {
    nn_tensor tensor;
    wire_span name;
} type_context;

static mien_status dimension_field(reader *r, const wire_field *field, void *context)
{
    int64_t *dim = context;
    if (field->number != 1 || field->type != WIRE_VARINT)
        return MIEN_OK;
    if (field->scalar > (uint64_t)NN_MAX_ELEMENTS) {
        /* 0 and -1 are written for "unknown" by some exporters; larger values are lies. */
        if (field->scalar == UINT64_MAX)
            return MIEN_OK;
        return error_set(r->error, MIEN_LIMIT, "an input or output has a dimension of %" PRIu64,
                         field->scalar);
    }
    *dim = field->scalar != 0 ? (int64_t)field->scalar : NN_UNKNOWN_DIM;
    return MIEN_OK;
}

static mien_status shape_field(reader *r, const wire_field *field, void *context)
{
    type_context *c = context;
    if (field->number != 1 || field->type != WIRE_BYTES)
        return MIEN_OK;
    nn_shape *shape = &c->tensor.shape;
    if (shape->rank == NN_MAX_RANK)
        return error_set_at(r->error, MIEN_UNSUPPORTED, (int64_t)field->span.offset,
                            "an input or output has more than %d dimensions", NN_MAX_RANK);
    int64_t *dim = &shape->dims[shape->rank++];
    *dim = NN_UNKNOWN_DIM;
    return for_each_field(r, field->span, dimension_field, dim);
}

static mien_status tensor_type_field(reader *r, const wire_field *field, void *context)
{
    type_context *c = context;
    if (field->number == 1 && field->type == WIRE_VARINT)
        c->tensor.type = field->scalar == 1 ? NN_FLOAT : NN_INT;
    if (field->number != 2 || field->type != WIRE_BYTES)
        return MIEN_OK;
    c->tensor.shape.rank = 0;
    return for_each_field(r, field->span, shape_field, c);
}

static mien_status type_field(reader *r, const wire_field *field, void *context)
{
    if (field->number != 1 || field->type != WIRE_BYTES)
        return MIEN_OK;
    return for_each_field(r, field->span, tensor_type_field, context);
}

static mien_status value_info_field(reader *r, const wire_field *field, void *context)
{
    type_context *c = context;
    if (field->type != WIRE_BYTES)
        return MIEN_OK;
    if (field->number == 1)
        c->name = field->span;
    if (field->number == 2)
        return for_each_field(r, field->span, type_field, c);
    return MIEN_OK;
}

static mien_status read_value_info(reader *r, wire_span span, bool is_input)
{
    type_context context = {.tensor.shape.rank = NN_UNKNOWN_RANK,
                            .name = {(const uint8_t *)"", 0, span.offset}};
    mien_status status = for_each_field(r, span, value_info_field, &context);
    int index;
    if (status == MIEN_OK)
        status = value_named(r, context.name, &index);
    if (status != MIEN_OK)
        return status;
    nn_graph *graph = r->graph;
    nn_value *value = &graph->values[index];
    if (!is_input) {
        if (value->tensor.shape.rank == NN_UNKNOWN_RANK)
            value->tensor.shape = context.tensor.shape;
        return append_index(r, &graph->outputs, &graph->output_count, &graph->output_capacity,
                            index);
    }
    if (value->tensor.data != NULL) /* older files list their constants as inputs */
        return MIEN_OK;
    if (context.tensor.type != NN_FLOAT)
        return error_set_at(r->error, MIEN_UNSUPPORTED, (int64_t)span.offset,
                            "input '%s' is not of type float32", value->name);
    value->tensor.type = NN_FLOAT;
    value->tensor.shape = context.tensor.shape;
    return append_index(r, &graph->inputs, &graph->input_count, &graph->input_capacity, index);
}

static mien_status read_initializer(reader *r, wire_span span)
{
    nn_tensor tensor;
    wire_span name;
    mien_status status = onnx_read_tensor(span, &tensor, &name, r->error);
    if (status != MIEN_OK)
        return status;
    int index;
    status = value_named(r, name, &index);
    if (status == MIEN_OK && r->graph->values[index].tensor.data != NULL)
        status = error_set_at(r->error, MIEN_MALFORMED, (int64_t)span.offset,
                              "tensor '%s' is given twice", r->graph->values[index].name);
    if (status != MIEN_OK) {
        free(tensor.data);
        return status;
    }
    r->graph->values[index].tensor = tensor;
    return MIEN_OK;
}

/* The fields of GraphProto come in any order: constants first, then inputs, then nodes. */
static mien_status graph_constants(reader *r, const wire_field *field, void *context)
{
    (void)context;
    if (field->type == WIRE_BYTES && field->number == 5)
        return read_initializer(r, field->span);
    if (field->number == 15)
        return error_set_at(r->error, MIEN_UNSUPPORTED, (int64_t)field->span.offset,
                            "sparse constants are not supported");
    return MIEN_OK;
}

static mien_status graph_rest(reader *r, const wire_field *field, void *context)
{
    (void)context;
    if (field->type != WIRE_BYTES)
        return MIEN_OK;
    switch (field->number) {
    case 1:
        return read_node(r, field->span);
    case 11:
        return read_value_info(r, field->span, true);
    case 12:
        return read_value_info(r, field->span, false);
    default:
        return MIEN_OK;
    }
}

/* ---- The model ---- */

typedef struct model_context {
    wire_span graph;
    bool has_graph;
    wire_span domain;
    int64_t version;
} model_context;

static mien_status opset_field(reader *r, const wire_field *field, void *context)
{
    (void)r;
    model_context *c = context;
    if (field->number == 1 && field->type == WIRE_BYTES)
        c->domain = field->span;
    if (field->number == 2 && field->type == WIRE_VARINT)
        c->version = (int64_t)field->scalar;
    return MIEN_OK;
}

static mien_status metadata_field(reader *r, const wire_field *field, void *context)
{
    nn_metadata *entry = context;
    if (field->type == WIRE_BYTES && field->number == 1)
        return copy_text(r, field->span, &entry->key);
    if (field->type == WIRE_BYTES && field->number == 2)
        return copy_text(r, field->span, &entry->value);
    return MIEN_OK;
}

static mien_status read_metadata(reader *r, wire_span span)
{
    nn_graph *graph = r->graph;
    void *metadata = graph->metadata;
    if (!memory_grow(&metadata, graph->metadata_count, &graph->metadata_capacity,
                     sizeof *graph->metadata))
        return no_memory(r);
    graph->metadata = metadata;
    nn_metadata *entry = &graph->metadata[graph->metadata_count++];
    *entry = (nn_metadata){0};
    mien_status status = for_each_field(r, span, metadata_field, entry);
    if (status == MIEN_OK && (entry->key == NULL || entry->value == NULL))
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)span.offset,
                            "an entry of the metadata has no key or no value");
    return status;
}

static mien_status model_field(reader *r, const wire_field *field, void *context)
{
    model_context *c = context;
    if (field->type != WIRE_BYTES)
        return MIEN_OK;
    mien_status status = MIEN_OK;
    switch (field->number) {
    case 7:
        c->graph = field->span;
        c->has_graph = true;
        return MIEN_OK;
    case 8:
        c->domain = (wire_span){(const uint8_t *)"", 0, 0};
        status = for_each_field(r, field->span, opset_field, c);
        if (status == MIEN_OK && (c->domain.size == 0 || span_is(c->domain, "ai.onnx")))
            r->graph->opset = c->version > 0 && c->version < 1000 ? (int)c->version : -1;
        return status;
    case 14:
        return read_metadata(r, field->span);
    default:
        return MIEN_OK;
    }
}

static mien_status read_model(reader *r, wire_span file)
{
    model_context context = {0};
    mien_status status = for_each_field(r, file, model_field, &context);
    if (status != MIEN_OK)
        return status;
    if (!context.has_graph)
        return error_set(r->error, MIEN_MALFORMED, "not an ONNX model: it holds no network");
    if (r->graph->opset < ONNX_MIN_OPSET || r->graph->opset > ONNX_MAX_OPSET)
        return error_set(r->error, MIEN_UNSUPPORTED, "opset %d is not supported, only %d to %d",
                         r->graph->opset, ONNX_MIN_OPSET, ONNX_MAX_OPSET);
    status = for_each_field(r, context.graph, graph_constants, NULL);
    if (status == MIEN_OK)
        status = for_each_field(r, context.graph, graph_rest, NULL);
    if (status != MIEN_OK)
        return status;
    if (r->graph->input_count == 0 || r->graph->output_count == 0)
        return error_set(r->error, MIEN_MALFORMED, "the network has no %s",
                         r->graph->input_count == 0 ? "input" : "output");
    return nn_graph_sort(r->graph, r->error);
}

mien_status onnx_read(const void *bytes, size_t size, nn_graph *graph, mien_error *error)
{
    *graph = (nn_graph){0};
    if (size == 0)
        return error_set_at(error, MIEN_MALFORMED, 0, "the file is empty");
    if (size > ONNX_MAX_FILE_SIZE)
        return error_set(error, MIEN_LIMIT, "the file has %zu bytes, the limit is %zu", size,
                         ONNX_MAX_FILE_SIZE);
    reader r = {.graph = graph, .error = error};
    mien_status status = read_model(&r, (wire_span){bytes, size, 0});
    name_table_free(&r.values);
    if (status != MIEN_OK)
        nn_graph_free(graph);
    return status;
}
