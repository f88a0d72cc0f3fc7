/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_PLAN_H
#define NN_PLAN_H

/*
 * How a plan is made, private to nn/. In order:
 *   infer.c   shapes of all values; constants computed              graph -> plan nodes
 *   fuse.c    BatchNorm, activations and residual adds join convs   plan nodes -> fewer plan nodes
 *   fuse_siblings.c  heads of few channels become one, and slices                        the same
 *   fuse_bytes.c  what lies between dequantising and quantising works on bytes        the same
 *   choose_bf16.c  which nodes and values of a BF16 plan are in BF16                  the same
 *   lower.c   a kernel and a layout for each                        plan nodes -> steps
 *   join.c    steps that feed each other row by row become one          steps -> fewer steps
 *   arena.c   a place in the arena for each tensor                  steps -> offsets
 */

#include "nn/bf16_kernels.h"
#include "nn/byte_kernels.h"
#include "nn/chain.h"
#include "nn/nn.h"

/* A tensor of the plan. The first ones are the graph's values, by the same index. */
typedef struct plan_value {
    nn_tensor tensor;   /* shape always row-major (N, C, H, W); data: content of constants */
    bool owns_data;     /* tensor.data is the plan's to free */
    bool channels_last; /* the content lies as (N, H, W, C) */
    int same_as;        /* lies where that value lies (reshaped, or changed in place), or -1 */
    int twin;           /* the same content in the other layout, or -1 */
    int rounded;        /* the same content in BF16, or -1 */
    int first_step, last_step; /* when the content must be there; -1 before the first step */
    size_t offset;             /* bytes from the start of the arena */
} plan_value;

typedef enum plan_byte_kind { PLAN_NO_BYTES, PLAN_BYTE_CONV, PLAN_BYTE_MAX_POOL } plan_byte_kind;

/* How a node works on 8-bit numbers. */
typedef struct plan_bytes {
    plan_byte_kind kind;
    nn_quantization x, residual, y;
    bool writes_floats; /* y says nothing */
    int weights;        /* value: int8 constants */
    int scales;         /* value: one, or one for each output */
    bool by_column;     /* the weights lie (inner, outputs), not (outputs, inner) */
} plan_bytes;

typedef struct plan_node {
    const nn_op *op;
    const nn_node *node;
    nn_params params;
    int *inputs; /* (input_count), owned */
    int input_count;
    int output;
    nn_activation activation; /* fused behind it */
    int residual;             /* fused before the activation, or -1 */
    plan_bytes bytes;
    bool bf16; /* works on BF16 numbers */
    bool removed;
} plan_node;

typedef struct nn_step nn_step;

/* Does a part of the step, the whole where step->nanoseconds is 0. inputs: (step->input_count)
 * tensors; scratch: step->scratch_bytes. */
typedef void (*step_run)(const nn_step *step, nn_part part, const nn_tensor *inputs,
                         nn_tensor *output, void *scratch);

/* How a step can work row by row. */
typedef enum step_rows {
    STEP_WHOLE, /* it cannot */
    STEP_CONV_ROWS,
    STEP_POOL_ROWS,
    STEP_CHAIN_ROWS /* it does so already */
} step_rows;

struct nn_step {
    const char *name;
    step_run run;
    const nn_kernels *kernels;
    const nn_byte_kernels *byte_kernels; /* where the step is one on bytes */
    const nn_bf16_kernels *bf16_kernels; /* where it is one on BF16 numbers */
    int *inputs;                         /* plan values, (input_count), owned */
    int input_count;
    int output;
    size_t scratch_bytes;
    int64_t nanoseconds; /* a guess at the time that one thread takes; 0: it is never shared */
    step_rows rows;
    bool in_place; /* the kernel may write over an input of the same size */
    nn_activation activation;
    const nn_op *op; /* reference operators */
    union {
        nn_params params;
        nn_conv conv;
        nn_byte_conv byte_conv;
        nn_quantization quantization;
        nn_pool pool;
        nn_chain chain;
        nn_extent extent;
        struct {
            nn_binary kind;
            bool swapped;
            int64_t rows, channels; /* rows of one picture; channels repeat */
        } binary;
        struct {
            int64_t pixels, channels, first; /* channels of the input */
        } slice;
        struct {
            int64_t planes, rows, columns;
        } transpose;
        struct {
            const int64_t *rows, *columns; /* of the input, by row and column of the output */
        } resize;
    } u;
};

struct nn_plan {
    const nn_graph *graph;
    const nn_kernels *kernels;
    const nn_bf16_kernels *bf16; /* of a BF16 plan, else NULL */
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
    size_t scratch_bytes;   /* of one thread, whole lines of the cache */
    size_t arena_bytes;     /* with the scratch of one thread */
    void **buffers;         /* packed weights, owned */
    size_t buffer_count, buffer_capacity;
};

mien_status plan_infer(nn_plan *plan, const nn_shape *input_shapes, mien_error *error);
/*
 * The constants of the graph that one value alone reads become the plan's; the graph has them no
 * longer. The others stay where they are.
 */
mien_status plan_take_constants(nn_plan *plan, nn_graph *graph, mien_error *error);
mien_status plan_fuse(nn_plan *plan, mien_error *error);
mien_status plan_fuse_siblings(nn_plan *plan, mien_error *error);
mien_status plan_fuse_bytes(nn_plan *plan, mien_error *error);
mien_status plan_choose_bf16(nn_plan *plan, mien_error *error);
mien_status plan_lower(nn_plan *plan, mien_error *error);
mien_status plan_join(nn_plan *plan, mien_error *error);
mien_status plan_lay_out(nn_plan *plan, mien_error *error);

/* Adds a value; its index, or -1 when out of memory. */
int plan_add_value(nn_plan *plan, nn_tensor tensor);

/* A constant of `count` floats that the plan owns, to be filled; its index or -1. */
int plan_add_constant(nn_plan *plan, nn_shape shape);

/* ---- Who makes and reads a value ---- */

typedef struct plan_links {
    int *producer; /* by value: the node that makes it, or -1 */
    int *uses;     /* by value: how often it is read, as an output of the network too */
} plan_links;

/* room: values that there may be before they are freed. MIEN_OUT_OF_MEMORY. */
mien_status plan_make_links(const nn_plan *plan, size_t room, plan_links *links, mien_error *error);
void plan_free_links(plan_links *links);

/* Finds them anew. */
void plan_find_links(const nn_plan *plan, plan_links *links);

/* ---- What the kernels can take; fuse.c and lower.c ask the same questions ---- */

/*
 * Whether the node is a convolution or a product with a constant matrix that the kernels take.
 * Fills *conv but for packed. weights, bias: where they are; *bias NULL when there is none.
 */
bool plan_conv_form(const nn_plan *plan, const plan_node *node, nn_conv *conv);

/* The same on bytes, for a node that fuse_bytes.c made one; fills *conv but for packed. */
bool plan_byte_conv_form(const nn_plan *plan, const plan_node *node, nn_byte_conv *conv);

/* What a QuantizeLinear or DequantizeLinear does, if it is of uint8 with one scale for all. */
bool plan_quantization(const nn_plan *plan, const plan_node *node, nn_quantization *q);

/* A picture's size. shape: (N, C, H, W). */
nn_extent plan_extent(const nn_shape *shape);

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

/* Memory at a 64-byte boundary, the plan's. Errors of plan_charge, MIEN_OUT_OF_MEMORY. */
mien_status plan_add_buffer(nn_plan *plan, size_t bytes, void **buffer, mien_error *error);

/* Checks that `bytes` more of constants may be made. */
mien_status plan_charge(nn_plan *plan, size_t bytes, mien_error *error);

#endif
