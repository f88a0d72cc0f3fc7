/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/onnx_reader.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/onnx.h"
#include "nn/onnx_tensor.h"
#include "nn/op.h"

#include <stdlib.h>
#include <string.h>

/* ---- Attributes ---- */

static mien_status append_int(onnx_reader *r, nn_attribute *attribute, size_t *capacity,
                              int64_t value)
{
    void *ints = attribute->ints;
    if (!memory_grow(&ints, attribute->count, capacity, sizeof *attribute->ints))
        return onnx_no_memory(r);
    attribute->ints = ints;
    attribute->ints[attribute->count++] = value;
    return MIEN_OK;
}

static mien_status append_float(onnx_reader *r, nn_attribute *attribute, size_t *capacity,
                                float value)
{
    void *floats = attribute->floats;
    if (!memory_grow(&floats, attribute->count, capacity, sizeof *attribute->floats))
        return onnx_no_memory(r);
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
static mien_status read_list(onnx_reader *r, const wire_field *field, attribute_context *c)
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

/* As in any protobuf onnx_reader, a field of another type than its number says is passed over. */
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

static mien_status attribute_field(onnx_reader *r, const wire_field *field, void *context)
{
    attribute_context *c = context;
    nn_attribute *attribute = c->attribute;
    wire_span unnamed;
    if (!has_type_of_attribute(field))
        return MIEN_OK;
    switch (field->number) {
    case 1:
        return onnx_copy_text(r, field->span, &attribute->name);
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
        return onnx_copy_text(r, field->span, &attribute->string);
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

static mien_status read_attribute(onnx_reader *r, node_context *c, wire_span span)
{
    nn_node *node = c->node;
    void *attributes = node->attributes;
    if (!memory_grow(&attributes, node->attribute_count, &c->attribute_capacity,
                     sizeof *node->attributes))
        return onnx_no_memory(r);
    node->attributes = attributes;
    nn_attribute *attribute = &node->attributes[node->attribute_count++];
    *attribute = (nn_attribute){0};
    attribute_context context = {.attribute = attribute};
    mien_status status = onnx_for_each_field(r, span, attribute_field, &context);
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

static mien_status node_field(onnx_reader *r, const wire_field *field, void *context)
{
    node_context *c = context;
    int index = -1;
    mien_status status = MIEN_OK;
    if (field->type != WIRE_BYTES)
        return MIEN_OK;
    switch (field->number) {
    case 1: /* input; an empty name is an optional input left out */
        if (field->span.size != 0)
            status = onnx_value_named(r, field->span, &index);
        if (status == MIEN_OK)
            status =
                onnx_append_index(r, &c->node->inputs, &c->input_count, &c->input_capacity, index);
        return status;
    case 2:
        if (field->span.size == 0)
            return MIEN_OK;
        status = onnx_value_named(r, field->span, &index);
        if (status == MIEN_OK)
            status = onnx_append_index(r, &c->node->outputs, &c->output_count, &c->output_capacity,
                                       index);
        return status;
    case 3:
        return onnx_copy_text(r, field->span, &c->node->name);
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

static mien_status take_constant(onnx_reader *r, nn_node *node, size_t offset)
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
        return onnx_no_memory(r);
    if (count != 0)
        memcpy(tensor.data, content, count * nn_type_size(tensor.type));
    value->tensor = tensor;
    return MIEN_OK;
}

static mien_status check_node(onnx_reader *r, const node_context *c, size_t offset)
{
    nn_node *node = c->node;
    int length = (int)(c->op_type.size < 60 ? c->op_type.size : 60);
    const char *op_name = (const char *)c->op_type.bytes;
    if (c->domain.size != 0 && !onnx_span_is(c->domain, "ai.onnx"))
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

mien_status onnx_read_node(onnx_reader *r, wire_span span)
{
    nn_graph *graph = r->graph;
    if (graph->node_count == ONNX_MAX_NODES)
        return error_set_at(r->error, MIEN_LIMIT, (int64_t)span.offset,
                            "the network has more than %d nodes", ONNX_MAX_NODES);
    void *nodes = graph->nodes;
    if (!memory_grow(&nodes, graph->node_count, &graph->node_capacity, sizeof *graph->nodes))
        return onnx_no_memory(r);
    graph->nodes = nodes;
    nn_node *node = &graph->nodes[graph->node_count++];
    *node = (nn_node){0};
    wire_span empty = {(const uint8_t *)"", 0, span.offset};
    node_context context = {.node = node, .op_type = empty, .domain = empty};
    mien_status status = onnx_for_each_field(r, span, node_field, &context);
    if (status == MIEN_OK && node->name == NULL)
        status = onnx_copy_text(r, context.op_type, &node->name);
    if (status != MIEN_OK)
        return status;
    node->input_count = (int)context.input_count;
    node->output_count = (int)context.output_count;
    if (onnx_span_is(context.op_type, "Constant")) {
        status = take_constant(r, node, span.offset);
        nn_graph constant = {.nodes = NULL};
        constant.nodes = memory_zeroed(1, sizeof *constant.nodes);
        if (constant.nodes == NULL)
            return onnx_no_memory(r);
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
