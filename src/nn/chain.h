/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_CHAIN_H
#define NN_CHAIN_H

/*
 * Convolutions and pooling that feed each other, made row by row: each stage keeps the last few
 * rows that it made in a ring, where the next one reads them, so that what lies between the first
 * input and the last output stays in the cache. Each stage makes the numbers that it makes by
 * itself.
 */

#include "nn/bf16_kernels.h"

#include <stddef.h>

#define CHAIN_STAGES 16 /* most of a chain */
#define CHAIN_WINDOW 8  /* most rows of a stage's window */

typedef struct chain_stage {
    bool pools; /* u.pool, else u.conv */
    bool bf16;  /* works on BF16 numbers, of which all residuals are then */
    union {
        nn_conv conv; /* for which conv_has_rows */
        nn_pool pool; /* windows of rows that do not overlap, without padding above */
    } u;
    int residual; /* input that a convolution adds, or -1 */
    /* Filled by chain_lay_out: */
    size_t pitch;         /* bytes from one row of the ring to the next */
    int64_t slots;        /* rows of the ring; row r lies in slot r % slots */
    size_t ring, scratch; /* bytes from the start of the chain's scratch memory */
} chain_stage;

typedef struct nn_chain {
    const nn_kernels *kernels;
    const nn_bf16_kernels *bf16_kernels; /* of BF16 stages */
    chain_stage *stages; /* each reads the type of number that the last one writes */
    int count;           /* 2..CHAIN_STAGES */
} nn_chain;

/*
 * Rows of the first stage's output that two neighbouring parts both make, each for itself: what the
 * windows of the stages behind it share.
 */
int64_t chain_overlap(const nn_chain *chain);

/* Places rings and scratch memory. Returns the bytes of scratch that chain_run needs. */
size_t chain_lay_out(nn_chain *chain);

/*
 * Makes the part's rows of the last stage's output y. inputs: pictures; the first one is that of
 * the first stage, the others are residuals.
 */
void chain_run(const nn_chain *chain, nn_part part, const void *const *inputs, void *y,
               void *scratch);

#endif
