/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "train/search_space.h"

#include <math.h>

static search_space space;

static void read_space(const char *text)
{
    mien_error error;
    assert_ok(search_space_read(text, strlen(text), "space", &space, &error), &error);
}

static void assert_refused(const char *text, const char *part)
{
    mien_error error;
    assert_fails(MIEN_MALFORMED, search_space_read(text, strlen(text), "space", &space, &error),
                 &error, part);
    assert_int_equal(space.parameters.count, 0);
}

static void test_reading(void **state)
{
    (void)state;
    read_space("search.trials = 9\nsearch.keep = 4 # of them\nrate = log 0.01 0.3\n");
    assert_int_equal(space.trials, 9);
    assert_int_equal(space.keep, 4);
    assert_int_equal(space.first_epochs, 1);
    assert_int_equal(space.seed, 1);
    assert_int_equal(space.parameters.count, 1);
    search_space_free(&space);
    assert_refused("search.trials = 9\n", "nothing to try");
    assert_refused("rate = 0.1\n", "rate is '0.1'");
    assert_refused("rate = log 0 1\n", "rate");
    assert_refused("rate = uniform 2 1\n", "rate");
    assert_refused("rate = uniform 1 2 3\n", "rate");
    assert_refused("rate = choice \n", "rate");
    assert_refused("search.trial = 9\nrate = log 1 2\n", "search.trial");
    assert_refused("search.keep = 1\nrate = log 1 2\n", "search.keep");
}

static double drawn(int trial, size_t index)
{
    char value[SEARCH_VALUE_SIZE];
    search_space_draw(&space, trial, index, value);
    return atof(value);
}

/* Within the bounds, over all of them, and half of the logarithmic ones below the middle. */
static void test_draws(void **state)
{
    (void)state;
    enum { TRIALS = 400 };
    read_space("a = uniform -1 3\nb = log 0.001 10\nc = choice 5 6 7\n");
    double sum = 0;
    int below = 0, counts[3] = {0};
    for (int t = 0; t < TRIALS; t++) {
        double a = drawn(t, 0), b = drawn(t, 1), c = drawn(t, 2);
        assert_true(a >= -1 && a <= 3 && b >= 0.001 && b <= 10 && c >= 5 && c <= 7);
        sum += a;
        below += b < 0.1;
        counts[(int)c - 5]++;
    }
    assert_float_equal(sum / TRIALS, 1, 0.2);
    assert_in_range(below, TRIALS / 2 - 40, TRIALS / 2 + 40);
    for (int i = 0; i < 3; i++)
        assert_in_range(counts[i], TRIALS / 3 - 40, TRIALS / 3 + 40);
    search_space_free(&space);
}

/* What a key gets does not depend on what else is searched. */
static void test_draws_are_the_keys_own(void **state)
{
    (void)state;
    char alone[SEARCH_VALUE_SIZE], beside[SEARCH_VALUE_SIZE];
    read_space("rate = log 0.001 1\n");
    search_space_draw(&space, 3, 0, alone);
    search_space_free(&space);
    read_space("search.trials = 100\nmomentum = uniform 0.8 0.99\nrate = log 0.001 1\n");
    search_space_draw(&space, 3, 1, beside);
    assert_string_equal(alone, beside);
    search_space_free(&space);
}

static void test_recipe(void **state)
{
    (void)state;
    mien_error error;
    char *text;
    read_space("rate = choice 7\nsmoothing = choice 0.25\n");
    assert_ok(search_space_recipe(&space,
                                  "architecture = fcn\n"
                                  "  rate= 1 # fast\n"
                                  "rate_of = 2\n"
                                  "[late]\n"
                                  "rate = 0.1",
                                  0, &text, &error),
              &error);
    assert_string_equal(text, "smoothing = 0.25\n"
                              "architecture = fcn\n"
                              "rate = 7\n"
                              "rate_of = 2\n"
                              "[late]\n"
                              "rate = 7\n");
    free(text);
    search_space_free(&space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_draws_are_the_keys_own),
        cmocka_unit_test(test_recipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
