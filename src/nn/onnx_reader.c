/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/onnx_reader.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

mien_status onnx_for_each_field(onnx_reader *r, wire_span span, onnx_field_handler handle,
                                void *context)
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

mien_status onnx_no_memory(onnx_reader *r)
{
    return error_set(r->error, MIEN_OUT_OF_MEMORY, "out of memory for the network");
}

mien_status onnx_copy_text(onnx_reader *r, wire_span span, char **text)
{
    if (memchr(span.bytes, 0, span.size) != NULL)
        return error_set_at(r->error, MIEN_MALFORMED, (int64_t)span.offset,
                            "a name holds a zero byte");
    char *copy = memory_copy_bytes_as_string((const char *)span.bytes, span.size);
    if (copy == NULL)
        return onnx_no_memory(r);
    free(*text);
    *text = copy;
    return MIEN_OK;
}

/* The index of the value of that name; made new when there is none. */
mien_status onnx_value_named(onnx_reader *r, wire_span name, int *index)
{
    *index = name_table_find(&r->values, (const char *)name.bytes, name.size);
    if (*index >= 0)
        return MIEN_OK;
    nn_graph *graph = r->graph;
    void *values = graph->values;
    if (!memory_grow(&values, graph->value_count, &graph->value_capacity, sizeof *graph->values))
        return onnx_no_memory(r);
    graph->values = values;
    nn_value *value = &graph->values[graph->value_count];
    *value = (nn_value){.tensor.shape.rank = NN_UNKNOWN_RANK};
    mien_status status = onnx_copy_text(r, name, &value->name);
    if (status != MIEN_OK)
        return status;
    *index = (int)graph->value_count++;
    if (!name_table_add(&r->values, value->name, name.size, *index))
        return onnx_no_memory(r);
    return MIEN_OK;
}

mien_status onnx_append_index(onnx_reader *r, int **list, size_t *count, size_t *capacity,
                              int index)
{
    void *items = *list;
    if (!memory_grow(&items, *count, capacity, sizeof **list))
        return onnx_no_memory(r);
    *list = items;
    (*list)[(*count)++] = index;
    return MIEN_OK;
}

bool onnx_span_is(wire_span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.bytes, text, span.size) == 0;
}

/* Constant nodes become constant values at once. */
