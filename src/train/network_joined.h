/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_NETWORK_JOINED_H
#define TRAIN_NETWORK_JOINED_H

/*
 * Convolutions that a backend joins to the BatchNormalizations beside them. What lies between the
 * one before and the convolution is then never in memory; of the one behind, the convolution makes
 * the sums as it writes, and the gradient of its input as it reads. Private to network*.c.
 */

#include "train/network_state.h"

/* Finds what is joined, once the layers are there. */
mien_status network_join(train_network *network, mien_error *error);

/* Whether the convolution `index` makes the output of the BatchNormalization before it by itself,
 * or does part of the work of the one behind. */
bool network_makes_input(const train_network *network, size_t index);
bool network_helps_behind(const train_network *network, size_t index);
static inline bool network_is_joined(const train_network *network, size_t index)
{
    return network_makes_input(network, index) || network_helps_behind(network, index);
}

/* Whether nobody keeps the output of this BatchNormalization. */
bool network_is_passed_over(const train_network *network, size_t index);

/* The value that a joined convolution, or the BatchNormalization before it, reads. */
int network_joined_input(const train_network *network, size_t index);

/* A joined convolution's way forwards and backwards. dx: NULL where not wanted. */
void network_joined_forward(train_network *network, size_t index, bool training);
void network_joined_backward(train_network *network, size_t index, float *dx);

/* Those of every BatchNormalization, joined or not. */
void network_norm_forward(train_network *network, size_t index, bool training, float momentum);
void network_norm_backward(train_network *network, size_t index, const float *dy, float *dx);

#endif
