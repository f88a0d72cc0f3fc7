/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_LEARNER_H
#define TRAIN_LEARNER_H

/*
 * What moves a network's parameters by their gradients: the optimiser with its state, running
 * averages of the parameters, and the values that are kept while the network computes with others:
 * where SAM looks, or weights in 8 bits. All of it
 * lies where the network's backend has its arrays. Work that fails there is told by
 * train_network_check.
 */

#include "train/network.h"

typedef struct train_learner train_learner;

typedef struct learner_settings {
    optimiser_settings optimiser;
    float average; /* share of the old in a running average, at each update; 0: none is kept */
    bool keeps;    /* learner_ascend or learner_quantise will be called */
} learner_settings;

/*
 * For the parameters that learn now: what is frozen is to be so already. Averages begin as what the
 * network has. The network outlives it. Success: *out is the caller's, free with learner_free.
 * Failure: *out is NULL, MIEN_OUT_OF_MEMORY.
 */
mien_status learner_create(train_network *network, const learner_settings *settings,
                           train_learner **out, mien_error *error);
void learner_free(train_learner *learner);

/* Scales the gradients of what learns so that the L2 norm of all is at most max_norm. */
void learner_clip(train_learner *learner, float max_norm);

/* SAM: keeps what learns and goes to where the loss is higher (optimiser_ascend); and back. */
void learner_ascend(train_learner *learner, float rho);
void learner_descend(train_learner *learner);

/* Keeps the weights, frozen ones too, and goes to what they are in 8 bits (optimiser_quantise); and
 * back. Not between learner_ascend and learner_descend. */
void learner_quantise(train_learner *learner);
void learner_restore(train_learner *learner);

/* One update of what learns, step 1 for the first; then of the averages. */
void learner_update(train_learner *learner, float rate, int64_t step);

/* These do nothing where there are no averages. Swap: the network gets its averages and the other
 * way round. Take: the network gets them. Set: they become what the network has. */
void learner_swap_averages(train_learner *learner);
void learner_take_averages(train_learner *learner);
void learner_set_averages(train_learner *learner);

/* All that a checkpoint keeps of the parameters, of each its values, the optimiser's state and its
 * average, as the host sees it: the arrays themselves or, where they lie elsewhere, copies. */
typedef struct learner_loan {
    float **arrays; /* (count) */
    size_t *counts; /* (count): numbers of each */
    size_t count;
} learner_loan;

/* Success: to be given back with learner_return before the learner is used again. Failure: *loan is
 * empty, MIEN_OUT_OF_MEMORY. */
mien_status learner_lend(train_learner *learner, learner_loan *loan, mien_error *error);
/* changed: what the arrays hold now is the learner's; else they were not written. */
void learner_return(train_learner *learner, learner_loan *loan, bool changed);

#endif
