/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_LOWER_H
#define NN_LOWER_H

/* What the files that turn plan nodes into steps share; private to nn/lower*.c. */

#include "nn/plan.h"

#define LOWER_NUMBERS 64 /* numbers, or rows of them, that parts are multiples of */

typedef struct lowerer {
    nn_plan *plan;
    plan_links links; /* of the nodes, before the first became a step */
    mien_error *error;
} lowerer;

/* Says so in the error; the status to return. */
mien_status lower_no_memory(const lowerer *l);

const nn_shape *lower_shape_of(const lowerer *l, int value);
bool lower_is_constant(const lowerer *l, int value);

/* A node has packed this constant, or none (-1), and will not read it again: what the plan owns of
 * it and nobody else reads is freed. */
void lower_release(lowerer *l, int value);

/* Adds a step with a copy of the inputs. The plan's; NULL when out of memory. */
nn_step *lower_step(lowerer *l, const char *name, step_run run, const int *inputs, int input_count,
                    int output);

/*
 * A guess at the nanoseconds that a convolution or product takes, which makes `out` of `in` in
 * `group` groups. taps: of its window; speed: times as many products as in float.
 */
int64_t lower_product_time(const nn_extent *in, const nn_extent *out, int64_t taps, int group,
                           int speed);

/* The same for what reads and writes `count` numbers, and does little with each. */
int64_t lower_pass_time(int64_t count);

int64_t lower_pool_time(const nn_pool *pool);

/* *result: the value, or its twin, in the wanted layout. */
mien_status lower_in_layout(lowerer *l, int value, bool channels_last, int *result);

/* *result: the value, or its copy rounded to BF16, in the layout of the value. */
mien_status lower_in_bf16(lowerer *l, int value, int *result);

/* Convolutions, products and pooling. *done: the node was one, and a kernel takes it. */
mien_status lower_windowed(lowerer *l, const plan_node *node, bool *done);

/* Resize to the nearest pixel, of pictures. *done as above. */
mien_status lower_resize(lowerer *l, const plan_node *node, bool *done);

/* Nodes on 8-bit numbers, and conversions. *done as above. */
mien_status lower_bytes(lowerer *l, const plan_node *node, bool *done);

/* Everything that works on each number by itself. *done as above. */
mien_status lower_elementwise(lowerer *l, const plan_node *node, bool *done);

#endif
