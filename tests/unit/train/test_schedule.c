/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"
#include "train/optimiser.h"

#include <math.h>

#include "schedule_goldens.h"

static schedule of_kind(schedule_kind kind)
{
    return (schedule){.kind = kind,
                      .rate = 0.1f,
                      .gamma = 0.3f,
                      .total_steps = 20,
                      .steps_per_epoch = 2,
                      .plateau_factor = 1,
                      .best_score = -INFINITY};
}

static void assert_rates(const schedule *s, const float *expected)
{
    for (int step = 0; step < 20; step++)
        assert_float_equal(schedule_rate(s, step), expected[step], 1e-8);
}

static void constant_stays(void **state)
{
    (void)state;
    schedule s = of_kind(SCHEDULE_CONSTANT);
    for (int step = 0; step < 20; step++)
        assert_float_equal(schedule_rate(&s, step), 0.1, 1e-8);
}

static void rates_are_like_pytorch(void **state)
{
    (void)state;
    schedule s = of_kind(SCHEDULE_STEP);
    s.step_epochs = 3;
    assert_rates(&s, golden_step);
    s = of_kind(SCHEDULE_COSINE);
    s.final_rate = 0.01f;
    assert_rates(&s, golden_cosine);
    s = of_kind(SCHEDULE_ONECYCLE);
    s.final_rate = 0.0001f;
    s.warmup = 0.3f;
    assert_rates(&s, golden_onecycle);
}

static void warm_up_is_linear(void **state)
{
    (void)state;
    schedule s = of_kind(SCHEDULE_COSINE);
    s.warmup = 0.5f;
    for (int step = 0; step <= 10; step++)
        assert_float_equal(schedule_rate(&s, step), 0.01 * step, 1e-8);
    assert_float_equal(schedule_rate(&s, 15), 0.05, 1e-8);
    assert_true(schedule_rate(&s, 19) < 0.005f);
    s.kind = SCHEDULE_CONSTANT;
    assert_float_equal(schedule_rate(&s, 5), 0.05, 1e-8);
    assert_float_equal(schedule_rate(&s, 15), 0.1, 1e-8);
}

static void plateau_drops_after_patience(void **state)
{
    (void)state;
    schedule s = of_kind(SCHEDULE_PLATEAU);
    s.patience = 2;
    const double scores[] = {-5, -4, -4, -3, -3, -3.5, -3.2, -2, (double)NAN, -2.5};
    const float expected[] = {0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.03f, 0.03f, 0.03f, 0.03f, 0.009f};
    for (int epoch = 0; epoch < 10; epoch++) {
        schedule_epoch_done(&s, scores[epoch]);
        assert_float_equal(schedule_rate(&s, epoch), expected[epoch], 1e-8);
    }
}

static void others_do_not_listen(void **state)
{
    (void)state;
    schedule s = of_kind(SCHEDULE_STEP), before = s;
    schedule_epoch_done(&s, -1);
    schedule_epoch_done(&s, -2);
    assert_memory_equal(&s, &before, sizeof s);
}

static void tiny_runs_have_sane_rates(void **state)
{
    (void)state;
    for (int kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_PLATEAU; kind++)
        for (int64_t steps = 1; steps < 4; steps++)
            for (int warm = 0; warm <= 2; warm++) {
                schedule s = of_kind((schedule_kind)kind);
                s.total_steps = steps;
                s.warmup = (float)warm / 2;
                for (int64_t step = 0; step < steps; step++) {
                    float rate = schedule_rate(&s, step);
                    assert_true(rate >= 0 && rate <= 0.1f);
                }
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_stays),       cmocka_unit_test(rates_are_like_pytorch),
        cmocka_unit_test(warm_up_is_linear),    cmocka_unit_test(plateau_drops_after_patience),
        cmocka_unit_test(others_do_not_listen), cmocka_unit_test(tiny_runs_have_sane_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
