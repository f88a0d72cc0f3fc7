/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TRAIN_NETWORK_SUPPORT_H
#define TESTS_TRAIN_NETWORK_SUPPORT_H

/* Small networks for the tests of training: built, filled with numbers, run. */

#include "support.h"

#include "nn/build.h"
#include "nn/onnx_write.h"
#include "nn/ref/ref.h"
#include "train/network.h"

#include <math.h>

/* What lies between the input (N, channels, side, side) and the last dense layer. */
typedef int (*network_body)(nn_builder *b, int x, int channels);

enum { NETWORK_BATCH = 3, NETWORK_OUTPUTS = 3 };

/* Numbers that tell layers apart: no bias and no running statistic stays at 0 or 1. */
static inline void network_fill_constants(nn_graph *graph, test_random *random)
{
    for (size_t n = 0; n < graph->node_count; n++) {
        const nn_node *node = &graph->nodes[n];
        bool norm = node->op == &nn_op_batch_norm;
        if (!norm && node->op != &nn_op_conv && node->op != &nn_op_gemm)
            continue;
        for (int i = norm ? 1 : 2; i < node->input_count; i++) {
            const nn_tensor *t = &graph->values[node->inputs[i]].tensor;
            bool around_one = norm && (i == 1 || i == 4);
            float *numbers = t->data;
            for (int64_t k = 0; k < t->shape.dims[0]; k++)
                numbers[k] = (around_one ? 1 : 0) + 0.5f * test_random_float(random);
        }
    }
}

static inline nn_model *network_model_of(nn_graph *graph)
{
    mien_error error;
    uint8_t *bytes;
    size_t size;
    nn_model *model;
    assert_ok(onnx_write(graph, ONNX_WEIGHTS_FLOAT32, &bytes, &size, &error), &error);
    assert_ok(nn_model_read(bytes, size, &model, &error), &error);
    free(bytes);
    return model;
}

/* input -> body -> Flatten where needed -> dense "logits" (N, NETWORK_OUTPUTS) */
static inline nn_model *network_model(network_body body, int channels, int side)
{
    nn_graph graph = {0};
    nn_builder b;
    mien_error error;
    test_random random = {7};
    nn_build_start(&b, &graph, 11);
    int x = body(&b, nn_build_input(&b, "input", channels, side, side), channels);
    if (x >= 0 && nn_build_shape(&b, x).rank == 4)
        x = nn_build_flatten(&b, x);
    nn_build_output(&b, nn_build_dense(&b, x, NETWORK_OUTPUTS), "logits");
    assert_ok(nn_build_finish(&b, &error), &error);
    network_fill_constants(&graph, &random);
    nn_model *model = network_model_of(&graph);
    nn_graph_free(&graph);
    return model;
}

static inline train_network *network_of(const nn_model *model, int batch,
                                        const train_backend *backend)
{
    static const char *const outputs[] = {"logits"};
    train_network *network;
    mien_error error;
    assert_ok(train_network_create(model, batch, outputs, 1, backend, NULL, &network, &error),
              &error);
    return network;
}

/* Elements of the network's input. */
static inline size_t network_input_count(const train_network *network)
{
    const train_tape *tape = train_network_tape(network);
    int64_t count;
    nn_shape shape = train_tape_shape(tape, tape->input);
    assert_true(nn_shape_elements(&shape, &count));
    return (size_t)count;
}

static inline void network_fill_input(train_network *network, uint64_t seed)
{
    test_random random = {seed};
    float *input = train_network_input(network);
    for (size_t i = 0; i < network_input_count(network); i++)
        input[i] = test_random_float(&random);
}

/* The loss of these tests: a fixed weighing of the outputs. */
static inline float network_outer(size_t index)
{
    return 0.3f + 0.7f * (float)((index * 7) % 5) - 1.1f * (float)(index % 2);
}

static inline double network_loss(train_network *network, float momentum)
{
    double loss = 0;
    train_network_forward(network, true, momentum, 5, 9);
    const float *logits = train_network_output(network, 0);
    int batch = train_network_tape(network)->batch;
    for (size_t i = 0; i < (size_t)(batch * NETWORK_OUTPUTS); i++)
        loss += (double)network_outer(i) * logits[i];
    return loss;
}

/* Forwards and backwards with that loss. */
static inline void network_learn(train_network *network, float momentum)
{
    network_loss(network, momentum);
    float *gradient = train_network_output_gradient(network, 0);
    int batch = train_network_tape(network)->batch;
    for (size_t i = 0; i < (size_t)(batch * NETWORK_OUTPUTS); i++)
        gradient[i] = network_outer(i);
    train_network_backward(network);
}

/* ---- Gradients in BF16 ---- */

/* Of a, or of the difference. */
static inline double network_length_of(const float *a, const float *b, size_t count)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += pow((double)a[i] - (b != NULL ? (double)b[i] : 0), 2);
    return sqrt(squares);
}

/*
 * given: by parameter, of the same network in BF16. Rounding moves a number by a 2^-8th of its
 * like, and so a 2^-8th of the ReLUs over the edge: the gradients are then 2^-4 of their length
 * apart, and a bit more after several layers. Of a gradient that cancels out (a bias before
 * BatchNormalization) only its rounding is left.
 */
static inline void network_gradients_near(const char *name, const float *const *given,
                                          train_network *slow)
{
    const train_tape *tape = train_network_tape(slow);
    double longest = 0;
    for (size_t p = 0; p < tape->parameter_count; p++)
        longest = fmax(longest, network_length_of(train_network_gradients(slow, p), NULL,
                                                  tape->parameters[p].count));
    for (size_t p = 0; p < tape->parameter_count; p++) {
        size_t count = tape->parameters[p].count;
        const float *expected = train_network_gradients(slow, p);
        double apart = network_length_of(given[p], expected, count);
        double length = network_length_of(expected, NULL, count);
        if (!(apart <= 0.1 * length + 0.02 * longest))
            fail_msg("%s, %s: %g apart of %g", name, tape->parameters[p].name, apart, length);
    }
}

#endif
