/* SPDX-License-Identifier: Apache-2.0 */

/* Every network of the zoo: several threads write the bits of one. */

#include "model_of.h"

#include "nn/bf16_kernels.h"
#include "nn/nn.h"
#include "nn/onnx.h"
#include "nn/onnx_write.h"
#include "nn/quantize.h"
#include "nn/ref/ref.h"
#include "zoo/zoo.h"

static mien_status random_sample(void *context, size_t index, float *input, mien_error *error)
{
    test_random random = {index + 1};
    int64_t count = nn_elements(context);
    (void)error;
    for (int64_t i = 0; i < count; i++)
        input[i] = test_random_float(&random);
    return MIEN_OK;
}

static nn_session *new_session(const nn_plan *plan, team *workers)
{
    nn_session *session;
    mien_error error;
    nn_shape shape = *nn_plan_input_shape(plan, 0);
    assert_ok(nn_session_create_shared(plan, workers, &session, &error), &error);
    random_sample(&shape, 6, nn_session_input(session, 0), NULL);
    return session;
}

static void assert_same_outputs(const nn_plan *plan, const nn_session *a, const nn_session *b)
{
    const nn_shape *shape;
    for (size_t o = 0; (shape = nn_plan_output_shape(plan, o)) != NULL; o++)
        assert_memory_equal(nn_session_output(a, o), nn_session_output(b, o),
                            (size_t)nn_elements(shape) * sizeof(float));
}

/* The steps that a session of that team cuts. */
static size_t compare(const nn_model *model, const nn_plan_options *options, team *workers)
{
    nn_plan *plan;
    mien_error error;
    size_t cut = 0;
    assert_ok(nn_plan_create(model, options, &plan, &error), &error);
    nn_session *alone = new_session(plan, NULL), *shared = new_session(plan, workers);
    nn_session_run(alone);
    for (int run = 0; run < 3; run++) {
        nn_session_run(shared);
        assert_same_outputs(plan, alone, shared);
    }
    for (size_t s = 0; s < nn_plan_step_count(plan); s++)
        cut += nn_session_step_parts(shared, s) > 1;
    nn_session_free(alone);
    nn_session_free(shared);
    nn_plan_free(plan);
    return cut;
}

/* Each set of kernels in float, and the best one in BF16, where there is any. */
static void compare_all(const nn_graph *graph, team *workers)
{
    nn_model *model = model_of(graph);
    nn_plan_options options = {0};
    for (size_t i = 0; (options.kernels = nn_kernels_at(i)) != NULL; i++)
        assert_true(compare(model, &options, workers) > 0);
    options = (nn_plan_options){.kernels = nn_kernels_best(), .precision = NN_BFLOAT16};
    if (nn_bf16_kernels_with(options.kernels) != NULL)
        assert_true(compare(model, &options, workers) > 0);
    nn_model_free(model);
}

static void compare_bytes(nn_graph *graph, team *workers)
{
    mien_error error;
    size_t quantised;
    nn_shape shape = graph->values[graph->inputs[0]].tensor.shape;
    nn_quantize_options how = {.method = NN_RANGE_LARGEST,
                               .percentile = 1,
                               .input_shape = shape,
                               .samples = 2,
                               .source = random_sample,
                               .context = &shape};
    shape.dims[0] = how.input_shape.dims[0] = 1;
    assert_ok(nn_quantize(graph, &how, &quantised, &error), &error);
    nn_model *model = model_of(graph);
    nn_plan_options options = {.kernels = nn_kernels_best()};
    compare(model, &options, workers);
    nn_model_free(model);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    const char *name;
    mien_error error;
    for (size_t i = 0; (name = zoo_name(i)) != NULL; i++) {
        team *workers;
        nn_graph graph;
        zoo_options options = {.classes = 7, .channels = 1, .height = 48, .width = 48, .seed = 4};
        assert_ok(zoo_build(name, &options, &graph, &error), &error);
        assert_ok(team_create(2 + (int)i % 4, &workers, &error), &error);
        if (team_size(workers) > 1) {
            compare_all(&graph, workers);
            compare_bytes(&graph, workers);
        }
        team_free(workers);
        nn_graph_free(&graph);
    }
}

static void the_reference_is_never_cut(void **state)
{
    (void)state;
    mien_error error;
    team *workers;
    nn_graph graph;
    zoo_options options = {.classes = 7, .channels = 1};
    assert_ok(zoo_build("mini_xception", &options, &graph, &error), &error);
    assert_ok(team_create(2, &workers, &error), &error);
    nn_model *model = model_of(&graph);
    assert_int_equal(compare(model, &(nn_plan_options){0}, workers), 0);
    nn_model_free(model);
    team_free(workers);
    nn_graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_is_never_cut),
        cmocka_unit_test(threads_do_not_change_a_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
