/* SPDX-License-Identifier: Apache-2.0 */
#include "loss_checks.h"
#include "loss_goldens.h"

typedef struct centre_case {
    loss_targets targets;
    loss_centres centres;
    float lambda1;
} centre_case;

static double centre(const void *context, const float *features, float factor, float *gradient)
{
    const centre_case *test = context;
    return loss_centre(&test->targets, features, &test->centres, factor, gradient);
}

static double island(const void *context, const float *features, float factor, float *gradient)
{
    const centre_case *test = context;
    return loss_island(&test->targets, features, &test->centres, test->lambda1, factor, gradient);
}

static loss_centres centres_at(int classes, size_t dims, const float *values)
{
    mien_error error = {0};
    loss_centres centres;
    assert_ok(loss_centres_create(classes, dims, &centres, &error), &error);
    memcpy(centres.centres, values, (size_t)classes * dims * sizeof *values);
    return centres;
}

static centre_case golden_case(void)
{
    return (centre_case){{GOLDEN_N, GOLDEN_CLASSES, golden_labels, NULL, golden_weights},
                         centres_at(GOLDEN_CLASSES, GOLDEN_DIMS, golden_start_centres),
                         0.3f};
}

static void losses_are_like_pytorch(void **state)
{
    (void)state;
    centre_case test = golden_case();
    assert_golden(centre, &test, golden_features, golden_centre, golden_centre_gradient,
                  GOLDEN_N * GOLDEN_DIMS);
    assert_golden(island, &test, golden_features, golden_island, golden_centre_gradient,
                  GOLDEN_N * GOLDEN_DIMS);
    loss_centres_free(&test.centres);
}

static void assert_centres(const loss_centres *centres, const double *expected)
{
    for (size_t i = 0; i < (size_t)centres->classes * centres->dims; i++)
        assert_close((double)centres->centres[i], expected[i], 1e-6, "centre");
}

static void centres_move_like_pytorch(void **state)
{
    (void)state;
    centre_case test = golden_case();
    loss_centres_update(&test.centres, &test.targets, golden_features, 0.5f);
    assert_centres(&test.centres, golden_centres_moved);
    loss_centres_free(&test.centres);
    test = golden_case();
    loss_island_update(&test.centres, &test.targets, golden_features, 0.3f, 0.5f);
    assert_centres(&test.centres, golden_island_moved);
    loss_centres_free(&test.centres);
}

static void gradients_are_slopes(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 10; seed++) {
        test_random random = {seed};
        int classes = test_random_int(&random, 1, 5), labels[9];
        size_t n = (size_t)test_random_int(&random, 1, 9);
        size_t dims = (size_t)test_random_int(&random, 1, 20);
        float features[180], start[100];
        draw(&random, 2, features, n * dims);
        draw(&random, 2, start, (size_t)classes * dims);
        draw_labels(&random, classes, labels, n);
        centre_case test = {
            {n, classes, labels, NULL, NULL}, centres_at(classes, dims, start), 0.7f};
        assert_slopes(centre, &test, features, centre, n * dims);
        assert_slopes(island, &test, features, island, n * dims);
        loss_centres_free(&test.centres);
    }
}

/* With nothing but the pair term the centres go down its slope. */
static void islands_drift_apart(void **state)
{
    (void)state;
    enum { CLASSES = 3, DIMS = 4 };
    const float start[CLASSES * DIMS] = {1, 2, 3, 4, 2, 2, 2, 2, 1, 1, 3, 3};
    const loss_targets nobody = {.classes = CLASSES};
    loss_centres centres = centres_at(CLASSES, DIMS, start);
    double before = 0, after = 0;
    for (int step = 0; step < 200; step++) {
        const int label = 0;
        const loss_targets one = {1, CLASSES, &label, NULL, NULL};
        after = loss_island(&one, centres.centres, &centres, 1, 1, NULL);
        if (step == 0)
            before = after;
        assert_true(after <= before + 1e-9);
        loss_island_update(&centres, &nobody, start, 1, 0.5f);
    }
    assert_true(before > 9 && after < 5);
    loss_centres_free(&centres);
}

static void centres_at_zero_are_fine(void **state)
{
    (void)state;
    const float zeros[6] = {0}, features[6] = {0, 0, 0, 0, 0, 0};
    const int labels[] = {0, 0};
    centre_case test = {{2, 2, labels, NULL, NULL}, centres_at(2, 3, zeros), 1};
    float gradient[6] = {0};
    assert_close(island(&test, features, 1, gradient), 2, 1e-12, "island loss of zeros");
    loss_island_update(&test.centres, &test.targets, features, 1, 1);
    assert_memory_equal(test.centres.centres, zeros, sizeof zeros);
    assert_memory_equal(gradient, zeros, sizeof zeros);
    loss_centres_free(&test.centres);
}

static void centres_come_to_their_class(void **state)
{
    (void)state;
    const float zeros[2] = {0}, features[] = {4, 2, 4, 2, 4, 2};
    const int labels[] = {0, 0, 0};
    const loss_targets targets = {3, 2, labels, NULL, NULL};
    loss_centres centres = centres_at(2, 1, zeros);
    loss_centres_update(&centres, &targets, features, 1);
    assert_float_equal(centres.centres[0], 10.0 / 4, 1e-6);
    assert_float_equal(centres.centres[1], 0, 0);
    loss_centres_free(&centres);
}

static void bad_sizes_are_refused(void **state)
{
    (void)state;
    mien_error error = {0};
    loss_centres centres;
    assert_fails(MIEN_INVALID_ARGUMENT, loss_centres_create(0, 4, &centres, &error), &error,
                 "0 classes");
    assert_fails(MIEN_INVALID_ARGUMENT, loss_centres_create(4, 0, &centres, &error), &error,
                 "0 dimensions");
    assert_fails(MIEN_OUT_OF_MEMORY, loss_centres_create(4, SIZE_MAX / 8, &centres, &error), &error,
                 "centres");
    assert_null(centres.centres);
    loss_centres_free(&centres);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_like_pytorch),  cmocka_unit_test(centres_move_like_pytorch),
        cmocka_unit_test(gradients_are_slopes),     cmocka_unit_test(islands_drift_apart),
        cmocka_unit_test(centres_at_zero_are_fine), cmocka_unit_test(centres_come_to_their_class),
        cmocka_unit_test(bad_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
