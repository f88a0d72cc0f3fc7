/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"
#include "train/optimiser.h"

#include <math.h>

#include "optimiser_goldens.h"

static void assert_near(const float *values, const float *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(values[i] - expected[i]) <= 1e-6f * fmaxf(1, fabsf(expected[i]))))
            fail_msg("value %zu is %.9g, not %.9g", i, (double)values[i], (double)expected[i]);
}

static void assert_steps_like(optimiser_settings settings, const float *expected)
{
    float values[GOLDEN_COUNT], state[2 * GOLDEN_COUNT] = {0};
    memcpy(values, golden_start, sizeof values);
    for (int step = 0; step < GOLDEN_STEPS; step++)
        optimiser_update(&settings, 0.05f, step + 1, true, values,
                         golden_gradients + step * GOLDEN_COUNT, state, GOLDEN_COUNT);
    assert_near(values, expected, GOLDEN_COUNT);
}

static void sgd_steps_like_pytorch(void **state)
{
    (void)state;
    optimiser_settings settings = {.kind = OPTIMISER_SGD};
    assert_steps_like(settings, golden_sgd);
    settings.weight_decay = 0.1f;
    assert_steps_like(settings, golden_sgd_decay);
    settings.momentum = 0.9f;
    assert_steps_like(settings, golden_momentum);
    settings.momentum = 0.8f;
    settings.nesterov = true;
    assert_steps_like(settings, golden_nesterov_decay);
    assert_steps_like(optimiser_defaults(OPTIMISER_SGD), golden_nesterov);
}

static void adam_steps_like_pytorch(void **state)
{
    (void)state;
    assert_steps_like(optimiser_defaults(OPTIMISER_ADAM), golden_adam);
    optimiser_settings settings = {OPTIMISER_ADAM, .beta1 = 0.8f, .beta2 = 0.99f, .epsilon = 1e-3f,
                                   .weight_decay = 0.1f};
    assert_steps_like(settings, golden_adam_decay);
    settings = optimiser_defaults(OPTIMISER_ADAMW);
    settings.weight_decay = 0.1f;
    assert_steps_like(settings, golden_adamw);
}

/* Biases and batch-norm parameters are left out of weight decay. */
static void decay_can_be_left_out(void **state)
{
    (void)state;
    for (int kind = OPTIMISER_SGD; kind <= OPTIMISER_ADAMW; kind++) {
        optimiser_settings settings = optimiser_defaults((optimiser_kind)kind);
        settings.weight_decay = 0;
        float plain[GOLDEN_COUNT], left_out[GOLDEN_COUNT];
        float plain_state[2 * GOLDEN_COUNT] = {0}, left_out_state[2 * GOLDEN_COUNT] = {0};
        memcpy(plain, golden_start, sizeof plain);
        memcpy(left_out, golden_start, sizeof left_out);
        optimiser_update(&settings, 0.1f, 1, true, plain, golden_gradients, plain_state,
                         GOLDEN_COUNT);
        settings.weight_decay = 0.5f;
        optimiser_update(&settings, 0.1f, 1, false, left_out, golden_gradients, left_out_state,
                         GOLDEN_COUNT);
        assert_memory_equal(plain, left_out, sizeof plain);
    }
}

static void state_arrays_are_counted(void **state)
{
    (void)state;
    optimiser_settings settings = optimiser_defaults(OPTIMISER_SGD);
    assert_int_equal(optimiser_state_arrays(&settings), 1);
    settings.momentum = 0;
    assert_int_equal(optimiser_state_arrays(&settings), 0);
    settings = optimiser_defaults(OPTIMISER_ADAM);
    assert_int_equal(optimiser_state_arrays(&settings), 2);
    settings = optimiser_defaults(OPTIMISER_ADAMW);
    assert_int_equal(optimiser_state_arrays(&settings), 2);
}

static void gradients_are_clipped_to_their_norm(void **state)
{
    (void)state;
    float a[11] = {3}, b[1] = {4};
    float *arrays[] = {a, b};
    const float *seen[] = {a, b};
    const size_t counts[] = {11, 1};
    assert_float_equal((float)optimiser_norm(seen, counts, 2), 5, 1e-12);
    optimiser_clip(arrays, counts, 2, 5, 5);
    assert_float_equal(a[0], 3, 0);
    optimiser_clip(arrays, counts, 2, 5, 1);
    assert_float_equal(a[0], 0.6, 1e-7);
    assert_float_equal(b[0], 0.8, 1e-7);
    optimiser_clip(arrays, counts, 2, (double)NAN, 1);
    assert_float_equal(a[0], 0.6, 1e-7);
    assert_float_equal((float)optimiser_norm(seen, counts, 0), 0, 0);
}

static void norm_counts_every_number_once(void **state)
{
    (void)state;
    float numbers[37];
    test_random random = {5};
    double expected = 0;
    for (size_t count = 0; count < 37; count++) {
        const float *array = numbers;
        double norm = optimiser_norm(&array, &count, 1);
        assert_true(fabs(norm - sqrt(expected)) <= 1e-12);
        numbers[count] = test_random_float(&random);
        expected += (double)numbers[count] * (double)numbers[count];
    }
    /* squares beyond float's range */
    const float huge[2] = {3e30f, 4e30f};
    const float *array = huge;
    const size_t two = 2;
    assert_true(fabs(optimiser_norm(&array, &two, 1) / 5e30 - 1) < 1e-6);
}

static void averages_follow_the_values(void **state)
{
    (void)state;
    float average[2] = {1, -2};
    const float values[2] = {3, 2};
    optimiser_average(average, values, 2, 0.75f);
    assert_float_equal(average[0], 1.5, 0);
    assert_float_equal(average[1], -1, 0);
}

static void sam_ascends_by_rho(void **state)
{
    (void)state;
    float values[2] = {1, 1};
    const float gradients[2] = {3, 4};
    optimiser_ascend(values, gradients, 2, 5, 0.5f);
    assert_float_equal(values[0], 1.3, 1e-6);
    assert_float_equal(values[1], 1.4, 1e-6);
    const float nothing[2] = {0, 0};
    optimiser_ascend(values, nothing, 2, 0, 0.5f);
    assert_float_equal(values[0], 1.3, 1e-6);
}

/* Row by row: 127, -63.4 and 0.6 steps of 0.01; nothing; and -127, 64 and -1.4 steps of 2. */
static void weights_go_to_127ths_of_their_largest(void **state)
{
    (void)state;
    float values[] = {1.27f, -0.634f, 0.006f, 0, 0, 0, -254, 128, -2.8f};
    const float expected[] = {1.27f, -0.63f, 0.01f, 0, 0, 0, -254, 128, -2};
    optimiser_quantise(values, 3, 3);
    for (size_t i = 0; i < 9; i++)
        assert_float_equal(values[i], expected[i], 1e-6f * fabsf(expected[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_steps_like_pytorch),
        cmocka_unit_test(adam_steps_like_pytorch),
        cmocka_unit_test(decay_can_be_left_out),
        cmocka_unit_test(state_arrays_are_counted),
        cmocka_unit_test(gradients_are_clipped_to_their_norm),
        cmocka_unit_test(norm_counts_every_number_once),
        cmocka_unit_test(averages_follow_the_values),
        cmocka_unit_test(sam_ascends_by_rho),
        cmocka_unit_test(weights_go_to_127ths_of_their_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
