/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"
#include "video/smoother.h"

#include <math.h>

static void push(smoother *s, double time_s, double time_constant_s, float first, float *out)
{
    mien_error error;
    out[0] = first;
    out[1] = 1 - first;
    assert_ok(smoother_update(s, time_s, time_constant_s, out, 2, &error), &error);
}

/* A step from 0 to 1 at time 0 is 1 - exp(-t / T) at time t, whatever the frame times. */
static void test_step_at_any_rate(void **state)
{
    (void)state;
    const double times[] = {0.04, 0.05, 0.3, 0.3, 0.31, 1, 2.5};
    smoother s = {0};
    float out[2];
    push(&s, 0, 0.5, 0, out);
    assert_true(out[0] == 0 && out[1] == 1);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        push(&s, times[i], 0.5, 1, out);
        assert_true(fabs((double)out[0] - (1 - exp(-times[i] / 0.5))) < 1e-6);
        assert_true(fabs((double)out[0] + (double)out[1] - 1) < 1e-6);
    }
}

/* The delays that the header states. */
static void test_stated_delay(void **state)
{
    (void)state;
    smoother s = {0};
    float out[2];
    push(&s, 0, 2, 0, out);
    push(&s, 2 * 0.6931, 2, 1, out);
    assert_true(fabs((double)out[0] - 0.5) < 1e-3);
    s = (smoother){0};
    for (int i = 0; i <= 1000; i++)
        push(&s, i * 0.01, 0.5, (float)i / 1000, out);
    double behind_s = (1 - (double)out[0]) * 10;
    assert_true(behind_s <= 0.5 && behind_s > 0.48);
}

static void test_switched_off(void **state)
{
    (void)state;
    smoother s = {0};
    float out[2];
    for (int i = 0; i < 20; i++) {
        push(&s, 0.1 * i, 0, (float)(i % 2), out);
        assert_true(out[0] == (float)(i % 2));
    }
}

static void test_time_that_steps_back(void **state)
{
    (void)state;
    smoother s = {0};
    float out[2];
    push(&s, 10, 1, 0, out);
    push(&s, 9, 1, 1, out);
    assert_true(out[0] == 0);
    push(&s, 10, 1, 1, out);
    assert_true(fabs((double)out[0] - (1 - exp(-1.0))) < 1e-6);
}

static void test_bad_numbers_change_nothing(void **state)
{
    (void)state;
    smoother s = {0};
    mien_error error;
    float out[2], bad[2] = {NAN, 0.5f}, good[65] = {1};
    push(&s, 0, 1, 0.25f, out);
    smoother before = s;
    assert_fails(MIEN_INVALID_ARGUMENT, smoother_update(&s, 1, 1, bad, 2, &error), &error,
                 "probability 0");
    assert_fails(MIEN_INVALID_ARGUMENT, smoother_update(&s, NAN, 1, good, 2, &error), &error,
                 "nan");
    assert_fails(MIEN_INVALID_ARGUMENT, smoother_update(&s, 1, -1, good, 2, &error), &error, "-1");
    assert_fails(MIEN_INVALID_ARGUMENT, smoother_update(&s, 1, 1, good, 3, &error), &error, "3");
    smoother fresh = {0};
    assert_fails(MIEN_INVALID_ARGUMENT, smoother_update(&fresh, 1, 1, good, 65, &error), &error,
                 "65");
    assert_memory_equal(&s, &before, sizeof s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_at_any_rate),
        cmocka_unit_test(test_stated_delay),
        cmocka_unit_test(test_switched_off),
        cmocka_unit_test(test_time_that_steps_back),
        cmocka_unit_test(test_bad_numbers_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
