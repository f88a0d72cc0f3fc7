/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"
#include "support.h"

#include <math.h>

enum { DRAWS = 200000 };

/* The first numbers of xoshiro256** from the words 1, 2, 3, 4, as its other implementations give
 * them. */
static void numbers_are_xoshiro256(void **state)
{
    (void)state;
    random_state random = {{1, 2, 3, 4}};
    const uint64_t expected[] = {UINT64_C(11520),
                                 UINT64_C(0),
                                 UINT64_C(1509978240),
                                 UINT64_C(1215971899390074240),
                                 UINT64_C(1216172134540287360),
                                 UINT64_C(607988272756665600),
                                 UINT64_C(16172922978634559625),
                                 UINT64_C(8476171486693032832),
                                 UINT64_C(10595114339597558777),
                                 UINT64_C(2904607092377533576)};
    for (int i = 0; i < 10; i++)
        assert_true(random_next(&random) == expected[i]);
}

/* By a Python program of its own, whose splitmix64 gives the published numbers for 1234567. */
static void seeds_and_streams_replay(void **state)
{
    (void)state;
    const struct {
        uint64_t seed, stream, numbers[3];
    } cases[] = {
        {0,
         0,
         {UINT64_C(0xef75d62a19ba94ed), UINT64_C(0x8e9490536375f270),
          UINT64_C(0xc05630b1c614195d)}},
        {42,
         7,
         {UINT64_C(0x67aa0d7ad2be547f), UINT64_C(0x12db033556f98c38),
          UINT64_C(0x17b55f782ae88e5a)}},
        {UINT64_MAX,
         UINT64_MAX,
         {UINT64_C(0x334a9c02fefeb724), UINT64_C(0xb43ed639e9949004),
          UINT64_C(0xb136859350c32156)}},
    };
    for (int i = 0; i < 3; i++) {
        random_state random = random_start(cases[i].seed, cases[i].stream);
        for (int k = 0; k < 3; k++)
            assert_true(random_next(&random) == cases[i].numbers[k]);
    }
}

/* First numbers of neighbouring streams and seeds: half of the bits differ. */
static void streams_are_apart(void **state)
{
    (void)state;
    int differing = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        random_state one = random_start(9, i), next = random_start(9, i + 1);
        random_state other = random_start(10, i);
        uint64_t first = random_next(&one);
        differing += __builtin_popcountll(first ^ random_next(&next));
        differing += __builtin_popcountll(first ^ random_next(&other));
    }
    assert_in_range(differing, 64000 - 800, 64000 + 800);
}

static void units_fill_their_range_evenly(void **state)
{
    (void)state;
    random_state random = random_start(1, 1);
    int counts[10] = {0};
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        double unit = random_unit(&random);
        assert_true(unit >= 0 && unit < 1);
        counts[(int)(unit * 10)]++;
        sum += unit;
        squares += unit * unit;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], DRAWS / 10 - 600, DRAWS / 10 + 600); /* 4.5 deviations */
    assert_float_equal(sum / DRAWS, 0.5, 0.003);
    assert_float_equal(squares / DRAWS, 1.0 / 3, 0.003);
    for (int i = 0; i < 1000; i++) {
        double between = random_between(&random, -3, 5);
        assert_true(between >= -3 && between < 5);
    }
    assert_true(random_between(&random, 2, 2) == 2);
}

/* A bound of 3 * 2^62: plain remainders would give the first third twice as often. */
static void bounds_do_not_bias(void **state)
{
    (void)state;
    random_state random = random_start(2, 1);
    const uint64_t bound = UINT64_C(3) << 62;
    int thirds[3] = {0}, sevenths[7] = {0};
    for (int i = 0; i < DRAWS; i++) {
        uint64_t value = random_below(&random, bound);
        assert_true(value < bound);
        thirds[value >> 62]++;
        sevenths[random_below(&random, 7)]++;
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(thirds[i], DRAWS / 3 - 1000, DRAWS / 3 + 1000);
    for (int i = 0; i < 7; i++)
        assert_in_range(sevenths[i], DRAWS / 7 - 750, DRAWS / 7 + 750);
    for (int i = 0; i < 100; i++)
        assert_true(random_below(&random, 1) == 0);
}

static void normals_have_their_moments(void **state)
{
    (void)state;
    random_state random = random_start(3, 1);
    double moments[5] = {0};
    int beyond_two = 0;
    for (int i = 0; i < DRAWS; i++) {
        double normal = random_normal(&random), power = 1;
        assert_true(isfinite(normal));
        beyond_two += fabs(normal) > 2;
        for (int m = 0; m < 5; m++, power *= normal)
            moments[m] += power / DRAWS;
    }
    assert_float_equal(moments[1], 0, 0.01);
    assert_float_equal(moments[2], 1, 0.015);
    assert_float_equal(moments[3], 0, 0.04);
    assert_float_equal(moments[4], 3, 0.12);
    assert_float_equal((double)beyond_two / DRAWS, 0.0455, 0.002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_xoshiro256), cmocka_unit_test(seeds_and_streams_replay),
        cmocka_unit_test(streams_are_apart),      cmocka_unit_test(units_fill_their_range_evenly),
        cmocka_unit_test(bounds_do_not_bias),     cmocka_unit_test(normals_have_their_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
