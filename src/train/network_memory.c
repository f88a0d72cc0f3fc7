/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The memory of a network's activations and their gradients. Activations are kept from their layer
 * on the way forwards to the same layer on the way backwards, each in a place of its own. A
 * gradient lives from the last layer that reads its activation, the first to write on the way
 * backwards, to the layer that made it: all of them share one block.
 */

#include "train/network_state.h"

#include "base/error.h"
#include "base/layout.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- Activations ---- */

static mien_status create_rounded(train_bf16 **place, size_t count, mien_error *error)
{
    if (*place == NULL)
        *place = memory_aligned(count * sizeof **place);
    return *place != NULL ? MIEN_OK : error_no_memory(error, "activations", count * sizeof **place);
}

static mien_status create_value(train_network *network, int value, mien_error *error)
{
    size_t count = network_count(network, value);
    if (network->values[value] != NULL)
        return MIEN_OK;
    network->values[value] = memory_aligned(count * sizeof(float));
    if (network->values[value] == NULL)
        return error_no_memory(error, "activations", count * sizeof(float));
    memset(network->values[value], 0, count * sizeof(float));
    return MIEN_OK;
}

static mien_status create_values(train_network *network, mien_error *error)
{
    mien_status status = create_value(network, network->tape.input, error);
    for (size_t l = 0; status == MIEN_OK && l < network->tape.layer_count; l++) {
        const train_layer *layer = &network->tape.layers[l];
        status = create_value(network, layer->output, error);
        if (status == MIEN_OK && network->layers[l].rounds)
            status = create_rounded(&network->rounded[layer->inputs[0]],
                                    network_count(network, layer->inputs[0]), error);
    }
    return status;
}

/* ---- Gradients ---- */

/* Whether the gradient behind a convolution is written by BatchNormalization and by nothing else.
 */
static bool gradient_comes_rounded(const train_network *network, size_t index)
{
    int readers = 0;
    const train_layer *layer = &network->tape.layers[index], *reader = NULL;
    for (size_t l = 0; l < network->tape.layer_count; l++)
        for (int i = 0; i < network->tape.layers[l].input_count; i++)
            if (network->tape.layers[l].inputs[i] == layer->output) {
                reader = &network->tape.layers[l];
                readers++;
            }
    for (size_t o = 0; o < network->output_count; o++)
        readers += network->outputs[o] == layer->output;
    return network->layers[index].rounds && readers == 1 && reader != NULL &&
           reader->kind == TRAIN_BATCH_NORM && !reader->accumulates[0] &&
           layer->activation.kind == NN_ACTIVATION_NONE && layer->parameters[1] < 0 &&
           network->tape.needs_gradient[layer->output];
}

static void touch(layout_item *item, int time)
{
    item->first = time < item->first ? time : item->first;
    item->last = time > item->last ? time : item->last;
}

/* Time is the index of the layer; outputs' gradients are there before the last one. */
static void find_lifetimes(const train_network *network, layout_item *items)
{
    const train_tape *tape = &network->tape;
    for (size_t v = 0; v < tape->graph->value_count; v++)
        items[v] = (layout_item){.first = (int)tape->layer_count, .last = -1};
    for (size_t l = 0; l < tape->layer_count; l++) {
        const train_layer *layer = &tape->layers[l];
        bool rounded = gradient_comes_rounded(network, l);
        if (!tape->needs_gradient[layer->output])
            continue;
        items[layer->output].bytes =
            network_count(network, layer->output) * (rounded ? sizeof(train_bf16) : sizeof(float));
        touch(&items[layer->output], (int)l);
        for (int i = 0; i < layer->input_count; i++)
            touch(&items[layer->inputs[i]], (int)l);
    }
    for (size_t o = 0; o < network->output_count; o++)
        touch(&items[network->outputs[o]], (int)tape->layer_count);
}

static mien_status create_gradients(train_network *network, mien_error *error)
{
    const train_tape *tape = &network->tape;
    size_t total, values = tape->graph->value_count;
    layout_item *items = memory_zeroed(values, sizeof *items);
    if (items == NULL)
        return error_no_memory(error, "gradients", values * sizeof *items);
    find_lifetimes(network, items);
    mien_status status = layout_place(items, values, &total, error);
    if (status == MIEN_OK) {
        network->gradient_memory = memory_aligned(total);
        if (network->gradient_memory == NULL)
            status = error_no_memory(error, "gradients", total);
    }
    for (size_t l = 0; status == MIEN_OK && l < tape->layer_count; l++) {
        int output = tape->layers[l].output;
        unsigned char *place = network->gradient_memory + items[output].offset;
        if (gradient_comes_rounded(network, l))
            network->rounded_gradients[output] = (train_bf16 *)(void *)place;
        else if (tape->needs_gradient[output])
            network->gradients[output] = (float *)(void *)place;
    }
    free(items);
    return status;
}

/* ---- Scratch ---- */

static mien_status create_scratch(train_network *network, mien_error *error)
{
    const train_tape *tape = &network->tape;
    size_t largest = network_count(network, tape->input), channels = 1;
    for (size_t l = 0; l < tape->layer_count; l++) {
        size_t count = network_count(network, tape->layers[l].output);
        size_t own = (size_t)network_extent(network, tape->layers[l].output).channels;
        largest = count > largest ? count : largest;
        channels = own > channels ? own : channels;
    }
    network->part = memory_aligned(largest * sizeof(float));
    network->norm_scratch = memory_aligned(channels * TRAIN_NORM_SCRATCH * sizeof(float));
    network->plain_input = memory_zeroed(network_count(network, tape->input), sizeof(float));
    if (network->part == NULL || network->norm_scratch == NULL || network->plain_input == NULL)
        return error_no_memory(error, "activations", largest * sizeof(float));
    if (network->backend->rounding == NULL)
        return MIEN_OK;
    return create_rounded(&network->rounded_part, largest, error);
}

mien_status network_create_memory(train_network *network, mien_error *error)
{
    mien_status status = create_values(network, error);
    if (status == MIEN_OK)
        status = create_gradients(network, error);
    return status == MIEN_OK ? create_scratch(network, error) : status;
}
