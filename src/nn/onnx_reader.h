/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ONNX_READER_H
#define NN_ONNX_READER_H

/* What the files that read ONNX share. Private to the ONNX reader. */

#include "base/names.h"
#include "nn/graph.h"
#include "nn/wire.h"

typedef struct onnx_reader {
    nn_graph *graph;
    name_table values; /* name -> index in graph->values */
    mien_error *error;
} onnx_reader;

/* Called for each field of a message; fields that are not wanted are passed over. */
typedef mien_status (*onnx_field_handler)(onnx_reader *r, const wire_field *field, void *context);

/* Calls handle for each field of a message until one fails. MIEN_MALFORMED when it is cut short. */
mien_status onnx_for_each_field(onnx_reader *r, wire_span span, onnx_field_handler handle,
                                void *context);

mien_status onnx_no_memory(onnx_reader *r);

/* A copy of a text, freed with free(); *text is freed first. MIEN_MALFORMED when it holds a zero.
 */
mien_status onnx_copy_text(onnx_reader *r, wire_span span, char **text);

bool onnx_span_is(wire_span span, const char *text);

/* The index of the value of that name; made new when there is none. */
mien_status onnx_value_named(onnx_reader *r, wire_span name, int *index);

/* Adds an index to a growing list. */
mien_status onnx_append_index(onnx_reader *r, int **list, size_t *count, size_t *capacity,
                              int index);

/* Adds a NodeProto to the graph (onnx_node.c). Constant nodes become constant values. */
mien_status onnx_read_node(onnx_reader *r, wire_span span);

#endif
