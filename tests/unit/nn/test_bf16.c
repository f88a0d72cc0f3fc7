/* SPDX-License-Identifier: Apache-2.0 */

/* Plans in BF16. The comparisons skip where the CPU has no BF16. */

#include "onnx_bytes.h"

#include "nn/bf16_kernels.h"
#include "nn/ref/ref.h"

#include <math.h>

typedef struct running {
    nn_plan *plan;
    nn_session *session;
} running;

static nn_model *residual_model(void)
{
    message graph = residual_graph();
    nn_model *model;
    mien_error error;
    assert_ok(read_graph(&graph, &model, &error), &error);
    return model;
}

static running run(const nn_model *model, nn_type precision)
{
    running r;
    mien_error error;
    test_random random = {7};
    nn_plan_options options = {.kernels = nn_kernels_best(), .precision = precision};
    assert_ok(nn_plan_create(model, &options, &r.plan, &error), &error);
    assert_ok(nn_session_create(r.plan, &r.session, &error), &error);
    int64_t count = nn_elements(nn_plan_input_shape(r.plan, 0));
    for (int64_t i = 0; i < count; i++)
        nn_session_input(r.session, 0)[i] = test_random_float(&random);
    nn_session_run(r.session);
    return r;
}

static void stop(running *r)
{
    nn_session_free(r->session);
    nn_plan_free(r->plan);
}

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
    nn_model *model = residual_model();
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
    nn_model *model = residual_model();
    running in_float = run(model, NN_FLOAT), in_bf16 = run(model, NN_BFLOAT16);
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
    nn_model *model = residual_model();
    running r = run(model, NN_BFLOAT16);
    int conversions = 0;
    for (size_t i = 0; i < nn_plan_step_count(r.plan); i++)
        conversions += strcmp(nn_plan_step_name(r.plan, i), "to BF16") == 0;
    assert_int_equal(conversions, 2);
    stop(&r);
    nn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_kernels_it_is_refused),
        cmocka_unit_test(results_are_near_those_in_float),
        cmocka_unit_test(numbers_are_converted_where_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
