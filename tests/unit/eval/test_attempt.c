/* SPDX-License-Identifier: Apache-2.0 */

/* Prompts and scores of practice, against values worked out by hand. */

#include "eval/attempt.h"
#include "eval/prompts.h"
#include "support.h"

static void assert_moment(const prompts *p, double time_s, prompt_phase phase, size_t task,
                          double left_s)
{
    prompt_moment m = prompts_at(p, time_s);
    assert_int_equal(m.phase, phase);
    assert_int_equal(m.task, task);
    assert_float_equal(m.left_s, left_s, 1e-9);
}

static void test_prompts_follow_the_clock(void **state)
{
    (void)state;
    const prompts p = {.count = 2, .rest_s = 3, .act_s = 5};
    assert_moment(&p, -1, PROMPT_REST, 0, 3);
    assert_moment(&p, 0, PROMPT_REST, 0, 3);
    assert_moment(&p, 3, PROMPT_ACT, 0, 5);
    assert_moment(&p, 8, PROMPT_REST, 1, 3);
    assert_moment(&p, 15.5, PROMPT_ACT, 1, 0.5);
    assert_moment(&p, 16, PROMPT_DONE, 2, 0);
}

static void test_a_clock_tells_what_changed(void **state)
{
    (void)state;
    prompt_clock clock = {.prompts = {.count = 1, .rest_s = 1, .act_s = 2}};
    prompt_moment before;
    assert_true(prompt_clock_follow(&clock, 100, &before));
    assert_int_equal(before.phase, PROMPT_DONE);
    assert_false(prompt_clock_follow(&clock, 100.9, &before));
    assert_float_equal(clock.now.left_s, 0.1, 1e-9);
    assert_true(prompt_clock_follow(&clock, 101, &before));
    assert_int_equal(before.phase, PROMPT_REST);
    assert_true(prompt_clock_follow(&clock, 107, &before));
    assert_int_equal(before.phase, PROMPT_ACT);
    assert_int_equal(clock.now.phase, PROMPT_DONE);
}

static void test_a_score_needs_the_expression_to_last(void **state)
{
    (void)state;
    attempt a;
    attempt_begin(&a, 10, 1);
    for (int i = 0; i <= 4; i++)
        attempt_see(&a, 10 + 0.25 * i, i == 2 ? 1 : 0); /* a spike: a triangle of area 0.25 */
    assert_float_equal(a.score, 25, 1e-6);
    assert_float_equal(a.now, 0, 0);
    assert_true(a.reached_s < 0);
    for (int i = 0; i <= 5; i++)
        attempt_see(&a, 11.25 + 0.25 * i, 0.8);
    assert_float_equal(a.score, 80, 1e-6);
    /* From 10.25 + 0.25 n the second's mean reaches a half with the third of the fives. */
    assert_float_equal(a.reached_s, 1.75, 1e-9);
}

static void test_a_face_that_is_away_begins_anew(void **state)
{
    (void)state;
    attempt a;
    attempt_begin(&a, 0, 1);
    attempt_see(&a, 0.4, 1);
    attempt_see(&a, 0.8, 1);
    attempt_see(&a, 1.5, 1); /* 0.7 s away */
    assert_float_equal(a.score, 0, 0);
    attempt_see(&a, 2, 1);
    attempt_see(&a, 2.5, 1);
    assert_float_equal(a.score, 100, 1e-6);
    for (int i = 0; i < 2 * ATTEMPT_SAMPLES; i++) /* no more than it can hold */
        attempt_see(&a, 2.5 + 0.01 * i, 1);
    assert_float_equal(a.score, 100, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompts_follow_the_clock),
        cmocka_unit_test(test_a_clock_tells_what_changed),
        cmocka_unit_test(test_a_score_needs_the_expression_to_last),
        cmocka_unit_test(test_a_face_that_is_away_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
