/* SPDX-License-Identifier: Apache-2.0 */

#include "support.h"

#include "base/random.h"
#include "nn/build.h"
#include "nn/graph_edit.h"
#include "nn/nn.h"
#include "nn/onnx_write.h"
#include "nn/quantize.h"
#include "nn/quantize_range.h"
#include "nn/ref/ref.h"

#include <math.h>

enum { CHANNELS = 2, SIDE = 12, INPUT_FLOATS = CHANNELS * SIDE * SIDE, CLASSES = 5, SAMPLES = 20 };

/* ---- Ranges ---- */

static nn_histogram histogram_of(const float *values, int count)
{
    nn_histogram h = {.low = values[0], .high = values[0]};
    for (int i = 0; i < count; i++) {
        h.low = fminf(h.low, values[i]);
        h.high = fmaxf(h.high, values[i]);
    }
    nn_histogram_add(&h, values, count);
    return h;
}

static void a_percentile_leaves_out_the_rare(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static float values[COUNT];
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)i / COUNT;
    values[0] = -20;
    values[1] = 20;
    nn_histogram h = histogram_of(values, COUNT);
    nn_range all = nn_range_percentile(&h, 1), most = nn_range_percentile(&h, 0.9995);
    assert_true(all.low == -20 && all.high == 20);
    float bin = 40.0f / NN_HISTOGRAM_BINS;
    assert_true(most.low >= -bin && most.low <= 0.01f);
    assert_true(most.high <= 1 + bin && most.high >= 0.99f);
}

/* 20,000 normal numbers and two far away: 256 steps up to there would tell little of the rest. */
static void divergence_gives_up_what_is_far_away(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static float values[COUNT];
    random_state random = random_start(3, 1);
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)random_normal(&random);
    values[0] = 60;
    values[1] = -60;
    nn_histogram h = histogram_of(values, COUNT);
    nn_range range = nn_range_divergence(&h);
    assert_true(range.high > 2 && range.high < 20 && range.low < -2 && range.low > -20);
}

static void divergence_keeps_what_is_even(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static float values[COUNT];
    for (int i = 0; i < COUNT; i++)
        values[i] = i % 2 != 0 ? 0 : (float)i / COUNT; /* half of them 0, as behind ReLU */
    nn_histogram h = histogram_of(values, COUNT);
    nn_range range = nn_range_divergence(&h);
    assert_true(range.low == 0 && range.high > 0.97f);
    nn_histogram empty = {.low = -1, .high = 3};
    range = nn_range_divergence(&empty);
    assert_true(range.low == -1 && range.high == 3);
}

/* ---- Networks ---- */

/* Every form that is quantised: padded, grouped and strided convolutions, a sum, pooling, products.
 */
static nn_graph small_network(void)
{
    nn_graph graph;
    nn_builder b;
    mien_error error;
    nn_build_start(&b, &graph, 5);
    int x = nn_build_input(&b, "input", CHANNELS, SIDE, SIDE);
    x = nn_build_conv(&b, x,
                      (nn_build_conv_options){.outputs = 8, .kernel = 3, .padding = NN_BUILD_SAME});
    x = nn_build_relu(&b, nn_build_batch_norm(&b, x, 1e-3f));
    int y = nn_build_relu(&b, nn_build_depthwise(&b, x, 3, 1, NN_BUILD_SAME, true));
    y = nn_build_conv(&b, y, (nn_build_conv_options){.outputs = 8, .kernel = 1, .bias = true});
    x = nn_build_max_pool(&b, nn_build_relu(&b, nn_build_add(&b, x, y)), 2, 2, NN_BUILD_VALID);
    x = nn_build_dropout(&b, nn_build_flatten(&b, x), 0.5f);
    x = nn_build_dense(&b, nn_build_relu(&b, nn_build_dense(&b, x, 16)), CLASSES);
    nn_build_output(&b, x, "logits");
    assert_ok(nn_build_finish(&b, &error), &error);
    for (size_t v = 0; v < graph.value_count; v++) /* statistics that are no mere 0 and 1 */
        if (strstr(graph.values[v].name, ".mean") != NULL ||
            strstr(graph.values[v].name, ".variance") != NULL)
            for (int c = 0; c < 8; c++)
                ((float *)graph.values[v].tensor.data)[c] += 0.05f * (float)c;
    return graph;
}

static mien_status random_sample(void *context, size_t index, float *input, mien_error *error)
{
    (void)context;
    (void)error;
    random_state random = random_start(9, index);
    for (int i = 0; i < INPUT_FLOATS; i++)
        input[i] = (float)random_between(&random, -1, 1);
    return MIEN_OK;
}

static nn_quantize_options options_of(nn_range_method method)
{
    return (nn_quantize_options){.method = method,
                                 .percentile = 0.9999,
                                 .input_shape = {4, {1, CHANNELS, SIDE, SIDE}},
                                 .samples = SAMPLES,
                                 .source = random_sample};
}

/* By way of a file, with the kernels or without. outputs: (SAMPLES, CLASSES). */
static void run_network(const nn_graph *graph, const nn_kernels *kernels, float *outputs)
{
    uint8_t *bytes;
    size_t size;
    nn_model *model;
    nn_plan *plan;
    nn_session *session;
    mien_error error;
    nn_plan_options options = {.kernels = kernels};
    assert_ok(onnx_write(graph, ONNX_WEIGHTS_FLOAT32, &bytes, &size, &error), &error);
    assert_ok(nn_model_read(bytes, size, &model, &error), &error);
    assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
    assert_ok(nn_session_create(plan, &session, &error), &error);
    for (size_t s = 0; s < SAMPLES; s++) {
        random_sample(NULL, s, nn_session_input(session, 0), &error);
        nn_session_run(session);
        memcpy(outputs + s * CLASSES, nn_session_output(session, 0), CLASSES * sizeof *outputs);
    }
    nn_session_free(session);
    nn_plan_free(plan);
    nn_model_free(model);
    free(bytes);
}

/* Mean of |a - b| as a share of the mean of |b|. */
static double distance(const float *a, const float *b)
{
    double apart = 0, size = 0;
    for (int i = 0; i < SAMPLES * CLASSES; i++) {
        apart += fabs((double)a[i] - (double)b[i]);
        size += fabs((double)b[i]);
    }
    return apart / size;
}

static void a_quantised_network_says_nearly_the_same(void **state)
{
    (void)state;
    static const nn_range_method methods[] = {NN_RANGE_LARGEST, NN_RANGE_PERCENTILE,
                                              NN_RANGE_DIVERGENCE};
    float before[SAMPLES * CLASSES], after[SAMPLES * CLASSES];
    nn_graph graph = small_network();
    run_network(&graph, nn_kernels_best(), before);
    nn_graph_free(&graph);
    for (size_t m = 0; m < 3; m++) {
        mien_error error;
        size_t quantised;
        nn_quantize_options options = options_of(methods[m]);
        graph = small_network();
        assert_ok(nn_quantize(&graph, &options, &quantised, &error), &error);
        assert_int_equal(quantised, 5);
        run_network(&graph, NULL, after);
        assert_true(distance(after, before) < (methods[m] == NN_RANGE_DIVERGENCE ? 0.1 : 0.03));
        float bytes[SAMPLES * CLASSES];
        const nn_kernels *kernels;
        for (size_t k = 0; (kernels = nn_kernels_at(k)) != NULL; k++) {
            run_network(&graph, kernels, bytes);
            assert_true(distance(bytes, after) < 0.02); /* sums are not rounded in between */
        }
        nn_graph_free(&graph);
    }
}

static void weights_lie_in_bytes(void **state)
{
    (void)state;
    mien_error error;
    size_t quantised, floats = 0, bytes = 0;
    nn_graph graph = small_network();
    nn_quantize_options options = options_of(NN_RANGE_LARGEST);
    assert_ok(nn_quantize(&graph, &options, &quantised, &error), &error);
    for (size_t v = 0; v < graph.value_count; v++) {
        const nn_tensor *tensor = &graph.values[v].tensor;
        if (tensor->data == NULL)
            continue;
        if (tensor->type == NN_FLOAT)
            floats += (size_t)nn_elements(&tensor->shape);
        if (tensor->type != NN_INT8)
            continue;
        int largest = 0;
        for (int64_t i = 0; i < nn_elements(&tensor->shape); i++)
            largest = abs(((int8_t *)tensor->data)[i]) > largest ? abs(((int8_t *)tensor->data)[i])
                                                                 : largest;
        assert_int_equal(largest, 127);
        bytes += (size_t)nn_elements(&tensor->shape);
    }
    assert_int_equal(bytes, 8 * CHANNELS * 9 + 8 * 9 + 8 * 8 + 288 * 16 + 16 * CLASSES);
    assert_true(floats < 150); /* scales */
    nn_graph_free(&graph);
}

static void normalisation_goes_into_the_convolution(void **state)
{
    (void)state;
    float before[SAMPLES * CLASSES], after[SAMPLES * CLASSES];
    mien_error error;
    nn_graph graph = small_network();
    run_network(&graph, NULL, before);
    size_t nodes = graph.node_count;
    graph_drop_passing(&graph);
    assert_int_equal(graph.node_count, nodes - 1); /* the dropout */
    assert_ok(graph_fold_norms(&graph, &error), &error);
    assert_int_equal(graph.node_count, nodes - 2);
    run_network(&graph, NULL, after);
    assert_true(distance(after, before) < 1e-6);
    nn_graph_free(&graph);
}

static void what_cannot_be_quantised_is_told(void **state)
{
    (void)state;
    mien_error error;
    nn_builder b;
    nn_graph graph;
    size_t quantised;
    nn_quantize_options options = options_of(NN_RANGE_LARGEST);
    nn_build_start(&b, &graph, 1);
    nn_build_output(&b, nn_build_softmax(&b, nn_build_input(&b, "input", 2, 12, 12)), "output");
    assert_ok(nn_build_finish(&b, &error), &error);
    assert_int_equal(nn_quantize(&graph, &options, &quantised, &error), MIEN_UNSUPPORTED);
    nn_graph_free(&graph);
    graph = small_network();
    graph.opset = 11;
    assert_int_equal(nn_quantize(&graph, &options, &quantised, &error), MIEN_UNSUPPORTED);
    assert_non_null(strstr(error.message, "11"));
    nn_graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_percentile_leaves_out_the_rare),
        cmocka_unit_test(divergence_gives_up_what_is_far_away),
        cmocka_unit_test(divergence_keeps_what_is_even),
        cmocka_unit_test(a_quantised_network_says_nearly_the_same),
        cmocka_unit_test(weights_lie_in_bytes),
        cmocka_unit_test(normalisation_goes_into_the_convolution),
        cmocka_unit_test(what_cannot_be_quantised_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
