/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Training networks: the reference against finite differences, the fast backend against the
 * reference, statistics, dropout, and the forward run against the runtime.
 */

#include "network_bodies.h"

#include "nn/nn.h"
#include "zoo/zoo.h"

#include <math.h>
#include <omp.h>

enum { SIDE = 5 };

/* ---- The reference against finite differences ---- */

static double slope(train_network *network, float *number, float step)
{
    float kept = *number;
    *number = kept + step;
    float above = *number;
    double high = network_loss(network, 0);
    *number = kept - step;
    float below = *number;
    double low = network_loss(network, 0);
    *number = kept;
    return (high - low) / ((double)above - (double)below);
}

/*
 * Activations are float32 of about 1: the loss has an error of some 1e-6, which a step of 4e-3
 * makes 3e-4 of; the third derivative adds as much. Where a maximum or ReLU bends within the step,
 * two steps disagree, and the number is passed over: at most one in ten.
 */
static void check_slopes(const struct named_body *body)
{
    nn_model *model = network_model(body->body, 3, SIDE);
    train_network *network = network_of(model, NETWORK_BATCH, &train_backend_ref);
    const train_tape *tape = train_network_tape(network);
    size_t checked = 0, bent = 0;
    network_fill_input(network, 3);
    network_learn(network, 0);
    for (size_t p = 0; p < tape->parameter_count; p++)
        for (size_t i = 0; i < tape->parameters[p].count && !tape->parameters[p].statistic; i++) {
            float *number = &train_network_values(network, p)[i];
            double wide = slope(network, number, 4e-3f), near = slope(network, number, 2e-3f);
            double given = train_network_gradients(network, p)[i];
            checked++;
            if (fabs(wide - near) > 1e-3 * (1 + fabs(near)))
                bent++;
            else if (fabs(given - near) > 2e-3 * (1 + fabs(near)))
                fail_msg("%s: gradient %zu of %s is %g, not %g", body->name, i,
                         tape->parameters[p].name, given, near);
        }
    if (bent * 10 > checked)
        fail_msg("%s: %zu of %zu numbers could not be checked", body->name, bent, checked);
    train_network_free(network);
    nn_model_free(model);
}

static void test_gradients_are_slopes(void **state)
{
    (void)state;
    for (int i = 0; i < BODIES; i++)
        check_slopes(&bodies[i]);
}

/* Operators without a builder take the place of ReLU. */
static void test_gradients_of_other_activations_are_slopes(void **state)
{
    (void)state;
    static const nn_op *const ops[] = {&nn_op_leaky_relu, &nn_op_elu, &nn_op_sigmoid, &nn_op_tanh,
                                       &nn_op_hard_swish};
    for (size_t o = 0; o < sizeof ops / sizeof *ops; o++) {
        nn_graph graph = {0};
        nn_builder b;
        mien_error error;
        nn_build_start(&b, &graph, 3);
        int x = nn_build_dense(&b, nn_build_flatten(&b, nn_build_input(&b, "input", 2, 2, 2)), 6);
        nn_build_output(&b, nn_build_dense(&b, nn_build_relu(&b, x), NETWORK_OUTPUTS), "logits");
        assert_ok(nn_build_finish(&b, &error), &error);
        for (size_t n = 0; n < graph.node_count; n++)
            if (graph.nodes[n].op == &nn_op_relu)
                graph.nodes[n].op = ops[o];
        graph.opset = 14;
        nn_model *model = network_model_of(&graph);
        train_network *network = network_of(model, NETWORK_BATCH, &train_backend_ref);
        network_fill_input(network, 4);
        network_learn(network, 0);
        for (size_t i = 0; i < 48; i++) {
            double expected = slope(network, &train_network_values(network, 0)[i], 2e-3f);
            assert_float_equal(train_network_gradients(network, 0)[i], expected, 2e-3);
        }
        train_network_free(network);
        nn_model_free(model);
        nn_graph_free(&graph);
    }
}

/* ---- The fast backend against the reference ---- */

static float largest_of(const float *numbers, size_t count)
{
    float largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fabsf(numbers[i]) > largest ? fabsf(numbers[i]) : largest;
    return largest;
}

/*
 * Float32 sums of n products differ by at most n 2^-24 of the sum of their sizes. The longest sums
 * here run over a batch of pictures, 75, or over 16 taps of 40 channels; chains of four layers and
 * the division by a standard deviation multiply that by some 4: 4 * 640 * 2^-24 = 1.5e-4 of the
 * largest number of an array.
 */
static const float backends_differ = 1.5e-4f;

static void assert_near(const char *body, const char *what, int channels, const float *given,
                        const float *expected, size_t count, float scale)
{
    float allowed = backends_differ * fmaxf(largest_of(expected, count), scale);
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(given[i] - expected[i]) <= allowed))
            fail_msg("%s, %d channels: number %zu of %s is %g, not %g", body, channels, i, what,
                     (double)given[i], (double)expected[i]);
}

static void assert_same_learning(const struct named_body *body, int channels, train_network *fast,
                                 train_network *slow)
{
    const train_tape *tape = train_network_tape(slow);
    assert_near(body->name, "the outputs", channels, train_network_output(fast, 0),
                train_network_output(slow, 0), NETWORK_BATCH * NETWORK_OUTPUTS, 1);
    float largest = 0; /* a gradient that is 0 by its nature is noise beside the others */
    for (size_t p = 0; p < tape->parameter_count; p++)
        if (!tape->parameters[p].statistic)
            largest = fmaxf(
                largest, largest_of(train_network_gradients(slow, p), tape->parameters[p].count));
    for (size_t p = 0; p < tape->parameter_count; p++) {
        const train_parameter *parameter = &tape->parameters[p];
        bool statistic = parameter->statistic;
        assert_near(body->name, parameter->name, channels,
                    statistic ? train_network_values(fast, p) : train_network_gradients(fast, p),
                    statistic ? train_network_values(slow, p) : train_network_gradients(slow, p),
                    parameter->count, statistic ? 1 : largest / 10);
    }
}

static void assert_same_bits(train_network *a, train_network *b)
{
    const train_tape *tape = train_network_tape(a);
    for (size_t p = 0; p < tape->parameter_count; p++) {
        size_t bytes = tape->parameters[p].count * sizeof(float);
        assert_memory_equal(train_network_gradients(a, p), train_network_gradients(b, p), bytes);
        assert_memory_equal(train_network_values(a, p), train_network_values(b, p), bytes);
    }
}

static void compare_backends(const struct named_body *body, int channels, int threads)
{
    nn_model *model = network_model(body->body, channels, SIDE);
    train_network *slow = network_of(model, NETWORK_BATCH, &train_backend_ref);
    network_fill_input(slow, 3);
    network_learn(slow, 0.25f);
    omp_set_num_threads(threads);
    train_network *fast = network_of(model, NETWORK_BATCH, &train_backend_onednn);
    train_network *again = network_of(model, NETWORK_BATCH, &train_backend_onednn);
    network_fill_input(fast, 3);
    network_fill_input(again, 3);
    network_learn(fast, 0.25f);
    network_learn(again, 0.25f);
    omp_set_num_threads(1);
    assert_same_learning(body, channels, fast, slow);
    assert_same_bits(fast, again);
    train_network_free(fast);
    train_network_free(again);
    train_network_free(slow);
    nn_model_free(model);
}

static void test_backends_agree(void **state)
{
    (void)state;
    static const int channels[] = {1, 3, 7, 8, 17, 40};
    for (int i = 0; i < BODIES; i++) {
        for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
            compare_backends(&bodies[i], channels[c], 1);
        compare_backends(&bodies[i], 8, 2);
        compare_backends(&bodies[i], 17, 2);
    }
}

/* ---- Statistics ---- */

/* As PyTorch keeps them: running = (1 - momentum) running + momentum batch, variance by n - 1. */
static void check_statistics(const train_backend *backend)
{
    enum { CHANNELS = 3, PLANE = SIDE * SIDE };
    nn_model *model = network_model(body_norm_first, CHANNELS, SIDE);
    train_network *network = network_of(model, NETWORK_BATCH, backend);
    network_fill_input(network, 6);
    const float *x = train_network_input(network);
    const float *mean = train_network_values(network, 2);
    const float *variance = train_network_values(network, 3);
    double old_means[CHANNELS], old_variances[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) {
        old_means[c] = mean[c];
        old_variances[c] = variance[c];
    }
    network_loss(network, 0.25f);
    for (int c = 0; c < CHANNELS; c++) {
        double sum = 0, squares = 0, n = NETWORK_BATCH * PLANE;
        for (int i = 0; i < NETWORK_BATCH * PLANE; i++) {
            double value = x[(i / PLANE * CHANNELS + c) * PLANE + i % PLANE];
            sum += value;
            squares += value * value;
        }
        double unbiased = (squares - sum * sum / n) / (n - 1);
        assert_float_equal(mean[c], 0.75 * old_means[c] + 0.25 * sum / n, 1e-6);
        assert_float_equal(variance[c], 0.75 * old_variances[c] + 0.25 * unbiased, 1e-6);
    }
    train_network_free(network);
    nn_model_free(model);
}

static void test_statistics_run_as_in_pytorch(void **state)
{
    (void)state;
    check_statistics(&train_backend_ref);
    check_statistics(&train_backend_onednn);
}

/* ---- Dropout ---- */

/* Dropped inputs of the last layer leave no gradient in the column of its weights. */
static double dropped_share(const train_backend *backend, uint64_t step, bool training)
{
    nn_model *model = network_model(body_dropout, 8, 16);
    train_network *network = network_of(model, 1, backend);
    network_fill_input(network, 8);
    train_network_forward(network, training, 0, 1, step);
    memcpy(train_network_output_gradient(network, 0), (float[]){1, 1, 1}, 3 * sizeof(float));
    size_t weights = train_network_tape(network)->parameter_count - 2, dropped = 0;
    train_network_backward(network);
    for (size_t i = 0; i < 8 * 16 * 16; i++)
        dropped += train_network_gradients(network, weights)[i] == 0;
    train_network_free(network);
    nn_model_free(model);
    return (double)dropped / (8 * 16 * 16);
}

static void test_dropout_drops_its_share(void **state)
{
    (void)state;
    for (uint64_t step = 0; step < 3; step++) {
        assert_float_equal(dropped_share(&train_backend_ref, step, true), 0.3, 0.04);
        assert_float_equal(dropped_share(&train_backend_onednn, step, true), 0.3, 0.04);
    }
    assert_float_equal(dropped_share(&train_backend_ref, 0, false), 0, 0);
}

/* ---- Against the runtime ---- */

static void compare_with_runtime(const char *architecture, float width)
{
    zoo_options options = {.classes = 7,
                           .channels = 1,
                           .height = 48,
                           .width = 48,
                           .width_multiplier = width,
                           .seed = 2};
    nn_graph graph;
    mien_error error;
    test_random random = {9};
    assert_ok(zoo_build(architecture, &options, &graph, &error), &error);
    network_fill_constants(&graph, &random);
    nn_model *model = network_model_of(&graph);
    train_network *network = network_of(model, NETWORK_BATCH, &train_backend_onednn);
    network_fill_input(network, 10);
    train_network_forward(network, false, 0, 0, 0);

    nn_plan *plan;
    nn_session *session;
    nn_shape shape = {4, {NETWORK_BATCH, 1, 48, 48}};
    nn_plan_options plan_options = {.input_shapes = &shape, .kernels = nn_kernels_best()};
    assert_ok(nn_plan_create(model, &plan_options, &plan, &error), &error);
    assert_ok(nn_session_create(plan, &session, &error), &error);
    memcpy(nn_session_input(session, 0), train_network_input(network),
           network_input_count(network) * sizeof(float));
    nn_session_run(session);
    int logits = nn_plan_find_output(plan, "logits");
    assert_true(logits >= 0);
    const float *expected = nn_session_output(session, (size_t)logits);
    /* Dozens of layers: what a layer's rounding moves, the next ones may double a few times. */
    float allowed = 2e-4f * largest_of(expected, NETWORK_BATCH * 7);
    for (size_t i = 0; i < NETWORK_BATCH * 7; i++)
        assert_float_equal(train_network_output(network, 0)[i], expected[i], allowed);
    nn_session_free(session);
    nn_plan_free(plan);
    train_network_free(network);
    nn_model_free(model);
    nn_graph_free(&graph);
}

static void test_validation_sees_what_the_runtime_does(void **state)
{
    (void)state;
    compare_with_runtime("mini_xception", 0);
    compare_with_runtime("mobilenet_v2", 0.25f);
    compare_with_runtime("dcnn32", 0);
}

/* ---- What cannot be trained ---- */

static void test_shared_weights_are_refused(void **state)
{
    (void)state;
    static const char *const outputs[] = {"logits"};
    nn_graph graph = {0};
    nn_builder b;
    mien_error error;
    train_network *network;
    nn_build_start(&b, &graph, 3);
    int x = nn_build_flatten(&b, nn_build_input(&b, "input", 1, 2, 2));
    nn_build_output(&b, nn_build_dense(&b, nn_build_dense(&b, x, 4), 4), "logits");
    assert_ok(nn_build_finish(&b, &error), &error);
    graph.nodes[2].inputs[1] = graph.nodes[1].inputs[1];
    nn_model *model = network_model_of(&graph);
    assert_fails(
        MIEN_UNSUPPORTED,
        train_network_create(model, 2, outputs, 1, &train_backend_ref, NULL, &network, &error),
        &error, "same weights");
    assert_null(network);
    assert_fails(MIEN_NOT_FOUND,
                 train_network_create(model, 2, (const char *[]){"no such"}, 1, &train_backend_ref,
                                      NULL, &network, &error),
                 &error, "no such");
    nn_model_free(model);
    nn_graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_are_slopes),
        cmocka_unit_test(test_gradients_of_other_activations_are_slopes),
        cmocka_unit_test(test_backends_agree),
        cmocka_unit_test(test_statistics_run_as_in_pytorch),
        cmocka_unit_test(test_dropout_drops_its_share),
        cmocka_unit_test(test_validation_sees_what_the_runtime_does),
        cmocka_unit_test(test_shared_weights_are_refused),
    };
    omp_set_num_threads(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
