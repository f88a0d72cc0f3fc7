/* SPDX-License-Identifier: Apache-2.0 */

/* Networks and whole runs on the cudnn backend against the reference's. */

#include "device_arrays.h"

#include "../network_bodies.h"
#include "../trainer_support.h"

#include "train/learner.h"
#include "train/loss.h"
#include "zoo/zoo.h"

enum { SIDE = 5 };

/* ---- Every kind of layer ---- */

static train_network *network_on(const nn_model *model, int batch, const train_backend *backend)
{
    static const char *const outputs[] = {"logits"};
    train_network *network;
    mien_error error;
    train_device *own = backend == &train_backend_ref ? NULL : device;
    assert_ok(train_network_create(model, batch, outputs, 1, backend, own, &network, &error),
              &error);
    return network;
}

static float largest_of(const float *array, size_t count)
{
    float largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(array[i]));
    return largest;
}

/* As far as sums in float32 are off in test_network.c. */
static const float backends_differ = 1.5e-4f;

static void same_numbers(const char *body, const char *what, const float *given,
                         const float *expected, size_t count, float scale)
{
    float allowed =
        (float)tables_network_slack() * backends_differ * fmaxf(largest_of(expected, count), scale);
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(given[i] - expected[i]) <= allowed))
            fail_msg("%s: number %zu of %s is %g, not %g", body, i, what, (double)given[i],
                     (double)expected[i]);
}

static void same_learning(const char *body, train_network *given, train_network *slow)
{
    const train_tape *tape = train_network_tape(slow);
    float largest = 0;
    for (size_t p = 0; p < tape->parameter_count; p++)
        if (!tape->parameters[p].statistic)
            largest = fmaxf(
                largest, largest_of(train_network_gradients(slow, p), tape->parameters[p].count));
    same_numbers(body, "the outputs", train_network_output(given, 0), train_network_output(slow, 0),
                 (size_t)tape->batch * NETWORK_OUTPUTS, 1);
    for (size_t p = 0; p < tape->parameter_count; p++) {
        const train_parameter *parameter = &tape->parameters[p];
        bool statistic = parameter->statistic;
        const float *expected =
            statistic ? train_network_values(slow, p) : train_network_gradients(slow, p);
        float *array =
            fetched(statistic ? train_network_values(given, p) : train_network_gradients(given, p),
                    parameter->count);
        same_numbers(body, parameter->name, array, expected, parameter->count,
                     statistic ? 1 : largest / 10);
        free(array);
    }
}

static void same_bits(train_network *a, train_network *b)
{
    const train_tape *tape = train_network_tape(a);
    for (size_t p = 0; p < tape->parameter_count; p++) {
        size_t count = tape->parameters[p].count;
        float *of_a = fetched(train_network_gradients(a, p), count);
        float *of_b = fetched(train_network_gradients(b, p), count);
        assert_memory_equal(of_a, of_b, count * sizeof *of_a);
        free(of_a);
        free(of_b);
    }
}

static void compare_body(const struct named_body *body, int channels)
{
    nn_model *model = network_model(body->body, channels, SIDE);
    train_network *networks[3] = {network_on(model, NETWORK_BATCH, &train_backend_ref),
                                  network_on(model, NETWORK_BATCH, fast),
                                  network_on(model, NETWORK_BATCH, fast)};
    for (int i = 0; i < 3; i++) {
        network_fill_input(networks[i], 3);
        network_learn(networks[i], 0.25f);
    }
    same_learning(body->name, networks[1], networks[0]);
    same_bits(networks[1], networks[2]);
    for (int i = 0; i < 3; i++)
        train_network_free(networks[i]);
    nn_model_free(model);
}

static void test_networks_agree(void **state)
{
    (void)state;
    static const int channels[] = {1, 3, 8, 17, 40};
    for (int i = 0; i < BODIES; i++)
        for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
            compare_body(&bodies[i], channels[c]);
}

/* ---- BF16 ---- */

static void near_in_bf16(const char *name, train_network *given, train_network *slow)
{
    const train_tape *tape = train_network_tape(slow);
    float **arrays = calloc(tape->parameter_count, sizeof *arrays);
    assert_non_null(arrays);
    for (size_t p = 0; p < tape->parameter_count; p++)
        arrays[p] = fetched(train_network_gradients(given, p), tape->parameters[p].count);
    network_gradients_near(name, (const float *const *)arrays, slow);
    for (size_t p = 0; p < tape->parameter_count; p++)
        free(arrays[p]);
    free(arrays);
}

static void test_bf16_is_near(void **state)
{
    (void)state;
    for (int i = 0; i < BODIES; i++) {
        nn_model *model = network_model(bodies[i].body, 16, 9);
        train_network *slow = network_on(model, NETWORK_BATCH, &train_backend_ref);
        train_network *given = network_on(model, NETWORK_BATCH, tables_bf16());
        network_fill_input(slow, 3);
        network_fill_input(given, 3);
        network_learn(slow, 0.1f);
        network_learn(given, 0.1f);
        near_in_bf16(bodies[i].name, given, slow);
        train_network_free(slow);
        train_network_free(given);
        nn_model_free(model);
    }
}

/* ---- Networks of the zoo, step by step ---- */

enum { STEPS = 3, ZOO_BATCH = 3, ZOO_SIDE = 32 };

static nn_model *zoo_model(const char *architecture, float width)
{
    zoo_options options = {.classes = NETWORK_OUTPUTS,
                           .channels = 1,
                           .height = ZOO_SIDE,
                           .width = ZOO_SIDE,
                           .width_multiplier = width,
                           .seed = 2};
    nn_graph graph;
    mien_error error;
    test_random random = {9};
    assert_ok(zoo_build(architecture, &options, &graph, &error), &error);
    network_fill_constants(&graph, &random);
    nn_model *model = network_model_of(&graph);
    nn_graph_free(&graph);
    return model;
}

static void learn_steps(const nn_model *model, const train_backend *backend, double losses[STEPS])
{
    static const int labels[ZOO_BATCH] = {0, 1, 2};
    loss_targets targets = {.n = ZOO_BATCH, .classes = NETWORK_OUTPUTS, .labels = labels};
    learner_settings settings = {.optimiser = optimiser_defaults(OPTIMISER_SGD), .average = 0.9f};
    train_network *network = network_on(model, ZOO_BATCH, backend);
    train_learner *learner;
    mien_error error;
    assert_ok(learner_create(network, &settings, &learner, &error), &error);
    for (int step = 0; step < STEPS; step++) {
        network_fill_input(network, 5);
        train_network_forward(network, true, 0.1f, 1, (uint64_t)step);
        losses[step] = loss_softmax(&targets, train_network_output(network, 0), 0, 1,
                                    train_network_output_gradient(network, 0));
        train_network_backward(network);
        learner_clip(learner, 1);
        learner_update(learner, 0.002f, step + 1);
    }
    assert_ok(train_network_check(network, &error), &error);
    learner_free(learner);
    train_network_free(network);
}

/* What is off in one step moves the next ones; three of them stay within a thousandth. */
static void compare_zoo(const char *architecture, float width)
{
    double given[STEPS], expected[STEPS];
    nn_model *model = zoo_model(architecture, width);
    learn_steps(model, &train_backend_ref, expected);
    learn_steps(model, fast, given);
    for (int step = 0; step < STEPS; step++)
        if (!(fabs(given[step] - expected[step]) <= 1e-3 * tables_network_slack()))
            fail_msg("%s, step %d: the loss is %g, not %g", architecture, step + 1, given[step],
                     expected[step]);
    nn_model_free(model);
}

static void test_zoo_learns_step_by_step(void **state)
{
    (void)state;
    compare_zoo("mini_xception", 0);
    compare_zoo("mobilenet_v2", 0.25f);
    compare_zoo("mien_small", 0);
}

/* ---- Runs ---- */

#define SMALL                                                                                      \
    "architecture = mini_xception\nheight = 24\nwidth = 24\nmien.input.format = gray\n"            \
    "mien.input.mean = 127.5\nmien.input.scale = 0.0078\nbatch = 20\nepochs = 2\nrate = 0.002\n"
#define ALL_MODES                                                                                  \
    SMALL "optimiser = adamw\nclip_norm = 1\naverage = 0.8\nsam_rho = 0.05\ncentre_weight = "      \
          "0.01\nsettle = 2\n[one]\nepochs = 1\n[two]\nepochs = 1\nbatch = 30\n"

static void run_as_onednn(const char *text, const char *name)
{
    char other[64];
    record given, expected;
    snprintf(other, sizeof other, "%s-onednn", name);
    extras.backend = fast;
    train_well(text, name, 0, &given);
    extras.backend = &train_backend_onednn;
    train_well(text, other, 0, &expected);
    assert_int_equal(given.steps, expected.steps);
    assert_float_equal(given.first_loss, expected.first_loss, 2e-3 * tables_network_slack());
    assert_float_equal(given.last_loss, expected.last_loss,
                       1e-2 * expected.last_loss * tables_network_slack());
}

static void test_runs_learn_as_on_the_processor(void **state)
{
    (void)state;
    run_as_onednn(SMALL, "plain");
    run_as_onednn(ALL_MODES, "all");
}

static void test_runs_go_on_with_the_same_bits(void **state)
{
    (void)state;
    record r;
    extras.backend = fast;
    train_well(ALL_MODES, "whole", 0, &r);
    train_well(ALL_MODES, "parts", 1, &r);
    train_well(ALL_MODES, "parts", 0, &r);
    assert_true(same_files("whole", "parts", "last.onnx"));
    assert_true(same_files("whole", "parts", "best.onnx"));
    assert_true(same_files("whole", "parts", "checkpoint.bin"));
}

static int begin(void **state)
{
    int failed = open_device(state) != 0 || make_sets(state) != 0;
    training.count = 40;
    validation.count = 20;
    return failed;
}

static int end(void **state)
{
    training.count = 280;
    validation.count = 70;
    return close_device(state) != 0 || free_sets(state) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks_agree),          cmocka_unit_test(test_bf16_is_near),
        cmocka_unit_test(test_zoo_learns_step_by_step), RUN(test_runs_learn_as_on_the_processor),
        RUN(test_runs_go_on_with_the_same_bits),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
