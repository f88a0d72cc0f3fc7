/* SPDX-License-Identifier: Apache-2.0 */

/* Plans in BF16. The comparisons skip where the CPU has no BF16. */

#include "detector_graphs.h"
#include "running.h"

#include "nn/bf16_kernels.h"

#include <math.h>

/* The largest difference as a share of the largest number. */
static double difference(const running *a, const running *b, size_t output)
{
    const float *left = nn_session_output(a->session, output);
    const float *right = nn_session_output(b->session, output);
    int64_t count = nn_elements(nn_plan_output_shape(a->plan, output));
    double most = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        assert_true(isfinite(right[i]));
        most = fmax(most, fabs((double)left[i] - (double)right[i]));
        largest = fmax(largest, fabs((double)left[i]));
    }
    return most / largest;
}

static void without_kernels_it_is_refused(void **state)
{
    (void)state;
    message graph = residual_graph();
    nn_model *model = read_model(&graph);
    const nn_kernels *const sets[] = {NULL, nn_kernels_find("generic")};
    for (size_t i = 0; i < 2; i++) {
        nn_plan *plan = (nn_plan *)(uintptr_t)8;
        mien_error error;
        nn_plan_options options = {.kernels = sets[i], .precision = NN_BFLOAT16};
        assert_fails(MIEN_UNSUPPORTED, nn_plan_create(model, &options, &plan, &error), &error,
                     "BF16");
        assert_null(plan);
        options.precision = NN_INT8;
        assert_fails(MIEN_INVALID_ARGUMENT, nn_plan_create(model, &options, &plan, &error), &error,
                     "float or BF16");
    }
    nn_model_free(model);
}

static void results_are_near_those_in_float(void **state)
{
    (void)state;
    if (nn_bf16_kernels_with(nn_kernels_best()) == NULL)
        skip();
    message graph = residual_graph();
    nn_model *model = read_model(&graph);
    running in_float = run(model, nn_kernels_best(), NN_FLOAT, NULL);
    running in_bf16 = run(model, nn_kernels_best(), NN_BFLOAT16, NULL);
    for (size_t output = 0; output < 2; output++) {
        double apart = difference(&in_float, &in_bf16, output);
        assert_true(apart > 0 && apart < 0.02);
    }
    stop(&in_float);
    stop(&in_bf16);
    nn_model_free(model);
}

/* The input, and the sum that the sigmoid reads in float; all else lies in BF16. */
static void numbers_are_converted_where_they_must(void **state)
{
    (void)state;
    if (nn_bf16_kernels_with(nn_kernels_best()) == NULL)
        skip();
    message graph = residual_graph();
    nn_model *model = read_model(&graph);
    running r = run(model, nn_kernels_best(), NN_BFLOAT16, NULL);
    assert_int_equal(steps_named(r.plan, "to BF16"), 2);
    stop(&r);
    nn_model_free(model);
}

/* y of the network whose layers are all one chain, and of the one whose picture in the middle is
 * an output too, and float. */
static void joined_layers_write_the_same_bits(void **state)
{
    (void)state;
    const nn_kernels *kernels = nn_kernels_best();
    if (nn_bf16_kernels_with(kernels) == NULL)
        skip();
    message whole = wide_graph(false), apart = wide_graph(true);
    nn_model *one = read_model(&whole), *two = read_model(&apart);
    running joined = run(one, kernels, NN_BFLOAT16, NULL);
    running parted = run(two, kernels, NN_BFLOAT16, NULL);
    running in_float = run(one, kernels, NN_FLOAT, NULL);
    assert_int_equal(steps_named(joined.plan, "Conv, Conv, Conv, MaxPool"), 1);
    assert_int_equal(steps_named(parted.plan, "Conv, Conv"), 1);
    assert_same_output(&joined, &parted, 0);
    assert_true(difference(&in_float, &joined, 0) < 0.02);
    stop(&joined);
    stop(&parted);
    stop(&in_float);
    nn_model_free(one);
    nn_model_free(two);
}

static void a_team_writes_the_same_bits(void **state)
{
    (void)state;
    const nn_kernels *kernels = nn_kernels_best();
    if (nn_bf16_kernels_with(kernels) == NULL)
        skip();
    message graph = wide_graph(false);
    nn_model *model = read_model(&graph);
    team *workers;
    mien_error error;
    assert_ok(team_create(3, &workers, &error), &error);
    running alone = run(model, kernels, NN_BFLOAT16, NULL);
    running shared = run(model, kernels, NN_BFLOAT16, workers);
    assert_true(nn_session_step_parts(shared.session, 0) > 1);
    assert_same_output(&alone, &shared, 0);
    stop(&alone);
    stop(&shared);
    team_free(workers);
    nn_model_free(model);
}

static void heads_of_few_channels_become_one(void **state)
{
    (void)state;
    const nn_kernels *kernels = nn_kernels_best();
    if (nn_bf16_kernels_with(kernels) == NULL)
        skip();
    message graph = heads_graph(false);
    nn_model *model = read_model(&graph);
    running in_float = run(model, kernels, NN_FLOAT, NULL);
    running in_bf16 = run(model, kernels, NN_BFLOAT16, NULL);
    assert_int_equal(steps_named(in_bf16.plan, "Conv"), 2);
    assert_int_equal(steps_named(in_bf16.plan, "Slice"), 3);
    for (size_t output = 0; output < 3; output++)
        assert_true(difference(&in_float, &in_bf16, output) < 0.02);
    stop(&in_float);
    stop(&in_bf16);
    nn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_kernels_it_is_refused),
        cmocka_unit_test(results_are_near_those_in_float),
        cmocka_unit_test(numbers_are_converted_where_they_must),
        cmocka_unit_test(joined_layers_write_the_same_bits),
        cmocka_unit_test(a_team_writes_the_same_bits),
        cmocka_unit_test(heads_of_few_channels_become_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
