/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/onnx_write.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/half.h"
#include "nn/ref/ref.h"
#include "nn/wire_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IR_VERSION    8
#define PRODUCER      "mien"
#define HALF_ENDING   ".float16"
#define HALF_AT_LEAST 64 /* numbers */

/* TensorProto.DataType */
enum {
    ONNX_FLOAT = 1,
    ONNX_UINT8 = 2,
    ONNX_INT8 = 3,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_FLOAT16 = 10
};

/* How a value stands in the file. */
typedef enum storage {
    STORED_NOT, /* no constant */
    STORED_AS_IT_IS,
    STORED_INT32,    /* integers that DequantizeLinear reads: biases */
    STORED_HALF,     /* float16, read only by Cast nodes that are there already */
    STORED_HALF_CAST /* float16 under another name, with a Cast of its own */
} storage;

typedef struct writer {
    wire_writer out;
    const nn_graph *graph;
    storage *stored; /* (value_count) */
    int *order;      /* constants in the order of the file */
    size_t order_count;
} writer;

/* ---- Which constants, in which form and order ---- */

static bool is_cast_to_float(const nn_node *node)
{
    return node->op == &nn_op_cast && nn_node_int(node, "to", 0) == ONNX_FLOAT;
}

/* Long enough, and every number within the range of float16. */
static bool fits_half(const nn_tensor *tensor)
{
    int64_t count = nn_elements(&tensor->shape);
    const float *data = tensor->data;
    if (tensor->type != NN_FLOAT || count < HALF_AT_LEAST)
        return false;
    for (int64_t i = 0; i < count; i++)
        if (fabsf(data[i]) >= HALF_OVERFLOW && isfinite(data[i]))
            return false;
    return true;
}

/* The name of the float16 constant behind `name`: the caller's, free with free(). */
static char *half_name(const char *name)
{
    size_t length = strlen(name);
    char *text = malloc(length + sizeof HALF_ENDING);
    if (text == NULL)
        return NULL;
    memcpy(text, name, length);
    memcpy(text + length, HALF_ENDING, sizeof HALF_ENDING);
    return text;
}

static bool name_is_taken(const nn_graph *graph, const char *name)
{
    for (size_t v = 0; v < graph->value_count; v++)
        if (strcmp(graph->values[v].name, name) == 0)
            return true;
    return false;
}

/* ONNX has integers of 64 bits for shapes, but of 32 bits for what is dequantised. */
static void choose_int32(writer *w)
{
    for (size_t n = 0; n < w->graph->node_count; n++) {
        const nn_node *node = &w->graph->nodes[n];
        for (int i = 0; node->op == &nn_op_dequantize && i < node->input_count; i++) {
            int value = node->inputs[i];
            if (value >= 0 && w->stored[value] == STORED_AS_IT_IS &&
                w->graph->values[value].tensor.type == NN_INT)
                w->stored[value] = STORED_INT32;
        }
    }
}

/* only_cast[v]: a value that is read, and by Cast to float32 alone. */
static void find_only_cast(const nn_graph *graph, bool *only_cast, bool *read)
{
    for (size_t n = 0; n < graph->node_count; n++) {
        const nn_node *node = &graph->nodes[n];
        for (int i = 0; i < node->input_count; i++) {
            int value = node->inputs[i];
            if (value < 0)
                continue;
            only_cast[value] = is_cast_to_float(node) && (only_cast[value] || !read[value]);
            read[value] = true;
        }
    }
    for (size_t o = 0; o < graph->output_count; o++)
        only_cast[graph->outputs[o]] = false;
}

static bool choose_half(writer *w, size_t value, bool only_cast)
{
    if (!fits_half(&w->graph->values[value].tensor))
        return true;
    char *name = half_name(w->graph->values[value].name);
    if (name == NULL)
        return false;
    if (only_cast)
        w->stored[value] = STORED_HALF;
    else if (!name_is_taken(w->graph, name))
        w->stored[value] = STORED_HALF_CAST;
    free(name);
    return true;
}

static bool choose_storage(writer *w, onnx_weights weights)
{
    const nn_graph *graph = w->graph;
    bool *only_cast = memory_zeroed(graph->value_count, sizeof *only_cast);
    bool *read = memory_zeroed(graph->value_count, sizeof *read);
    bool fine = only_cast != NULL && read != NULL;
    if (fine)
        find_only_cast(graph, only_cast, read);
    for (size_t v = 0; fine && v < graph->value_count; v++) {
        if (graph->values[v].tensor.data == NULL)
            continue;
        w->stored[v] = STORED_AS_IT_IS;
        if (weights == ONNX_WEIGHTS_FLOAT16)
            fine = choose_half(w, v, only_cast[v]);
    }
    choose_int32(w);
    free(only_cast);
    free(read);
    return fine;
}

static void place(writer *w, bool *placed, int value, bool with_cast)
{
    if (value < 0 || placed[value] || w->stored[value] == STORED_NOT ||
        (w->stored[value] == STORED_HALF_CAST) != with_cast)
        return;
    placed[value] = true;
    w->order[w->order_count++] = value;
}

/* In the order in which the nodes of the file read them, and last those that none reads; so the
 * order does not hang on how the graph numbers its values. */
static bool order_constants(writer *w)
{
    const nn_graph *graph = w->graph;
    bool *placed = memory_zeroed(graph->value_count, sizeof *placed);
    if (placed == NULL)
        return false;
    for (int with_cast = 1; with_cast >= 0; with_cast--) { /* their Casts come first in the file */
        for (size_t n = 0; n < graph->node_count; n++)
            for (int i = 0; i < graph->nodes[n].input_count; i++)
                place(w, placed, graph->nodes[n].inputs[i], with_cast);
        for (size_t v = 0; v < graph->value_count; v++)
            place(w, placed, (int)v, with_cast);
    }
    free(placed);
    return true;
}

/* ---- Tensors ---- */

static void put_floats(wire_writer *out, const float *data, size_t count)
{
    uint8_t *room = wire_room(out, count * 4);
    for (size_t i = 0; room != NULL && i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &data[i], sizeof bits);
        wire_store32(room + 4 * i, bits);
    }
}

static void put_halves(wire_writer *out, const float *data, size_t count)
{
    uint8_t *room = wire_room(out, count * 2);
    for (size_t i = 0; room != NULL && i < count; i++) {
        uint16_t bits = half_of_float(data[i]);
        room[2 * i] = (uint8_t)bits;
        room[2 * i + 1] = (uint8_t)(bits >> 8);
    }
}

static void put_ints(wire_writer *out, const int64_t *data, size_t count)
{
    uint8_t *room = wire_room(out, count * 8);
    for (size_t i = 0; room != NULL && i < count; i++)
        wire_store64(room + 8 * i, (uint64_t)data[i]);
}

static void put_int32s(wire_writer *out, const int64_t *data, size_t count)
{
    uint8_t *room = wire_room(out, count * 4);
    for (size_t i = 0; room != NULL && i < count; i++)
        wire_store32(room + 4 * i, (uint32_t)data[i]);
}

static void put_bytes(wire_writer *out, const uint8_t *data, size_t count)
{
    uint8_t *room = wire_room(out, count);
    if (room != NULL)
        memcpy(room, data, count);
}

/* The type in the file of a tensor that stands there in its own type. */
static int64_t type_in_file(nn_type type)
{
    switch (type) {
    case NN_FLOAT:
        return ONNX_FLOAT;
    case NN_INT8:
        return ONNX_INT8;
    case NN_UINT8:
        return ONNX_UINT8;
    default:
        return ONNX_INT64;
    }
}

static void put_content(wire_writer *out, const nn_tensor *tensor, int64_t type)
{
    size_t count = (size_t)nn_elements(&tensor->shape);
    switch (type) {
    case ONNX_FLOAT:
        put_floats(out, tensor->data, count);
        break;
    case ONNX_FLOAT16:
        put_halves(out, tensor->data, count);
        break;
    case ONNX_INT32:
        put_int32s(out, tensor->data, count);
        break;
    case ONNX_INT64:
        put_ints(out, tensor->data, count);
        break;
    default:
        put_bytes(out, tensor->data, count);
        break;
    }
}

/* TensorProto as field `number`; type: in the file; name may be NULL. */
static void put_tensor(wire_writer *out, uint32_t number, const nn_tensor *tensor, int64_t type,
                       const char *name)
{
    size_t begin = wire_begin(out);
    for (int i = 0; i < tensor->shape.rank; i++)
        wire_put_varint(out, 1, (uint64_t)tensor->shape.dims[i]);
    wire_put_varint(out, 2, (uint64_t)type);
    if (name != NULL)
        wire_put_text(out, 8, name);
    size_t content = wire_begin(out);
    put_content(out, tensor, type);
    wire_end(out, 9, content);
    wire_end(out, number, begin);
}

static void put_initializer(writer *w, int value)
{
    const nn_value *v = &w->graph->values[value];
    storage stored = w->stored[value];
    int64_t type = stored == STORED_AS_IT_IS ? type_in_file(v->tensor.type)
                   : stored == STORED_INT32  ? ONNX_INT32
                                             : ONNX_FLOAT16;
    if (stored != STORED_HALF_CAST) {
        put_tensor(&w->out, 5, &v->tensor, type, v->name);
        return;
    }
    char *name = half_name(v->name);
    if (name == NULL)
        w->out.failed = true;
    else
        put_tensor(&w->out, 5, &v->tensor, type, name);
    free(name);
}

/* ---- Nodes ---- */

/* AttributeProto.AttributeType */
static uint64_t type_of_kind(nn_attribute_kind kind)
{
    switch (kind) {
    case NN_ATTRIBUTE_FLOAT:
        return 1;
    case NN_ATTRIBUTE_INT:
        return 2;
    case NN_ATTRIBUTE_STRING:
        return 3;
    case NN_ATTRIBUTE_TENSOR:
        return 4;
    case NN_ATTRIBUTE_FLOATS:
        return 6;
    case NN_ATTRIBUTE_INTS:
        return 7;
    }
    return 0;
}

/* Cast makes float32 and int64 alone: one to a narrower type is one to these. */
static int64_t plain_cast(int64_t type)
{
    bool real = type == ONNX_FLOAT || type == ONNX_FLOAT16 || type == 11;
    return real ? ONNX_FLOAT : ONNX_INT64;
}

static void put_attribute(wire_writer *out, const nn_node *node, const nn_attribute *attribute)
{
    bool cast = node->op == &nn_op_cast && strcmp(attribute->name, "to") == 0;
    size_t begin = wire_begin(out);
    wire_put_text(out, 1, attribute->name);
    switch (attribute->kind) {
    case NN_ATTRIBUTE_FLOAT:
        wire_put_float(out, 2, attribute->f);
        break;
    case NN_ATTRIBUTE_INT:
        wire_put_varint(out, 3, (uint64_t)(cast ? plain_cast(attribute->i) : attribute->i));
        break;
    case NN_ATTRIBUTE_STRING:
        wire_put_text(out, 4, attribute->string != NULL ? attribute->string : "");
        break;
    case NN_ATTRIBUTE_TENSOR:
        if (attribute->tensor.data != NULL)
            put_tensor(out, 5, &attribute->tensor, type_in_file(attribute->tensor.type), NULL);
        break;
    case NN_ATTRIBUTE_FLOATS:
        for (size_t i = 0; i < attribute->count; i++)
            wire_put_float(out, 7, attribute->floats[i]);
        break;
    case NN_ATTRIBUTE_INTS:
        for (size_t i = 0; i < attribute->count; i++)
            wire_put_varint(out, 8, (uint64_t)attribute->ints[i]);
        break;
    }
    wire_put_varint(out, 20, type_of_kind(attribute->kind));
    wire_end(out, 5, begin);
}

static void put_node(writer *w, const nn_node *node)
{
    wire_writer *out = &w->out;
    const nn_value *values = w->graph->values;
    size_t begin = wire_begin(out);
    for (int i = 0; i < node->input_count; i++)
        wire_put_text(out, 1, node->inputs[i] >= 0 ? values[node->inputs[i]].name : "");
    for (int o = 0; o < node->output_count; o++)
        wire_put_text(out, 2, values[node->outputs[o]].name);
    wire_put_text(out, 3, node->name);
    wire_put_text(out, 4, node->op->name);
    for (size_t a = 0; a < node->attribute_count; a++)
        put_attribute(out, node, &node->attributes[a]);
    wire_end(out, 1, begin);
}

/* Makes the float32 of a constant that is stored as float16. */
static void put_cast(writer *w, const char *name)
{
    wire_writer *out = &w->out;
    nn_node cast = {.op = &nn_op_cast};
    nn_attribute to = {.name = (char[]){"to"}, .kind = NN_ATTRIBUTE_INT, .i = ONNX_FLOAT};
    char *stored_name = half_name(name);
    if (stored_name == NULL) {
        out->failed = true;
        return;
    }
    size_t begin = wire_begin(out);
    wire_put_text(out, 1, stored_name);
    wire_put_text(out, 2, name);
    wire_put_text(out, 3, stored_name);
    wire_put_text(out, 4, cast.op->name);
    put_attribute(out, &cast, &to);
    wire_end(out, 1, begin);
    free(stored_name);
}

/* ---- Inputs and outputs ---- */

/* The batch is "N"; other open dimensions stay without a name. */
static void put_dimension(wire_writer *out, int index, int64_t dim)
{
    size_t begin = wire_begin(out);
    if (dim != NN_UNKNOWN_DIM)
        wire_put_varint(out, 1, (uint64_t)dim);
    else if (index == 0)
        wire_put_text(out, 2, "N");
    wire_end(out, 1, begin);
}

/* ValueInfoProto as field `number`. */
static void put_end(wire_writer *out, uint32_t number, const nn_value *value)
{
    const nn_shape *shape = &value->tensor.shape;
    size_t begin = wire_begin(out);
    wire_put_text(out, 1, value->name);
    size_t type = wire_begin(out), tensor_type = type;
    wire_put_varint(out, 1, (uint64_t)type_in_file(value->tensor.type));
    if (shape->rank != NN_UNKNOWN_RANK) {
        size_t dims = wire_begin(out);
        for (int i = 0; i < shape->rank; i++)
            put_dimension(out, i, shape->dims[i]);
        wire_end(out, 2, dims);
    }
    wire_end(out, 1, tensor_type);
    wire_end(out, 2, type);
    wire_end(out, number, begin);
}

/* ---- The model ---- */

static void put_graph(writer *w)
{
    const nn_graph *graph = w->graph;
    wire_writer *out = &w->out;
    size_t begin = wire_begin(out);
    for (size_t i = 0; i < w->order_count; i++)
        if (w->stored[w->order[i]] == STORED_HALF_CAST)
            put_cast(w, graph->values[w->order[i]].name);
    for (size_t n = 0; n < graph->node_count; n++)
        put_node(w, &graph->nodes[n]);
    wire_put_text(out, 2, PRODUCER);
    for (size_t i = 0; i < w->order_count; i++)
        put_initializer(w, w->order[i]);
    for (size_t i = 0; i < graph->input_count; i++)
        put_end(out, 11, &graph->values[graph->inputs[i]]);
    for (size_t o = 0; o < graph->output_count; o++)
        put_end(out, 12, &graph->values[graph->outputs[o]]);
    wire_end(out, 7, begin);
}

static void put_model(writer *w)
{
    const nn_graph *graph = w->graph;
    wire_writer *out = &w->out;
    wire_put_varint(out, 1, IR_VERSION);
    wire_put_text(out, 2, PRODUCER);
    put_graph(w);
    size_t opset = wire_begin(out);
    wire_put_text(out, 1, "");
    wire_put_varint(out, 2, (uint64_t)graph->opset);
    wire_end(out, 8, opset);
    for (size_t m = 0; m < graph->metadata_count; m++) {
        size_t entry = wire_begin(out);
        wire_put_text(out, 1, graph->metadata[m].key);
        wire_put_text(out, 2, graph->metadata[m].value);
        wire_end(out, 14, entry);
    }
}

mien_status onnx_write(const nn_graph *graph, onnx_weights weights, uint8_t **bytes, size_t *size,
                       mien_error *error)
{
    writer w = {.graph = graph,
                .stored = memory_zeroed(graph->value_count, sizeof *w.stored),
                .order = memory_zeroed(graph->value_count, sizeof *w.order)};
    mien_status status = MIEN_OK;
    *bytes = NULL;
    *size = 0;
    if (w.stored != NULL && w.order != NULL && choose_storage(&w, weights) && order_constants(&w))
        put_model(&w);
    else
        w.out.failed = true;
    if (w.out.failed) {
        free(w.out.bytes);
        status = error_set(error, MIEN_OUT_OF_MEMORY, "out of memory for an ONNX file");
    } else {
        *bytes = w.out.bytes;
        *size = w.out.size;
    }
    free(w.stored);
    free(w.order);
    return status;
}
