/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_TRANSFER_H
#define TRAIN_TRANSFER_H

/* Going on from a network in an ONNX file: its weights, or its graph with a new head. */

#include "nn/graph.h"
#include "train/recipe.h"

/*
 * Reads a graph from the bytes of an ONNX file for learning: constants that a Cast turns into
 * float32 (stored as float16) become float32 constants of the Cast's name.
 * Success: the caller frees with nn_graph_free. Failure: *graph is zeroed; errors of onnx_read.
 */
mien_status transfer_read(const void *bytes, size_t size, nn_graph *graph, mien_error *error);

/* Whether a node has weights (Conv, Gemm, BatchNormalization). */
bool transfer_has_parameters(const nn_node *node);

typedef struct transfer_counts {
    size_t taken, left; /* weights, biases and statistics of the graph that gets them */
} transfer_counts;

/*
 * Copies the weights, biases and statistics of `from` into those of `to` with the same name and
 * shape; the others stay. MIEN_NOT_FOUND: there are none.
 */
mien_status transfer_weights(const nn_graph *from, const nn_graph *to, transfer_counts *counts,
                             mien_error *error);

/* What a graph becomes. */
typedef struct transfer_head {
    const char *features; /* the tensor where the head begins, (N, dims), or (N, C, H, W): its means
                             over the picture are taken */
    const recipe_layer *layers;
    int layer_count;
    int classes;
    int height, width; /* of the input, pixels; 0: as it is */
    uint64_t seed;     /* of the head's weights */
} transfer_head;

/*
 * Cuts off what lies behind the features, and puts there the layers, a dense layer to the classes
 * and a softmax. The outputs are logits, probabilities and features (what goes into the last dense
 * layer, in front of dropout), as in the zoo. Metadata under mien. goes. *body: the value of the
 * graph where the head begins.
 * Failure: *graph is freed and zeroed; MIEN_NOT_FOUND (no such tensor), MIEN_UNSUPPORTED,
 * MIEN_SHAPE (the size does not go with the graph), MIEN_OUT_OF_MEMORY.
 */
mien_status transfer_new_head(nn_graph *graph, const transfer_head *head, int *body,
                              mien_error *error);

#endif
