/* SPDX-License-Identifier: Apache-2.0 */
#include "train/network.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/elementwise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OUTPUTS 4

/* What a layer keeps from its way forwards for its way backwards. */
typedef struct layer_state {
    train_conv *conv;
    float *mean, *inverse; /* BatchNormalization: (C) */
    uint8_t *winners;      /* max-pooling: one for each output */
} layer_state;

struct train_network {
    train_tape tape;
    const train_backend *backend;
    float **values;    /* activations by value of the graph; NULL where none */
    float **gradients; /* of activations; NULL where none is needed */
    float **parameters, **parameter_gradients; /* by index in the tape */
    layer_state *layers;
    float *part; /* a gradient that is added to another */
    float *norm_scratch;
    float *plain_input; /* channels first, when the backend wants them last */
    int outputs[MAX_OUTPUTS];
    float *plain_outputs[MAX_OUTPUTS]; /* not owned: pictures as outputs are not supported */
    size_t output_count;
    uint64_t seed, step; /* of the last forward run */
};

static nn_extent extent_of(const train_network *network, int value)
{
    nn_shape shape = train_tape_shape(&network->tape, value);
    if (shape.rank == 4)
        return (nn_extent){shape.dims[0], shape.dims[2], shape.dims[3], shape.dims[1]};
    nn_extent extent = {shape.dims[0], 1, 1, 1};
    for (int i = 1; i < shape.rank; i++)
        extent.channels *= shape.dims[i];
    return extent;
}

static size_t count_of(const train_network *network, int value)
{
    nn_extent e = extent_of(network, value);
    return (size_t)(e.batch * e.height * e.width * e.channels);
}

/* ---- Making ---- */

static nn_conv conv_of(const train_network *network, const train_layer *layer)
{
    return (nn_conv){.in = extent_of(network, layer->inputs[0]),
                     .out = extent_of(network, layer->output),
                     .window = layer->params.conv.window,
                     .group = layer->params.conv.group};
}

static mien_status create_layer(train_network *network, size_t index, mien_error *error)
{
    const train_layer *layer = &network->tape.layers[index];
    layer_state *state = &network->layers[index];
    nn_extent out = extent_of(network, layer->output);
    if (layer->kind == TRAIN_CONV) {
        nn_conv conv = conv_of(network, layer);
        return network->backend->conv_create(&conv, network->tape.needs_gradient[layer->inputs[0]],
                                             &state->conv, error);
    }
    if (layer->kind == TRAIN_BATCH_NORM) {
        if (out.channels > TRAIN_MAX_CHANNELS)
            return error_set(error, MIEN_LIMIT, "'%s' has more than %d channels", layer->node->name,
                             TRAIN_MAX_CHANNELS);
        state->mean = memory_zeroed((size_t)out.channels, sizeof *state->mean);
        state->inverse = memory_zeroed((size_t)out.channels, sizeof *state->inverse);
        if (state->mean == NULL || state->inverse == NULL)
            return error_no_memory(error, layer->node->name, (uint64_t)out.channels * 8);
    }
    if (layer->kind == TRAIN_MAX_POOL) {
        const nn_window *w = &layer->params.pool.window;
        if (w->kernel[0] > 15 || w->kernel[1] > 15)
            return error_set(error, MIEN_LIMIT, "'%s' has a window over 15 cells wide",
                             layer->node->name);
        state->winners = memory_zeroed(count_of(network, layer->output), 1);
        if (state->winners == NULL)
            return error_no_memory(error, layer->node->name, count_of(network, layer->output));
    }
    return MIEN_OK;
}

static mien_status create_value(train_network *network, int value, size_t *largest,
                                mien_error *error)
{
    size_t count = count_of(network, value);
    if (count > *largest)
        *largest = count;
    if (network->values[value] == NULL)
        network->values[value] = memory_aligned(count * sizeof(float));
    if (network->gradients[value] == NULL && network->tape.needs_gradient[value])
        network->gradients[value] = memory_aligned(count * sizeof(float));
    if (network->values[value] == NULL ||
        (network->tape.needs_gradient[value] && network->gradients[value] == NULL))
        return error_no_memory(error, "activations", count * sizeof(float));
    memset(network->values[value], 0, count * sizeof(float));
    return MIEN_OK;
}

static mien_status create_values(train_network *network, mien_error *error)
{
    size_t largest = 1;
    int64_t channels = 1;
    mien_status status = create_value(network, network->tape.input, &largest, error);
    for (size_t l = 0; status == MIEN_OK && l < network->tape.layer_count; l++) {
        int output = network->tape.layers[l].output;
        status = create_value(network, output, &largest, error);
        if (extent_of(network, output).channels > channels)
            channels = extent_of(network, output).channels;
    }
    if (status != MIEN_OK)
        return status;
    network->part = memory_aligned(largest * sizeof(float));
    network->norm_scratch = memory_aligned((size_t)channels * TRAIN_NORM_SCRATCH * sizeof(float));
    network->plain_input = memory_zeroed(count_of(network, network->tape.input), sizeof(float));
    if (network->part == NULL || network->norm_scratch == NULL || network->plain_input == NULL)
        return error_no_memory(error, "activations", largest * sizeof(float));
    return MIEN_OK;
}

static mien_status create_parameters(train_network *network, mien_error *error)
{
    const train_tape *tape = &network->tape;
    for (size_t p = 0; p < tape->parameter_count; p++) {
        size_t bytes = tape->parameters[p].count * sizeof(float);
        network->parameters[p] = memory_aligned(bytes);
        network->parameter_gradients[p] = memory_aligned(bytes);
        if (network->parameters[p] == NULL || network->parameter_gradients[p] == NULL)
            return error_no_memory(error, tape->parameters[p].name, bytes);
        memcpy(network->parameters[p], tape->graph->values[tape->parameters[p].value].tensor.data,
               bytes);
        memset(network->parameter_gradients[p], 0, bytes);
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
    network->layers = memory_zeroed(tape->layer_count, sizeof *network->layers);
    if (network->values == NULL || network->gradients == NULL || network->parameters == NULL ||
        network->parameter_gradients == NULL || network->layers == NULL)
        return error_no_memory(error, "a network", values * sizeof *network->values);
    return MIEN_OK;
}

static mien_status find_outputs(train_network *network, const char *const *names, size_t count,
                                mien_error *error)
{
    for (size_t o = 0; o < count; o++) {
        int value = train_tape_output(&network->tape, names[o]);
        nn_shape shape = train_tape_shape(&network->tape, value);
        nn_extent extent = extent_of(network, value);
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
                                 train_network **out, mien_error *error)
{
    *out = NULL;
    if (output_count < 1 || output_count > MAX_OUTPUTS)
        return error_set(error, MIEN_INVALID_ARGUMENT, "%zu outputs, not 1 to %d", output_count,
                         MAX_OUTPUTS);
    train_network *network = memory_zeroed(1, sizeof *network);
    if (network == NULL)
        return error_no_memory(error, "a network", sizeof *network);
    network->backend = backend;
    mien_status status =
        train_tape_create(model, batch, outputs, output_count, &network->tape, error);
    if (status == MIEN_OK)
        status = create_arrays(network, error);
    if (status == MIEN_OK)
        status = create_parameters(network, error);
    if (status == MIEN_OK)
        status = create_values(network, error);
    if (status == MIEN_OK)
        status = find_outputs(network, outputs, output_count, error);
    for (size_t l = 0; status == MIEN_OK && l < network->tape.layer_count; l++)
        status = create_layer(network, l, error);
    if (status != MIEN_OK) {
        train_network_free(network);
        return status;
    }
    *out = network;
    return MIEN_OK;
}

static void free_all(float **arrays, size_t count)
{
    for (size_t i = 0; arrays != NULL && i < count; i++)
        free(arrays[i]);
    free(arrays);
}

void train_network_free(train_network *network)
{
    if (network == NULL)
        return;
    const train_tape *tape = &network->tape;
    for (size_t l = 0; network->layers != NULL && l < tape->layer_count; l++) {
        if (network->layers[l].conv != NULL)
            network->backend->conv_free(network->layers[l].conv);
        free(network->layers[l].mean);
        free(network->layers[l].inverse);
        free(network->layers[l].winners);
    }
    size_t values = tape->graph != NULL ? tape->graph->value_count : 0;
    free_all(network->values, values);
    free_all(network->gradients, values);
    free_all(network->parameters, tape->parameter_count);
    free_all(network->parameter_gradients, tape->parameter_count);
    free(network->layers);
    free(network->part);
    free(network->norm_scratch);
    free(network->plain_input);
    train_tape_free(&network->tape);
    free(network);
}

/* ---- Forwards ---- */

static float *parameter(const train_network *network, const train_layer *layer, int which)
{
    int index = layer->parameters[which];
    return index >= 0 ? network->parameters[index] : NULL;
}

static train_norm norm_of(const train_network *network, const train_layer *layer)
{
    return (train_norm){.extent = extent_of(network, layer->output),
                        .epsilon = layer->params.norm.epsilon,
                        .activation = layer->activation,
                        .scratch = network->norm_scratch};
}

/* running = (1 - momentum) running + momentum batch, the variance unbiased as PyTorch keeps it. */
static void move_statistics(const train_network *network, const train_layer *layer,
                            const layer_state *state, float momentum)
{
    nn_extent e = extent_of(network, layer->output);
    double n = (double)(e.batch * e.height * e.width);
    float *mean = parameter(network, layer, 2), *variance = parameter(network, layer, 3);
    for (int64_t c = 0; c < e.channels; c++) {
        double biased = 1 / ((double)state->inverse[c] * state->inverse[c]) -
                        (double)layer->params.norm.epsilon;
        double unbiased = n > 1 ? biased * n / (n - 1) : biased;
        mean[c] += momentum * (state->mean[c] - mean[c]);
        variance[c] += momentum * ((float)unbiased - variance[c]);
    }
}

static void norm_forward(const train_network *network, const train_layer *layer, layer_state *state,
                         bool training, float momentum)
{
    const float *x = network->values[layer->inputs[0]];
    float *y = network->values[layer->output];
    train_norm norm = norm_of(network, layer);
    if (training && !train_tape_norm_is_frozen(&network->tape, layer)) {
        network->backend->norm_forward(&norm, x, parameter(network, layer, 0),
                                       parameter(network, layer, 1), state->mean, state->inverse,
                                       y);
        move_statistics(network, layer, state, momentum);
        return;
    }
    network->backend->norm_running(&norm, x, parameter(network, layer, 0),
                                   parameter(network, layer, 1), parameter(network, layer, 2),
                                   parameter(network, layer, 3), y);
}

static nn_pool pool_of(const train_network *network, const train_layer *layer)
{
    return (nn_pool){.in = extent_of(network, layer->inputs[0]),
                     .out = extent_of(network, layer->output),
                     .window = layer->params.pool.window,
                     .maximum = layer->kind == TRAIN_MAX_POOL,
                     .count_padding = layer->params.pool.count_padding};
}

/* Flatten of a picture is row-major in ONNX: (C, H, W). */
static void reshape_forward(const train_network *network, const train_layer *layer, const float *x,
                            float *y)
{
    nn_extent in = extent_of(network, layer->inputs[0]);
    if (network->backend->channels_last && in.height * in.width > 1 && in.channels > 1)
        elementwise_transpose(x, in.batch, in.height * in.width, in.channels, y);
    else
        memcpy(y, x, count_of(network, layer->output) * sizeof *y);
}

static void reshape_backward(const train_network *network, const train_layer *layer,
                             const float *dy, float *dx)
{
    nn_extent in = extent_of(network, layer->inputs[0]);
    if (network->backend->channels_last && in.height * in.width > 1 && in.channels > 1)
        elementwise_transpose(dy, in.batch, in.channels, in.height * in.width, dx);
    else
        memcpy(dx, dy, count_of(network, layer->output) * sizeof *dx);
}

static void concat_forward(const train_network *network, const train_layer *layer, float *y)
{
    int64_t first = 0, all = extent_of(network, layer->output).channels;
    for (int i = 0; i < layer->input_count; i++) {
        nn_extent part = extent_of(network, layer->inputs[i]);
        network->backend->join_channels(&part, first, all, network->values[layer->inputs[i]], y);
        first += part.channels;
    }
}

/* Two equal shapes, or a number for each picture and channel. */
static void multiply_forward(const train_network *network, const train_layer *layer, float *y)
{
    const float *a = network->values[layer->inputs[0]], *b = network->values[layer->inputs[1]];
    nn_extent in = extent_of(network, layer->inputs[0]);
    if (count_of(network, layer->inputs[1]) == count_of(network, layer->inputs[0]))
        elementwise_multiply(a, b, count_of(network, layer->output), y);
    else
        network->backend->scale_channels_forward(&in, a, b, y);
}

static void layer_forward(train_network *network, size_t index, bool training, float momentum)
{
    const train_layer *layer = &network->tape.layers[index];
    layer_state *state = &network->layers[index];
    const train_backend *backend = network->backend;
    const float *x = network->values[layer->inputs[0]];
    float *y = network->values[layer->output];
    nn_extent in = extent_of(network, layer->inputs[0]);
    size_t count = count_of(network, layer->output);
    nn_pool pool;
    switch (layer->kind) {
    case TRAIN_CONV:
        backend->conv_forward(state->conv, x, parameter(network, layer, 0),
                              parameter(network, layer, 1), y);
        break;
    case TRAIN_DENSE:
        backend->dense_forward(in.batch, in.channels, extent_of(network, layer->output).channels, x,
                               parameter(network, layer, 0), parameter(network, layer, 1), y);
        break;
    case TRAIN_BATCH_NORM:
        norm_forward(network, layer, state, training, momentum);
        return; /* its activation is part of it */
    case TRAIN_ACTIVATION:
        memcpy(y, x, count * sizeof *y);
        break;
    case TRAIN_ADD:
        elementwise_add(x, network->values[layer->inputs[1]], count, y);
        break;
    case TRAIN_MULTIPLY:
        multiply_forward(network, layer, y);
        break;
    case TRAIN_MAX_POOL:
    case TRAIN_AVERAGE_POOL:
        pool = pool_of(network, layer);
        backend->pool_forward(&pool, x, y, state->winners);
        break;
    case TRAIN_GLOBAL_AVERAGE:
        backend->global_average_forward(&in, x, y);
        break;
    case TRAIN_DROPOUT:
        elementwise_dropout(x, count, training ? layer->dropped : 0, network->seed, network->step,
                            (uint64_t)index, y);
        break;
    case TRAIN_RESHAPE:
        reshape_forward(network, layer, x, y);
        break;
    case TRAIN_CONCAT:
        concat_forward(network, layer, y);
        break;
    }
    elementwise_activate(layer->activation, count, y);
}

void train_network_forward(train_network *network, bool training, float momentum, uint64_t seed,
                           uint64_t step)
{
    nn_extent in = extent_of(network, network->tape.input);
    float *input = network->values[network->tape.input];
    network->seed = seed;
    network->step = step;
    if (network->backend->channels_last)
        elementwise_transpose(network->plain_input, in.batch, in.channels, in.height * in.width,
                              input);
    else
        memcpy(input, network->plain_input, count_of(network, network->tape.input) * sizeof *input);
    for (size_t l = 0; l < network->tape.layer_count; l++)
        layer_forward(network, l, training, momentum);
    for (size_t o = 0; o < network->output_count; o++)
        memset(network->gradients[network->outputs[o]], 0,
               count_of(network, network->outputs[o]) * sizeof(float));
}

/* ---- Backwards ---- */

/* Where the gradient of input `i` is written: its own place, the spare one, or nowhere. */
static float *gradient_place(const train_network *network, const train_layer *layer, int i)
{
    int value = layer->inputs[i];
    if (!network->tape.needs_gradient[value])
        return NULL;
    return layer->accumulates[i] ? network->part : network->gradients[value];
}

/* Adds what was written to the spare place. */
static void gather_gradient(const train_network *network, const train_layer *layer, int i)
{
    int value = layer->inputs[i];
    if (network->tape.needs_gradient[value] && layer->accumulates[i])
        elementwise_add(network->gradients[value], network->part, count_of(network, value),
                        network->gradients[value]);
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
    nn_extent in = extent_of(network, layer->inputs[0]);
    size_t count = count_of(network, layer->output);
    if (count_of(network, layer->inputs[1]) == count) {
        for (int i = 0; i < 2; i++) {
            float *place = gradient_place(network, layer, i);
            if (place != NULL)
                elementwise_multiply(dy, i == 0 ? b : a, count, place);
            gather_gradient(network, layer, i);
        }
        return;
    }
    /* Both gradients come at once: the factor's is small and goes behind the other one's. */
    float *factor = network->norm_scratch;
    float *place = gradient_place(network, layer, 0);
    if (place == NULL)
        place = network->part;
    network->backend->scale_channels_backward(&in, a, b, dy, place, factor);
    gather_gradient(network, layer, 0);
    float *factor_place = network->tape.needs_gradient[layer->inputs[1]]
                              ? network->gradients[layer->inputs[1]]
                              : NULL;
    size_t factors = count_of(network, layer->inputs[1]);
    if (factor_place != NULL && layer->accumulates[1])
        elementwise_add(factor_place, factor, factors, factor_place);
    else if (factor_place != NULL)
        memcpy(factor_place, factor, factors * sizeof *factor);
}

static void concat_backward(const train_network *network, const train_layer *layer, const float *dy)
{
    int64_t first = 0, all = extent_of(network, layer->output).channels;
    for (int i = 0; i < layer->input_count; i++) {
        nn_extent part = extent_of(network, layer->inputs[i]);
        float *place = gradient_place(network, layer, i);
        if (place != NULL)
            network->backend->split_channels(&part, first, all, dy, place);
        gather_gradient(network, layer, i);
        first += part.channels;
    }
}

static void add_backward(const train_network *network, const train_layer *layer, const float *dy)
{
    size_t bytes = count_of(network, layer->output) * sizeof *dy;
    for (int i = 0; i < 2; i++) {
        float *place = gradient_place(network, layer, i);
        if (place != NULL)
            memcpy(place, dy, bytes);
        gather_gradient(network, layer, i);
    }
}

/* Layers with one input that flows. */
static void single_backward(train_network *network, size_t index, float *dy, float *dx)
{
    const train_layer *layer = &network->tape.layers[index];
    const layer_state *state = &network->layers[index];
    const train_backend *backend = network->backend;
    const float *x = network->values[layer->inputs[0]];
    const float *y = network->values[layer->output];
    nn_extent in = extent_of(network, layer->inputs[0]);
    size_t count = count_of(network, layer->output);
    nn_pool pool;
    train_norm norm;
    switch (layer->kind) {
    case TRAIN_CONV:
        backend->conv_backward(state->conv, x, parameter(network, layer, 0), dy, dx,
                               parameter_gradient(network, layer, 0),
                               parameter_gradient(network, layer, 1));
        return;
    case TRAIN_DENSE:
        backend->dense_backward(in.batch, in.channels, extent_of(network, layer->output).channels,
                                x, parameter(network, layer, 0), dy, dx,
                                parameter_gradient(network, layer, 0),
                                parameter_gradient(network, layer, 1));
        return;
    case TRAIN_BATCH_NORM:
        norm = norm_of(network, layer);
        backend->norm_backward(&norm, x, y, parameter(network, layer, 0), state->mean,
                               state->inverse, dy, dx, parameter_gradient(network, layer, 0),
                               parameter_gradient(network, layer, 1));
        return;
    default:
        break;
    }
    if (dx == NULL)
        return;
    switch (layer->kind) {
    case TRAIN_ACTIVATION:
        elementwise_activate_backward(layer->activation, x, y, dy, count, dx);
        break;
    case TRAIN_MAX_POOL:
    case TRAIN_AVERAGE_POOL:
        pool = pool_of(network, layer);
        backend->pool_backward(&pool, dy, state->winners, dx);
        break;
    case TRAIN_GLOBAL_AVERAGE:
        backend->global_average_backward(&in, dy, dx);
        break;
    case TRAIN_DROPOUT:
        elementwise_dropout(dy, count, layer->dropped, network->seed, network->step,
                            (uint64_t)index, dx);
        break;
    case TRAIN_RESHAPE:
        reshape_backward(network, layer, dy, dx);
        break;
    default:
        break;
    }
}

static bool hides_activation(const train_layer *layer)
{
    return layer->activation.kind != NN_ACTIVATION_NONE && layer->kind != TRAIN_ACTIVATION &&
           layer->kind != TRAIN_BATCH_NORM;
}

static void layer_backward(train_network *network, size_t index)
{
    const train_layer *layer = &network->tape.layers[index];
    if (!network->tape.needs_gradient[layer->output])
        return;
    float *dy = network->gradients[layer->output];
    if (hides_activation(layer))
        elementwise_activate_backward(layer->activation, NULL, network->values[layer->output], dy,
                                      count_of(network, layer->output), dy);
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

void train_network_backward(train_network *network)
{
    for (size_t l = network->tape.layer_count; l-- > 0;)
        layer_backward(network, l);
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
    return network->values[network->outputs[index]];
}

float *train_network_output_gradient(train_network *network, size_t index)
{
    return network->gradients[network->outputs[index]];
}

float *train_network_values(train_network *network, size_t index)
{
    return network->parameters[index];
}

float *train_network_gradients(train_network *network, size_t index)
{
    return network->parameter_gradients[index];
}

const train_backend *train_backend_find(const char *name)
{
    static const train_backend *const backends[] = {&train_backend_ref, &train_backend_onednn};
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}
