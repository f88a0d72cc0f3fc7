/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"
#include "video/search_pace.h"
#include "video/timing.h"

#include <math.h>

static void expect(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-9))
        fail_msg("%.9f is not %.9f", value, expected);
}

/* ---- A stream's time ---- */

static void test_time_goes_on_when_the_clock_starts_anew(void **state)
{
    (void)state;
    timing_rise rise = {0};
    expect(timing_rise_next(&rise, 0, 100, false), 0);
    expect(timing_rise_next(&rise, 1, 101, false), 1);
    expect(timing_rise_next(&rise, 2, 109, false), 2);   /* came late: says nothing about time */
    expect(timing_rise_next(&rise, 0.5, 110, true), 10); /* 10 s after the first one */
    expect(timing_rise_next(&rise, 1.5, 111, false), 11);
    expect(timing_rise_next(&rise, 0, 120, false), 20); /* steps back by itself */
    expect(timing_rise_next(&rise, 0.04, 120.04, false), 20.04);
}

static void test_a_jump_forward_stays(void **state)
{
    (void)state;
    timing_rise rise = {0};
    expect(timing_rise_next(&rise, 0, 5, false), 0);
    expect(timing_rise_next(&rise, 36000, 6, false), 36000);
    expect(timing_rise_next(&rise, 1, 7, false), 36001);
}

static void test_time_never_falls(void **state)
{
    (void)state;
    test_random random = {.state = 11};
    timing_rise rise = {0};
    double now_s = 0, last_s = -1;
    for (int i = 0; i < 1000; i++) {
        now_s += test_random_int(&random, 0, 100) / 50.0;
        double time_s = test_random_int(&random, -50, 50) + now_s;
        double risen_s =
            timing_rise_next(&rise, time_s, now_s, test_random_int(&random, 0, 9) == 0);
        assert_true(risen_s >= last_s || i == 0);
        last_s = risen_s;
    }
}

/* ---- A file at its own pace ---- */

static void test_pace(void **state)
{
    (void)state;
    timing_pace pace = {0};
    expect(timing_pace_next(&pace, 3, 100), 100); /* starts anywhere */
    expect(timing_pace_next(&pace, 3.5, 100.1), 100.5);
    expect(timing_pace_next(&pace, 3.6, 101.1), 100.6); /* a little late */
    expect(timing_pace_next(&pace, 4, 103), 103);       /* too late: the rest by this one */
    expect(timing_pace_next(&pace, 5, 103), 104);
    expect(timing_pace_next(&pace, 36005, 104), 104); /* ten hours */
    expect(timing_pace_next(&pace, 36006, 104), 105);
    expect(timing_pace_next(&pace, 0, 105), 105); /* and back */
    expect(timing_pace_next(&pace, 9, 105), 114);
}

/* ---- Thinning ---- */

static int kept_of(double source_rate, double rate, int frames)
{
    timing_thin thin = {0};
    int kept = 0;
    for (int i = 0; i < frames; i++)
        kept += timing_thin_keeps(&thin, rate, 1 / source_rate, i / source_rate);
    return kept;
}

static void test_thinning(void **state)
{
    (void)state;
    assert_int_equal(kept_of(30, 0, 300), 300);
    assert_int_equal(kept_of(30, 30, 300), 300);
    assert_int_equal(kept_of(25, 30, 300), 300);
    assert_int_equal(kept_of(30, 10, 300), 100);
    assert_in_range(kept_of(30, 25, 300), 249, 251);
    assert_in_range(kept_of(30, 7, 3000), 699, 701);
    assert_int_equal(kept_of(1, 10, 300), 300);
}

/* Frames that jitter by a third of their interval are all wanted at their own rate. */
static void test_thinning_bears_jitter(void **state)
{
    (void)state;
    test_random random = {.state = 5};
    timing_thin thin = {0};
    for (int i = 0; i < 1000; i++)
        assert_true(timing_thin_keeps(&thin, 30, 1.0 / 30,
                                      (i + (double)test_random_float(&random) / 6) / 30));
}

static void test_thinning_after_a_jump(void **state)
{
    (void)state;
    timing_thin thin = {0};
    const double times[] = {0, 36000, 36000.1, 36000.2, 5, 5.1, 5.2};
    const bool kept[] = {true, true, false, true, true, false, true};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_int_equal(timing_thin_keeps(&thin, 5, 0.1, times[i]), kept[i]);
}

static void test_interval(void **state)
{
    (void)state;
    timing_interval interval = {0};
    timing_interval_add(&interval, 7);
    expect(interval.mean_s, 0);
    for (int i = 1; i < 50; i++)
        timing_interval_add(&interval, 7 + 0.04 * i);
    expect(interval.mean_s, 0.04);
    timing_interval_add(&interval, 40000);
    timing_interval_add(&interval, 8);
    timing_interval_add(&interval, 8);
    expect(interval.mean_s, 0.04);
    timing_interval_add(&interval, 8.12);
    expect(interval.mean_s, 0.05);
}

/* ---- How often faces are looked for ---- */

static int searches_of(search_pace *pace, int frames, double seconds, double interval_s)
{
    int searches = 0;
    for (int i = 0; i < frames; i++)
        if (search_pace_next(pace)) {
            search_pace_took(pace, seconds, interval_s);
            searches++;
        }
    return searches;
}

static void test_files_are_searched_by_count(void **state)
{
    (void)state;
    search_pace pace = {.least = 3};
    assert_int_equal(searches_of(&pace, 30, 100, 0.03), 10);
    assert_int_equal(pace.every, 3);
    assert_true(search_pace_next(&pace));
    assert_false(search_pace_next(&pace));
}

static void test_search_pace_follows_its_rule(void **state)
{
    (void)state;
    const double interval_s = 0.04;
    search_pace pace = {.least = 1, .adapts = true};
    assert_int_equal(searches_of(&pace, 100, 0.014, interval_s), 100);
    searches_of(&pace, 500, 0.04, interval_s); /* 0.04 <= 0.4 * 0.04 * 3 */
    assert_int_equal(pace.every, 3);
    assert_int_equal(searches_of(&pace, 300, 0.04, interval_s), 100);
    searches_of(&pace, 500, 0.03, interval_s); /* not yet room: 0.03 > 0.33 * 0.04 * 2 */
    assert_int_equal(pace.every, 3);
    searches_of(&pace, 500, 0.025, interval_s);
    assert_int_equal(pace.every, 2);
    searches_of(&pace, 500, 0.005, interval_s);
    assert_int_equal(pace.every, 1);
    searches_of(&pace, 500, 5, interval_s);
    assert_int_equal(pace.every, SEARCH_PACE_MOST);
}

static void test_search_pace_keeps_what_was_asked(void **state)
{
    (void)state;
    search_pace rare = {.least = 20, .adapts = true};
    assert_int_equal(searches_of(&rare, 400, 5, 0.04), 20);
    search_pace blind = {.least = 2, .adapts = true};
    assert_int_equal(searches_of(&blind, 100, 5, 0), 50); /* the interval is not known */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_goes_on_when_the_clock_starts_anew),
        cmocka_unit_test(test_a_jump_forward_stays),
        cmocka_unit_test(test_time_never_falls),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_thinning),
        cmocka_unit_test(test_thinning_bears_jitter),
        cmocka_unit_test(test_thinning_after_a_jump),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_files_are_searched_by_count),
        cmocka_unit_test(test_search_pace_follows_its_rule),
        cmocka_unit_test(test_search_pace_keeps_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
