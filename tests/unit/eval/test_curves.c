/* SPDX-License-Identifier: Apache-2.0 */

/* Curves agree with the figures that were made independently (golden.h). */

#include "support.h"

#include "eval/curves.h"
#include "golden.h"

#include <math.h>

static float probabilities[GOLDEN_COUNT * GOLDEN_CLASSES];

static int fill(void **state)
{
    (void)state;
    for (int i = 0; i < GOLDEN_COUNT * GOLDEN_CLASSES; i++)
        probabilities[i] = (float)golden_32nds[i / GOLDEN_CLASSES][i % GOLDEN_CLASSES] / 32.0f;
    return 0;
}

static eval_scores golden_scores(void)
{
    eval_scores scores;
    mien_error error;
    assert_ok(
        eval_score(golden_labels, probabilities, GOLDEN_COUNT, GOLDEN_CLASSES, &scores, &error),
        &error);
    return scores;
}

/* With few samples no point is left out: the area under the line is the AUC, ties counted half. */
static void test_the_area_under_the_roc_curve(void **state)
{
    (void)state;
    mien_error error;
    eval_scores scores = golden_scores();
    for (int c = 0; c < GOLDEN_CLASSES; c++) {
        eval_roc_point p[EVAL_ROC_POINTS];
        size_t count;
        assert_ok(eval_roc_curve(golden_labels, probabilities, GOLDEN_COUNT, GOLDEN_CLASSES, c, p,
                                 &count, &error),
                  &error);
        if (scores.classes[c].support == 0) {
            assert_int_equal(count, 0);
            continue;
        }
        double area = 0;
        for (size_t i = 1; i < count; i++) {
            assert_true(p[i].false_positives >= p[i - 1].false_positives);
            assert_true(p[i].true_positives >= p[i - 1].true_positives);
            area += (double)(p[i].false_positives - p[i - 1].false_positives) *
                    (double)(p[i].true_positives + p[i - 1].true_positives) / 2;
        }
        assert_float_equal(p[0].false_positives + p[0].true_positives, 0, 0);
        assert_float_equal(p[count - 1].false_positives * p[count - 1].true_positives, 1, 0);
        assert_float_equal(area, scores.classes[c].roc_auc, 1e-6);
    }
}

static void test_a_long_roc_curve_is_thinned(void **state)
{
    (void)state;
    enum { N = 20000 };
    static int labels[N];
    static float two[2 * N];
    test_random random = {3};
    mien_error error;
    eval_roc_point p[EVAL_ROC_POINTS];
    size_t count;
    eval_scores scores;
    for (int i = 0; i < N; i++) {
        labels[i] = test_random_int(&random, 0, 1);
        two[2 * i + 1] = fminf(
            fmaxf(0.5f + 0.2f * (float)(labels[i] ? 1 : -1) + 0.4f * test_random_float(&random), 0),
            1);
        two[2 * i] = 1 - two[2 * i + 1];
    }
    assert_ok(eval_score(labels, two, N, 2, &scores, &error), &error);
    assert_ok(eval_roc_curve(labels, two, N, 2, 1, p, &count, &error), &error);
    assert_in_range(count, 40, EVAL_ROC_POINTS);
    double area = 0;
    for (size_t i = 1; i < count; i++)
        area += (double)(p[i].false_positives - p[i - 1].false_positives) *
                (double)(p[i].true_positives + p[i - 1].true_positives) / 2;
    assert_float_equal(area, scores.classes[1].roc_auc, 2e-3);
}

static void test_reliability_bins(void **state)
{
    (void)state;
    eval_bin bins[EVAL_ECE_BINS];
    eval_scores scores = golden_scores();
    eval_reliability(golden_labels, probabilities, GOLDEN_COUNT, GOLDEN_CLASSES, bins);
    size_t all = 0;
    double right = 0, error = 0;
    for (int b = 0; b < EVAL_ECE_BINS; b++) {
        all += bins[b].count;
        right += bins[b].accuracy * (double)bins[b].count;
        error += fabs(bins[b].accuracy - bins[b].confidence) * (double)bins[b].count;
        if (bins[b].count > 0)
            assert_true(bins[b].confidence > b / 15.0 && bins[b].confidence <= (b + 1) / 15.0);
    }
    assert_int_equal(all, GOLDEN_COUNT);
    assert_float_equal(right / GOLDEN_COUNT, scores.accuracy, 1e-12);
    assert_float_equal(error / GOLDEN_COUNT, scores.ece, 1e-12);
}

static void test_the_most_confident(void **state)
{
    (void)state;
    const int labels[] = {0, 1, 1, 0, 1, 0};
    const float rows[] = {0.9f, 0.1f, 0.8f, 0.2f, 0.3f, 0.7f, 0.2f, 0.8f, 0.6f, 0.4f, 0.75f, 0.25f};
    size_t order[8];
    eval_search wrong = {.label = -1, .most = 8};
    assert_int_equal(eval_most_confident(labels, rows, 6, 2, &wrong, order), 3);
    assert_true(order[0] == 1 && order[1] == 3 && order[2] == 4); /* 1 and 3 are equal */
    wrong.most = 1;
    assert_int_equal(eval_most_confident(labels, rows, 6, 2, &wrong, order), 1);
    assert_int_equal(order[0], 1);
    eval_search right = {.right = true, .label = 0, .most = 2};
    assert_int_equal(eval_most_confident(labels, rows, 6, 2, &right, order), 2);
    assert_true(order[0] == 0 && order[1] == 5);
    eval_search none = {.label = 0, .most = 0};
    assert_int_equal(eval_most_confident(labels, rows, 6, 2, &none, order), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_area_under_the_roc_curve),
        cmocka_unit_test(test_a_long_roc_curve_is_thinned),
        cmocka_unit_test(test_reliability_bins),
        cmocka_unit_test(test_the_most_confident),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
