/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_NETWORK_H
#define TRAIN_NETWORK_H

/*
 * A network that learns: a tape with its parameters, activations and gradients, run by a backend.
 * One batch at a time: write the input, run forwards, write the gradients of the outputs, run
 * backwards, update the parameters. For one thread at a time (the backend may use more inside).
 */

#include "train/backend.h"
#include "train/tape.h"

typedef struct train_network train_network;

/*
 * model must outlive the network; its weights are the starting point. outputs: names of the outputs
 * that losses look at, such as "logits" and "features". device: the backend's, NULL where it
 * computes in the host's memory; it must outlive the network. Success: *out is the caller's, free
 * with train_network_free. Failure: *out is NULL; errors of train_tape_create, MIEN_LIMIT (a layer
 * too wide for the backend), of the device.
 */
mien_status train_network_create(const nn_model *model, int batch, const char *const *outputs,
                                 size_t output_count, const train_backend *backend,
                                 train_device *device, train_network **out, mien_error *error);
void train_network_free(train_network *network);

const train_tape *train_network_tape(const train_network *network);

/* Parameters that do not learn from now on: train_tape_freeze, and its errors. */
mien_status train_network_freeze(train_network *network, const bool *frozen, mien_error *error);

/* (batch, channels, height, width), of the host, to be written before train_network_forward. */
float *train_network_input(train_network *network);

/*
 * Runs forwards. training: BatchNormalization normalises by the batch and moves its running
 * statistics (momentum: share of the new one), Dropout drops. seed and step choose what is dropped.
 * Not training: as the runtime would.
 */
void train_network_forward(train_network *network, bool training, float momentum, uint64_t seed,
                           uint64_t step);

/* Output `index` in the order of creation, (batch, ...) row-major; and where its gradient goes,
 * zeroed by train_network_forward. Both are the host's. */
const float *train_network_output(const train_network *network, size_t index);
float *train_network_output_gradient(train_network *network, size_t index);

/* Runs backwards from the output gradients: fills the gradients of all parameters. Only after a
 * forward run that was training. */
void train_network_backward(train_network *network);

/* Values and gradients of parameter `index` of the tape, row-major as in ONNX, where the backend
 * has them: for its functions. */
float *train_network_values(train_network *network, size_t index);
float *train_network_gradients(train_network *network, size_t index);

/* The same where these are the host's, else NULL. */
float *train_network_host_values(train_network *network, size_t index);

/* Copies the values to the host; makes them 0. */
void train_network_read_values(const train_network *network, size_t index, float *to);
void train_network_clear_values(train_network *network, size_t index);

/* All values of another network of the same model. */
void train_network_take_values(train_network *network, const train_network *from);

/* The first failure of the device, as train_memory's `check` has it. Runs, reading and writing tell
 * none; after one, all numbers are to be thrown away. */
mien_status train_network_check(const train_network *network, mien_error *error);

#endif
