/* SPDX-License-Identifier: Apache-2.0 */

/* A small network learns for three steps as it does in PyTorch (make_network_goldens.py). */

#include "network_support.h"

#include "network_goldens.h"
#include "train/loss.h"
#include "train/optimiser.h"

static nn_model *golden_model(void)
{
    nn_graph graph = {0};
    nn_builder b;
    mien_error error;
    nn_build_conv_options conv = {
        .outputs = GOLDEN_WIDE, .kernel = 3, .padding = NN_BUILD_SAME, .bias = true};
    nn_build_start(&b, &graph, 1);
    int x = nn_build_conv(
        &b, nn_build_input(&b, "input", GOLDEN_CHANNELS, GOLDEN_SIDE, GOLDEN_SIDE), conv);
    x = nn_build_relu(&b, nn_build_batch_norm(&b, x, 1e-3f));
    x = nn_build_flatten(&b, nn_build_max_pool(&b, x, 2, 2, NN_BUILD_VALID));
    nn_build_output(&b, nn_build_dense(&b, x, GOLDEN_CLASSES), "logits");
    assert_ok(nn_build_finish(&b, &error), &error);
    nn_model *model = network_model_of(&graph);
    nn_graph_free(&graph);
    return model;
}

/* The tape's parameters in the order of the goldens: what is learned, then the statistics. */
static const size_t golden_order[] = {0, 1, 2, 3, 6, 7, 4, 5};
enum { PARAMETERS = 8, LEARNED = 6 };

static void set_start(train_network *network)
{
    const float *from = golden_start;
    for (int i = 0; i < PARAMETERS; i++) {
        size_t count = train_network_tape(network)->parameters[golden_order[i]].count;
        memcpy(train_network_values(network, golden_order[i]), from, count * sizeof *from);
        from += count;
    }
    assert_int_equal(from - golden_start, sizeof golden_start / sizeof *golden_start);
}

static void assert_numbers(const float *given, const double **expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_float_equal(given[i], (*expected)[i], 2e-6);
    *expected += count;
}

static void update(train_network *network, float **states, int64_t step)
{
    optimiser_settings settings = optimiser_defaults(OPTIMISER_SGD);
    for (int i = 0; i < LEARNED; i++) {
        size_t p = golden_order[i];
        optimiser_update(&settings, 0.05f, step, false, train_network_values(network, p),
                         train_network_gradients(network, p), states[i],
                         train_network_tape(network)->parameters[p].count);
    }
}

static void replay(const train_backend *backend)
{
    nn_model *model = golden_model();
    train_network *network = network_of(model, GOLDEN_BATCH, backend);
    const train_tape *tape = train_network_tape(network);
    loss_targets targets = {.n = GOLDEN_BATCH, .classes = GOLDEN_CLASSES, .labels = golden_labels};
    float *states[LEARNED];
    for (int i = 0; i < LEARNED; i++)
        states[i] = calloc(tape->parameters[golden_order[i]].count, sizeof(float));
    set_start(network);
    memcpy(train_network_input(network), golden_input, sizeof golden_input);
    for (int step = 0; step < GOLDEN_STEPS; step++) {
        train_network_forward(network, true, 0.1f, 0, 0);
        double loss = loss_softmax(&targets, train_network_output(network, 0), 0, 1,
                                   train_network_output_gradient(network, 0));
        assert_float_equal(loss, golden_losses[step], 1e-6);
        train_network_backward(network);
        const double *logits = golden_logits, *gradients = golden_gradients;
        if (step == 0)
            assert_numbers(train_network_output(network, 0), &logits,
                           GOLDEN_BATCH * GOLDEN_CLASSES);
        for (int i = 0; step == 0 && i < LEARNED; i++)
            assert_numbers(train_network_gradients(network, golden_order[i]), &gradients,
                           tape->parameters[golden_order[i]].count);
        update(network, states, step + 1);
    }
    const double *end = golden_end;
    for (int i = 0; i < PARAMETERS; i++)
        assert_numbers(train_network_values(network, golden_order[i]), &end,
                       tape->parameters[golden_order[i]].count);
    for (int i = 0; i < LEARNED; i++)
        free(states[i]);
    train_network_free(network);
    nn_model_free(model);
}

static void test_reference_learns_as_pytorch(void **state)
{
    (void)state;
    replay(&train_backend_ref);
}

static void test_onednn_learns_as_pytorch(void **state)
{
    (void)state;
    replay(&train_backend_onednn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_learns_as_pytorch),
        cmocka_unit_test(test_onednn_learns_as_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
