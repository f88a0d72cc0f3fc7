/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_BUILD_PARTS_H
#define NN_BUILD_PARTS_H

/*
 * What the layers of nn/build.h are put together from. Private to the builder. Every function does
 * nothing once the builder has failed, so that a layer needs no checks between its steps.
 */

#include "base/error.h"
#include "nn/build.h"

/* A name that no other layer has: "conv_1". */
typedef struct build_layer {
    char name[48];
} build_layer;

build_layer build_next_layer(nn_builder *b, const char *kind);

/* Records the builder's first error. Returns -1, so that a layer can end with it. */
int build_fail(nn_builder *b, mien_status status, const char *format, ...) BASE_PRINTF_LIKE(3, 4);

/* Whether the builder is well and `value` one of its values; its shape into *shape. */
bool build_shape_of(nn_builder *b, int value, nn_shape *shape);

/* The same, and the value has this rank. what: the layer, for the message. */
bool build_takes(nn_builder *b, const char *what, int value, int rank, nn_shape *shape);

/*
 * A new float constant "<layer>.<part>", all zero; *data is where to fill it in. Returns its index.
 * Failure: -1 and *data is NULL.
 */
int build_constant(nn_builder *b, const build_layer *layer, const char *part, nn_shape shape,
                   float **data);

/* The same of another type; *data in its type. */
int build_typed_constant(nn_builder *b, const build_layer *layer, const char *part, nn_type type,
                         nn_shape shape, void **data);

/* The index of a scalar constant of that value: one for all who need it. */
int build_scalar(nn_builder *b, float value);

/*
 * A node that makes one value, both named as the layer. The pointer is good until the next node is
 * added. Failure: NULL, which the functions below take and pass over.
 */
nn_node *build_node(nn_builder *b, const build_layer *layer, const char *op, const int *inputs,
                    int input_count, nn_shape output);
void build_int(nn_builder *b, nn_node *node, const char *name, int64_t value);
void build_float(nn_builder *b, nn_node *node, const char *name, float value);
void build_ints(nn_builder *b, nn_node *node, const char *name, const int64_t *values,
                size_t count);
void build_string(nn_builder *b, nn_node *node, const char *name, const char *text);

/* The value that a node makes, or -1 when the builder has failed. */
int build_result(const nn_builder *b, const nn_node *node);

/* A node of one input without attributes, whose output has the shape of its input. */
int build_same_shape(nn_builder *b, const char *kind, const char *op, int x);

#endif
