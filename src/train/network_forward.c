/* SPDX-License-Identifier: Apache-2.0 */
#include "train/network_joined.h"

#include <string.h>

/* Flatten of a picture is row-major in ONNX: (C, H, W). */
static void reshape_forward(const train_network *network, const train_layer *layer, const float *x,
                            float *y)
{
    nn_extent in = network_extent(network, layer->inputs[0]);
    if (network->backend->channels_last && in.height * in.width > 1 && in.channels > 1)
        network->backend->elements->transpose(network->device, x, in.batch, in.height * in.width,
                                              in.channels, y);
    else
        network->backend->memory->copy(network->device, y, x,
                                       network_count(network, layer->output) * sizeof *y);
}

static void concat_forward(const train_network *network, const train_layer *layer, float *y)
{
    int64_t first = 0, all = network_extent(network, layer->output).channels;
    for (int i = 0; i < layer->input_count; i++) {
        nn_extent part = network_extent(network, layer->inputs[i]);
        network->backend->join_channels(network->device, &part, first, all,
                                        network->values[layer->inputs[i]], y);
        first += part.channels;
    }
}

/* Two equal shapes, or a number for each picture and channel. */
static void multiply_forward(const train_network *network, const train_layer *layer, float *y)
{
    const float *a = network->values[layer->inputs[0]], *b = network->values[layer->inputs[1]];
    nn_extent in = network_extent(network, layer->inputs[0]);
    if (network_count(network, layer->inputs[1]) == network_count(network, layer->inputs[0]))
        network->backend->elements->multiply(network->device, a, b,
                                             network_count(network, layer->output), y);
    else
        network->backend->scale_channels_forward(network->device, &in, a, b, y);
}

/* BatchNormalization rounds what it writes by itself. */
static void round_output(const train_network *network, const train_layer *layer)
{
    train_bf16 *rounded = network->rounded[layer->output];
    if (rounded != NULL && layer->kind != TRAIN_BATCH_NORM)
        network->backend->rounding->round(network->device, network->values[layer->output],
                                          network_count(network, layer->output), rounded);
}

static void activate(const train_network *network, const train_layer *layer)
{
    if (layer->activation.kind != NN_ACTIVATION_NONE)
        network->backend->elements->activate(network->device, layer->activation,
                                             network_count(network, layer->output),
                                             network->values[layer->output]);
}

static void layer_forward(train_network *network, size_t index, bool training, float momentum)
{
    const train_layer *layer = &network->tape.layers[index];
    layer_state *state = &network->layers[index];
    const train_backend *backend = network->backend;
    const float *x = network->values[layer->inputs[0]];
    float *y = network->values[layer->output];
    nn_extent in = network_extent(network, layer->inputs[0]);
    size_t count = network_count(network, layer->output);
    nn_pool pool;
    if (state->rounds) {
        backend->rounding->conv_forward(
            state->conv, network->rounded[layer->inputs[0]], network_parameter(network, layer, 0),
            network_parameter(network, layer, 1), y, network->conv_scratch);
        activate(network, layer);
        round_output(network, layer);
        return;
    }
    switch (layer->kind) {
    case TRAIN_CONV:
        if (network_is_joined(network, index)) {
            network_joined_forward(network, index, training);
            break;
        }
        backend->conv_forward(state->conv, x, network_parameter(network, layer, 0),
                              network_parameter(network, layer, 1), y, network->conv_scratch);
        break;
    case TRAIN_DENSE:
        backend->dense_forward(
            network->device, in.batch, in.channels, network_extent(network, layer->output).channels,
            x, network_parameter(network, layer, 0), network_parameter(network, layer, 1), y);
        break;
    case TRAIN_BATCH_NORM:
        network_norm_forward(network, index, training, momentum);
        return; /* its activation is part of it */
    case TRAIN_ACTIVATION:
        backend->memory->copy(network->device, y, x, count * sizeof *y);
        break;
    case TRAIN_ADD:
        backend->elements->add(network->device, x, network->values[layer->inputs[1]], count, y);
        break;
    case TRAIN_MULTIPLY:
        multiply_forward(network, layer, y);
        break;
    case TRAIN_MAX_POOL:
    case TRAIN_AVERAGE_POOL:
        pool = network_pool(network, layer);
        backend->pool_forward(network->device, &pool, x, y, state->winners);
        break;
    case TRAIN_GLOBAL_AVERAGE:
        backend->global_average_forward(network->device, &in, x, y);
        break;
    case TRAIN_DROPOUT:
        backend->elements->dropout(network->device, x, count, training ? layer->dropped : 0,
                                   network->seed, network->step, (uint64_t)index, y);
        break;
    case TRAIN_RESHAPE:
        reshape_forward(network, layer, x, y);
        break;
    case TRAIN_CONCAT:
        concat_forward(network, layer, y);
        break;
    }
    activate(network, layer);
    round_output(network, layer);
}

static void take_input(const train_network *network)
{
    int value = network->tape.input;
    nn_extent extent = network_extent(network, value);
    float *input = network->values[value];
    network->backend->elements->take_input(network->device, network->plain_input, &extent,
                                           network->conv_scratch, input);
    if (network->rounded[value] != NULL)
        network->backend->rounding->round(network->device, input, network_count(network, value),
                                          network->rounded[value]);
}

static void give_outputs(const train_network *network)
{
    for (size_t o = 0; o < network->output_count; o++) {
        size_t bytes = network_count(network, network->outputs[o]) * sizeof(float);
        network->backend->memory->fetch(network->device, network->outputs_read[o],
                                        network->values[network->outputs[o]], bytes);
        memset(network->output_gradients[o], 0, bytes);
    }
}

void train_network_forward(train_network *network, bool training, float momentum, uint64_t seed,
                           uint64_t step)
{
    train_modes modes;
    network_enter(network, &modes);
    network->seed = seed;
    network->step = step;
    take_input(network);
    for (size_t l = 0; l < network->tape.layer_count; l++)
        layer_forward(network, l, training, momentum);
    network_leave(network, &modes);
    give_outputs(network);
}
