/* SPDX-License-Identifier: Apache-2.0 */

/* Maps of what a network looked at, against PyTorch (make_saliency_goldens.py) and, operator by
 * operator, against finite differences. */

#include "network_support.h"

#include "saliency_goldens.h"
#include "train/saliency.h"
#include "train/saliency_rules.h"
#include "zoo/zoo.h"

#include <math.h>

enum { PIXELS = GOLDEN_SIDE * GOLDEN_SIDE };

/* ---- The golden network ---- */

static int squeeze_and_excite(nn_builder *b, int x)
{
    nn_build_conv_options one = {.outputs = 6, .kernel = 1, .bias = true};
    int gate = nn_build_conv(b, nn_build_global_average(b, x), one);
    return nn_build_multiply(b, x, nn_build_hard_sigmoid(b, gate));
}

static int golden_body(nn_builder *b, int x)
{
    nn_build_conv_options first = {
        .outputs = 4, .kernel = 3, .padding = NN_BUILD_SAME, .bias = true};
    nn_build_conv_options pointwise = {.outputs = 4, .kernel = 1, .bias = true};
    nn_build_conv_options last = {.outputs = 6, .kernel = 2, .bias = true};
    x = nn_build_relu(b, nn_build_batch_norm(b, nn_build_conv(b, x, first), 1e-3f));
    x = nn_build_max_pool(b, x, 2, 2, NN_BUILD_VALID);
    int left = nn_build_hard_swish(b, nn_build_depthwise(b, x, 3, 1, NN_BUILD_SAME, false));
    int right = nn_build_clip(b, nn_build_conv(b, x, pointwise), 0, 6);
    int joined[] = {nn_build_add(b, left, right), x};
    x = nn_build_average_pool(b, nn_build_concat(b, joined, 2), 2, 1, NN_BUILD_VALID);
    return squeeze_and_excite(b, nn_build_relu(b, nn_build_conv(b, x, last)));
}

static void fill_parameters(nn_graph *graph)
{
    const float *from = golden_parameters;
    for (size_t n = 0; n < graph->node_count; n++) {
        const nn_node *node = &graph->nodes[n];
        if (node->op != &nn_op_conv && node->op != &nn_op_gemm && node->op != &nn_op_batch_norm)
            continue;
        for (int i = 1; i < node->input_count; i++) {
            nn_tensor *t = &graph->values[node->inputs[i]].tensor;
            int64_t count;
            assert_true(nn_shape_elements(&t->shape, &count));
            memcpy(t->data, from, (size_t)count * sizeof *from);
            from += count;
        }
    }
    assert_int_equal(from - golden_parameters, sizeof golden_parameters / sizeof *from);
}

static nn_model *golden_model(void)
{
    nn_graph graph = {0};
    nn_builder b;
    mien_error error;
    nn_build_start(&b, &graph, 1);
    int x = nn_build_input(&b, "input", GOLDEN_CHANNELS, GOLDEN_SIDE, GOLDEN_SIDE);
    x = nn_build_flatten(&b, nn_build_global_average(&b, golden_body(&b, x)));
    x = nn_build_softmax(&b, nn_build_dense(&b, x, GOLDEN_CLASSES));
    nn_build_output(&b, x, "probabilities");
    assert_ok(nn_build_finish(&b, &error), &error);
    fill_parameters(&graph);
    nn_model *model = network_model_of(&graph);
    nn_graph_free(&graph);
    return model;
}

static void assert_numbers(const float *given, const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_float_equal(given[i], expected[i], 3e-6 * (1 + fabs(expected[i])));
}

static void test_maps_as_pytorch(void **state)
{
    (void)state;
    mien_error error;
    saliency *s;
    float map[GOLDEN_CHANNELS * PIXELS];
    nn_model *model = golden_model();
    assert_ok(saliency_create(model, 0, GOLDEN_SIDE, GOLDEN_SIDE, &s, &error), &error);
    assert_int_equal(saliency_class_count(s), GOLDEN_CLASSES);
    memcpy(saliency_input(s), golden_input, sizeof golden_input);
    saliency_forward(s);
    assert_numbers(saliency_scores(s), golden_scores, GOLDEN_CLASSES);
    saliency_grad_cam(s, GOLDEN_CLASS, map);
    assert_numbers(map, golden_cam, PIXELS);
    for (int again = 0; again < 2; again++) { /* one map leaves nothing for the next */
        saliency_gradient(s, GOLDEN_CLASS, false, map);
        assert_numbers(map, golden_gradient, GOLDEN_CHANNELS * PIXELS);
        saliency_gradient(s, GOLDEN_CLASS, true, map);
        assert_numbers(map, golden_guided, GOLDEN_CHANNELS * PIXELS);
    }
    saliency_free(s);
    nn_model_free(model);
}

/* ---- Operators one by one ---- */

enum { MOST = 128 };

typedef struct operator_case {
    const nn_op *op;
    int inputs; /* floats; the first `flowing` are differentiated */
    int flowing;
    nn_shape shapes[3];
    nn_attribute attributes[2];
    int attribute_count;
} operator_case;

/* Inputs, output and what shaping the operator gave. */
typedef struct operator_run {
    nn_node node;
    nn_params params;
    nn_tensor inputs[5];
    float numbers[5][MOST], made[MOST];
    nn_tensor output;
} operator_run;

static size_t count_of(const nn_shape *shape)
{
    int64_t count;
    assert_true(nn_shape_elements(shape, &count) && count <= MOST);
    return (size_t)count;
}

static void start_run(const operator_case *c, operator_run *r)
{
    mien_error error;
    test_random random = {23};
    *r = (operator_run){.node = {.op = c->op,
                                 .name = (char *)(uintptr_t) "one",
                                 .input_count = c->inputs,
                                 .attributes = (nn_attribute *)(uintptr_t)c->attributes,
                                 .attribute_count = (size_t)c->attribute_count}};
    for (int i = 0; i < c->inputs; i++) {
        for (size_t k = 0; k < count_of(&c->shapes[i]); k++) /* never close to a kink at 0 */
            r->numbers[i][k] = copysignf(0.1f, test_random_float(&random)) +
                               1.3f * test_random_float(&random) * (float)(i + 1);
        r->inputs[i] = (nn_tensor){NN_FLOAT, c->shapes[i], r->numbers[i]};
    }
    nn_shaping shaping = {.node = &r->node,
                          .opset = 11,
                          .inputs = r->inputs,
                          .input_count = c->inputs,
                          .outputs = &r->output,
                          .output_count = 1,
                          .params = &r->params,
                          .error = &error};
    assert_ok(c->op->shape(&shaping), &error);
    r->output.data = r->made;
    count_of(&r->output.shape);
}

/* A fixed weighing of the outputs. */
static double weighed(const operator_case *c, operator_run *r)
{
    double sum = 0;
    c->op->run(&r->params, r->inputs, c->inputs, &r->output);
    for (size_t i = 0; i < count_of(&r->output.shape); i++)
        sum += (double)network_outer(i) * r->made[i];
    return sum;
}

static void check_case(const operator_case *c)
{
    const float h = 1e-2f;
    operator_run r;
    float dy[MOST], dx[MOST] = {0}, scratch[MOST];
    start_run(c, &r);
    for (size_t i = 0; i < MOST; i++)
        dy[i] = network_outer(i);
    for (int which = 0; which < c->flowing; which++) {
        saliency_rule rule = saliency_rule_for(c->op, &r.params, r.inputs, c->inputs, which);
        assert_non_null(rule);
        weighed(c, &r);
        memset(dx, 0, sizeof dx);
        rule(&(saliency_step){&r.params, r.inputs, c->inputs, which, r.output, dy, false, dx,
                              scratch});
        for (size_t k = 0; k < count_of(&c->shapes[which]); k++) {
            float kept = r.numbers[which][k];
            r.numbers[which][k] = kept + h;
            double above = weighed(c, &r);
            r.numbers[which][k] = kept - h;
            double slope = (above - weighed(c, &r)) / (2 * (double)h);
            r.numbers[which][k] = kept;
            if (fabs(slope - (double)dx[k]) > 2e-2 * (1 + fabs(slope)))
                fail_msg("%s: input %d, number %zu: %g, by differences %g", c->op->name, which, k,
                         (double)dx[k], slope);
        }
    }
}

static int64_t two_two[] = {2, 2}, two_one[] = {2, 1}, pads[] = {0, 0, 1, 2, 0, 0, 1, 0},
               window_pads[] = {1, 0, 0, 1}, order[] = {0, 2, 3, 1}, axes[] = {2, 3};

#define NAMED(text) .name = (char *)(uintptr_t)(text)
#define INTS(text, array)                                                                          \
    {                                                                                              \
        NAMED(text), .kind = NN_ATTRIBUTE_INTS, .ints = (array),                                   \
                     .count = sizeof(array) / sizeof *(array)                                      \
    }
#define INT(text, value)                                                                           \
    {                                                                                              \
        NAMED(text), .kind = NN_ATTRIBUTE_INT, .i = (value)                                        \
    }

static void test_operators_by_differences(void **state)
{
    (void)state;
    nn_shape picture = {4, {1, 2, 3, 4}}, channel = {3, {2, 1, 1}}, gate = {4, {1, 2, 1, 1}};
    nn_shape row = {2, {1, 6}}, six_five = {2, {6, 5}}, five_six = {2, {5, 6}}, five = {1, {5}};
    operator_case cases[] = {
        {&nn_op_add, 2, 2, {picture, channel}, {{0}}, 0},
        {&nn_op_sub, 2, 2, {channel, picture}, {{0}}, 0},
        {&nn_op_mul, 2, 2, {picture, gate}, {{0}}, 0},
        {&nn_op_div, 2, 1, {picture, channel}, {{0}}, 0},
        {&nn_op_prelu, 2, 1, {picture, channel}, {{0}}, 0},
        {&nn_op_sigmoid, 1, 1, {picture}, {{0}}, 0},
        {&nn_op_tanh, 1, 1, {picture}, {{0}}, 0},
        {&nn_op_elu, 1, 1, {picture}, {{0}}, 0},
        {&nn_op_leaky_relu, 1, 1, {picture}, {{0}}, 0},
        {&nn_op_hard_swish, 1, 1, {picture}, {{0}}, 0},
        {&nn_op_matmul, 2, 1, {row, six_five}, {{0}}, 0},
        {&nn_op_gemm, 3, 1, {row, six_five, five}, {{0}}, 0},
        {&nn_op_gemm, 3, 1, {row, five_six, five}, {INT("transB", 1)}, 1},
        {&nn_op_conv,
         2,
         1,
         {{4, {1, 2, 5, 5}}, {4, {4, 1, 2, 3}}},
         {INTS("strides", two_one), INT("group", 2)},
         2},
        {&nn_op_max_pool, 1, 1, {picture}, {INTS("kernel_shape", two_two)}, 1},
        {&nn_op_average_pool,
         1,
         1,
         {picture},
         {INTS("kernel_shape", two_two), INTS("pads", window_pads)},
         2},
        {&nn_op_reduce_mean, 1, 1, {picture}, {INTS("axes", axes)}, 1},
        {&nn_op_concat, 3, 3, {picture, picture, picture}, {INT("axis", 2)}, 1},
        {&nn_op_transpose, 1, 1, {picture}, {INTS("perm", order)}, 1},
        {&nn_op_flatten, 1, 1, {picture}, {{0}}, 0},
        {&nn_op_global_average_pool, 1, 1, {picture}, {{0}}, 0},
        {&nn_op_pad, 1, 1, {picture}, {INTS("pads", pads)}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* ---- Whole networks ---- */

static nn_model *zoo_model(const char *name)
{
    zoo_options options = {.classes = 7, .channels = 1, .seed = 5};
    nn_graph graph;
    mien_error error;
    assert_ok(zoo_build(name, &options, &graph, &error), &error);
    nn_model *model = network_model_of(&graph);
    nn_graph_free(&graph);
    return model;
}

static void test_every_network_of_the_zoo_can_be_explained(void **state)
{
    (void)state;
    mien_error error;
    const char *name;
    for (size_t i = 0; (name = zoo_name(i)) != NULL; i++) {
        saliency *s;
        nn_model *model = zoo_model(name);
        const nn_graph *graph = nn_model_graph(model);
        const int64_t *dims = graph->values[graph->inputs[0]].tensor.shape.dims;
        for (size_t o = 0; o < graph->output_count; o++) {
            assert_ok(saliency_create(model, o, (int)dims[2], (int)dims[3], &s, &error), &error);
            saliency_free(s);
        }
        nn_model_free(model);
    }
}

/* The gradient by the input, for some pixels, against the change of the score. */
static void test_a_network_by_differences(void **state)
{
    (void)state;
    enum { SIDE = 48, CLASS = 2 };
    static float map[SIDE * SIDE];
    const float h = 2e-4f;
    mien_error error;
    test_random random = {41};
    saliency *s;
    nn_model *model = zoo_model("mini_xception");
    assert_ok(saliency_create(model, 0, SIDE, SIDE, &s, &error), &error);
    float *input = saliency_input(s);
    for (int i = 0; i < SIDE * SIDE; i++)
        input[i] = test_random_float(&random);
    saliency_forward(s);
    saliency_gradient(s, CLASS, false, map);
    double largest = 0;
    for (int i = 0; i < SIDE * SIDE; i++)
        largest = fmax(largest, fabs((double)map[i]));
    for (int i = 100; i < SIDE * SIDE; i += 331) {
        float kept = input[i];
        input[i] = kept + h;
        saliency_forward(s);
        double above = (double)saliency_scores(s)[CLASS];
        input[i] = kept - h;
        saliency_forward(s);
        double slope = (above - (double)saliency_scores(s)[CLASS]) / (2 * (double)h);
        input[i] = kept;
        assert_float_equal(map[i], slope, 0.03 * largest); /* a ReLU may turn on the way */
    }
    saliency_free(s);
    nn_model_free(model);
}

/* ---- What cannot be explained ---- */

static nn_model *model_of(int (*body)(nn_builder *b, int x))
{
    nn_graph graph = {0};
    nn_builder b;
    mien_error error;
    nn_build_start(&b, &graph, 1);
    int x = body(&b, nn_build_input(&b, "input", 1, 4, 4));
    nn_build_output(&b, x, "scores");
    assert_ok(nn_build_finish(&b, &error), &error);
    nn_model *model = network_model_of(&graph);
    nn_graph_free(&graph);
    return model;
}

static int softmax_within(nn_builder *b, int x)
{
    nn_build_conv_options one = {.outputs = 2, .kernel = 1};
    x = nn_build_softmax(b, nn_build_conv(b, x, one));
    return nn_build_dense(b, nn_build_flatten(b, x), 3);
}

static int no_picture_in_it(nn_builder *b, int x)
{
    return nn_build_dense(b, nn_build_flatten(b, x), 3);
}

static void expect_refused(int (*body)(nn_builder *b, int x), const char *message)
{
    mien_error error;
    saliency *s;
    nn_model *model = model_of(body);
    assert_fails(MIEN_UNSUPPORTED, saliency_create(model, 0, 4, 4, &s, &error), &error, message);
    assert_null(s);
    nn_model_free(model);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refused(softmax_within, "Softmax 'softmax");
    expect_refused(no_picture_in_it, "no feature map");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps_as_pytorch),
        cmocka_unit_test(test_operators_by_differences),
        cmocka_unit_test(test_every_network_of_the_zoo_can_be_explained),
        cmocka_unit_test(test_a_network_by_differences),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
