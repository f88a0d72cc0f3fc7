/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The memory of a network's activations and their gradients: all of them share one block, planned
 * by lifetimes. Time runs forwards through the layers, stands at the loss, and runs back through
 * them. An activation lives from its layer to the last that reads it, on the way forwards or
 * backwards. A gradient lives from the last layer that reads its activation, the first to write on
 * the way backwards, to the layer that made it.
 */

#include "train/network_joined.h"

#include "base/error.h"
#include "base/layout.h"
#include "base/memory.h"

#include <stdlib.h>

typedef struct memory_plan {
    layout_item *values, *rounded, *remade, *gradients; /* by value, side by side in one array */
    size_t value_count;
    int *home; /* by value: whose place its gradient takes, its own or another's */
} memory_plan;

/* ---- Lifetimes of activations ---- */

static int time_of_loss(const train_network *network)
{
    return (int)network->tape.layer_count;
}

static int time_backwards(const train_network *network, size_t layer)
{
    return 2 * time_of_loss(network) - (int)layer;
}

static void touch(layout_item *item, int time)
{
    item->first = time < item->first ? time : item->first;
    item->last = time > item->last ? time : item->last;
}

/* What a layer looks at again on its way backwards. */
static bool reads_inputs_backwards(const train_network *network, size_t index)
{
    train_layer_kind kind = network->tape.layers[index].kind;
    return kind == TRAIN_CONV || kind == TRAIN_DENSE || kind == TRAIN_BATCH_NORM ||
           kind == TRAIN_ACTIVATION || kind == TRAIN_MULTIPLY;
}

static bool reads_output_backwards(const train_network *network, size_t index)
{
    const train_layer *layer = &network->tape.layers[index];
    return (layer->activation.kind != NN_ACTIVATION_NONE && layer->kind != TRAIN_BATCH_NORM) ||
           network_helps_behind(network, index);
}

/* A convolution in BF16 reads its input rounded; what rounds it reads it as it is. A joined one
 * may read that of the layer before it. */
static void touch_inputs(const train_network *network, size_t index, int time, memory_plan *plan)
{
    const train_layer *layer = &network->tape.layers[index];
    if (network_makes_input(network, index)) {
        touch(&plan->values[network_joined_input(network, index)], time);
        return;
    }
    for (int i = 0; i < layer->input_count; i++)
        touch(network->layers[index].rounds ? &plan->rounded[layer->inputs[i]]
                                            : &plan->values[layer->inputs[i]],
              time);
}

/* The same on the way backwards, where one may be made once more: then what it is made of is read.
 */
static void touch_inputs_again(const train_network *network, size_t index, memory_plan *plan)
{
    const train_layer *layer = &network->tape.layers[index];
    const train_layer *maker = network_remade_input(network, index);
    int time = time_backwards(network, index);
    if (maker == NULL) {
        touch_inputs(network, index, time, plan);
        return;
    }
    layout_item *remade = &plan->remade[layer->inputs[0]];
    remade->bytes = network_count(network, layer->inputs[0]) * sizeof(float);
    touch(remade, time);
    touch(&plan->values[maker->inputs[0]], time);
}

static void find_value_sizes(const train_network *network, memory_plan *plan)
{
    const train_tape *tape = &network->tape;
    plan->values[tape->input].bytes = network_count(network, tape->input) * sizeof(float);
    for (size_t l = 0; l < tape->layer_count; l++) {
        const train_layer *layer = &tape->layers[l];
        if (!network_is_passed_over(network, l))
            plan->values[layer->output].bytes =
                network_count(network, layer->output) * sizeof(float);
        if (network->layers[l].rounds)
            plan->rounded[layer->inputs[0]].bytes =
                network_count(network, layer->inputs[0]) * sizeof(train_bf16);
    }
}

static void plan_values(const train_network *network, memory_plan *plan)
{
    const train_tape *tape = &network->tape;
    find_value_sizes(network, plan);
    touch(&plan->values[tape->input], 0);
    touch(&plan->rounded[tape->input], 0);
    for (size_t l = 0; l < tape->layer_count; l++) {
        const train_layer *layer = &tape->layers[l];
        int back = time_backwards(network, l);
        touch(&plan->values[layer->output], (int)l);
        touch(&plan->rounded[layer->output], (int)l);
        touch_inputs(network, l, (int)l, plan);
        if (tape->needs_gradient[layer->output] && reads_inputs_backwards(network, l))
            touch_inputs_again(network, l, plan);
        if (tape->needs_gradient[layer->output] && reads_output_backwards(network, l))
            touch(&plan->values[layer->output], back);
    }
    for (size_t o = 0; o < network->output_count; o++)
        touch(&plan->values[network->outputs[o]], time_backwards(network, 0));
}

/* ---- Lifetimes of gradients ---- */

/* Whether the gradient behind a convolution is written by BatchNormalization and by nothing else.
 */
static bool gradient_comes_rounded(const train_network *network, size_t index)
{
    const train_layer *layer = &network->tape.layers[index], *reader = NULL;
    for (size_t l = 0; l < network->tape.layer_count; l++)
        if (network->tape.layers[l].inputs[0] == layer->output)
            reader = &network->tape.layers[l];
    return network->layers[index].rounds && network_readers(network, layer->output) == 1 &&
           reader != NULL && reader->kind == TRAIN_BATCH_NORM && !reader->accumulates[0] &&
           layer->activation.kind == NN_ACTIVATION_NONE && layer->parameters[1] < 0 &&
           network->tape.needs_gradient[layer->output];
}

/*
 * The input of a layer whose gradient can be written over the output's, or -1. BatchNormalization
 * makes it number by number; of the parts of a sum, one can stay where it is. What has a part of
 * its gradient already has a place too.
 */
static int input_in_place(const train_network *network, const train_layer *layer)
{
    if (layer->kind != TRAIN_BATCH_NORM && layer->kind != TRAIN_ADD)
        return -1;
    for (int i = 0; i < layer->input_count; i++)
        if (network->tape.needs_gradient[layer->inputs[i]] && !layer->accumulates[i])
            return layer->inputs[i];
    return -1;
}

/* From the last layer on, so that a place can be handed on; what comes rounded is too small. */
static void find_homes(const train_network *network, memory_plan *plan)
{
    const train_tape *tape = &network->tape;
    for (size_t v = 0; v < plan->value_count; v++)
        plan->home[v] = (int)v;
    for (size_t l = tape->layer_count; l-- > 0;) {
        const train_layer *layer = &tape->layers[l];
        int input = input_in_place(network, layer);
        if (input >= 0 && tape->needs_gradient[layer->output])
            plan->home[input] = plan->home[layer->output];
    }
    for (size_t l = 0; l < tape->layer_count; l++)
        if (gradient_comes_rounded(network, l))
            plan->home[tape->layers[l].output] = tape->layers[l].output;
}

static void plan_gradients(const train_network *network, memory_plan *plan)
{
    const train_tape *tape = &network->tape;
    find_homes(network, plan);
    for (size_t l = 0; l < tape->layer_count; l++) {
        const train_layer *layer = &tape->layers[l];
        if (!tape->needs_gradient[layer->output])
            continue;
        layout_item *own = &plan->gradients[plan->home[layer->output]];
        own->bytes = network_count(network, layer->output) *
                     (gradient_comes_rounded(network, l) ? sizeof(train_bf16) : sizeof(float));
        touch(own, time_backwards(network, l));
        for (int i = 0; i < layer->input_count; i++)
            touch(&plan->gradients[plan->home[layer->inputs[i]]], time_backwards(network, l));
    }
    for (size_t o = 0; o < network->output_count; o++)
        touch(&plan->gradients[plan->home[network->outputs[o]]], time_of_loss(network));
}

/* ---- The block ---- */

static void *place_of(const train_network *network, const layout_item *item)
{
    return item->bytes > 0 ? network->block + item->offset : NULL;
}

static void hand_out(train_network *network, const memory_plan *plan)
{
    const train_tape *tape = &network->tape;
    for (size_t v = 0; v < plan->value_count; v++) {
        network->values[v] = place_of(network, &plan->values[v]);
        network->rounded[v] = place_of(network, &plan->rounded[v]);
    }
    for (size_t l = 0; l < tape->layer_count; l++)
        network->layers[l].remade =
            network_remade_input(network, l) != NULL
                ? place_of(network, &plan->remade[tape->layers[l].inputs[0]])
                : NULL;
    for (size_t l = 0; l < tape->layer_count; l++) {
        int output = tape->layers[l].output;
        void *place = place_of(network, &plan->gradients[plan->home[output]]);
        if (gradient_comes_rounded(network, l))
            network->rounded_gradients[output] = place;
        else if (tape->needs_gradient[output])
            network->gradients[output] = place;
    }
}

static mien_status fill_block(train_network *network, memory_plan *plan, mien_error *error)
{
    size_t total, count = 4 * plan->value_count;
    for (size_t i = 0; i < count; i++)
        plan->values[i] = (layout_item){.first = time_backwards(network, 0), .last = 0};
    plan_values(network, plan);
    plan_gradients(network, plan);
    mien_status status = layout_place(plan->values, count, &total, error);
    if (status != MIEN_OK)
        return status;
    network->block = network->backend->memory->allocate(network->device, total);
    if (network->block == NULL)
        return error_no_memory(error, "activations", total);
    hand_out(network, plan);
    return MIEN_OK;
}

static mien_status create_block(train_network *network, mien_error *error)
{
    size_t values = network->tape.graph->value_count;
    layout_item *items = memory_zeroed(4 * values, sizeof *items);
    memory_plan plan = {.values = items,
                        .rounded = items + values,
                        .remade = items + 2 * values,
                        .gradients = items + 3 * values,
                        .value_count = values,
                        .home = memory_zeroed(values, sizeof *plan.home)};
    mien_status status = MIEN_OK;
    if (items == NULL || plan.home == NULL)
        status = error_no_memory(error, "a plan of memory", 4 * values * sizeof *items);
    else
        status = fill_block(network, &plan, error);
    free(items);
    free(plan.home);
    return status;
}

/* ---- Scratch ---- */

static void at_least(size_t *most, size_t count)
{
    *most = count > *most ? count : *most;
}

/* Numbers that go through a spare place: parts of a gradient that are added to others. */
static size_t part_count(const train_network *network, const train_layer *layer)
{
    size_t most = 1;
    for (int i = 0; i < layer->input_count; i++)
        if (layer->accumulates[i] || layer->kind == TRAIN_MULTIPLY)
            at_least(&most, network_count(network, layer->inputs[i]));
    return most;
}

static mien_status create_scratch(train_network *network, mien_error *error)
{
    const train_tape *tape = &network->tape;
    const train_backend *backend = network->backend;
    size_t part = 1, norm = 1, rounded = 1;
    size_t conv = network_count(network, tape->input) * sizeof(float); /* take_input's */
    for (size_t l = 0; l < tape->layer_count; l++) {
        const train_layer *layer = &tape->layers[l];
        const layer_state *state = &network->layers[l];
        at_least(&part, part_count(network, layer));
        at_least(&norm,
                 (size_t)network_extent(network, layer->output).channels * TRAIN_NORM_SCRATCH);
        if (layer->kind == TRAIN_MULTIPLY) /* its factors' gradient */
            at_least(&norm, network_count(network, layer->inputs[1]));
        if (state->conv != NULL)
            at_least(&conv, backend->conv_scratch(state->conv));
        if (state->rounds)
            at_least(&rounded, network_count(network, layer->output));
    }
    network->part = backend->memory->allocate(network->device, part * sizeof(float));
    network->norm_scratch = backend->memory->allocate(network->device, norm * sizeof(float));
    network->conv_scratch = backend->memory->allocate(network->device, conv);
    network->rounded_part =
        backend->memory->allocate(network->device, rounded * sizeof(train_bf16));
    if (network->part == NULL || network->norm_scratch == NULL || network->conv_scratch == NULL ||
        network->rounded_part == NULL)
        return error_no_memory(error, "scratch of a network", part * sizeof(float) + conv);
    return MIEN_OK;
}

/* What the host sees of the network. */
static mien_status create_host_arrays(train_network *network, mien_error *error)
{
    const train_memory *memory = network->backend->memory;
    size_t bytes = network_count(network, network->tape.input) * sizeof(float);
    network->plain_input = memory->allocate_host(network->device, bytes);
    bool complete = network->plain_input != NULL;
    for (size_t o = 0; complete && o < network->output_count; o++) {
        bytes = network_count(network, network->outputs[o]) * sizeof(float);
        network->outputs_read[o] = memory->allocate_host(network->device, bytes);
        network->output_gradients[o] = memory->allocate_host(network->device, bytes);
        complete = network->outputs_read[o] != NULL && network->output_gradients[o] != NULL;
    }
    return complete ? MIEN_OK : error_no_memory(error, "inputs and outputs", bytes);
}

mien_status network_create_memory(train_network *network, mien_error *error)
{
    mien_status status = create_block(network, error);
    if (status == MIEN_OK)
        status = create_scratch(network, error);
    return status == MIEN_OK ? create_host_arrays(network, error) : status;
}
