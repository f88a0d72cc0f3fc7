/* SPDX-License-Identifier: Apache-2.0 */
#include "loss_checks.h"
#include "loss_goldens.h"

enum { MOST_SAMPLES = 12, MOST_DIMS = 20 };

typedef struct metric_case {
    loss_targets targets;
    size_t dims;
    int k;
    float margin;
    const float *start; /* where means are held */
} metric_case;

static double locality(const void *context, const float *features, float factor, float *gradient)
{
    const metric_case *test = context;
    return loss_locality(&test->targets, features, test->dims, test->k, factor, gradient);
}

static double triplet(const void *context, const float *features, float factor, float *gradient)
{
    const metric_case *test = context;
    return loss_triplet(&test->targets, features, test->dims, test->margin, factor, gradient);
}

static double tuplet(const void *context, const float *features, float factor, float *gradient)
{
    const metric_case *test = context;
    double centre[MOST_DIMS];
    return loss_tuplet_cluster(&test->targets, features, test->dims, test->margin, factor, gradient,
                               centre);
}

static void losses_are_like_pytorch(void **state)
{
    (void)state;
    const size_t count = GOLDEN_N * GOLDEN_DIMS;
    metric_case test = {
        {GOLDEN_N, GOLDEN_CLASSES, golden_labels, NULL, golden_weights}, GOLDEN_DIMS, 1, 3, NULL};
    assert_golden(locality, &test, golden_features, golden_locality, golden_locality_gradient,
                  count);
    assert_golden(triplet, &test, golden_features, golden_triplet, golden_triplet_gradient, count);
    assert_golden(tuplet, &test, golden_features, golden_tuplet, golden_tuplet_gradient, count);
}

/* ---- The losses again, simply, with means held at the start of the test ---- */

static double square_distance(const float *x, const double *centre, size_t dims)
{
    double sum = 0;
    for (size_t d = 0; d < dims; d++)
        sum += ((double)x[d] - centre[d]) * ((double)x[d] - centre[d]);
    return sum;
}

static void mean_of(const metric_case *test, const bool *chosen, double *mean)
{
    double count = 0;
    memset(mean, 0, MOST_DIMS * sizeof *mean);
    for (size_t i = 0; i < test->targets.n; i++) {
        count += chosen[i];
        for (size_t d = 0; d < test->dims && chosen[i]; d++)
            mean[d] += (double)test->start[i * test->dims + d];
    }
    for (size_t d = 0; d < test->dims; d++)
        mean[d] /= count;
}

/* Chooses the k nearest of the class of i, by looking k times for the nearest that is left. */
static int choose_nearest(const metric_case *test, size_t i, bool *chosen)
{
    int count = 0;
    double own[MOST_DIMS];
    for (size_t d = 0; d < test->dims; d++)
        own[d] = (double)test->start[i * test->dims + d];
    for (; count < test->k; count++) {
        size_t best = MOST_SAMPLES;
        double nearest = INFINITY;
        for (size_t j = 0; j < test->targets.n; j++) {
            double distance = square_distance(test->start + j * test->dims, own, test->dims);
            if (j != i && !chosen[j] && test->targets.labels[j] == test->targets.labels[i] &&
                distance < nearest) {
                best = j;
                nearest = distance;
            }
        }
        if (best == MOST_SAMPLES)
            break;
        chosen[best] = true;
    }
    return count;
}

static double held_locality(const void *context, const float *features, float factor,
                            float *gradient)
{
    (void)gradient;
    const metric_case *test = context;
    double sum = 0, mean[MOST_DIMS];
    for (size_t i = 0; i < test->targets.n; i++) {
        bool chosen[MOST_SAMPLES] = {false};
        if (choose_nearest(test, i, chosen) == 0)
            continue;
        mean_of(test, chosen, mean);
        sum += square_distance(features + i * test->dims, mean, test->dims) / 2;
    }
    return (double)factor * sum / (double)test->targets.n;
}

static double held_tuplet(const void *context, const float *features, float factor, float *gradient)
{
    (void)gradient;
    const metric_case *test = context;
    double sum = 0, samples = 0, mean[MOST_DIMS];
    for (int label = 0; label < test->targets.classes; label++) {
        bool own[MOST_SAMPLES] = {false};
        size_t count = 0;
        for (size_t i = 0; i < test->targets.n; i++)
            count += own[i] = test->targets.labels[i] == label;
        if (count < 2 || count == test->targets.n)
            continue;
        mean_of(test, own, mean);
        double reference = INFINITY;
        for (size_t i = 0; i < test->targets.n; i++)
            if (!own[i])
                reference =
                    fmin(reference, square_distance(features + i * test->dims, mean, test->dims));
        for (size_t i = 0; i < test->targets.n; i++)
            if (own[i])
                sum += fmax(0, square_distance(features + i * test->dims, mean, test->dims) -
                                   reference + (double)test->margin);
        samples += (double)count;
    }
    return samples > 0 ? (double)factor * sum / samples : 0;
}

static void gradients_are_slopes(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 30; seed++) {
        test_random random = {seed};
        int classes = test_random_int(&random, 1, 4), labels[MOST_SAMPLES];
        size_t n = (size_t)test_random_int(&random, 1, MOST_SAMPLES);
        size_t dims = (size_t)test_random_int(&random, 1, MOST_DIMS);
        float features[MOST_SAMPLES * MOST_DIMS];
        draw(&random, 1, features, n * dims);
        draw_labels(&random, classes, labels, n);
        metric_case test = {
            {n, classes, labels, NULL, NULL}, dims, test_random_int(&random, 1, 4), 0.5f, features};
        assert_close(locality(&test, features, 2, NULL), held_locality(&test, features, 2, NULL),
                     1e-12, "locality loss");
        assert_close(tuplet(&test, features, 2, NULL), held_tuplet(&test, features, 2, NULL), 1e-12,
                     "tuplet loss");
        assert_slopes(locality, &test, features, held_locality, n * dims);
        assert_slopes(triplet, &test, features, triplet, n * dims);
        assert_slopes(tuplet, &test, features, held_tuplet, n * dims);
    }
}

static void assert_nothing_to_learn(checked_loss loss, const metric_case *test,
                                    const float *features)
{
    const float zeros[MOST_VALUES] = {0};
    float gradient[MOST_VALUES] = {0};
    assert_true(loss(test, features, 1, gradient) == 0);
    assert_memory_equal(gradient, zeros, sizeof zeros);
}

static void lonely_batches_have_no_loss(void **state)
{
    (void)state;
    const float features[] = {1, 2, 3, 4, 5, 6};
    const int one_class[] = {0, 0, 0}, all_alone[] = {0, 1, 2};
    metric_case test = {{1, 3, one_class, NULL, NULL}, 2, 2, 1, NULL};
    assert_nothing_to_learn(locality, &test, features); /* one sample */
    assert_nothing_to_learn(triplet, &test, features);
    assert_nothing_to_learn(tuplet, &test, features);
    test.targets.n = 3; /* no negative */
    assert_nothing_to_learn(triplet, &test, features);
    assert_nothing_to_learn(tuplet, &test, features);
    test.targets.labels = all_alone; /* no positive */
    assert_nothing_to_learn(locality, &test, features);
    assert_nothing_to_learn(triplet, &test, features);
    assert_nothing_to_learn(tuplet, &test, features);
    test.targets.n = 0;
    assert_nothing_to_learn(locality, &test, features);
    assert_nothing_to_learn(tuplet, &test, features);
}

/* All features at one point: the margin is all that is left, and no direction to go. */
static void zero_features_are_fine(void **state)
{
    (void)state;
    const float features[8] = {0};
    const int labels[] = {0, 0, 1, 1};
    metric_case test = {{4, 2, labels, NULL, NULL}, 2, 2, 0.25f, NULL};
    float gradient[8] = {0};
    assert_close(triplet(&test, features, 1, gradient), 0.25, 1e-12, "triplet loss");
    assert_close(tuplet(&test, features, 1, gradient), 0.25, 1e-12, "tuplet loss");
    assert_close(locality(&test, features, 1, gradient), 0, 1e-12, "locality loss");
    assert_memory_equal(gradient, features, sizeof features);
}

static void well_parted_classes_have_no_loss(void **state)
{
    (void)state;
    const float features[] = {0, 0.1f, 9, 9.1f};
    const int labels[] = {0, 0, 1, 1};
    metric_case test = {{4, 2, labels, NULL, NULL}, 1, 1, 1, NULL};
    assert_nothing_to_learn(triplet, &test, features);
    assert_nothing_to_learn(tuplet, &test, features);
}

/* 80 of one class on a line: no more than the 64 nearest count, and k may be larger. */
static void neighbours_are_limited(void **state)
{
    (void)state;
    int labels[80] = {0};
    float features[80];
    for (int i = 0; i < 80; i++)
        features[i] = (float)i;
    metric_case test = {{80, 1, labels, NULL, NULL}, 1, LOSS_MOST_NEIGHBOURS, 0, NULL};
    double most = locality(&test, features, 1, NULL);
    test.k = 1000;
    assert_true(locality(&test, features, 1, NULL) == most);
    test.k = 1;
    assert_close(locality(&test, features, 1, NULL), 0.5, 1e-12, "distance to one neighbour");
    test.k = 0;
    assert_nothing_to_learn(locality, &test, features);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_like_pytorch),
        cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(lonely_batches_have_no_loss),
        cmocka_unit_test(zero_features_are_fine),
        cmocka_unit_test(well_parted_classes_have_no_loss),
        cmocka_unit_test(neighbours_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
