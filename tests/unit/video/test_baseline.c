/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"
#include "video/baseline.h"

enum { ANGRY, HAPPY, NEUTRAL, CLASSES };

static void record_two_seconds(baseline *b, float angry, float happy, float neutral)
{
    const float p[CLASSES] = {angry, happy, neutral};
    for (int i = 0; i <= 20; i++)
        baseline_record(b, 5 + 0.1 * i, p, CLASSES);
}

static void a_face_at_rest_becomes_neutral(void **state)
{
    (void)state;
    baseline b = {0};
    record_two_seconds(&b, 0.4f, 0.1f, 0.5f);
    assert_float_equal(b.recorded_s, 2, 1e-9);
    float p[CLASSES] = {0.4f, 0.1f, 0.5f};
    baseline_remove(&b, NEUTRAL, p, CLASSES);
    assert_float_equal(p[NEUTRAL], 0.9, 1e-6);
    assert_float_equal(p[ANGRY], 0.05, 1e-6);
    assert_float_equal(p[HAPPY], 0.05, 1e-6);
}

/* By hand: 0.9 * 0.05 / 0.4, 0.05 * 0.05 / 0.1, 0.05 * 0.9 / 0.5 = 0.1125, 0.025, 0.09. */
static void what_differs_from_rest_stays(void **state)
{
    (void)state;
    baseline b = {0};
    record_two_seconds(&b, 0.4f, 0.1f, 0.5f);
    float p[CLASSES] = {0.9f, 0.05f, 0.05f};
    baseline_remove(&b, NEUTRAL, p, CLASSES);
    assert_float_equal(p[ANGRY], 0.1125 / 0.2275, 1e-6);
    assert_float_equal(p[HAPPY], 0.025 / 0.2275, 1e-6);
    assert_float_equal(p[NEUTRAL], 0.09 / 0.2275, 1e-6);
}

static void no_class_is_lost_or_made(void **state)
{
    (void)state;
    baseline b = {0};
    record_two_seconds(&b, 1, 0, 0);
    float p[CLASSES] = {0.5f, 0.3f, 0.2f};
    baseline_remove(&b, NEUTRAL, p, CLASSES); /* factors 0.1, 10 and 10 */
    assert_float_equal(p[ANGRY], 0.05 / 5.05, 1e-6);
    assert_float_equal(p[HAPPY], 3 / 5.05, 1e-6);
}

static void without_a_recording_nothing_changes(void **state)
{
    (void)state;
    baseline b = {0};
    float p[CLASSES] = {0.5f, 0.3f, 0.2f};
    baseline_record(&b, 1, p, CLASSES);
    baseline_record(&b, 0.5, p, CLASSES); /* no time passed */
    baseline_remove(&b, NEUTRAL, p, CLASSES);
    assert_float_equal(p[ANGRY], 0.5, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_face_at_rest_becomes_neutral),
        cmocka_unit_test(what_differs_from_rest_stays),
        cmocka_unit_test(no_class_is_lost_or_made),
        cmocka_unit_test(without_a_recording_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
