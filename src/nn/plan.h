/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_PLAN_H
#define NN_PLAN_H

/*
 * How a plan is made, private to nn/. In order:
 *   infer.c   shapes of all values; constants computed              graph -> plan nodes
 *   fuse.c    BatchNorm, activations and residual adds join convs   plan nodes -> fewer plan nodes
 *   lower.c   a kernel and a layout for each                        plan nodes -> steps
 *   arena.c   a place in the arena for each tensor                  steps -> offsets
 */

#include "nn/nn.h"

/* A tensor of the plan. The first ones are the graph's values, by the same index. */
typedef struct plan_value {
    nn_tensor tensor;   /* shape always row-major (N, C, H, W); data: content of constants */
    bool owns_data;     /* tensor.data is the plan's to free */
    bool channels_last; /* the content lies as (N, H, W, C) */
    int same_as;        /* lies where that value lies (reshaped, or changed in place), or -1 */
    int twin;           /* the same content in the other layout, or -1 */
    int first_step, last_step; /* when the content must be there; -1 before the first step */
    size_t offset;             /* bytes from the start of the arena */
} plan_value;

typedef struct plan_node {
    const nn_op *op;
    const nn_node *node;
    nn_params params;
    int *inputs; /* (input_count), owned */
    int input_count;
    int output;
    nn_activation activation; /* fused behind it */
    int residual;             /* fused before the activation, or -1 */
    bool removed;
} plan_node;

typedef struct nn_step nn_step;

/* inputs: (step->input_count) tensors; scratch: step->scratch_bytes. */
typedef void (*step_run)(const nn_step *step, const nn_tensor *inputs, nn_tensor *output,
                         void *scratch);

struct nn_step {
    const char *name;
    step_run run;
    const nn_kernels *kernels;
    int *inputs; /* plan values, (input_count), owned */
    int input_count;
    int output;
    size_t scratch_bytes;
    bool in_place; /* the kernel may write over an input of the same size */
    nn_activation activation;
    const nn_op *op; /* reference operators */
    union {
        nn_params params;
        nn_conv conv;
        nn_pool pool;
        nn_extent extent;
        struct {
            nn_binary kind;
            bool swapped;
            int64_t rows, channels; /* rows of one picture; channels repeat */
        } binary;
        struct {
            int64_t planes, rows, columns;
        } transpose;
    } u;
};

struct nn_plan {
    const nn_graph *graph;
    const nn_kernels *kernels;
    size_t max_bytes;
    size_t constant_bytes; /* made while planning */
    plan_value *values;
    size_t value_count, value_capacity;
    plan_node *nodes;
    size_t node_count;
    nn_step *steps;
    size_t step_count, step_capacity;
    int64_t *multiply_adds; /* by node of the graph */
    int *outputs;           /* plan values that hold the network's outputs, row-major */
    size_t scratch_bytes;
    size_t arena_bytes;
    void **buffers; /* packed weights, owned */
    size_t buffer_count, buffer_capacity;
};

mien_status plan_infer(nn_plan *plan, const nn_shape *input_shapes, mien_error *error);
mien_status plan_fuse(nn_plan *plan, mien_error *error);
mien_status plan_lower(nn_plan *plan, mien_error *error);
mien_status plan_lay_out(nn_plan *plan, mien_error *error);

/* Adds a value; its index, or -1 when out of memory. */
int plan_add_value(nn_plan *plan, nn_tensor tensor);

/* A constant of `count` floats that the plan owns, to be filled; its index or -1. */
int plan_add_constant(nn_plan *plan, nn_shape shape);

/* ---- What the kernels can take; fuse.c and lower.c ask the same questions ---- */

/*
 * Whether the node is a convolution or a product with a constant matrix that the kernels take.
 * Fills *conv but for packed. weights, bias: where they are; *bias NULL when there is none.
 */
bool plan_conv_form(const nn_plan *plan, const plan_node *node, nn_conv *conv);

/* How a node of two inputs repeats its smaller one. */
typedef enum plan_binary_form {
    PLAN_BINARY_GENERAL,  /* no kernel: the reference operator */
    PLAN_BINARY_SAME,     /* two equal shapes */
    PLAN_BINARY_CHANNELS, /* (N, C, H, W) with a number per channel, or per picture and channel */
    PLAN_BINARY_TRAILING  /* the smaller one is the last dimensions of the larger one */
} plan_binary_form;

/* swapped: input 0 is the smaller one. */
plan_binary_form plan_binary(const nn_plan *plan, const plan_node *node, bool *swapped);

/* The operator as a fused activation. false when it is none. */
bool plan_activation(const plan_node *node, nn_activation *activation);

/* BatchNormalization with constants on an input whose channels lie last in some layout. */
bool plan_norm_is_constant(const nn_plan *plan, const plan_node *node);

/* Checks that `bytes` more of constants may be made. */
mien_status plan_charge(nn_plan *plan, size_t bytes, mien_error *error);

#endif
