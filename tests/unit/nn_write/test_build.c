/* SPDX-License-Identifier: Apache-2.0 */

#include "support.h"

#include "nn/build.h"
#include "nn/ref/ref.h"

#include <math.h>

static const nn_value *value_named(const nn_graph *graph, const char *name)
{
    for (size_t v = 0; v < graph->value_count; v++)
        if (strcmp(graph->values[v].name, name) == 0)
            return &graph->values[v];
    return NULL;
}

static void assert_shape(const nn_builder *b, int value, const char *expected)
{
    char text[NN_SHAPE_TEXT_SIZE];
    nn_shape shape = nn_build_shape(b, value);
    assert_string_equal(nn_shape_text(&shape, text), expected);
}

static void layers_are_named_and_shaped(void **state)
{
    (void)state;
    nn_graph graph;
    nn_builder b;
    mien_error error;
    nn_build_start(&b, &graph, 1);
    int x = nn_build_input(&b, "input", 3, 11, 8);
    int conv = nn_build_conv(
        &b, x, (nn_build_conv_options){.outputs = 4, .kernel = 3, .padding = NN_BUILD_VALID});
    assert_shape(&b, conv, "?x4x9x6");
    int norm = nn_build_batch_norm(&b, conv, 1e-3f);
    assert_shape(&b, norm, "?x4x9x6");
    int depthwise = nn_build_depthwise(&b, norm, 3, 2, NN_BUILD_SAME, true);
    assert_shape(&b, depthwise, "?x4x5x3");
    int gate = nn_build_hard_sigmoid(&b, nn_build_global_average(&b, depthwise));
    assert_shape(&b, gate, "?x4x1x1");
    const int both[] = {nn_build_multiply(&b, depthwise, gate), depthwise};
    int joined = nn_build_concat(&b, both, 2);
    assert_shape(&b, joined, "?x8x5x3");
    int flat = nn_build_flatten(&b, nn_build_max_pool(&b, joined, 2, 2, NN_BUILD_VALID));
    assert_shape(&b, flat, "?x16");
    int dense = nn_build_dense(&b, nn_build_dropout(&b, flat, 0.5f), 2);
    nn_build_output(&b, nn_build_softmax(&b, dense), "probabilities");
    nn_build_output(&b, dense, "logits");
    nn_build_metadata(&b, "key", "value");
    assert_ok(nn_build_finish(&b, &error), &error);

    assert_int_equal(graph.opset, 13);
    assert_string_equal(graph.nodes[0].name, "conv_1");
    assert_string_equal(graph.nodes[1].name, "bn_2");
    assert_non_null(value_named(&graph, "conv_1.weight"));
    assert_null(value_named(&graph, "conv_1.bias"));
    assert_non_null(value_named(&graph, "bn_2.variance"));
    assert_non_null(value_named(&graph, "conv_3.bias"));
    assert_string_equal(graph.values[graph.outputs[0]].name, "probabilities");
    assert_string_equal(graph.values[graph.outputs[1]].name, "logits");
    assert_string_equal(nn_graph_metadata(&graph, "key"), "value");
    nn_graph_free(&graph);
}

static void same_padding_is_tensorflows(void **state)
{
    (void)state;
    static const struct {
        int64_t size;
        int kernel, stride;
        int64_t before, after;
    } cases[] = {{48, 3, 1, 1, 1}, {48, 3, 2, 0, 1}, {15, 3, 2, 1, 1}, {224, 3, 2, 0, 1},
                 {48, 1, 2, 0, 0}, {10, 5, 3, 2, 2}, {10, 4, 1, 1, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_graph graph;
        nn_builder b;
        mien_error error;
        nn_build_start(&b, &graph, 1);
        int x = nn_build_input(&b, "input", 1, cases[i].size, cases[i].size);
        x = nn_build_max_pool(&b, x, cases[i].kernel, cases[i].stride, NN_BUILD_SAME);
        nn_build_output(&b, x, "output");
        assert_ok(nn_build_finish(&b, &error), &error);
        const nn_attribute *pads = nn_node_attribute(&graph.nodes[0], "pads", NN_ATTRIBUTE_INTS);
        assert_int_equal(pads->ints[0], cases[i].before);
        assert_int_equal(pads->ints[3], cases[i].after);
        nn_graph_free(&graph);
    }
}

static void an_open_size_is_padded_when_it_is_known(void **state)
{
    (void)state;
    nn_graph graph;
    nn_builder b;
    mien_error error;
    nn_build_start(&b, &graph, 1);
    int x = nn_build_input(&b, "input", 1, NN_UNKNOWN_DIM, NN_UNKNOWN_DIM);
    x = nn_build_average_pool(&b, x, 3, 1, NN_BUILD_SAME);
    x = nn_build_max_pool(&b, x, 3, 2, NN_BUILD_SAME);
    assert_shape(&b, x, "?x1x?x?");
    nn_build_output(&b, nn_build_global_average(&b, x), "output");
    assert_ok(nn_build_finish(&b, &error), &error);
    assert_non_null(nn_node_attribute(&graph.nodes[0], "pads", NN_ATTRIBUTE_INTS));
    assert_string_equal(nn_node_string(&graph.nodes[1], "auto_pad", ""), "SAME_UPPER");
    nn_graph_free(&graph);
}

static void weights_have_the_variance_of_their_rule(void **state)
{
    (void)state;
    nn_graph graph;
    nn_builder b;
    mien_error error;
    nn_build_start(&b, &graph, 7);
    int x = nn_build_input(&b, "input", 16, 8, 8);
    x = nn_build_conv(&b, x, (nn_build_conv_options){.outputs = 64, .kernel = 3, .bias = true});
    x = nn_build_dense(&b, nn_build_flatten(&b, x), 10);
    nn_build_output(&b, x, "output");
    assert_ok(nn_build_finish(&b, &error), &error);
    static const struct {
        const char *name;
        double variance;
    } expected[] = {{"conv_1.weight", 2.0 / (16 * 9)}, {"dense_3.weight", 2.0 / (64 * 36 + 10)}};
    for (size_t i = 0; i < 2; i++) {
        const nn_tensor *tensor = &value_named(&graph, expected[i].name)->tensor;
        const float *data = tensor->data;
        int64_t count = nn_elements(&tensor->shape);
        double sum = 0;
        for (int64_t k = 0; k < count; k++)
            sum += (double)data[k] * data[k];
        assert_true(fabs(sum / (double)count / expected[i].variance - 1) < 0.05);
    }
    const float *bias = value_named(&graph, "conv_1.bias")->tensor.data;
    assert_true(bias[0] == 0 && bias[63] == 0);
    nn_graph_free(&graph);
}

static void the_first_error_is_kept(void **state)
{
    (void)state;
    nn_graph graph;
    nn_builder b;
    mien_error error;
    nn_build_start(&b, &graph, 1);
    int x = nn_build_input(&b, "input", 3, 4, 4);
    int broken = nn_build_conv(
        &b, x, (nn_build_conv_options){.outputs = 4, .kernel = 5, .padding = NN_BUILD_VALID});
    assert_int_equal(broken, -1);
    assert_int_equal(nn_build_add(&b, broken, x), -1);
    assert_int_equal(nn_build_shape(&b, x).rank, NN_UNKNOWN_RANK);
    nn_build_output(&b, broken, "output");
    assert_fails(MIEN_SHAPE, nn_build_finish(&b, &error), &error,
                 "a window of 5 does not fit into a side of 4");
    assert_null(graph.values);
}

/* Each makes one mistake; returns a value for the output. */
static int wrong_groups(nn_builder *b, int x)
{
    return nn_build_conv(b, x, (nn_build_conv_options){.outputs = 4, .kernel = 1, .group = 2});
}

static int wrong_rank(nn_builder *b, int x)
{
    return nn_build_dense(b, x, 3);
}

static int wrong_sum(nn_builder *b, int x)
{
    return nn_build_add(b, x, nn_build_global_average(b, x));
}

static int wrong_ratio(nn_builder *b, int x)
{
    return nn_build_dropout(b, x, 1);
}

static int wrong_value(nn_builder *b, int x)
{
    return nn_build_relu(b, x + 100);
}

static int wrong_name(nn_builder *b, int x)
{
    nn_build_output(b, nn_build_relu(b, x), "input");
    return x;
}

static int wrong_size(nn_builder *b, int x)
{
    return nn_build_conv(b, x, (nn_build_conv_options){.outputs = INT64_MAX / 64, .kernel = 3});
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        int (*build)(nn_builder *b, int x);
        mien_status status;
        const char *message;
    } cases[] = {{wrong_groups, MIEN_INVALID_ARGUMENT, "from 3 to 4 channels in 2 groups"},
                 {wrong_rank, MIEN_SHAPE, "'input' has shape ?x3x4x4"},
                 {wrong_sum, MIEN_SHAPE, "?x3x4x4 and ?x3x1x1 cannot be added"},
                 {wrong_ratio, MIEN_INVALID_ARGUMENT, "a dropout of 1"},
                 {wrong_value, MIEN_INVALID_ARGUMENT, "no value 100"},
                 {wrong_name, MIEN_INVALID_ARGUMENT, "the name 'input'"},
                 {wrong_size, MIEN_LIMIT, "'conv_1.weight' is too large"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_graph graph;
        nn_builder b;
        mien_error error;
        nn_build_start(&b, &graph, 1);
        int x = nn_build_input(&b, "input", 3, 4, 4);
        nn_build_output(&b, cases[i].build(&b, x), "output");
        assert_fails(cases[i].status, nn_build_finish(&b, &error), &error, cases[i].message);
    }
}

static void an_input_can_be_an_output(void **state)
{
    (void)state;
    nn_graph graph;
    nn_builder b;
    mien_error error;
    nn_build_start(&b, &graph, 1);
    int x = nn_build_input(&b, "input", 1, 2, 2);
    nn_build_output(&b, x, "same");
    assert_ok(nn_build_finish(&b, &error), &error);
    assert_string_equal(graph.values[graph.inputs[0]].name, "input");
    assert_string_equal(graph.values[graph.outputs[0]].name, "same");
    nn_graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_named_and_shaped),
        cmocka_unit_test(same_padding_is_tensorflows),
        cmocka_unit_test(an_open_size_is_padded_when_it_is_known),
        cmocka_unit_test(weights_have_the_variance_of_their_rule),
        cmocka_unit_test(the_first_error_is_kept),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(an_input_can_be_an_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
