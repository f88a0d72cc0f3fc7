/* SPDX-License-Identifier: Apache-2.0 */
#include "train/network_joined.h"

/* Where the gradient of input `i` is written: its own place, the spare one, or nowhere. */
static float *gradient_place(const train_network *network, const train_layer *layer, int i)
{
    int value = layer->inputs[i];
    if (!network->tape.needs_gradient[value])
        return NULL;
    return layer->accumulates[i] ? network->part : network->gradients[value];
}

static void add_to(const train_network *network, float *sum, const float *part, size_t count)
{
    network->backend->elements->add(network->device, sum, part, count, sum);
}

static void copy(const train_network *network, float *to, const float *from, size_t count)
{
    network->backend->memory->copy(network->device, to, from, count * sizeof *to);
}

/* Adds what was written to the spare place. */
static void gather_gradient(const train_network *network, const train_layer *layer, int i)
{
    int value = layer->inputs[i];
    if (network->tape.needs_gradient[value] && layer->accumulates[i])
        add_to(network, network->gradients[value], network->part, network_count(network, value));
}

static float *parameter_gradient(const train_network *network, const train_layer *layer, int which)
{
    int index = layer->parameters[which];
    return index >= 0 ? network->parameter_gradients[index] : NULL;
}

static void multiply_backward(const train_network *network, const train_layer *layer,
                              const float *dy)
{
    const float *a = network->values[layer->inputs[0]], *b = network->values[layer->inputs[1]];
    nn_extent in = network_extent(network, layer->inputs[0]);
    size_t count = network_count(network, layer->output);
    if (network_count(network, layer->inputs[1]) == count) {
        for (int i = 0; i < 2; i++) {
            float *place = gradient_place(network, layer, i);
            if (place != NULL)
                network->backend->elements->multiply(network->device, dy, i == 0 ? b : a, count,
                                                     place);
            gather_gradient(network, layer, i);
        }
        return;
    }
    /* Both gradients come at once: the factor's is small and goes behind the other one's. */
    float *factor = network->norm_scratch;
    float *place = gradient_place(network, layer, 0);
    if (place == NULL)
        place = network->part;
    network->backend->scale_channels_backward(network->device, &in, a, b, dy, place, factor);
    gather_gradient(network, layer, 0);
    float *factor_place = network->tape.needs_gradient[layer->inputs[1]]
                              ? network->gradients[layer->inputs[1]]
                              : NULL;
    size_t factors = network_count(network, layer->inputs[1]);
    if (factor_place != NULL && layer->accumulates[1])
        add_to(network, factor_place, factor, factors);
    else if (factor_place != NULL)
        copy(network, factor_place, factor, factors);
}

static void concat_backward(const train_network *network, const train_layer *layer, const float *dy)
{
    int64_t first = 0, all = network_extent(network, layer->output).channels;
    for (int i = 0; i < layer->input_count; i++) {
        nn_extent part = network_extent(network, layer->inputs[i]);
        float *place = gradient_place(network, layer, i);
        if (place != NULL)
            network->backend->split_channels(network->device, &part, first, all, dy, place);
        gather_gradient(network, layer, i);
        first += part.channels;
    }
}

/* One of the two may have its gradient where dy is. */
static void add_backward(const train_network *network, const train_layer *layer, const float *dy)
{
    size_t count = network_count(network, layer->output);
    for (int i = 0; i < 2; i++) {
        float *gradient = network->gradients[layer->inputs[i]];
        if (!network->tape.needs_gradient[layer->inputs[i]])
            continue;
        if (layer->accumulates[i])
            add_to(network, gradient, dy, count);
        else if (gradient != dy)
            copy(network, gradient, dy, count);
    }
}

static void reshape_backward(const train_network *network, const train_layer *layer,
                             const float *dy, float *dx)
{
    nn_extent in = network_extent(network, layer->inputs[0]);
    if (network->backend->channels_last && in.height * in.width > 1 && in.channels > 1)
        network->backend->elements->transpose(network->device, dy, in.batch, in.channels,
                                              in.height * in.width, dx);
    else
        copy(network, dx, dy, network_count(network, layer->output));
}

/* The gradient of the layer's output, rounded; that of the bias goes where it belongs. */
static const train_bf16 *rounded_gradient(const train_network *network, const train_layer *layer)
{
    const train_bf16 *rounded = network->rounded_gradients[layer->output];
    if (rounded != NULL)
        return rounded;
    nn_extent out = network_extent(network, layer->output);
    bool relu = layer->activation.kind == NN_ACTIVATION_RELU;
    network->backend->rounding->round_gradient(
        network->device, relu ? network->values[layer->output] : NULL,
        network->gradients[layer->output], out.batch * out.height * out.width, out.channels,
        network->norm_scratch, network->rounded_part, parameter_gradient(network, layer, 1));
    return network->rounded_part;
}

static void rounded_backward(const train_network *network, size_t index, float *dx)
{
    const train_layer *layer = &network->tape.layers[index];
    network->backend->rounding->conv_backward(
        network->layers[index].conv, network->rounded[layer->inputs[0]],
        network_parameter(network, layer, 0), rounded_gradient(network, layer), dx,
        parameter_gradient(network, layer, 0), network->conv_scratch);
}

/* The output of the BatchNormalization before the layer, as it was on the way forwards. */
static const float *remake_input(const train_network *network, size_t index)
{
    const train_layer *maker = network_remade_input(network, index);
    const layer_state *norm_state = &network->layers[maker - network->tape.layers];
    const float *x = network->values[maker->inputs[0]];
    const float *scale = network_parameter(network, maker, 0);
    const float *shift = network_parameter(network, maker, 1);
    float *y = network->layers[index].remade;
    train_norm norm = network_norm(network, maker);
    if (train_tape_norm_is_frozen(&network->tape, maker))
        network->backend->norm_running(&norm, x, scale, shift, network_parameter(network, maker, 2),
                                       network_parameter(network, maker, 3), y);
    else
        network->backend->norm_again(&norm, x, scale, shift, norm_state->mean, norm_state->inverse,
                                     y);
    return y;
}

/* Layers with one input that flows. */
static void single_backward(train_network *network, size_t index, float *dy, float *dx)
{
    const train_layer *layer = &network->tape.layers[index];
    const layer_state *state = &network->layers[index];
    const train_backend *backend = network->backend;
    const float *x =
        state->remade != NULL ? remake_input(network, index) : network->values[layer->inputs[0]];
    const float *y = network->values[layer->output];
    nn_extent in = network_extent(network, layer->inputs[0]);
    size_t count = network_count(network, layer->output);
    nn_pool pool;
    if (state->rounds) {
        rounded_backward(network, index, dx);
        return;
    }
    if (network_is_joined(network, index)) {
        network_joined_backward(network, index, dx);
        return;
    }
    switch (layer->kind) {
    case TRAIN_CONV:
        backend->conv_backward(state->conv, x, network_parameter(network, layer, 0), dy, dx,
                               parameter_gradient(network, layer, 0),
                               parameter_gradient(network, layer, 1), network->conv_scratch);
        return;
    case TRAIN_DENSE:
        backend->dense_backward(
            network->device, in.batch, in.channels, network_extent(network, layer->output).channels,
            x, network_parameter(network, layer, 0), dy, dx, parameter_gradient(network, layer, 0),
            parameter_gradient(network, layer, 1));
        return;
    case TRAIN_BATCH_NORM:
        network_norm_backward(network, index, dy, dx);
        return;
    default:
        break;
    }
    if (dx == NULL)
        return;
    switch (layer->kind) {
    case TRAIN_ACTIVATION:
        backend->elements->activate_backward(network->device, layer->activation, x, y, dy, count,
                                             dx);
        break;
    case TRAIN_MAX_POOL:
    case TRAIN_AVERAGE_POOL:
        pool = network_pool(network, layer);
        backend->pool_backward(network->device, &pool, dy, state->winners, dx);
        break;
    case TRAIN_GLOBAL_AVERAGE:
        backend->global_average_backward(network->device, &in, dy, dx);
        break;
    case TRAIN_DROPOUT:
        backend->elements->dropout(network->device, dy, count, layer->dropped, network->seed,
                                   network->step, (uint64_t)index, dx);
        break;
    case TRAIN_RESHAPE:
        reshape_backward(network, layer, dy, dx);
        break;
    default:
        break;
    }
}

/* Whether the slope of the joined activation is still to be multiplied with. */
static bool hides_activation(const train_network *network, size_t index)
{
    const train_layer *layer = &network->tape.layers[index];
    if (network->layers[index].rounds && layer->activation.kind == NN_ACTIVATION_RELU)
        return false;
    return layer->activation.kind != NN_ACTIVATION_NONE && layer->kind != TRAIN_ACTIVATION &&
           layer->kind != TRAIN_BATCH_NORM;
}

static void layer_backward(train_network *network, size_t index)
{
    const train_layer *layer = &network->tape.layers[index];
    if (!network->tape.needs_gradient[layer->output])
        return;
    float *dy = network->gradients[layer->output];
    if (hides_activation(network, index))
        network->backend->elements->activate_backward(network->device, layer->activation, NULL,
                                                      network->values[layer->output], dy,
                                                      network_count(network, layer->output), dy);
    if (layer->kind == TRAIN_ADD) {
        add_backward(network, layer, dy);
    } else if (layer->kind == TRAIN_MULTIPLY) {
        multiply_backward(network, layer, dy);
    } else if (layer->kind == TRAIN_CONCAT) {
        concat_backward(network, layer, dy);
    } else {
        single_backward(network, index, dy, gradient_place(network, layer, 0));
        gather_gradient(network, layer, 0);
    }
}

static void take_output_gradients(const train_network *network)
{
    for (size_t o = 0; o < network->output_count; o++)
        network->backend->memory->bring(
            network->device, network->gradients[network->outputs[o]], network->output_gradients[o],
            network_count(network, network->outputs[o]) * sizeof(float));
}

void train_network_backward(train_network *network)
{
    train_modes modes;
    network_enter(network, &modes);
    take_output_gradients(network);
    for (size_t l = network->tape.layer_count; l-- > 0;)
        layer_backward(network, l);
    network_leave(network, &modes);
}
