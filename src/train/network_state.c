/* SPDX-License-Identifier: Apache-2.0 */
#include "train/network_joined.h"

void *network_zeroed(const train_network *network, size_t bytes)
{
    void *memory = network->backend->memory->allocate(network->device, bytes);
    if (memory != NULL)
        network->backend->memory->zero(network->device, memory, bytes);
    return memory;
}

void network_release(const train_network *network, void *memory)
{
    network->backend->memory->free(network->device, memory);
}

nn_extent network_extent(const train_network *network, int value)
{
    nn_shape shape = train_tape_shape(&network->tape, value);
    if (shape.rank == 4)
        return (nn_extent){shape.dims[0], shape.dims[2], shape.dims[3], shape.dims[1]};
    nn_extent extent = {shape.dims[0], 1, 1, 1};
    for (int i = 1; i < shape.rank; i++)
        extent.channels *= shape.dims[i];
    return extent;
}

size_t network_count(const train_network *network, int value)
{
    nn_extent e = network_extent(network, value);
    return (size_t)(e.batch * e.height * e.width * e.channels);
}

float *network_parameter(const train_network *network, const train_layer *layer, int which)
{
    int index = layer->parameters[which];
    return index >= 0 ? network->parameters[index] : NULL;
}

train_norm network_norm(const train_network *network, const train_layer *layer)
{
    return (train_norm){.device = network->device,
                        .extent = network_extent(network, layer->output),
                        .epsilon = layer->params.norm.epsilon,
                        .activation = layer->activation,
                        .scratch = network->norm_scratch,
                        .rounded = network->rounded[layer->output],
                        .rounded_gradient = network->rounded_gradients[layer->inputs[0]]};
}

nn_pool network_pool(const train_network *network, const train_layer *layer)
{
    return (nn_pool){.in = network_extent(network, layer->inputs[0]),
                     .out = network_extent(network, layer->output),
                     .window = layer->params.pool.window,
                     .maximum = layer->kind == TRAIN_MAX_POOL,
                     .count_padding = layer->params.pool.count_padding};
}

int network_readers(const train_network *network, int value)
{
    int readers = 0;
    for (size_t l = 0; l < network->tape.layer_count; l++)
        for (int i = 0; i < network->tape.layers[l].input_count; i++)
            readers += network->tape.layers[l].inputs[i] == value;
    for (size_t o = 0; o < network->output_count; o++)
        readers += network->outputs[o] == value;
    return readers;
}

#define WORTH_REMAKING 576 /* products for each number read: a window of 3x3 to 64 channels */

const train_layer *network_remade_input(const train_network *network, size_t index)
{
    const train_tape *tape = &network->tape;
    const train_layer *layer = &tape->layers[index];
    const nn_window *w = &layer->params.conv.window;
    if (layer->kind != TRAIN_CONV || network->layers[index].rounds ||
        network_makes_input(network, index) || layer->params.conv.group != 1 ||
        network_readers(network, layer->inputs[0]) > 1 ||
        network_extent(network, layer->output).channels * w->kernel[0] * w->kernel[1] <
            WORTH_REMAKING)
        return NULL;
    for (size_t l = 0; l < index; l++)
        if (tape->layers[l].output == layer->inputs[0])
            return tape->layers[l].kind == TRAIN_BATCH_NORM ? &tape->layers[l] : NULL;
    return NULL;
}

void network_enter(const train_network *network, train_modes *modes)
{
    if (network->backend->rounding != NULL)
        network->backend->rounding->enter(modes);
}

void network_leave(const train_network *network, const train_modes *modes)
{
    if (network->backend->rounding != NULL)
        network->backend->rounding->leave(modes);
}
