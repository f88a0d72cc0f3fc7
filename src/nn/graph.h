/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_GRAPH_H
#define NN_GRAPH_H

/*
 * A network as it stands in its file: values (tensors), nodes (operators) in an order in which they
 * can run, attributes, metadata. Shapes may have unknown dimensions; nn/plan.h settles them.
 *
 * Element types: float32; int64 for everything that describes shapes; int8 and uint8 for quantised
 * numbers. Other number types in a file are converted when it is read.
 *
 * A graph is plain data. Once built it is only read, so any number of threads may share it.
 */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NN_MAX_RANK     6
#define NN_UNKNOWN_DIM  (-1) /* a dimension that the plan settles */
#define NN_UNKNOWN_RANK (-1) /* nothing is known of the shape; also: an optional input left out */
#define NN_MAX_ELEMENTS ((int64_t)1 << 28) /* largest tensor that is accepted */

typedef enum nn_type {
    NN_FLOAT,
    NN_INT,
    NN_INT8,
    NN_UINT8,
    NN_BFLOAT16 /* in plans alone */
} nn_type;

typedef struct nn_shape {
    int rank;
    int64_t dims[NN_MAX_RANK];
} nn_shape;

/* A tensor, row-major ("NCHW" for pictures). data is NULL while the content is not known. */
typedef struct nn_tensor {
    nn_type type;
    nn_shape shape;
    void *data; /* float, int64_t, int8_t or uint8_t */
} nn_tensor;

typedef struct nn_value {
    char *name;
    nn_tensor tensor; /* data: owned by the graph, not NULL for constants only */
} nn_value;

typedef enum nn_attribute_kind {
    NN_ATTRIBUTE_INT,
    NN_ATTRIBUTE_FLOAT,
    NN_ATTRIBUTE_STRING,
    NN_ATTRIBUTE_INTS,
    NN_ATTRIBUTE_FLOATS,
    NN_ATTRIBUTE_TENSOR
} nn_attribute_kind;

typedef struct nn_attribute {
    char *name;
    nn_attribute_kind kind;
    int64_t i;
    float f;
    char *string;
    size_t count; /* of ints or floats */
    int64_t *ints;
    float *floats;
    nn_tensor tensor; /* data owned */
} nn_attribute;

typedef struct nn_op nn_op; /* nn/op.h */

typedef struct nn_node {
    const nn_op *op;
    char *name;
    int *inputs; /* indices of values; -1 where an optional input is left out */
    int input_count;
    int *outputs;
    int output_count;
    nn_attribute *attributes;
    size_t attribute_count;
} nn_node;

typedef struct nn_metadata {
    char *key;
    char *value;
} nn_metadata;

typedef struct nn_graph {
    nn_value *values;
    size_t value_count, value_capacity;
    nn_node *nodes; /* every node comes after those whose outputs it reads */
    size_t node_count, node_capacity;
    int *inputs; /* indices of values */
    size_t input_count, input_capacity;
    int *outputs;
    size_t output_count, output_capacity;
    nn_metadata *metadata;
    size_t metadata_count, metadata_capacity;
    int opset;
} nn_graph;

void nn_graph_free(nn_graph *graph);

/* The value of a metadata key, or NULL. */
const char *nn_graph_metadata(const nn_graph *graph, const char *key);

/* Sets it, replacing an older value; both texts are copied. MIEN_OUT_OF_MEMORY. */
mien_status nn_graph_set_metadata(nn_graph *graph, const char *key, const char *value,
                                  mien_error *error);

/* Frees what an attribute owns. */
void nn_attribute_free(nn_attribute *attribute);

/* The attribute of that name and kind, or NULL. */
const nn_attribute *nn_node_attribute(const nn_node *node, const char *name,
                                      nn_attribute_kind kind);
int64_t nn_node_int(const nn_node *node, const char *name, int64_t otherwise);
float nn_node_float(const nn_node *node, const char *name, float otherwise);
const char *nn_node_string(const nn_node *node, const char *name, const char *otherwise);

/*
 * Number of elements of a shape without unknown dimensions. false when a dimension is negative or
 * unknown, or the product is over NN_MAX_ELEMENTS.
 */
bool nn_shape_elements(const nn_shape *shape, int64_t *elements);

bool nn_shape_equal(const nn_shape *a, const nn_shape *b);

/* "1x3x224x224", "?" for unknown dimensions, into the caller's buffer. Returns the buffer. */
#define NN_SHAPE_TEXT_SIZE 96
const char *nn_shape_text(const nn_shape *shape, char text[NN_SHAPE_TEXT_SIZE]);

/* Bytes of one element. */
size_t nn_type_size(nn_type type);

/* Whether it is int8 or uint8. */
bool nn_type_is_byte(nn_type type);

/*
 * Sorts the nodes so that each comes after those it reads from. MIEN_MALFORMED when a value has no
 * producer, has two, or when nodes feed each other in a cycle; the message names the node.
 */
mien_status nn_graph_sort(nn_graph *graph, mien_error *error);

#endif
