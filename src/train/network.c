/* SPDX-License-Identifier: Apache-2.0 */
#include "train/network_joined.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

/* ---- Making ---- */

static nn_conv conv_of(const train_network *network, const train_layer *layer)
{
    return (nn_conv){.in = network_extent(network, layer->inputs[0]),
                     .out = network_extent(network, layer->output),
                     .window = layer->params.conv.window,
                     .group = layer->params.conv.group};
}

/* A product is a convolution of one pixel. */
static nn_conv product_of(const train_network *network, const train_layer *layer)
{
    return (nn_conv){.in = network_extent(network, layer->inputs[0]),
                     .out = network_extent(network, layer->output),
                     .window = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}},
                     .group = 1};
}

static mien_status create_conv(const train_network *network, const train_layer *layer,
                               layer_state *state, mien_error *error)
{
    const train_backend *backend = network->backend;
    bool dense = layer->kind == TRAIN_DENSE;
    nn_conv conv = dense ? product_of(network, layer) : conv_of(network, layer);
    mien_status status =
        backend->conv_create(network->device, &conv, network->tape.needs_gradient[layer->inputs[0]],
                             &state->conv, error);
    if (status == MIEN_OK && backend->rounding != NULL)
        state->rounds = backend->rounding->takes(state->conv);
    return status;
}

static mien_status create_layer(train_network *network, size_t index, mien_error *error)
{
    const train_layer *layer = &network->tape.layers[index];
    layer_state *state = &network->layers[index];
    nn_extent out = network_extent(network, layer->output);
    if (layer->kind == TRAIN_CONV || (layer->kind == TRAIN_DENSE && network->backend->rounding))
        return create_conv(network, layer, state, error);
    if (layer->kind == TRAIN_BATCH_NORM) {
        if (out.channels > TRAIN_MAX_CHANNELS)
            return error_set(error, MIEN_LIMIT, "'%s' has more than %d channels", layer->node->name,
                             TRAIN_MAX_CHANNELS);
        state->mean = network_zeroed(network, (size_t)out.channels * sizeof *state->mean);
        state->inverse = network_zeroed(network, (size_t)out.channels * sizeof *state->inverse);
        if (state->mean == NULL || state->inverse == NULL)
            return error_no_memory(error, layer->node->name, (uint64_t)out.channels * 8);
    }
    if (layer->kind == TRAIN_MAX_POOL) {
        const nn_window *w = &layer->params.pool.window;
        if (w->kernel[0] > 15 || w->kernel[1] > 15)
            return error_set(error, MIEN_LIMIT, "'%s' has a window over 15 cells wide",
                             layer->node->name);
        state->winners = network_zeroed(network, network_count(network, layer->output));
        if (state->winners == NULL)
            return error_no_memory(error, layer->node->name, network_count(network, layer->output));
    }
    return MIEN_OK;
}

static mien_status create_parameters(train_network *network, mien_error *error)
{
    const train_tape *tape = &network->tape;
    for (size_t p = 0; p < tape->parameter_count; p++) {
        size_t bytes = tape->parameters[p].count * sizeof(float);
        network->parameters[p] = network->backend->memory->allocate(network->device, bytes);
        network->parameter_gradients[p] = network_zeroed(network, bytes);
        if (network->parameters[p] == NULL || network->parameter_gradients[p] == NULL)
            return error_no_memory(error, tape->parameters[p].name, bytes);
        network->backend->memory->bring(network->device, network->parameters[p],
                                        tape->graph->values[tape->parameters[p].value].tensor.data,
                                        bytes);
    }
    return MIEN_OK;
}

static mien_status create_arrays(train_network *network, mien_error *error)
{
    const train_tape *tape = &network->tape;
    size_t values = tape->graph->value_count;
    network->values = memory_zeroed(values, sizeof *network->values);
    network->gradients = memory_zeroed(values, sizeof *network->gradients);
    network->parameters = memory_zeroed(tape->parameter_count, sizeof *network->parameters);
    network->parameter_gradients =
        memory_zeroed(tape->parameter_count, sizeof *network->parameter_gradients);
    network->rounded = memory_zeroed(values, sizeof *network->rounded);
    network->rounded_gradients = memory_zeroed(values, sizeof *network->rounded_gradients);
    network->layers = memory_zeroed(tape->layer_count, sizeof *network->layers);
    if (network->values == NULL || network->gradients == NULL || network->parameters == NULL ||
        network->parameter_gradients == NULL || network->rounded == NULL ||
        network->rounded_gradients == NULL || network->layers == NULL)
        return error_no_memory(error, "a network", values * sizeof *network->values);
    return MIEN_OK;
}

static mien_status find_outputs(train_network *network, const char *const *names, size_t count,
                                mien_error *error)
{
    for (size_t o = 0; o < count; o++) {
        int value = train_tape_output(&network->tape, names[o]);
        nn_shape shape = train_tape_shape(&network->tape, value);
        nn_extent extent = network_extent(network, value);
        if (extent.height * extent.width != 1 || !network->tape.needs_gradient[value])
            return error_set(error, MIEN_UNSUPPORTED,
                             "output '%s' of %d dimensions cannot be trained", names[o],
                             shape.rank);
        network->outputs[o] = value;
    }
    network->output_count = count;
    return MIEN_OK;
}

mien_status train_network_create(const nn_model *model, int batch, const char *const *outputs,
                                 size_t output_count, const train_backend *backend,
                                 train_device *device, train_network **out, mien_error *error)
{
    *out = NULL;
    if (output_count < 1 || output_count > NETWORK_MAX_OUTPUTS)
        return error_set(error, MIEN_INVALID_ARGUMENT, "%zu outputs, not 1 to %d", output_count,
                         NETWORK_MAX_OUTPUTS);
    train_network *network = memory_zeroed(1, sizeof *network);
    if (network == NULL)
        return error_no_memory(error, "a network", sizeof *network);
    network->backend = backend;
    network->device = device;
    mien_status status =
        train_tape_create(model, batch, outputs, output_count, &network->tape, error);
    if (status == MIEN_OK)
        status = create_arrays(network, error);
    if (status == MIEN_OK)
        status = create_parameters(network, error);
    if (status == MIEN_OK)
        status = find_outputs(network, outputs, output_count, error);
    for (size_t l = 0; status == MIEN_OK && l < network->tape.layer_count; l++)
        status = create_layer(network, l, error);
    if (status == MIEN_OK)
        status = network_join(network, error);
    if (status == MIEN_OK)
        status = network_create_memory(network, error);
    if (status == MIEN_OK)
        status = train_network_check(network, error);
    if (status != MIEN_OK) {
        train_network_free(network);
        return status;
    }
    *out = network;
    return MIEN_OK;
}

static void free_all(const train_network *network, float **arrays, size_t count)
{
    for (size_t i = 0; arrays != NULL && i < count; i++)
        network_release(network, arrays[i]);
    free(arrays);
}

static void free_layer(const train_network *network, const layer_state *state)
{
    if (state->conv != NULL)
        network->backend->conv_free(state->conv);
    network_release(network, state->mean);
    network_release(network, state->inverse);
    network_release(network, state->winners);
    network_release(network, state->joined_floats);
    network_release(network, state->joined.sums);
}

void train_network_free(train_network *network)
{
    if (network == NULL)
        return;
    const train_tape *tape = &network->tape;
    for (size_t l = 0; network->layers != NULL && l < tape->layer_count; l++)
        free_layer(network, &network->layers[l]);
    free(network->values);
    free(network->gradients);
    free_all(network, network->parameters, tape->parameter_count);
    free_all(network, network->parameter_gradients, tape->parameter_count);
    free(network->rounded);
    free(network->rounded_gradients);
    free(network->layers);
    network_release(network, network->block);
    network_release(network, network->rounded_part);
    network_release(network, network->part);
    network_release(network, network->norm_scratch);
    network_release(network, network->conv_scratch);
    network->backend->memory->free_host(network->device, network->plain_input);
    for (size_t o = 0; o < NETWORK_MAX_OUTPUTS; o++) {
        network->backend->memory->free_host(network->device, network->outputs_read[o]);
        network->backend->memory->free_host(network->device, network->output_gradients[o]);
    }
    train_tape_free(&network->tape);
    free(network);
}

/* ---- Looking in ---- */

const train_tape *train_network_tape(const train_network *network)
{
    return &network->tape;
}

mien_status train_network_freeze(train_network *network, const bool *frozen, mien_error *error)
{
    return train_tape_freeze(&network->tape, frozen, error);
}

float *train_network_input(train_network *network)
{
    return network->plain_input;
}

const float *train_network_output(const train_network *network, size_t index)
{
    return network->outputs_read[index];
}

float *train_network_output_gradient(train_network *network, size_t index)
{
    return network->output_gradients[index];
}

float *train_network_values(train_network *network, size_t index)
{
    return network->parameters[index];
}

float *train_network_gradients(train_network *network, size_t index)
{
    return network->parameter_gradients[index];
}

float *train_network_host_values(train_network *network, size_t index)
{
    return network->backend->memory->on_host ? network->parameters[index] : NULL;
}

void train_network_read_values(const train_network *network, size_t index, float *to)
{
    network->backend->memory->fetch(network->device, to, network->parameters[index],
                                    network->tape.parameters[index].count * sizeof *to);
}

void train_network_clear_values(train_network *network, size_t index)
{
    network->backend->memory->zero(network->device, network->parameters[index],
                                   network->tape.parameters[index].count * sizeof(float));
}

void train_network_take_values(train_network *network, const train_network *from)
{
    for (size_t p = 0; p < network->tape.parameter_count; p++)
        network->backend->memory->copy(network->device, network->parameters[p], from->parameters[p],
                                       network->tape.parameters[p].count * sizeof(float));
}

mien_status train_network_check(const train_network *network, mien_error *error)
{
    return network->backend->memory->check(network->device, error);
}
