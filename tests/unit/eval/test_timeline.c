/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/timeline.h"
#include "support.h"

#include <math.h>

/* Eyes at these places, the nose there, all on one line. */
static float facing(float left, float right, float nose)
{
    const float landmarks[5][2] = {{left, 10}, {right, 12}, {nose, 30}};
    return timeline_facing(landmarks);
}

static void test_the_nose_between_the_eyes(void **state)
{
    (void)state;
    assert_true(facing(100, 140, 120) == 1);
    assert_true(facing(100, 140, 130) == 0.5f);
    assert_true(facing(100, 140, 110) == 0.5f);
    assert_true(facing(100, 140, 140) == 0);
    assert_true(facing(100, 140, 90) == 0);
    assert_true(facing(100, 140, 1000) == 0);
    assert_true(facing(140, 100, 110) == 0.5f); /* upside down */
}

static void test_what_cannot_be_known(void **state)
{
    (void)state;
    assert_true(timeline_facing(NULL) < 0);
    assert_true(facing(100, 100, 120) < 0);
    assert_true(facing(100, 100, 100) < 0);
    assert_true(facing(NAN, 100, 100) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_nose_between_the_eyes),
        cmocka_unit_test(test_what_cannot_be_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
