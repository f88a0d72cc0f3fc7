/* SPDX-License-Identifier: Apache-2.0 */

/* The ONNX reader on bad files: each fails with its status and a message that names the fault. */

#include "onnx_bytes.h"

#include "nn/ref/ref.h"

#include <math.h>

static const int64_t one[1] = {1};
static const int64_t four[1] = {4};

static void a_good_file_is_read(void **state)
{
    (void)state;
    message graph = small_graph(), entry = {.size = 0};
    message bytes = model_of(&graph, 13);
    put_text(&entry, 1, "mien.classes");
    put_text(&entry, 2, "a,b");
    put_message(&bytes, 14, &entry);
    nn_model *model;
    mien_error error;
    assert_ok(nn_model_read(bytes.bytes, bytes.size, &model, &error), &error);
    assert_int_equal(nn_model_parameters(model), 54);
    assert_int_equal(nn_model_graph(model)->node_count, 2);
    assert_int_equal(nn_model_graph(model)->opset, 13);
    assert_string_equal(nn_model_metadata(model, "mien.classes"), "a,b");
    assert_null(nn_model_metadata(model, "mien.other"));
    nn_model_free(model);
}

static void an_empty_file_is_refused(void **state)
{
    (void)state;
    nn_model *model;
    mien_error error;
    assert_fails(MIEN_MALFORMED, nn_model_read("", 0, &model, &error), &error, "empty");
    assert_fails(MIEN_MALFORMED, nn_model_read("not a model", 11, &model, &error), &error, "ONNX");
    assert_null(model);
}

/* The copy is as long as the file: an address sanitizer sees what is read behind it. */
static void truncated_files_never_crash(void **state)
{
    (void)state;
    message graph = small_graph();
    message whole = model_of(&graph, 13);
    for (size_t size = 1; size < whole.size; size++) {
        uint8_t *part = malloc(size);
        assert_non_null(part);
        memcpy(part, whole.bytes, size);
        nn_model *model;
        mien_error error;
        mien_status status = nn_model_read(part, size, &model, &error);
        free(part);
        assert_true(status == MIEN_MALFORMED || status == MIEN_UNSUPPORTED);
        assert_null(model);
    }
}

/* Every byte in turn takes a few other values. */
static void damaged_files_never_crash(void **state)
{
    (void)state;
    message graph = small_graph();
    message whole = model_of(&graph, 13);
    static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x10};
    for (size_t at = 0; at < whole.size; at++)
        for (size_t f = 0; f < sizeof flips; f++) {
            message damaged = whole;
            damaged.bytes[at] ^= flips[f];
            nn_model *model;
            nn_plan *plan = NULL;
            mien_error error;
            if (nn_model_read(damaged.bytes, damaged.size, &model, &error) != MIEN_OK)
                continue;
            nn_plan_options options = {.kernels = nn_kernels_best(), .max_bytes = 1 << 20};
            if (nn_plan_create(model, &options, &plan, &error) == MIEN_OK)
                nn_plan_free(plan);
            nn_model_free(model);
        }
}

static void opsets_outside_the_range_are_refused(void **state)
{
    (void)state;
    message graph = small_graph();
    static const int64_t opsets[] = {0, 1, 6, 22, 1000000, -1};
    for (size_t i = 0; i < sizeof opsets / sizeof *opsets; i++) {
        message bytes = model_of(&graph, opsets[i]);
        nn_model *model;
        mien_error error;
        assert_fails(MIEN_UNSUPPORTED, nn_model_read(bytes.bytes, bytes.size, &model, &error),
                     &error, "opset");
        assert_null(model);
    }
}

static message graph_with_node(const char *node)
{
    message graph = {.size = 0};
    add_input(&graph, "x", four, 1);
    add_node(&graph, node);
    add_output(&graph, "y");
    return graph;
}

static void unknown_operators_are_named(void **state)
{
    (void)state;
    message graph = graph_with_node("LSTM x > y");
    assert_unreadable(&graph, MIEN_UNSUPPORTED, "LSTM");
    message node = node_of("Relu x > y"), custom = {.size = 0};
    put_text(&node, 7, "com.example");
    put_message(&custom, 1, &node);
    add_input(&custom, "x", four, 1);
    add_output(&custom, "y");
    assert_unreadable(&custom, MIEN_UNSUPPORTED, "com.example");
}

static void wrong_input_counts_are_refused(void **state)
{
    (void)state;
    static const char *const nodes[] = {"Relu > y",         "Relu x x > y",   "Add x > y",
                                        "Conv x > y",       "Add x - > y",    "Relu - > y",
                                        "Clip x x x x > y", "MaxPool x x > y"};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        message graph = graph_with_node(nodes[i]);
        assert_unreadable(&graph, MIEN_MALFORMED, "input");
    }
}

static void a_node_without_output_is_refused(void **state)
{
    (void)state;
    message graph = graph_with_node("Relu x");
    assert_unreadable(&graph, MIEN_MALFORMED, "no output");
}

static void cycles_are_refused(void **state)
{
    (void)state;
    message graph = graph_with_node("Add x b > a");
    add_node(&graph, "Relu a > b");
    add_node(&graph, "Relu b > y");
    assert_unreadable(&graph, MIEN_MALFORMED, "cycle");
    message self = graph_with_node("Relu y > y");
    assert_unreadable(&self, MIEN_MALFORMED, "cycle");
}

static void missing_tensors_are_named(void **state)
{
    (void)state;
    message graph = graph_with_node("Add x lost > y");
    assert_unreadable(&graph, MIEN_MALFORMED, "'lost'");
    message output = graph_with_node("Relu x > z");
    assert_unreadable(&output, MIEN_MALFORMED, "'y'");
    message mask = graph_with_node("Dropout x > a mask");
    add_node(&mask, "Add a mask > y");
    assert_unreadable(&mask, MIEN_MALFORMED, "'mask'");
}

static void tensors_made_twice_are_named(void **state)
{
    (void)state;
    message graph = graph_with_node("Relu x > y");
    add_node(&graph, "Tanh x > y");
    assert_unreadable(&graph, MIEN_MALFORMED, "'y'");
    message input = graph_with_node("Relu x > y");
    add_node(&input, "Relu y > x");
    assert_unreadable(&input, MIEN_MALFORMED, "'x'");
    message constant = graph_with_node("Relu x > y");
    add_floats(&constant, "y", one, 1, &(float){1}, 1);
    assert_unreadable(&constant, MIEN_MALFORMED, "'y'");
    message twice = graph_with_node("Relu x > y");
    add_floats(&twice, "k", one, 1, &(float){1}, 1);
    add_floats(&twice, "k", one, 1, &(float){1}, 1);
    assert_unreadable(&twice, MIEN_MALFORMED, "'k'");
}

static void nodes_may_come_in_any_order(void **state)
{
    (void)state;
    message graph = graph_with_node("Relu b > y");
    add_node(&graph, "Tanh a > b");
    add_node(&graph, "Sigmoid x > a");
    nn_model *model;
    mien_error error;
    assert_ok(read_graph(&graph, &model, &error), &error);
    assert_string_equal(nn_model_graph(model)->nodes[0].op->name, "Sigmoid");
    assert_string_equal(nn_model_graph(model)->nodes[2].op->name, "Relu");
    nn_model_free(model);
}

static message graph_with_tensor(const message *tensor)
{
    message graph = graph_with_node("Relu x > y");
    put_message(&graph, 5, tensor);
    return graph;
}

static void shapes_that_overflow_are_refused(void **state)
{
    (void)state;
    static const int64_t huge[1] = {INT64_C(1) << 40}, negative[1] = {-4};
    static const int64_t product[4] = {1 << 20, 1 << 20, 1 << 20, 16};
    message tensor = tensor_of("w", ONNX_TYPE_FLOAT, huge, 1, "", 0);
    message graph = graph_with_tensor(&tensor);
    assert_unreadable(&graph, MIEN_LIMIT, "1099511627776");
    tensor = tensor_of("w", ONNX_TYPE_FLOAT, negative, 1, "", 0);
    graph = graph_with_tensor(&tensor);
    assert_unreadable(&graph, MIEN_LIMIT, "dimension");
    tensor = tensor_of("w", ONNX_TYPE_FLOAT, product, 4, "", 0);
    graph = graph_with_tensor(&tensor);
    assert_unreadable(&graph, MIEN_LIMIT, "'w'");
    message input = {.size = 0};
    add_input(&input, "x", huge, 1);
    add_node(&input, "Relu x > y");
    add_output(&input, "y");
    assert_unreadable(&input, MIEN_LIMIT, "1099511627776");
}

static void too_many_dimensions_are_refused(void **state)
{
    (void)state;
    static const int64_t dims[7] = {1, 1, 1, 1, 1, 1, 1};
    float value = 1;
    message tensor = tensor_of("w", ONNX_TYPE_FLOAT, dims, 7, &value, 4);
    message graph = graph_with_tensor(&tensor);
    assert_unreadable(&graph, MIEN_UNSUPPORTED, "dimensions");
    message input = {.size = 0};
    add_input(&input, "x", dims, 7);
    assert_unreadable(&input, MIEN_UNSUPPORTED, "dimensions");
}

static void weights_of_the_wrong_length_are_named(void **state)
{
    (void)state;
    float values[5] = {1, 2, 3, 4, 5};
    for (size_t size = 0; size <= 20; size++) {
        if (size == 16)
            continue;
        message tensor = tensor_of("w", ONNX_TYPE_FLOAT, four, 1, values, size);
        message graph = graph_with_tensor(&tensor);
        assert_unreadable(&graph, MIEN_MALFORMED, "'w'");
    }
    message listed = {.size = 0}; /* float_data, one number short */
    put_int(&listed, 1, 4);
    put_int(&listed, 2, ONNX_TYPE_FLOAT);
    put_text(&listed, 8, "w");
    put_bytes(&listed, 4, values, 12);
    message graph = graph_with_tensor(&listed);
    assert_unreadable(&graph, MIEN_MALFORMED, "3 numbers");
}

static void weights_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    float values[4] = {1, 2, NAN, 4};
    message tensor = tensor_of("w", ONNX_TYPE_FLOAT, four, 1, values, 16);
    message graph = graph_with_tensor(&tensor);
    assert_unreadable(&graph, MIEN_MALFORMED, "NaN");
}

static void weights_in_other_files_are_refused(void **state)
{
    (void)state;
    message tensor = {.size = 0}, entry = {.size = 0};
    put_text(&entry, 1, "location");
    put_text(&entry, 2, "/etc/passwd");
    put_int(&tensor, 1, 4);
    put_int(&tensor, 2, ONNX_TYPE_FLOAT);
    put_text(&tensor, 8, "w");
    put_message(&tensor, 13, &entry);
    put_int(&tensor, 14, 1);
    message graph = graph_with_tensor(&tensor);
    assert_unreadable(&graph, MIEN_UNSUPPORTED, "another file");
}

static void texts_and_other_types_are_refused(void **state)
{
    (void)state;
    message tensor = tensor_of("w", ONNX_TYPE_STRING, one, 1, "", 0);
    message graph = graph_with_tensor(&tensor);
    assert_unreadable(&graph, MIEN_UNSUPPORTED, "type 8");
    message input = {.size = 0}, value = value_of("x", ONNX_TYPE_INT64, four, 1);
    put_message(&input, 11, &value);
    add_node(&input, "Relu x > y");
    add_output(&input, "y");
    assert_unreadable(&input, MIEN_UNSUPPORTED, "'x'");
    message node = node_of("Constant > k"), text = {.size = 0},
            constant = graph_with_node("Relu x > y");
    put_text(&text, 1, "value_string");
    put_text(&text, 4, "hello");
    put_int(&text, 20, 3);
    put_message(&node, 5, &text);
    put_message(&constant, 1, &node);
    assert_unreadable(&constant, MIEN_UNSUPPORTED, "text");
}

/* The content of the only constant of a graph. */
static const nn_tensor *sole_constant(const nn_model *model)
{
    const nn_graph *graph = nn_model_graph(model);
    for (size_t v = 0; v < graph->value_count; v++)
        if (graph->values[v].tensor.data != NULL)
            return &graph->values[v].tensor;
    fail_msg("the graph has no constant");
    return NULL;
}

static void numbers_of_other_types_are_converted(void **state)
{
    (void)state;
    static const uint16_t half[5] = {0x3c00, 0xb800, 0x0001, 0x7bff, 0x8000};
    static const uint16_t brain[2] = {0x3f80, 0xc040};
    static const double doubles[2] = {0.5, -1e-3};
    static const struct {
        int type;
        const void *bytes;
        size_t size, count;
        float values[5];
    } reals[] = {{10, half, sizeof half, 5, {1, -0.5f, 5.9604645e-8f, 65504, 0}},
                 {16, brain, sizeof brain, 2, {1, -3}},
                 {11, doubles, sizeof doubles, 2, {0.5f, -1e-3f}}};
    static const struct {
        int type;
        const void *bytes;
        size_t size;
        int64_t values[2];
    } integers[] = {{2, "\x01\xff", 2, {1, 255}},
                    {3, "\x01\xff", 2, {1, -1}},
                    {4, "\x01\x00\xff\xff", 4, {1, 65535}},
                    {5, "\x01\x00\xff\xff", 4, {1, -1}},
                    {6, "\x01\x00\x00\x00\xff\xff\xff\xff", 8, {1, -1}},
                    {12, "\x01\x00\x00\x00\xff\xff\xff\xff", 8, {1, UINT32_MAX}},
                    {9, "\x00\x02", 2, {0, 1}}};
    nn_model *model;
    mien_error error;
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        int64_t dims[1] = {(int64_t)reals[i].count};
        message tensor = tensor_of("w", reals[i].type, dims, 1, reals[i].bytes, reals[i].size);
        message graph = graph_with_tensor(&tensor);
        assert_ok(read_graph(&graph, &model, &error), &error);
        const nn_tensor *constant = sole_constant(model);
        assert_int_equal(constant->type, NN_FLOAT);
        for (size_t k = 0; k < reals[i].count; k++)
            assert_true(((const float *)constant->data)[k] == reals[i].values[k]);
        nn_model_free(model);
    }
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        message tensor = tensor_of("w", integers[i].type, (int64_t[1]){2}, 1, integers[i].bytes,
                                   integers[i].size);
        message graph = graph_with_tensor(&tensor);
        assert_ok(read_graph(&graph, &model, &error), &error);
        const nn_tensor *constant = sole_constant(model);
        nn_type held = integers[i].type == 2 ? NN_UINT8 : integers[i].type == 3 ? NN_INT8 : NN_INT;
        assert_int_equal(constant->type, held);
        for (int k = 0; k < 2; k++)
            assert_int_equal(nn_int_at(constant, k), integers[i].values[k]);
        nn_model_free(model);
    }
}

static void networks_inside_nodes_are_refused(void **state)
{
    (void)state;
    message node = node_of("Relu x > y"), attribute = {.size = 0}, inner = {.size = 0};
    put_text(&attribute, 1, "then_branch");
    put_message(&attribute, 6, &inner);
    put_int(&attribute, 20, 5);
    put_message(&node, 5, &attribute);
    message graph = {.size = 0};
    add_input(&graph, "x", four, 1);
    put_message(&graph, 1, &node);
    add_output(&graph, "y");
    assert_unreadable(&graph, MIEN_UNSUPPORTED, "networks inside nodes");
}

static void sparse_weights_are_refused(void **state)
{
    (void)state;
    message graph = graph_with_node("Relu x > y");
    put_bytes(&graph, 15, "", 0);
    assert_unreadable(&graph, MIEN_UNSUPPORTED, "sparse");
}

static void broken_attributes_are_refused(void **state)
{
    (void)state;
    message mistyped = {.size = 0}, nameless = {.size = 0}, mixed = {.size = 0},
            lying = {.size = 0};
    put_int(&mistyped, 1, 5); /* a name that is a number */
    put_int(&mistyped, 4, 5);
    put_int(&nameless, 3, 1);
    put_text(&mixed, 1, "axes");
    put_int(&mixed, 8, 1);
    put_bytes(&mixed, 7, &(float){1}, 4);
    put_text(&lying, 1, "axes"); /* floats that call themselves integers */
    put_bytes(&lying, 7, &(float){1}, 4);
    put_int(&lying, 20, 7);
    const message *const attributes[] = {&mistyped, &nameless, &mixed, &lying};
    for (int i = 0; i < 4; i++) {
        message node = node_of("ReduceMean x > y"), graph = {.size = 0};
        put_message(&node, 5, attributes[i]);
        add_input(&graph, "x", four, 1);
        put_message(&graph, 1, &node);
        add_output(&graph, "y");
        assert_unreadable(&graph, MIEN_MALFORMED, "attribute");
    }
}

static void graphs_without_inputs_or_outputs_are_refused(void **state)
{
    (void)state;
    message no_input = {.size = 0}, no_output = {.size = 0};
    add_floats(&no_input, "k", one, 1, &(float){1}, 1);
    add_node(&no_input, "Relu k > y");
    add_output(&no_input, "y");
    assert_unreadable(&no_input, MIEN_MALFORMED, "no input");
    add_input(&no_output, "x", four, 1);
    assert_unreadable(&no_output, MIEN_MALFORMED, "no output");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_read),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(truncated_files_never_crash),
        cmocka_unit_test(damaged_files_never_crash),
        cmocka_unit_test(opsets_outside_the_range_are_refused),
        cmocka_unit_test(unknown_operators_are_named),
        cmocka_unit_test(wrong_input_counts_are_refused),
        cmocka_unit_test(a_node_without_output_is_refused),
        cmocka_unit_test(cycles_are_refused),
        cmocka_unit_test(missing_tensors_are_named),
        cmocka_unit_test(tensors_made_twice_are_named),
        cmocka_unit_test(nodes_may_come_in_any_order),
        cmocka_unit_test(shapes_that_overflow_are_refused),
        cmocka_unit_test(too_many_dimensions_are_refused),
        cmocka_unit_test(weights_of_the_wrong_length_are_named),
        cmocka_unit_test(weights_that_are_no_numbers_are_refused),
        cmocka_unit_test(weights_in_other_files_are_refused),
        cmocka_unit_test(texts_and_other_types_are_refused),
        cmocka_unit_test(numbers_of_other_types_are_converted),
        cmocka_unit_test(networks_inside_nodes_are_refused),
        cmocka_unit_test(sparse_weights_are_refused),
        cmocka_unit_test(broken_attributes_are_refused),
        cmocka_unit_test(graphs_without_inputs_or_outputs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
