/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/onnx.h"
#include "nn/onnx_qlinear.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/onnx_reader.h"
#include "nn/onnx_tensor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- Inputs, outputs, constants ---- */

typedef struct type_context {
    nn_tensor tensor;
    wire_span name;
} type_context;

static mien_status dimension_field(onnx_reader *r, const wire_field *field, void *context)
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

static mien_status shape_field(onnx_reader *r, const wire_field *field, void *context)
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
    return onnx_for_each_field(r, field->span, dimension_field, dim);
}

static mien_status tensor_type_field(onnx_reader *r, const wire_field *field, void *context)
{
    type_context *c = context;
    if (field->number == 1 && field->type == WIRE_VARINT)
        c->tensor.type = field->scalar == 1 ? NN_FLOAT : NN_INT;
    if (field->number != 2 || field->type != WIRE_BYTES)
        return MIEN_OK;
    c->tensor.shape.rank = 0;
    return onnx_for_each_field(r, field->span, shape_field, c);
}

static mien_status type_field(onnx_reader *r, const wire_field *field, void *context)
{
    if (field->number != 1 || field->type != WIRE_BYTES)
        return MIEN_OK;
    return onnx_for_each_field(r, field->span, tensor_type_field, context);
}

static mien_status value_info_field(onnx_reader *r, const wire_field *field, void *context)
{
    type_context *c = context;
    if (field->type != WIRE_BYTES)
        return MIEN_OK;
    if (field->number == 1)
        c->name = field->span;
    if (field->number == 2)
        return onnx_for_each_field(r, field->span, type_field, c);
    return MIEN_OK;
}

static mien_status read_value_info(onnx_reader *r, wire_span span, bool is_input)
{
    type_context context = {.tensor.shape.rank = NN_UNKNOWN_RANK,
                            .name = {(const uint8_t *)"", 0, span.offset}};
    mien_status status = onnx_for_each_field(r, span, value_info_field, &context);
    int index;
    if (status == MIEN_OK)
        status = onnx_value_named(r, context.name, &index);
    if (status != MIEN_OK)
        return status;
    nn_graph *graph = r->graph;
    nn_value *value = &graph->values[index];
    if (!is_input) {
        if (value->tensor.shape.rank == NN_UNKNOWN_RANK)
            value->tensor.shape = context.tensor.shape;
        return onnx_append_index(r, &graph->outputs, &graph->output_count, &graph->output_capacity,
                                 index);
    }
    if (value->tensor.data != NULL) /* older files list their constants as inputs */
        return MIEN_OK;
    if (context.tensor.type != NN_FLOAT)
        return error_set_at(r->error, MIEN_UNSUPPORTED, (int64_t)span.offset,
                            "input '%s' is not of type float32", value->name);
    value->tensor.type = NN_FLOAT;
    value->tensor.shape = context.tensor.shape;
    return onnx_append_index(r, &graph->inputs, &graph->input_count, &graph->input_capacity, index);
}

static mien_status read_initializer(onnx_reader *r, wire_span span)
{
    nn_tensor tensor;
    wire_span name;
    mien_status status = onnx_read_tensor(span, &tensor, &name, r->error);
    if (status != MIEN_OK)
        return status;
    int index;
    status = onnx_value_named(r, name, &index);
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
static mien_status graph_constants(onnx_reader *r, const wire_field *field, void *context)
{
    (void)context;
    if (field->type == WIRE_BYTES && field->number == 5)
        return read_initializer(r, field->span);
    if (field->number == 15)
        return error_set_at(r->error, MIEN_UNSUPPORTED, (int64_t)field->span.offset,
                            "sparse constants are not supported");
    return MIEN_OK;
}

static mien_status graph_rest(onnx_reader *r, const wire_field *field, void *context)
{
    (void)context;
    if (field->type != WIRE_BYTES)
        return MIEN_OK;
    switch (field->number) {
    case 1:
        return onnx_read_node(r, field->span);
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

static mien_status opset_field(onnx_reader *r, const wire_field *field, void *context)
{
    (void)r;
    model_context *c = context;
    if (field->number == 1 && field->type == WIRE_BYTES)
        c->domain = field->span;
    if (field->number == 2 && field->type == WIRE_VARINT)
        c->version = (int64_t)field->scalar;
    return MIEN_OK;
}

static mien_status metadata_field(onnx_reader *r, const wire_field *field, void *context)
{
    nn_metadata *entry = context;
    if (field->type == WIRE_BYTES && field->number == 1)
        return onnx_copy_text(r, field->span, &entry->key);
    if (field->type == WIRE_BYTES && field->number == 2)
        return onnx_copy_text(r, field->span, &entry->value);
    return MIEN_OK;
}

static mien_status read_metadata(onnx_reader *r, wire_span span)
{
    nn_graph *graph = r->graph;
    void *metadata = graph->metadata;
    if (!memory_grow(&metadata, graph->metadata_count, &graph->metadata_capacity,
                     sizeof *graph->metadata))
        return onnx_no_memory(r);
    graph->metadata = metadata;
    nn_metadata *entry = &graph->metadata[graph->metadata_count++];
    *entry = (nn_metadata){0};
    mien_status status = onnx_for_each_field(r, span, metadata_field, entry);
    if (status == MIEN_OK && (entry->key == NULL || entry->value == NULL))
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)span.offset,
                            "an entry of the metadata has no key or no value");
    return status;
}

static mien_status model_field(onnx_reader *r, const wire_field *field, void *context)
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
        status = onnx_for_each_field(r, field->span, opset_field, c);
        if (status == MIEN_OK && (c->domain.size == 0 || onnx_span_is(c->domain, "ai.onnx")))
            r->graph->opset = c->version > 0 && c->version < 1000 ? (int)c->version : -1;
        return status;
    case 14:
        return read_metadata(r, field->span);
    default:
        return MIEN_OK;
    }
}

static mien_status read_model(onnx_reader *r, wire_span file)
{
    model_context context = {0};
    mien_status status = onnx_for_each_field(r, file, model_field, &context);
    if (status != MIEN_OK)
        return status;
    if (!context.has_graph)
        return error_set(r->error, MIEN_MALFORMED, "not an ONNX model: it holds no network");
    if (r->graph->opset < ONNX_MIN_OPSET || r->graph->opset > ONNX_MAX_OPSET)
        return error_set(r->error, MIEN_UNSUPPORTED, "opset %d is not supported, only %d to %d",
                         r->graph->opset, ONNX_MIN_OPSET, ONNX_MAX_OPSET);
    status = onnx_for_each_field(r, context.graph, graph_constants, NULL);
    if (status == MIEN_OK)
        status = onnx_for_each_field(r, context.graph, graph_rest, NULL);
    if (status != MIEN_OK)
        return status;
    if (r->graph->input_count == 0 || r->graph->output_count == 0)
        return error_set(r->error, MIEN_MALFORMED, "the network has no %s",
                         r->graph->input_count == 0 ? "input" : "output");
    status = onnx_expand_qlinear(r->graph, r->error);
    return status == MIEN_OK ? nn_graph_sort(r->graph, r->error) : status;
}

mien_status onnx_read(const void *bytes, size_t size, nn_graph *graph, mien_error *error)
{
    *graph = (nn_graph){0};
    if (size == 0)
        return error_set_at(error, MIEN_MALFORMED, 0, "the file is empty");
    if (size > ONNX_MAX_FILE_SIZE)
        return error_set(error, MIEN_LIMIT, "the file has %zu bytes, the limit is %zu", size,
                         ONNX_MAX_FILE_SIZE);
    onnx_reader r = {.graph = graph, .error = error};
    mien_status status = read_model(&r, (wire_span){bytes, size, 0});
    name_table_free(&r.values);
    if (status != MIEN_OK)
        nn_graph_free(graph);
    return status;
}
