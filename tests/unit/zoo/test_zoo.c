/* SPDX-License-Identifier: Apache-2.0 */

#include "model_of.h"

#include "nn/nn.h"
#include "nn/onnx.h"
#include "nn/onnx_write.h"
#include "nn/ref/ref.h"
#include "zoo/zoo.h"

#include <math.h>

/*
 * Trainable parameters for one channel and seven classes, counted layer by layer:
 * dcnn32 832 + 51,264 + 1,048,832 + 1,799; fcn 288 + 18,432 + 73,728, batch norm 448, 903;
 * resnet18 as published for 32x32 and ten classes (11,173,962) less two input channels and three
 * classes. features: numbers before the last layer. small: a side at which the reference operators
 * are quick.
 */
static const struct {
    const char *name;
    int side;
    int64_t parameters, features;
    int small;
} expected[] = {
    {"dcnn32", 32, 1102727, 256, 16},
    {"fcn", 48, 93799, 128, 20},
    {"mien", 48, 2745495, 320, 24},
    {"mien_small", 48, 1670727, 256, 24},
    {"mini_xception", 48, 56951, 128, 40},
    {"mobilenet_v1", 224, 3213575, 1024, 32},
    {"mobilenet_v2", 224, 2232263, 1280, 32},
    {"resnet18", 48, 11171271, 512, 16},
    {"sequential_cnn", 48, 2345607, 1024, 28},
    {"vgg", 48, 8819015, 256, 16},
};
#define EXPECTED_COUNT (sizeof expected / sizeof *expected)

static nn_graph build(const char *name, const zoo_options *options)
{
    nn_graph graph;
    mien_error error;
    assert_ok(zoo_build(name, options, &graph, &error), &error);
    return graph;
}

static int64_t elements(const nn_graph *graph, int value)
{
    int64_t count;
    assert_true(nn_shape_elements(&graph->values[value].tensor.shape, &count));
    return count;
}

/* Numbers in the constants of convolutions, dense layers and batch norms (statistics if asked). */
static int64_t parameters(const nn_graph *graph, bool statistics)
{
    int64_t total = 0;
    for (size_t n = 0; n < graph->node_count; n++) {
        const nn_node *node = &graph->nodes[n];
        if (node->op == &nn_op_clip || node->op == &nn_op_dropout)
            continue;
        int count = node->op == &nn_op_batch_norm && !statistics ? 3 : node->input_count;
        for (int i = 1; i < count; i++)
            if (graph->values[node->inputs[i]].tensor.data != NULL)
                total += elements(graph, node->inputs[i]);
    }
    return total;
}

static void parameters_are_as_designed(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXPECTED_COUNT; i++) {
        nn_graph graph = build(expected[i].name, &(zoo_options){.classes = 7, .channels = 1});
        const nn_shape *input = &graph.values[graph.inputs[0]].tensor.shape;
        assert_string_equal(zoo_name(i), expected[i].name);
        assert_int_equal(input->dims[2], expected[i].side);
        assert_int_equal(input->dims[3], expected[i].side);
        assert_int_equal(parameters(&graph, false), expected[i].parameters);
        nn_graph_free(&graph);
    }
    assert_null(zoo_name(EXPECTED_COUNT));
}

/* Published totals, statistics of batch normalisation included. */
static void parameters_are_those_of_the_originals(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        zoo_options options;
        int64_t parameters;
    } originals[] = {
        {"mini_xception", {.classes = 7, .channels = 1, .height = 64, .width = 64}, 58423},
        {"mobilenet_v1", {.classes = 1000, .channels = 3}, 4253864}, /* Keras */
        {"mobilenet_v2", {.classes = 1000, .channels = 3}, 3538984}, /* Keras */
    };
    for (size_t i = 0; i < sizeof originals / sizeof *originals; i++) {
        nn_graph graph = build(originals[i].name, &originals[i].options);
        assert_int_equal(parameters(&graph, true), originals[i].parameters);
        nn_graph_free(&graph);
    }
}

static void width_and_size_change_mobilenets(void **state)
{
    (void)state;
    static const char *const names[] = {"mobilenet_v1", "mobilenet_v2"};
    for (size_t i = 0; i < 2; i++) {
        zoo_options options = {.classes = 7, .channels = 3, .height = 95, .width = 96};
        nn_graph wide = build(names[i], &options);
        options.width_multiplier = 0.25f;
        nn_graph narrow = build(names[i], &options);
        assert_true(parameters(&narrow, false) * 4 < parameters(&wide, false));
        const nn_attribute *strides =
            nn_node_attribute(&wide.nodes[0], "strides", NN_ATTRIBUTE_INTS);
        assert_int_equal(strides->ints[0], 1);
        nn_graph_free(&wide);
        nn_graph_free(&narrow);
        options.height = 96;
        nn_graph large = build(names[i], &options);
        strides = nn_node_attribute(&large.nodes[0], "strides", NN_ATTRIBUTE_INTS);
        assert_int_equal(strides->ints[0], 2);
        nn_graph_free(&large);
    }
}

static nn_session *run(const nn_model *model, const nn_kernels *kernels, nn_plan **plan)
{
    nn_session *session;
    mien_error error;
    test_random random = {9};
    nn_plan_options options = {.kernels = kernels};
    assert_ok(nn_plan_create(model, &options, plan, &error), &error);
    assert_ok(nn_session_create(*plan, &session, &error), &error);
    int64_t count = nn_elements(nn_plan_input_shape(*plan, 0));
    for (int64_t i = 0; i < count; i++)
        nn_session_input(session, 0)[i] = test_random_float(&random);
    nn_session_run(session);
    return session;
}

static void assert_close(const float *a, const float *b, int64_t count)
{
    float largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(a[i]));
    assert_true(largest > 0 && isfinite(largest));
    for (int64_t i = 0; i < count; i++)
        assert_true(fabsf(a[i] - b[i]) <= 1e-4f * largest);
}

/* The kernels against the plain operators, and the ends of the network. */
static void check_run(const nn_model *model, int classes, int64_t features)
{
    static const char *const outputs[] = {"logits", "probabilities", "features"};
    const int64_t columns[] = {classes, classes, features};
    nn_plan *fast_plan, *plain_plan;
    nn_session *fast = run(model, nn_kernels_best(), &fast_plan);
    nn_session *plain = run(model, NULL, &plain_plan);
    for (size_t o = 0; o < 3; o++) {
        const nn_shape *shape = nn_plan_output_shape(fast_plan, o);
        assert_int_equal(nn_plan_find_output(fast_plan, outputs[o]), o);
        assert_int_equal(shape->rank, 2);
        assert_int_equal(shape->dims[1], columns[o]);
        assert_close(nn_session_output(plain, o), nn_session_output(fast, o), columns[o]);
    }
    assert_null(nn_plan_output_shape(fast_plan, 3));
    nn_session_free(fast);
    nn_session_free(plain);
    nn_plan_free(fast_plan);
    nn_plan_free(plain_plan);
}

static void every_network_runs_for_grey_and_colour(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXPECTED_COUNT; i++)
        for (int channels = 1; channels <= 3; channels += 2) {
            zoo_options options = {.classes = channels == 1 ? 7 : 8,
                                   .channels = channels,
                                   .height = expected[i].small,
                                   .width = expected[i].small,
                                   .seed = 4};
            nn_graph graph = build(expected[i].name, &options);
            assert_string_equal(nn_graph_metadata(&graph, "mien.architecture"), expected[i].name);
            nn_model *model = model_of(&graph);
            check_run(model, options.classes, expected[i].features);
            nn_model_free(model);
            nn_graph_free(&graph);
        }
}

static void the_seed_decides_the_file(void **state)
{
    (void)state;
    uint8_t *bytes[3];
    size_t sizes[3];
    for (int i = 0; i < 3; i++) {
        zoo_options options = {.classes = 7, .channels = 1, .seed = i < 2 ? 11 : 12};
        mien_error error;
        nn_graph graph = build("mini_xception", &options);
        assert_ok(onnx_write(&graph, ONNX_WEIGHTS_FLOAT32, &bytes[i], &sizes[i], &error), &error);
        nn_graph_free(&graph);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_int_equal(sizes[0], sizes[2]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    assert_memory_not_equal(bytes[0], bytes[2], sizes[0]);
    for (int i = 0; i < 3; i++)
        free(bytes[i]);
}

static void the_default_network_fits_its_file(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t size;
    mien_error error;
    nn_graph graph = build("mien", &(zoo_options){.classes = 8, .channels = 1});
    assert_ok(onnx_write(&graph, ONNX_WEIGHTS_FLOAT16, &bytes, &size, &error), &error);
    assert_in_range(size, 1, 6000000);
    free(bytes);
    nn_graph_free(&graph);
}

static void wrong_options_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        zoo_options options;
        mien_status status;
        const char *message;
    } cases[] = {
        {"alexnet",
         {.classes = 7, .channels = 1},
         MIEN_NOT_FOUND,
         "mien, mien_small, mini_xception"},
        {"mien", {.classes = 1, .channels = 1}, MIEN_INVALID_ARGUMENT, "1 classes"},
        {"mien", {.classes = 7, .channels = 2}, MIEN_INVALID_ARGUMENT, "2 channels"},
        {"mien", {.classes = 7, .channels = 1, .height = -4}, MIEN_INVALID_ARGUMENT, "-4 rows"},
        {"mien",
         {.classes = 7, .channels = 1, .width_multiplier = 0.5f},
         MIEN_INVALID_ARGUMENT,
         "mien has no width multiplier"},
        {"mobilenet_v1",
         {.classes = 7, .channels = 1, .width_multiplier = NAN},
         MIEN_INVALID_ARGUMENT,
         "multiplier of nan"},
        {"sequential_cnn",
         {.classes = 7, .channels = 1, .height = 8, .width = 8},
         MIEN_SHAPE,
         "sequential_cnn: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_graph graph;
        mien_error error;
        assert_fails(cases[i].status, zoo_build(cases[i].name, &cases[i].options, &graph, &error),
                     &error, cases[i].message);
        assert_null(graph.values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_as_designed),
        cmocka_unit_test(parameters_are_those_of_the_originals),
        cmocka_unit_test(width_and_size_change_mobilenets),
        cmocka_unit_test(every_network_runs_for_grey_and_colour),
        cmocka_unit_test(the_seed_decides_the_file),
        cmocka_unit_test(the_default_network_fits_its_file),
        cmocka_unit_test(wrong_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
