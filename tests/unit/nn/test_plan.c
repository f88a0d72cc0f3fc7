/* SPDX-License-Identifier: Apache-2.0 */

/* Shaping networks: what is refused, what stays open in the file, what is computed early. */

#include "onnx_bytes.h"

static const nn_plan_options no_options = {0};
static const int64_t picture[4] = {1, 1, 4, 4};

/* x of the given shape into one node; constants are added by the caller. */
static message graph_of(const int64_t *dims, int rank, const char *node)
{
    message graph = {.size = 0};
    add_input(&graph, "x", dims, rank);
    add_node(&graph, node);
    add_output(&graph, "y");
    return graph;
}

static message graph_of_node(const int64_t *dims, int rank, const message *node)
{
    message graph = {.size = 0};
    add_input(&graph, "x", dims, rank);
    put_message(&graph, 1, node);
    add_output(&graph, "y");
    return graph;
}

static void windows_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const int64_t weights[4] = {1, 1, 5, 5}, kernel[2] = {5, 5};
    float values[25] = {0};
    message graph = graph_of(picture, 4, "Conv x w > y");
    add_floats(&graph, "w", weights, 4, values, 25);
    assert_unshapable(&graph, &no_options, MIEN_SHAPE, "does not fit");
    message node = node_of("MaxPool x > y");
    add_ints(&node, "kernel_shape", kernel, 2);
    graph = graph_of_node(picture, 4, &node);
    assert_unshapable(&graph, &no_options, MIEN_SHAPE, "does not fit");
}

static void window_numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    static const int64_t kernel[2] = {2, 2};
    static const int64_t zero[2] = {0, 1}, huge[2] = {1, INT64_MAX}, three[3] = {1, 1, 1};
    static const int64_t pads[4] = {0, 0, -1, 0};
    static const struct {
        const char *name;
        const int64_t *values;
        size_t count;
        mien_status status;
    } cases[] = {{"strides", zero, 2, MIEN_SHAPE},        {"strides", huge, 2, MIEN_SHAPE},
                 {"dilations", zero, 2, MIEN_SHAPE},      {"dilations", huge, 2, MIEN_SHAPE},
                 {"strides", three, 3, MIEN_UNSUPPORTED}, {"pads", pads, 4, MIEN_SHAPE},
                 {"pads", three, 3, MIEN_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        message node = node_of("AveragePool x > y");
        add_ints(&node, "kernel_shape", kernel, 2);
        add_ints(&node, cases[i].name, cases[i].values, cases[i].count);
        message graph = graph_of_node(picture, 4, &node);
        assert_unshapable(&graph, &no_options, cases[i].status, cases[i].name);
    }
}

static void inputs_that_do_not_fit_each_other_are_refused(void **state)
{
    (void)state;
    static const int64_t three[1] = {3}, four[1] = {4}, matrix[2] = {3, 5};
    float values[16] = {0};
    message graph = graph_of(four, 1, "Add x k > y");
    add_floats(&graph, "k", three, 1, values, 3);
    assert_unshapable(&graph, &no_options, MIEN_SHAPE, "do not fit");
    message product = graph_of(matrix, 2, "MatMul x k > y");
    add_floats(&product, "k", matrix, 2, values, 15);
    assert_unshapable(&product, &no_options, MIEN_SHAPE, "do not fit");
    message conv = graph_of(picture, 4, "Conv x w > y");
    static const int64_t weights[4] = {1, 2, 1, 1};
    add_floats(&conv, "w", weights, 4, values, 2);
    assert_unshapable(&conv, &no_options, MIEN_SHAPE, "do not fit");
}

static void empty_tensors_are_refused(void **state)
{
    (void)state;
    static const int64_t none[1] = {0}, four[1] = {4};
    message node = node_of("Concat x e s > y"); /* with an empty part: fine */
    add_int(&node, "axis", 0);
    message concat = graph_of_node(four, 1, &node);
    add_floats(&concat, "e", none, 1, NULL, 0);
    add_floats(&concat, "s", four, 1, (float[4]){1, 2, 3, 4}, 4);
    nn_model *model;
    nn_plan *plan;
    mien_error error;
    assert_ok(read_graph(&concat, &model, &error), &error);
    assert_ok(nn_plan_create(model, &no_options, &plan, &error), &error);
    assert_int_equal(nn_plan_output_shape(plan, 0)->dims[0], 8);
    nn_plan_free(plan);
    nn_model_free(model);

    message slice = graph_of(four, 1, "Slice x s t > y");
    add_int64s(&slice, "s", &(int64_t){2}, 1);
    add_int64s(&slice, "t", &(int64_t){2}, 1);
    assert_unshapable(&slice, &no_options, MIEN_SHAPE, "empty");
    message mean = graph_of(four, 1, "ReduceMean e > y");
    add_floats(&mean, "e", none, 1, NULL, 0);
    assert_unshapable(&mean, &no_options, MIEN_SHAPE, "empty");
    message pad = graph_of(four, 1, "Pad e p > y");
    add_floats(&pad, "e", none, 1, NULL, 0);
    add_int64s(&pad, "p", (int64_t[2]){1, 1}, 2);
    assert_unshapable(&pad, &no_options, MIEN_SHAPE, "empty");
}

static void integers_at_run_time_are_refused(void **state)
{
    (void)state;
    static const int64_t four[1] = {4};
    message node = node_of("Cast x > i");
    add_int(&node, "to", 7);
    message graph = graph_of_node(four, 1, &node);
    message back = node_of("Cast i > y");
    add_int(&back, "to", 1);
    put_message(&graph, 1, &back);
    assert_unshapable(&graph, &no_options, MIEN_UNSUPPORTED, "integers");
    message reshape = graph_of(four, 1, "Reshape x x > y");
    assert_unshapable(&reshape, &no_options, MIEN_UNSUPPORTED, "constant");
    message relu = graph_of(four, 1, "Relu k > y");
    add_int64s(&relu, "k", (int64_t[4]){1, 2, 3, 4}, 4);
    assert_unshapable(&relu, &no_options, MIEN_UNSUPPORTED, "integers");
    message output = graph_of(four, 1, "Shape x > y");
    assert_unshapable(&output, &no_options, MIEN_UNSUPPORTED, "float32");
}

static void integer_weights_are_refused(void **state)
{
    (void)state;
    static const int64_t weights[4] = {1, 1, 1, 1}, matrix[2] = {1, 1};
    int64_t value = 1;
    message conv = graph_of(picture, 4, "Conv x w > y");
    message tensor = tensor_of("w", ONNX_TYPE_INT64, weights, 4, &value, 8);
    put_message(&conv, 5, &tensor);
    assert_unshapable(&conv, &no_options, MIEN_UNSUPPORTED, "integers");
    tensor = tensor_of("w", ONNX_TYPE_INT64, matrix, 2, &value, 8);
    static const char *const products[] = {"Gemm x w > y", "MatMul x w > y"};
    for (int i = 0; i < 2; i++) {
        message product = graph_of(matrix, 2, products[i]);
        put_message(&product, 5, &tensor);
        assert_unshapable(&product, &no_options, MIEN_UNSUPPORTED, "integers");
    }
}

static void a_pad_that_names_an_axis_twice_is_refused(void **state)
{
    (void)state;
    message node = node_of("Pad x p - a > y"), mode = {.size = 0};
    put_text(&mode, 1, "mode");
    put_text(&mode, 4, "reflect");
    put_message(&node, 5, &mode);
    message graph = graph_of_node(picture, 4, &node);
    add_int64s(&graph, "p", (int64_t[4]){3, 9, 3, 9}, 4);
    add_int64s(&graph, "a", (int64_t[2]){2, -2}, 2);
    assert_unshapable(&graph, &no_options, MIEN_SHAPE, "twice");
}

static void growth_is_refused_before_memory_is_taken(void **state)
{
    (void)state;
    static const int64_t side[2] = {1 << 14, 1 << 14}, column[2] = {1 << 20, 1};
    message product = graph_of(column, 2, "MatMul x k > y"); /* 2^31 numbers */
    float *values = calloc(2048, sizeof *values);
    assert_non_null(values);
    add_floats(&product, "k", (int64_t[2]){1, 2048}, 2, values, 2048);
    assert_unshapable(&product, &no_options, MIEN_LIMIT, "too large");
    free(values);
    message graph = graph_of(side, 2, "Relu x > a"); /* 1 GiB a tensor */
    add_node(&graph, "Tanh a > y");
    assert_unshapable(&graph, &no_options, MIEN_LIMIT, "bytes");
}

static void max_bytes_is_kept(void **state)
{
    (void)state;
    message graph = small_graph();
    nn_plan_options options = {.max_bytes = 64};
    assert_unshapable(&graph, &options, MIEN_LIMIT, "64");
    options.max_bytes = 1 << 16;
    nn_model *model;
    nn_plan *plan;
    mien_error error;
    assert_ok(read_graph(&graph, &model, &error), &error);
    options.kernels = nn_kernels_best();
    assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
    assert_true(nn_plan_arena_bytes(plan) <= options.max_bytes);
    nn_plan_free(plan);
    nn_model_free(model);
}

static void a_wrong_input_shape_is_told(void **state)
{
    (void)state;
    message graph = small_graph();
    static const nn_shape wrong[] = {{4, {1, 3, 4, 4}}, {3, {1, 2, 4}},
                                     {4, {0, 2, 4, 4}}, {4, {-1, 2, 4, 4}},
                                     {4, {1, 2, 4, 0}}, {4, {1 << 28, 2, 4, 4}}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        nn_plan_options options = {.input_shapes = &wrong[i]};
        assert_unshapable(&graph, &options, MIEN_SHAPE, "input 'x' takes ?x2x4x4");
    }
}

/* The file says 4x4. */
static void a_picture_may_have_another_size(void **state)
{
    (void)state;
    message graph = small_graph();
    static const nn_shape larger = {4, {1, 2, 8, 6}};
    nn_plan_options options = {.input_shapes = &larger};
    nn_model *model;
    nn_plan *plan;
    mien_error error;
    assert_ok(read_graph(&graph, &model, &error), &error);
    assert_ok(nn_plan_create(model, &no_options, &plan, &error), &error);
    nn_shape usual = *nn_plan_output_shape(plan, 0);
    nn_plan_free(plan);
    assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
    const nn_shape *output = nn_plan_output_shape(plan, 0);
    assert_int_equal(output->dims[2], usual.dims[2] + 4);
    assert_int_equal(output->dims[3], usual.dims[3] + 2);
    nn_plan_free(plan);
    nn_model_free(model);
    static const int64_t four[4] = {1, 2, 4, 4}, weights[2] = {32, 1};
    static const float values[32] = {0};
    message product = graph_of(four, 4, "Flatten x > f");
    add_node(&product, "MatMul f k > y");
    add_floats(&product, "k", weights, 2, values, 32);
    assert_unshapable(&product, &options, MIEN_SHAPE, "do not fit");
}

static void an_input_without_shape_needs_one(void **state)
{
    (void)state;
    message graph = graph_of(NULL, -1, "Relu x > y");
    assert_unshapable(&graph, &no_options, MIEN_SHAPE, "has no shape");
    nn_shape shape = {2, {3, 5}};
    nn_plan_options options = {.input_shapes = &shape};
    nn_model *model;
    nn_plan *plan;
    mien_error error;
    assert_ok(read_graph(&graph, &model, &error), &error);
    assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
    assert_true(nn_shape_equal(nn_plan_output_shape(plan, 0), &shape));
    nn_plan_free(plan);
    nn_model_free(model);
}

static void open_dimensions_are_settled_by_the_plan(void **state)
{
    (void)state;
    static const int64_t open[4] = {-1, 2, -1, -1}, w[4] = {3, 2, 3, 3};
    float weights[54] = {0};
    message graph = graph_of(open, 4, "Conv x w > y");
    add_floats(&graph, "w", w, 4, weights, 54);
    nn_model *model;
    mien_error error;
    assert_ok(read_graph(&graph, &model, &error), &error);
    static const nn_shape shapes[] = {{4, {1, 2, 3, 3}}, {4, {5, 2, 20, 7}}, {4, {2, 2, 9, 64}}};
    for (int i = 0; i < 3; i++) {
        const int64_t *in = shapes[i].dims;
        nn_plan *plan;
        nn_plan_options options = {.input_shapes = &shapes[i], .kernels = nn_kernels_best()};
        assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
        nn_shape expected = {4, {in[0], 3, in[2] - 2, in[3] - 2}};
        assert_true(nn_shape_equal(nn_plan_output_shape(plan, 0), &expected));
        assert_int_equal(nn_plan_multiply_adds(plan), in[0] * 3 * (in[2] - 2) * (in[3] - 2) * 18);
        nn_plan_free(plan);
    }
    nn_model_free(model);
}

static void questions_without_answer_are_answered_so(void **state)
{
    (void)state;
    message graph = small_graph();
    nn_model *model;
    nn_plan *plan;
    mien_error error;
    assert_ok(read_graph(&graph, &model, &error), &error);
    assert_ok(nn_plan_create(model, &no_options, &plan, &error), &error);
    assert_null(nn_plan_input_shape(plan, 1));
    assert_null(nn_plan_output_shape(plan, 1));
    assert_int_equal(nn_plan_find_output(plan, "y"), 0);
    assert_int_equal(nn_plan_find_output(plan, "c"), -1);
    nn_plan_free(plan);
    nn_model_free(model);
    nn_plan_free(NULL);
    nn_session_free(NULL);
    nn_model_free(NULL);
}

static void constants_are_computed_while_planning(void **state)
{
    (void)state;
    static const int64_t open[2] = {-1, 6};
    message graph = {.size = 0};
    add_input(&graph, "x", open, 2);
    add_int64s(&graph, "two", (int64_t[1]){2}, 1);
    add_int64s(&graph, "first", (int64_t[1]){0}, 1);
    message concat = node_of("Concat n two rest > s"); /* (N, 2, -1) */
    add_int(&concat, "axis", 0);
    add_int64s(&graph, "rest", (int64_t[1]){-1}, 1);
    add_node(&graph, "Shape x > all");
    add_node(&graph, "Gather all first > n");
    put_message(&graph, 1, &concat);
    add_node(&graph, "Reshape x s > r");
    add_node(&graph, "Relu r > y");
    add_output(&graph, "y");
    nn_model *model;
    nn_plan *plan;
    mien_error error;
    assert_ok(read_graph(&graph, &model, &error), &error);
    nn_shape shape = {2, {5, 6}}, expected = {3, {5, 2, 3}};
    nn_plan_options options = {.input_shapes = &shape, .kernels = nn_kernels_best()};
    assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
    assert_true(nn_shape_equal(nn_plan_output_shape(plan, 0), &expected));
    assert_int_equal(nn_plan_step_count(plan), 1);
    assert_string_equal(nn_plan_step_name(plan, 0), "Relu");
    nn_plan_free(plan);
    nn_model_free(model);
}

static void fused_operators_take_no_steps(void **state)
{
    (void)state;
    message graph = small_graph();
    nn_model *model;
    nn_plan *plan;
    mien_error error;
    assert_ok(read_graph(&graph, &model, &error), &error);
    assert_ok(nn_plan_create(model, &no_options, &plan, &error), &error);
    assert_int_equal(nn_plan_step_count(plan), 2);
    nn_plan_free(plan);
    nn_plan_options options = {.kernels = nn_kernels_best()};
    assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
    assert_int_equal(nn_plan_step_count(plan), 2); /* Conv and Relu, to channels first */
    nn_plan_free(plan);
    nn_model_free(model);
}

/* w is read twice, once behind an Identity; u once, behind one; v once; the norm's twice. */
static message sharing_graph(void)
{
    enum { CHANNELS = 16, WEIGHTS = CHANNELS * CHANNELS };
    static const int64_t shape[4] = {1, CHANNELS, 6, 6}, window[4] = {CHANNELS, CHANNELS, 1, 1};
    static const int64_t channels[1] = {CHANNELS};
    static const char *const nodes[] = {"Conv x iw > a", "Conv an w > b", "Conv b iu > c",
                                        "Conv c v > d"};
    static float weights[WEIGHTS], norm[CHANNELS];
    message graph = {.size = 0};
    add_input(&graph, "x", shape, 4);
    for (int name = 0; name < 3; name++) {
        for (int i = 0; i < WEIGHTS; i++)
            weights[i] = (float)((i * 37 + name * 11) % 101 - 50) / 400;
        add_floats(&graph, (const char *[]){"w", "u", "v"}[name], window, 4, weights, WEIGHTS);
    }
    for (int i = 0; i < CHANNELS; i++)
        norm[i] = 0.5f + (float)i / 10;
    for (int name = 0; name < 4; name++)
        add_floats(&graph, (const char *[]){"scale", "shift", "mean", "variance"}[name], channels,
                   1, norm, CHANNELS);
    add_node(&graph, "Identity w > iw");
    add_node(&graph, "Identity u > iu");
    for (int n = 0; n < 4; n++) {
        add_node(&graph, nodes[n]);
        if (n == 0)
            add_node(&graph, "BatchNormalization a scale shift mean variance > an");
    }
    add_node(&graph, "BatchNormalization d scale shift mean variance > y");
    add_output(&graph, "y");
    return graph;
}

static void run_once(const nn_plan *plan, float *y, size_t bytes)
{
    nn_session *session;
    mien_error error;
    assert_ok(nn_session_create(plan, &session, &error), &error);
    float *x = nn_session_input(session, 0);
    for (int i = 0; i < 16 * 36; i++)
        x[i] = (float)(i * 13 % 29) / 29;
    nn_session_run(session);
    memcpy(y, nn_session_output(session, 0), bytes);
    nn_session_free(session);
}

static void the_last_plan_takes_the_weights(void **state)
{
    (void)state;
    const nn_kernels *kernels = NULL;
    for (size_t set = 0; set == 0 || kernels != NULL; kernels = nn_kernels_at(set++)) {
        message graph = sharing_graph();
        nn_model *model;
        nn_plan *plan, *last;
        mien_error error;
        float expected[16 * 36], got[16 * 36];
        nn_plan_options options = {.kernels = kernels};
        assert_ok(read_graph(&graph, &model, &error), &error);
        assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
        run_once(plan, expected, sizeof expected);
        nn_plan_free(plan);
        int64_t before = nn_model_parameters(model);
        assert_ok(nn_plan_create_last(model, &options, &last, &error), &error);
        assert_true(before - nn_model_parameters(model) >= 2 * 16 * 16);
        run_once(last, got, sizeof got);
        assert_memory_equal(got, expected, sizeof got);
        nn_plan_free(last);
        nn_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_plan_takes_the_weights),
        cmocka_unit_test(windows_that_do_not_fit_are_refused),
        cmocka_unit_test(window_numbers_out_of_range_are_refused),
        cmocka_unit_test(inputs_that_do_not_fit_each_other_are_refused),
        cmocka_unit_test(empty_tensors_are_refused),
        cmocka_unit_test(integers_at_run_time_are_refused),
        cmocka_unit_test(integer_weights_are_refused),
        cmocka_unit_test(a_pad_that_names_an_axis_twice_is_refused),
        cmocka_unit_test(growth_is_refused_before_memory_is_taken),
        cmocka_unit_test(max_bytes_is_kept),
        cmocka_unit_test(a_wrong_input_shape_is_told),
        cmocka_unit_test(a_picture_may_have_another_size),
        cmocka_unit_test(an_input_without_shape_needs_one),
        cmocka_unit_test(open_dimensions_are_settled_by_the_plan),
        cmocka_unit_test(questions_without_answer_are_answered_so),
        cmocka_unit_test(constants_are_computed_while_planning),
        cmocka_unit_test(fused_operators_take_no_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
