/* SPDX-License-Identifier: Apache-2.0 */
#include "train/network_joined.h"

#include "base/error.h"

/* ---- What is joined ---- */

static bool can_be_joined(const train_network *network, size_t index)
{
    const train_layer *layer = &network->tape.layers[index];
    const layer_state *state = &network->layers[index];
    return layer->kind == TRAIN_CONV && layer->parameters[1] < 0 && !state->rounds &&
           network->backend->joining != NULL && network->backend->joining->takes(state->conv);
}

/* The layer that makes a value, or -1. */
static int maker_of(const train_network *network, int value)
{
    for (size_t l = 0; l < network->tape.layer_count; l++)
        if (network->tape.layers[l].output == value)
            return (int)l;
    return -1;
}

static bool is_norm(const train_network *network, int index)
{
    return index >= 0 && network->tape.layers[index].kind == TRAIN_BATCH_NORM;
}

static mien_status create_joined(train_network *network, size_t index, mien_error *error)
{
    const train_layer *layer = &network->tape.layers[index];
    layer_state *state = &network->layers[index];
    size_t channels = (size_t)network_extent(network, layer->output).channels;
    state->joined_floats = network_zeroed(network, 5 * channels * sizeof(float));
    state->joined =
        (train_joined_norm){.activation = layer->activation,
                            .epsilon = layer->params.norm.epsilon,
                            .mean = state->mean,
                            .inverse = state->inverse,
                            .factor = state->joined_floats,
                            .offset = state->joined_floats + channels,
                            .slopes = state->joined_floats + 2 * channels,
                            .sums = network_zeroed(network, 2 * channels * sizeof(double))};
    if (state->joined_floats == NULL || state->joined.sums == NULL)
        return error_no_memory(error, layer->node->name, (uint64_t)channels * 36);
    return MIEN_OK;
}

/* Both sides of a BatchNormalization. */
static mien_status join_norm(train_network *network, size_t index, mien_error *error)
{
    const train_tape *tape = &network->tape;
    const train_layer *norm = &tape->layers[index];
    layer_state *state = &network->layers[index];
    int front = maker_of(network, norm->inputs[0]);
    if (front >= 0 && can_be_joined(network, (size_t)front) &&
        network_readers(network, norm->inputs[0]) == 1 &&
        tape->layers[front].activation.kind == NN_ACTIVATION_NONE) {
        state->conv_before = front;
        network->layers[front].norm_behind = (int)index;
    }
    for (size_t l = 0; l < tape->layer_count; l++)
        if (tape->layers[l].inputs[0] == norm->output && can_be_joined(network, l) &&
            network_readers(network, norm->output) == 1) {
            state->conv_behind = (int)l;
            network->layers[l].norm_before = (int)index;
        }
    bool joined = state->conv_before >= 0 || state->conv_behind >= 0;
    return joined ? create_joined(network, index, error) : MIEN_OK;
}

mien_status network_join(train_network *network, mien_error *error)
{
    mien_status status = MIEN_OK;
    for (size_t l = 0; l < network->tape.layer_count; l++) {
        layer_state *state = &network->layers[l];
        state->norm_before = state->norm_behind = state->conv_before = state->conv_behind = -1;
    }
    for (size_t l = 0; status == MIEN_OK && l < network->tape.layer_count; l++)
        if (is_norm(network, (int)l))
            status = join_norm(network, l, error);
    return status;
}

bool network_makes_input(const train_network *network, size_t index)
{
    return network->layers[index].norm_before >= 0;
}

bool network_helps_behind(const train_network *network, size_t index)
{
    return network->layers[index].norm_behind >= 0;
}

bool network_is_passed_over(const train_network *network, size_t index)
{
    return network->layers[index].conv_behind >= 0;
}

/* ---- Convolutions ---- */

static const train_joined_norm *joined_norm(const train_network *network, int index)
{
    return index >= 0 ? &network->layers[index].joined : NULL;
}

/* What the convolution, or the BatchNormalization before it, reads. */
int network_joined_input(const train_network *network, size_t index)
{
    int before = network->layers[index].norm_before;
    return network->tape.layers[before >= 0 ? (size_t)before : index].inputs[0];
}

void network_joined_forward(train_network *network, size_t index, bool training)
{
    const train_layer *layer = &network->tape.layers[index];
    const layer_state *state = &network->layers[index];
    int behind = state->norm_behind;
    bool by_batch = training && behind >= 0 &&
                    !train_tape_norm_is_frozen(&network->tape, &network->tape.layers[behind]);
    network->backend->joining->conv_forward(
        state->conv, joined_norm(network, state->norm_before),
        network->values[network_joined_input(network, index)], network_parameter(network, layer, 0),
        NULL, network->values[layer->output], by_batch ? joined_norm(network, behind) : NULL,
        network->conv_scratch);
}

void network_joined_backward(train_network *network, size_t index, float *dx)
{
    const train_layer *layer = &network->tape.layers[index];
    const layer_state *state = &network->layers[index];
    network->backend->joining->conv_backward(
        state->conv, joined_norm(network, state->norm_before),
        network->values[network_joined_input(network, index)], network_parameter(network, layer, 0),
        joined_norm(network, state->norm_behind), network->values[layer->output],
        network->gradients[layer->output], dx, network->parameter_gradients[layer->parameters[0]],
        network->conv_scratch);
}

/* ---- BatchNormalization ---- */

static void move_statistics(const train_network *network, const train_layer *layer,
                            const layer_state *state, float momentum)
{
    nn_extent e = network_extent(network, layer->output);
    network->backend->updates->move_statistics(
        network->device, e.batch * e.height * e.width, e.channels, layer->params.norm.epsilon,
        momentum, state->mean, state->inverse, network_parameter(network, layer, 2),
        network_parameter(network, layer, 3));
}

static void forward_by_batch(const train_network *network, size_t index, const train_norm *norm,
                             float *y)
{
    const train_layer *layer = &network->tape.layers[index];
    const layer_state *state = &network->layers[index];
    const train_backend *backend = network->backend;
    const float *x = network->values[layer->inputs[0]];
    const float *scale = network_parameter(network, layer, 0);
    const float *shift = network_parameter(network, layer, 1);
    if (state->conv_before < 0)
        backend->norm_forward(norm, x, scale, shift, state->mean, state->inverse, y);
    else if (y != NULL)
        backend->norm_again(norm, x, scale, shift, state->mean, state->inverse, y);
    if (state->joined_floats != NULL)
        backend->joining->batch_map(norm, scale, shift, state->mean, state->inverse,
                                    state->joined.factor, state->joined.offset);
}

static void forward_by_running(const train_network *network, size_t index, const train_norm *norm,
                               float *y)
{
    const train_layer *layer = &network->tape.layers[index];
    const layer_state *state = &network->layers[index];
    const float *scale = network_parameter(network, layer, 0);
    const float *shift = network_parameter(network, layer, 1);
    const float *mean = network_parameter(network, layer, 2);
    const float *variance = network_parameter(network, layer, 3);
    if (y != NULL)
        network->backend->norm_running(norm, network->values[layer->inputs[0]], scale, shift, mean,
                                       variance, y);
    if (state->joined_floats != NULL)
        network->backend->joining->running_map(norm, scale, shift, mean, variance,
                                               state->joined.factor, state->joined.offset);
}

void network_norm_forward(train_network *network, size_t index, bool training, float momentum)
{
    const train_layer *layer = &network->tape.layers[index];
    train_norm norm = network_norm(network, layer);
    float *y = network_is_passed_over(network, index) ? NULL : network->values[layer->output];
    if (training && !train_tape_norm_is_frozen(&network->tape, layer)) {
        forward_by_batch(network, index, &norm, y);
        move_statistics(network, layer, &network->layers[index], momentum);
    } else {
        forward_by_running(network, index, &norm, y);
    }
}

void network_norm_backward(train_network *network, size_t index, const float *dy, float *dx)
{
    const train_layer *layer = &network->tape.layers[index];
    const layer_state *state = &network->layers[index];
    train_norm norm = network_norm(network, layer);
    norm.sums = state->conv_behind >= 0 ? state->joined.sums : NULL;
    norm.slopes = state->conv_before >= 0 ? state->joined.slopes : NULL;
    network->backend->norm_backward(
        &norm, network->values[layer->inputs[0]], network_parameter(network, layer, 0),
        network_parameter(network, layer, 1), state->mean, state->inverse, dy, dx,
        network->parameter_gradients[layer->parameters[0]],
        network->parameter_gradients[layer->parameters[1]]);
}
