/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_NETWORK_STATE_H
#define TRAIN_NETWORK_STATE_H

/* What a network is made of: shared by network*.c and learner.c, private to them. */

#include "train/network.h"

#define NETWORK_MAX_OUTPUTS 4

/* What a layer keeps from its way forwards for its way backwards. */
typedef struct layer_state {
    train_conv *conv;      /* a product has one where the backend takes it in BF16 */
    bool rounds;           /* conv is in BF16 */
    float *mean, *inverse; /* BatchNormalization: (C) */
    uint8_t *winners;      /* max-pooling: one for each output */
    float *remade;         /* where the input is made once more; NULL: it is kept */
    /* network_joined.h: layers by index, -1: none. */
    int norm_before, norm_behind; /* of a convolution */
    int conv_before, conv_behind; /* of a BatchNormalization */
    train_joined_norm joined;     /* of a BatchNormalization with one of these */
    float *joined_floats;         /* its arrays */
} layer_state;

struct train_network {
    train_tape tape;
    const train_backend *backend;
    train_device *device; /* the caller's */
    /* By value of the graph, NULL where none is needed. They lie in `block`: a place is the value's
     * only as long as somebody is still to read it. */
    float **values;    /* activations */
    float **gradients; /* of activations; a layer may write that of its input over its output's */
    float **parameters, **parameter_gradients; /* by index in the tape */
    /* By value, with a backend that rounds: activations that a convolution in BF16 reads, and
     * gradients that only one writes and one reads, in the place of `gradients`. */
    train_bf16 **rounded, **rounded_gradients;
    unsigned char *block;
    train_bf16 *rounded_part; /* a gradient that is rounded for one layer */
    layer_state *layers;
    float *part; /* a gradient that is added to another */
    float *norm_scratch;
    void *conv_scratch;
    /* In the host's memory. */
    float *plain_input; /* channels first */
    float *outputs_read[NETWORK_MAX_OUTPUTS], *output_gradients[NETWORK_MAX_OUTPUTS];
    int outputs[NETWORK_MAX_OUTPUTS];
    size_t output_count;
    uint64_t seed, step; /* of the last forward run */
};

/* The shape of a value as a picture; what is no picture has one pixel. */
nn_extent network_extent(const train_network *network, int value);
size_t network_count(const train_network *network, int value);

/* The numbers of a layer's parameter, NULL where it has none. */
float *network_parameter(const train_network *network, const train_layer *layer, int which);

train_norm network_norm(const train_network *network, const train_layer *layer);
nn_pool network_pool(const train_network *network, const train_layer *layer);

/*
 * The BatchNormalization whose output layer `index` reads, where this is not kept but made once
 * more on the way backwards: nobody else reads it, and the layer has so much work that it does not
 * count. Else NULL.
 */
const train_layer *network_remade_input(const train_network *network, size_t index);

/* Zeroed memory of the backend; NULL: there is no more. */
void *network_zeroed(const train_network *network, size_t bytes);
void network_release(const train_network *network, void *memory);

/* Layers that read a value, and losses. */
int network_readers(const train_network *network, int value);

/* Makes place for activations, their gradients and scratch; the layers are there. */
mien_status network_create_memory(train_network *network, mien_error *error);

/* Around each run forwards or backwards: sets how the processor computes, and sets it back. */
void network_enter(const train_network *network, train_modes *modes);
void network_leave(const train_network *network, const train_modes *modes);

#endif
