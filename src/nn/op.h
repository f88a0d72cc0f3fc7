/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_OP_H
#define NN_OP_H

/*
 * Operators. Each has a file in nn/ref with two functions: `shape` checks the inputs of a node,
 * gives the shape of its outputs and turns its attributes into parameters; `run` is the plain C
 * truth that every fast kernel is compared with. Both are pure functions: thread-safe.
 */

#include "nn/graph.h"

/* The window of a convolution or pooling; [0] is y (rows), [1] is x (columns), in elements. */
typedef struct nn_window {
    int kernel[2];
    int stride[2];
    int dilation[2];
    int pad_before[2];
    int pad_after[2];
} nn_window;

typedef enum nn_resize_coordinates {
    NN_RESIZE_HALF_PIXEL,
    NN_RESIZE_PYTORCH_HALF_PIXEL,
    NN_RESIZE_ASYMMETRIC,
    NN_RESIZE_ALIGN_CORNERS
} nn_resize_coordinates;

typedef enum nn_resize_rounding {
    NN_ROUND_PREFER_FLOOR,
    NN_ROUND_PREFER_CEIL,
    NN_ROUND_FLOOR,
    NN_ROUND_CEIL,
    NN_ROUND_OPSET_10 /* up where the axis shrinks, else down: ONNX Runtime before nearest_mode */
} nn_resize_rounding;

typedef enum nn_pad_mode { NN_PAD_CONSTANT, NN_PAD_REFLECT, NN_PAD_EDGE } nn_pad_mode;

/* What `run` needs beside tensors. One member per kind of operator, plain data. */
typedef union nn_params {
    struct {
        nn_window window;
        int group;
    } conv;
    struct {
        nn_window window;
        bool count_padding; /* average: cells of the padding count in the divisor */
    } pool;
    struct {
        float epsilon;
    } norm;
    struct {
        float alpha, beta; /* slopes; for Clip the bounds */
    } activation;
    struct {
        float alpha, beta;
        bool transpose_a, transpose_b;
    } gemm;
    struct {
        bool axes[NN_MAX_RANK];
    } reduce;
    struct {
        int axis; /* along which scale and zero point change; one of each: 0 */
    } quantize;
    struct {
        int axis;
        int axis_end; /* Softmax: normalises over the axes axis..axis_end-1 together */
    } axis;
    struct {
        int order[NN_MAX_RANK];
    } transpose;
    struct {
        int64_t starts[NN_MAX_RANK];
        int64_t steps[NN_MAX_RANK];
    } slice;
    struct {
        int64_t before[NN_MAX_RANK];
        nn_pad_mode mode;
        float value;
    } pad;
    struct {
        bool linear;
        nn_resize_coordinates coordinates;
        nn_resize_rounding rounding;
        float scales[NN_MAX_RANK];
    } resize;
} nn_params;

/* What `shape` is given and fills in. */
typedef struct nn_shaping {
    const nn_node *node;
    int opset;
    const nn_tensor *inputs; /* (input_count); shapes known; data where the input is constant */
    int input_count;
    nn_tensor *outputs; /* (output_count); type and shape are filled in, data stays NULL */
    int output_count;
    nn_params *params; /* filled in */
    mien_error *error;
} nn_shaping;

struct nn_op {
    const char *name;
    int min_inputs, max_inputs;
    bool takes_ints;    /* runs on int64 tensors too (when they are constant) */
    bool takes_bytes;   /* runs on int8 and uint8 tensors too */
    bool needs_no_data; /* the result depends on the shapes of the inputs alone (Shape) */
    mien_status (*shape)(nn_shaping *shaping);
    /* An input left out has rank NN_UNKNOWN_RANK and data NULL. Outputs never overlap inputs. */
    void (*run)(const nn_params *params, const nn_tensor *inputs, int input_count,
                nn_tensor *outputs);
};

/* The operator of that ONNX name, or NULL. */
const nn_op *nn_op_find(const char *name);

/* Walks the list: index 0.. until NULL. For listings and tests. */
const nn_op *nn_op_at(size_t index);

#endif
