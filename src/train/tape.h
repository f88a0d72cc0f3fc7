/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_TAPE_H
#define TRAIN_TAPE_H

/*
 * A network as a list of layers that can be run forwards and backwards: the graph of the runtime,
 * shaped for one batch, with an activation behind BatchNormalization, Add, Conv or Gemm joined to
 * it. Immutable once made.
 */

#include "nn/nn.h"
#include "nn/op.h"

typedef enum train_layer_kind {
    TRAIN_CONV,
    TRAIN_DENSE, /* Gemm with constant weights */
    TRAIN_BATCH_NORM,
    TRAIN_ACTIVATION,
    TRAIN_ADD,
    TRAIN_MULTIPLY, /* two equal shapes, or (N, C, H, W) by (N, C, 1, 1) */
    TRAIN_MAX_POOL,
    TRAIN_AVERAGE_POOL,
    TRAIN_GLOBAL_AVERAGE,
    TRAIN_DROPOUT,
    TRAIN_RESHAPE, /* Flatten, Reshape, Identity: the same numbers */
    TRAIN_CONCAT   /* along the channels */
} train_layer_kind;

#define TRAIN_MAX_INPUTS 8

typedef struct train_layer {
    train_layer_kind kind;
    const nn_node *node;
    nn_params params;
    nn_activation activation;     /* joined behind it; kind NONE: none */
    float dropped;                /* Dropout: the share */
    int inputs[TRAIN_MAX_INPUTS]; /* values that flow */
    int input_count;
    int output;
    int parameters[4]; /* indices in tape->parameters or -1. Conv, dense: weight, bias. BatchNorm:
                          scale, shift, mean, variance */
    bool accumulates[TRAIN_MAX_INPUTS]; /* backwards, the input's gradient has a part already */
} train_layer;

typedef struct train_parameter {
    int value;        /* in the graph */
    const char *name; /* the graph's */
    nn_shape shape;
    size_t count;
    bool decays;    /* weights do; biases and BatchNormalization do not */
    bool statistic; /* mean or variance of BatchNormalization: not learned by gradient */
    bool frozen;    /* does not learn: train_tape_freeze */
} train_parameter;

typedef struct train_tape {
    const nn_graph *graph;
    nn_plan *plan; /* for shapes */
    train_layer *layers;
    size_t layer_count;
    train_parameter *parameters;
    size_t parameter_count, parameter_capacity;
    bool *needs_gradient; /* by value of the graph: something learned lies before it */
    int input;            /* value */
    int batch;
} train_tape;

/*
 * outputs: names of the tensors that losses look at (logits, features). Nodes that lead to
 * none of them (Softmax behind the logits) are left out.
 * Success: the caller frees with train_tape_free. Failure: *tape is zeroed; MIEN_UNSUPPORTED (a
 * node that cannot be trained; the message names it), MIEN_SHAPE, MIEN_NOT_FOUND,
 * MIEN_OUT_OF_MEMORY.
 */
mien_status train_tape_create(const nn_model *model, int batch, const char *const *outputs,
                              size_t output_count, train_tape *tape, mien_error *error);
void train_tape_free(train_tape *tape);

/*
 * Chooses the parameters that do not learn, frozen: by index. Gradients are no longer wanted where
 * nothing that learns lies in front. A BatchNormalization whose statistics are frozen normalises by
 * them. MIEN_UNSUPPORTED: such a one lies behind something that learns; the tape is then half
 * changed.
 */
mien_status train_tape_freeze(train_tape *tape, const bool *frozen, mien_error *error);

/* Whether an update moves a parameter by its gradient. */
static inline bool train_parameter_learns(const train_parameter *parameter)
{
    return !parameter->statistic && !parameter->frozen;
}

/* Whether a BatchNormalization normalises by its statistics in training too. */
bool train_tape_norm_is_frozen(const train_tape *tape, const train_layer *layer);

/* The shape of a value for this batch. */
nn_shape train_tape_shape(const train_tape *tape, int value);

/* The value of that name, or -1. */
int train_tape_output(const train_tape *tape, const char *name);

#endif
