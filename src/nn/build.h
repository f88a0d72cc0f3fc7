/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_BUILD_H
#define NN_BUILD_H

/*
 * Building networks in code, node by node, with fresh weights. Values are named by their index in
 * the graph. The builder remembers the first error: after one, every call does nothing and returns
 * -1, and nn_build_finish reports it. Not thread-safe.
 */

#include "base/random.h"
#include "nn/graph.h"

typedef struct nn_builder {
    nn_graph *graph;     /* filled; the caller's */
    random_state random; /* for weights */
    mien_status status;
    mien_error error;
    int counter; /* names: "conv_1", "bn_2", ...; constants: "conv_1.weight", "bn_2.mean" */
} nn_builder;

/* Starts a graph of opset 13. seed: of the weights. */
void nn_build_start(nn_builder *b, nn_graph *graph, uint64_t seed);

/* Goes on with a graph that is there; new layers are numbered behind the highest number in a name.
 */
void nn_build_continue(nn_builder *b, nn_graph *graph, uint64_t seed);

/*
 * Marks the outputs' order as given by nn_build_output and sorts the graph. On failure *graph is
 * freed and zeroed.
 */
mien_status nn_build_finish(nn_builder *b, mien_error *error);

/* (batch open, channels, height, width); height and width may be NN_UNKNOWN_DIM. */
int nn_build_input(nn_builder *b, const char *name, int64_t channels, int64_t height,
                   int64_t width);
/* Names the value; one whose name must stay (an input, an output already) goes through Identity. */
void nn_build_output(nn_builder *b, int value, const char *name);
void nn_build_metadata(nn_builder *b, const char *key, const char *value);

typedef enum nn_build_padding { NN_BUILD_VALID, NN_BUILD_SAME } nn_build_padding;

typedef struct nn_build_conv_options {
    int64_t outputs;
    int kernel; /* a square window */
    int stride; /* 0 for 1 */
    /* SAME: TensorFlow's, more after than before; explicit in the file. Where a stride meets an
     * open size it is left to the program that runs the file (auto_pad SAME_UPPER). */
    nn_build_padding padding;
    int64_t group; /* 0 for 1 */
    bool bias;
} nn_build_conv_options;

/* Weights: He normal by fan-in (He et al. 2015); biases zero. */
int nn_build_conv(nn_builder *b, int x, nn_build_conv_options options);
/* As many groups as channels. */
int nn_build_depthwise(nn_builder *b, int x, int kernel, int stride, nn_build_padding padding,
                       bool bias);
/* scale 1, bias 0, mean 0, variance 1. */
int nn_build_batch_norm(nn_builder *b, int x, float epsilon);
int nn_build_relu(nn_builder *b, int x);
int nn_build_clip(nn_builder *b, int x, float low, float high);
int nn_build_hard_sigmoid(nn_builder *b, int x); /* alpha 1/6, beta 1/2 */
/* x times its hard sigmoid, in two nodes: opset 13 has no HardSwish. */
int nn_build_hard_swish(nn_builder *b, int x);
int nn_build_add(nn_builder *b, int x, int y);
int nn_build_multiply(nn_builder *b, int x, int y); /* y may be (N, C, 1, 1) */
int nn_build_max_pool(nn_builder *b, int x, int kernel, int stride, nn_build_padding padding);
int nn_build_average_pool(nn_builder *b, int x, int kernel, int stride, nn_build_padding padding);
int nn_build_global_average(nn_builder *b, int x); /* (N, C, 1, 1) */
int nn_build_flatten(nn_builder *b, int x);
int nn_build_dense(nn_builder *b, int x, int64_t outputs); /* Gemm; Glorot uniform, bias zero */
int nn_build_dropout(nn_builder *b, int x, float ratio);
int nn_build_softmax(nn_builder *b, int x);
int nn_build_concat(nn_builder *b, const int *values, int count); /* channels */

/* The shape of a value, batch as NN_UNKNOWN_DIM; height and width where they are known. */
nn_shape nn_build_shape(const nn_builder *b, int value);

#endif
