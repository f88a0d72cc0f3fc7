/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_NN_ONNX_BYTES_H
#define TESTS_UNIT_NN_ONNX_BYTES_H

/* Writing ONNX models, right and wrong ones, for tests. */

#include "support.h"

#include "nn/nn.h"

#define ONNX_BYTES_ROOM 16384

/* A protobuf message that grows. Starts zeroed. */
typedef struct message {
    uint8_t bytes[ONNX_BYTES_ROOM];
    size_t size;
} message;

static inline void put_byte(message *m, uint8_t byte)
{
    assert_true(m->size < ONNX_BYTES_ROOM);
    m->bytes[m->size++] = byte;
}

static inline void put_varint(message *m, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_byte(m, (uint8_t)(value | 0x80));
    put_byte(m, (uint8_t)value);
}

static inline void put_int(message *m, uint32_t field, int64_t value)
{
    put_varint(m, (uint64_t)field << 3);
    put_varint(m, (uint64_t)value);
}

static inline void put_bytes(message *m, uint32_t field, const void *bytes, size_t size)
{
    put_varint(m, (uint64_t)field << 3 | 2);
    put_varint(m, size);
    for (size_t i = 0; i < size; i++)
        put_byte(m, ((const uint8_t *)bytes)[i]);
}

static inline void put_text(message *m, uint32_t field, const char *text)
{
    put_bytes(m, field, text, strlen(text));
}

static inline void put_message(message *m, uint32_t field, const message *inner)
{
    put_bytes(m, field, inner->bytes, inner->size);
}

enum { ONNX_TYPE_FLOAT = 1, ONNX_TYPE_INT32 = 6, ONNX_TYPE_INT64 = 7, ONNX_TYPE_STRING = 8 };

/* TensorProto; bytes: raw_data. */
static inline message tensor_of(const char *name, int type, const int64_t *dims, int rank,
                                const void *bytes, size_t size)
{
    message m = {.size = 0};
    for (int i = 0; i < rank; i++)
        put_int(&m, 1, dims[i]);
    put_int(&m, 2, type);
    put_text(&m, 8, name);
    put_bytes(&m, 9, bytes, size);
    return m;
}

/* "Relu x > y" or "Conv x w b > y": operator, inputs, outputs; "-" is an input left out. */
static inline message node_of(const char *text)
{
    message m = {.size = 0};
    char copy[200], *rest = copy;
    assert_true(strlen(text) < sizeof copy);
    strcpy(copy, text);
    put_text(&m, 4, strtok_r(copy, " ", &rest));
    uint32_t field = 1;
    for (char *word; (word = strtok_r(NULL, " ", &rest)) != NULL;) {
        if (strcmp(word, ">") == 0)
            field = 2;
        else
            put_text(&m, field, strcmp(word, "-") == 0 ? "" : word);
    }
    return m;
}

static inline void add_ints(message *node, const char *name, const int64_t *values, size_t count)
{
    message m = {.size = 0};
    put_text(&m, 1, name);
    for (size_t i = 0; i < count; i++)
        put_int(&m, 8, values[i]);
    put_int(&m, 20, 7);
    put_message(node, 5, &m);
}

static inline void add_int(message *node, const char *name, int64_t value)
{
    message m = {.size = 0};
    put_text(&m, 1, name);
    put_int(&m, 3, value);
    put_int(&m, 20, 2);
    put_message(node, 5, &m);
}

/* ValueInfoProto; a dimension of -1 is left open. rank -1: no shape at all. */
static inline message value_of(const char *name, int type, const int64_t *dims, int rank)
{
    message shape = {.size = 0}, tensor = {.size = 0}, kind = {.size = 0}, m = {.size = 0};
    for (int i = 0; i < rank; i++) {
        message dim = {.size = 0};
        if (dims[i] == -1)
            put_text(&dim, 2, "N");
        else
            put_int(&dim, 1, dims[i]);
        put_message(&shape, 1, &dim);
    }
    put_int(&tensor, 1, type);
    if (rank >= 0)
        put_message(&tensor, 2, &shape);
    put_message(&kind, 1, &tensor);
    put_text(&m, 1, name);
    put_message(&m, 2, &kind);
    return m;
}

/* A graph under construction, with the helpers that most tests need. */
static inline void add_node(message *graph, const char *text)
{
    message node = node_of(text);
    put_message(graph, 1, &node);
}

static inline void add_input(message *graph, const char *name, const int64_t *dims, int rank)
{
    message value = value_of(name, ONNX_TYPE_FLOAT, dims, rank);
    put_message(graph, 11, &value);
}

static inline void add_output(message *graph, const char *name)
{
    message value = value_of(name, ONNX_TYPE_FLOAT, NULL, -1);
    put_message(graph, 12, &value);
}

static inline void add_floats(message *graph, const char *name, const int64_t *dims, int rank,
                              const float *values, size_t count)
{
    message tensor = tensor_of(name, ONNX_TYPE_FLOAT, dims, rank, values, count * sizeof *values);
    put_message(graph, 5, &tensor);
}

static inline void add_int64s(message *graph, const char *name, const int64_t *values, size_t count)
{
    int64_t dims[1] = {(int64_t)count};
    message tensor = tensor_of(name, ONNX_TYPE_INT64, dims, 1, values, count * sizeof *values);
    put_message(graph, 5, &tensor);
}

static inline message model_of(const message *graph, int64_t opset)
{
    message m = {.size = 0}, version = {.size = 0};
    put_int(&m, 1, 8);
    put_message(&m, 7, graph);
    put_int(&version, 2, opset);
    put_message(&m, 8, &version);
    return m;
}

static inline mien_status read_graph(const message *graph, nn_model **model, mien_error *error)
{
    message m = model_of(graph, 13);
    return nn_model_read(m.bytes, m.size, model, error);
}

/* Reading the graph fails so; nothing is left to free. */
static inline void assert_unreadable(const message *graph, mien_status status, const char *part)
{
    nn_model *model = (nn_model *)(uintptr_t)8;
    mien_error error;
    assert_fails(status, read_graph(graph, &model, &error), &error, part);
    assert_null(model);
}

/* It can be read, but not shaped, with kernels or without. */
static inline void assert_unshapable(const message *graph, const nn_plan_options *wanted,
                                     mien_status status, const char *part)
{
    nn_model *model;
    mien_error error;
    assert_ok(read_graph(graph, &model, &error), &error);
    for (int with_kernels = 0; with_kernels < 2; with_kernels++) {
        nn_plan *plan = (nn_plan *)(uintptr_t)8;
        nn_plan_options options = *wanted;
        options.kernels = with_kernels ? nn_kernels_best() : NULL;
        assert_fails(status, nn_plan_create(model, &options, &plan, &error), &error, part);
        assert_null(plan);
    }
    nn_model_free(model);
}

/* x (1, 2, 4, 4) -> Conv w (3, 2, 3, 3) -> Relu -> y, as most tests begin. */
static inline message small_graph(void)
{
    message graph = {.size = 0};
    static const int64_t x[4] = {-1, 2, 4, 4}, w[4] = {3, 2, 3, 3};
    float weights[54];
    for (int i = 0; i < 54; i++)
        weights[i] = (float)(i % 7 - 3) / 4;
    add_input(&graph, "x", x, 4);
    add_floats(&graph, "w", w, 4, weights, 54);
    add_node(&graph, "Conv x w > c");
    add_node(&graph, "Relu c > y");
    add_output(&graph, "y");
    return graph;
}

/*
 * x (4, 8, 13, 11), 1x1 to 16 channels: a, depthwise, 1x1, a added: r, whose sigmoid is s, and
 * which is pooled and goes through a 3x3 window: q. With enough work for BF16 kernels.
 */
static inline message residual_graph(void)
{
    static const int64_t x[4] = {4, 8, 13, 11}, sides[2] = {2, 2}, pads[4] = {1, 1, 1, 1};
    static const struct {
        const char *name;
        int64_t dims[4];
    } weights[] = {
        {"w", {16, 8, 1, 1}}, {"d", {16, 1, 3, 3}}, {"p", {16, 16, 1, 1}}, {"v", {16, 16, 3, 3}}};
    message graph = {.size = 0};
    test_random random = {5};
    add_input(&graph, "x", x, 4);
    for (size_t i = 0; i < 4; i++) {
        const int64_t *dims = weights[i].dims;
        size_t count = (size_t)(dims[0] * dims[1] * dims[2] * dims[3]);
        float values[2304];
        for (size_t k = 0; k < count; k++)
            values[k] = test_random_float(&random);
        add_floats(&graph, weights[i].name, dims, 4, values, count);
    }
    message depthwise = node_of("Conv a d > e"), pool = node_of("MaxPool r > m");
    add_int(&depthwise, "group", 16);
    add_ints(&depthwise, "pads", pads, 4);
    add_ints(&pool, "kernel_shape", sides, 2);
    add_ints(&pool, "strides", sides, 2);
    add_node(&graph, "Conv x w > b");
    add_node(&graph, "Relu b > a");
    put_message(&graph, 1, &depthwise);
    add_node(&graph, "Conv e p > f");
    add_node(&graph, "Add f a > r");
    add_node(&graph, "Sigmoid r > s");
    put_message(&graph, 1, &pool);
    add_node(&graph, "Conv m v > q");
    add_output(&graph, "s");
    add_output(&graph, "q");
    return graph;
}

#endif
