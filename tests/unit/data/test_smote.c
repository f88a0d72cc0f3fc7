/* SPDX-License-Identifier: Apache-2.0 */
#include "data/nearest.h"
#include "data/smote.h"
#include "support.h"

#include <math.h>

enum { N = 9, DIMS = 11, MADE = 45 };

static void draw(unsigned seed, float *samples)
{
    test_random random = {seed};
    for (int i = 0; i < N * DIMS; i++)
        samples[i] = test_random_float(&random);
}

static double distance(const float *a, const float *b)
{
    double sum = 0;
    for (int d = 0; d < DIMS; d++)
        sum += pow((double)a[d] - (double)b[d], 2);
    return sum;
}

/* How many samples lie nearer to i than j does. */
static int rank_of(const float *samples, int i, int j)
{
    int nearer = 0;
    for (int other = 0; other < N; other++)
        nearer += other != i && other != j &&
                  distance(samples + i * DIMS, samples + other * DIMS) <
                      distance(samples + i * DIMS, samples + j * DIMS);
    return nearer;
}

/* Whether made = x + u (y - x) for one u in 0..1. */
static bool lies_between(const float *made, const float *x, const float *y, double *share)
{
    double along = 0, length = distance(x, y);
    for (int d = 0; d < DIMS; d++)
        along += ((double)made[d] - (double)x[d]) * ((double)y[d] - (double)x[d]);
    *share = along / length;
    for (int d = 0; d < DIMS; d++)
        if (fabs((double)x[d] + *share * ((double)y[d] - (double)x[d]) - (double)made[d]) > 1e-5)
            return false;
    return *share > -1e-6 && *share < 1 + 1e-6;
}

static void samples_lie_between_near_ones(void **state)
{
    (void)state;
    float samples[N * DIMS], made[MADE * DIMS];
    for (unsigned seed = 1; seed <= 20; seed++) {
        mien_error error = {0};
        random_state random = random_start(seed, 0);
        int k = 1 + (int)seed % 4;
        draw(seed, samples);
        assert_ok(smote_make(samples, N, DIMS, (size_t)k, MADE, &random, made, &error), &error);
        for (int m = 0; m < MADE; m++) {
            bool found = false;
            double share;
            for (int i = 0; i < N; i++)
                for (int j = 0; j < N; j++)
                    found |= i != j && rank_of(samples, i, j) < k &&
                             lies_between(made + m * DIMS, samples + i * DIMS, samples + j * DIMS,
                                          &share);
            assert_true(found);
        }
    }
}

/*
 * Samples 0, 10, 20, .. on a line with one neighbour: of equals the earlier, so i goes with i - 1
 * and 0 with 1. Each is used five times, and the shares are uniform.
 */
static void every_sample_is_used_equally(void **state)
{
    (void)state;
    enum { ROUNDS = 400 };
    static float made[N * ROUNDS];
    float samples[N];
    for (int i = 0; i < N; i++)
        samples[i] = 10 * (float)i;
    random_state random = random_start(1, 2);
    assert_true(smote_make(samples, N, 1, 1, (size_t)N * ROUNDS, &random, made, NULL) == MIEN_OK);
    int between[N] = {0};
    double shares = 0, squares = 0;
    for (int m = 0; m < N * ROUNDS; m++) {
        assert_true(made[m] >= 0 && made[m] <= 80);
        double share = (double)made[m] / 10 - floor((double)made[m] / 10);
        between[(int)(made[m] / 10)]++;
        shares += share / (N * ROUNDS);
        squares += share * share / (N * ROUNDS);
    }
    assert_int_equal(between[0], 2 * ROUNDS);
    for (int i = 1; i < N - 1; i++)
        assert_in_range(between[i], ROUNDS - 1, ROUNDS + 1); /* a share near 1 may round up */
    assert_float_equal(shares, 0.5, 0.02);
    assert_float_equal(squares, 1.0 / 3, 0.02);
}

static void a_stream_replays(void **state)
{
    (void)state;
    float samples[N * DIMS], one[MADE * DIMS], other[MADE * DIMS];
    draw(3, samples);
    random_state random = random_start(4, 5);
    assert_true(smote_make(samples, N, DIMS, 3, MADE, &random, one, NULL) == MIEN_OK);
    random = random_start(4, 5);
    assert_true(smote_make(samples, N, DIMS, 3, MADE, &random, other, NULL) == MIEN_OK);
    assert_memory_equal(one, other, sizeof one);
    random = random_start(4, 6);
    assert_true(smote_make(samples, N, DIMS, 3, MADE, &random, other, NULL) == MIEN_OK);
    assert_memory_not_equal(one, other, sizeof one);
}

static void small_classes_are_fine_or_refused(void **state)
{
    (void)state;
    mien_error error = {0};
    random_state random = random_start(1, 1);
    const float samples[] = {1, 2, 3, 4};
    float made[6];
    assert_ok(smote_make(samples, 2, 2, 99, 3, &random, made, &error), &error);
    for (int i = 0; i < 6; i++)
        assert_true(made[i] >= 1 && made[i] <= 4);
    assert_ok(smote_make(samples, 2, 2, 1, 0, &random, NULL, &error), &error);
    assert_fails(MIEN_INVALID_ARGUMENT, smote_make(samples, 1, 2, 1, 3, &random, made, &error),
                 &error, "1 samples");
    assert_fails(MIEN_INVALID_ARGUMENT, smote_make(samples, 2, 2, 0, 3, &random, made, &error),
                 &error, "0 neighbours");
    assert_fails(MIEN_INVALID_ARGUMENT, smote_make(samples, 2, 0, 1, 3, &random, made, &error),
                 &error, "of 0 numbers");
}

static void the_nearest_are_kept_in_order(void **state)
{
    (void)state;
    const double distances[] = {5, 3, 8, 3, 1, (double)NAN, 4};
    size_t index[3];
    double distance_kept[3];
    nearest_list list = {index, distance_kept, 0, 3};
    for (size_t i = 0; i < 7; i++)
        nearest_offer(&list, i, distances[i]);
    assert_int_equal(list.count, 3);
    assert_int_equal(index[0], 4);
    assert_int_equal(index[1], 1);
    assert_int_equal(index[2], 3);
    float a[DIMS], b[DIMS];
    for (int d = 0; d < DIMS; d++) {
        a[d] = (float)d;
        b[d] = -(float)d;
    }
    for (size_t dims = 0; dims <= DIMS; dims++) {
        double expected = 0;
        for (size_t d = 0; d < dims; d++)
            expected += 4.0 * (double)(d * d);
        assert_true(nearest_square_distance(a, b, dims) == expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_lie_between_near_ones),
        cmocka_unit_test(every_sample_is_used_equally),
        cmocka_unit_test(a_stream_replays),
        cmocka_unit_test(small_classes_are_fine_or_refused),
        cmocka_unit_test(the_nearest_are_kept_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
