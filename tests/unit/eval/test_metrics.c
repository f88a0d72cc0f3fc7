/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/metrics.h"

#include "golden.h"
#include "support.h"

#include <math.h>

#define TOLERANCE 1e-11

static void assert_near(double actual, double expected)
{
    if (!(fabs(actual - expected) <= TOLERANCE))
        fail_msg("%.15f is not %.15f", actual, expected);
}

static void golden_scores(eval_scores *scores)
{
    float probabilities[GOLDEN_COUNT * GOLDEN_CLASSES];
    for (int i = 0; i < GOLDEN_COUNT; i++)
        for (int c = 0; c < GOLDEN_CLASSES; c++)
            probabilities[i * GOLDEN_CLASSES + c] = (float)golden_32nds[i][c] / 32.0F;
    mien_error error;
    assert_ok(
        eval_score(golden_labels, probabilities, GOLDEN_COUNT, GOLDEN_CLASSES, scores, &error),
        &error);
}

static void test_golden_confusion(void **state)
{
    (void)state;
    static const size_t expected[GOLDEN_CLASSES][GOLDEN_CLASSES] = {
        {11, 1, 1, 2}, {1, 11, 5, 4}, {0, 2, 20, 2}, {0, 0, 0, 0}};
    eval_scores scores;
    golden_scores(&scores);
    assert_int_equal(scores.n, GOLDEN_COUNT);
    assert_int_equal(scores.class_count, GOLDEN_CLASSES);
    for (int row = 0; row < GOLDEN_CLASSES; row++)
        for (int column = 0; column < GOLDEN_CLASSES; column++)
            assert_int_equal(scores.confusion[row][column], expected[row][column]);
}

static void test_golden_classes(void **state)
{
    (void)state;
    static const eval_class_score expected[3] = {
        {15, 12, 0.916666666667, 0.733333333333, 0.977777777778, 0.814814814815, 0.948148148148},
        {21, 14, 0.785714285714, 0.523809523810, 0.923076923077, 0.628571428571, 0.795482295482},
        {24, 26, 0.769230769231, 0.833333333333, 0.833333333333, 0.800000000000, 0.859375000000},
    };
    eval_scores scores;
    golden_scores(&scores);
    for (int c = 0; c < 3; c++) {
        assert_int_equal(scores.classes[c].support, expected[c].support);
        assert_int_equal(scores.classes[c].predicted, expected[c].predicted);
        assert_near(scores.classes[c].precision, expected[c].precision);
        assert_near(scores.classes[c].recall, expected[c].recall);
        assert_near(scores.classes[c].specificity, expected[c].specificity);
        assert_near(scores.classes[c].f1, expected[c].f1);
        assert_near(scores.classes[c].roc_auc, expected[c].roc_auc);
    }
}

static void test_golden_overall(void **state)
{
    (void)state;
    eval_scores scores;
    golden_scores(&scores);
    assert_near(scores.accuracy, 0.7);
    assert_near(scores.accuracy_low, 0.5749129205308547);
    assert_near(scores.accuracy_high, 0.8010183386123093);
    assert_near(scores.balanced_accuracy, 0.696825396825);
    assert_near(scores.macro_f1, 0.747795414462);
    assert_near(scores.macro_roc_auc, 0.867668481210);
    assert_near(scores.nll, 1.745383301880);
    assert_near(scores.brier, 0.483723958333);
    assert_near(scores.ece, 0.1875);
}

static void test_class_without_support(void **state)
{
    (void)state;
    eval_scores scores;
    golden_scores(&scores);
    const eval_class_score *score = &scores.classes[3];
    assert_int_equal(score->support, 0);
    assert_int_equal(score->predicted, 8);
    assert_near(score->precision, 0.0);
    assert_true(isnan(score->recall));
    assert_near(score->specificity, 52.0 / 60.0);
    assert_near(score->f1, 0.0);
    assert_true(isnan(score->roc_auc));
}

/* Two samples of two classes, everything by hand; class 1 is never predicted. */
static void test_by_hand(void **state)
{
    (void)state;
    static const int labels[] = {0, 1};
    static const float probabilities[] = {0.75F, 0.25F, 0.5F, 0.5F};
    eval_scores scores;
    assert_ok(eval_score(labels, probabilities, 2, 2, &scores, NULL), NULL);
    assert_near(scores.accuracy, 0.5);
    assert_near(scores.classes[0].precision, 0.5);
    assert_near(scores.classes[0].recall, 1.0);
    assert_near(scores.classes[0].specificity, 0.0);
    assert_near(scores.classes[0].f1, 2.0 / 3.0);
    assert_true(isnan(scores.classes[1].precision));
    assert_near(scores.classes[1].recall, 0.0);
    assert_near(scores.classes[1].f1, 0.0);
    assert_near(scores.classes[1].roc_auc, 1.0);
    assert_near(scores.balanced_accuracy, 0.5);
    assert_near(scores.macro_f1, 1.0 / 3.0);
    assert_near(scores.nll, (log(4.0 / 3.0) + log(2.0)) / 2.0);
    assert_near(scores.brier, (0.125 + 0.5) / 2.0);
    assert_near(scores.ece, 0.5 * 0.25 + 0.5 * 0.5);
}

static void test_first_of_equals_is_predicted(void **state)
{
    (void)state;
    static const int labels[] = {2};
    static const float probabilities[] = {0.2F, 0.4F, 0.4F};
    eval_scores scores;
    assert_ok(eval_score(labels, probabilities, 1, 3, &scores, NULL), NULL);
    assert_int_equal(scores.confusion[2][1], 1);
}

static void test_auc_of_ties_is_half(void **state)
{
    (void)state;
    static const int labels[] = {0, 1, 0, 1, 1};
    static const float probabilities[] = {0.5F, 0.5F, 0.5F, 0.5F, 0.5F,
                                          0.5F, 0.5F, 0.5F, 0.5F, 0.5F};
    eval_scores scores;
    assert_ok(eval_score(labels, probabilities, 5, 2, &scores, NULL), NULL);
    assert_near(scores.classes[0].roc_auc, 0.5);
    assert_near(scores.macro_roc_auc, 0.5);
}

static void test_single_class_has_no_auc(void **state)
{
    (void)state;
    static const int labels[] = {0, 0};
    static const float probabilities[] = {0.9F, 0.1F, 0.6F, 0.4F};
    eval_scores scores;
    assert_ok(eval_score(labels, probabilities, 2, 2, &scores, NULL), NULL);
    assert_true(isnan(scores.classes[0].roc_auc));
    assert_true(isnan(scores.classes[0].specificity));
    assert_true(isnan(scores.classes[1].f1));
    assert_true(isnan(scores.macro_roc_auc));
    assert_near(scores.balanced_accuracy, 1.0);
    assert_near(scores.accuracy_high, 1.0);
}

static void test_nll_is_clipped(void **state)
{
    (void)state;
    static const int labels[] = {1};
    static const float probabilities[] = {1.0F, 0.0F};
    eval_scores scores;
    assert_ok(eval_score(labels, probabilities, 1, 2, &scores, NULL), NULL);
    assert_near(scores.nll, 12.0 * log(10.0));
    assert_near(scores.brier, 2.0);
    assert_near(scores.ece, 1.0);
}

/*
 * 0.2 as a float is just over 3/15 and so in the fourth bin; the float below it is in the third.
 * The gaps of a right and a wrong answer (0.8 and -0.2) are added in one bin, their sizes in two.
 */
static void test_ece_bin_edges(void **state)
{
    (void)state;
    static const int labels[] = {0, 1};
    float above = 0.2F;
    float below = nextafterf(0.2F, 0.0F);
    float probabilities[12] = {above, 0, 0, 0, 0, 0, below, 0, 0, 0, 0, 0};
    eval_scores scores;
    assert_ok(eval_score(labels, probabilities, 2, 6, &scores, NULL), NULL);
    assert_near(scores.ece, ((1.0 - (double)above) + (double)below) / 2.0);
    probabilities[6] = above;
    assert_ok(eval_score(labels, probabilities, 2, 6, &scores, NULL), NULL);
    assert_near(scores.ece, (1.0 - 2.0 * (double)above) / 2.0);
}

/* Outputs that are no probabilities still have scores, and stay inside the bins. */
static void test_values_outside_0_to_1(void **state)
{
    (void)state;
    static const int labels[] = {0, 1};
    static const float probabilities[] = {40.0F, -3.0F, -7.0F, -5.0F};
    eval_scores scores;
    assert_ok(eval_score(labels, probabilities, 2, 2, &scores, NULL), NULL);
    assert_near(scores.accuracy, 1.0);
    assert_true(isfinite(scores.ece));
}

static void assert_interval(size_t successes, size_t n, double low, double high)
{
    double actual_low, actual_high;
    eval_wilson_interval(successes, n, &actual_low, &actual_high);
    if (fabs(actual_low - low) > 5e-5 || fabs(actual_high - high) > 5e-5)
        fail_msg("%zu of %zu: %.5f to %.5f", successes, n, actual_low, actual_high);
}

/* Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3. */
static void test_wilson_published_values(void **state)
{
    (void)state;
    assert_interval(81, 263, 0.2553, 0.3662);
    assert_interval(15, 148, 0.0624, 0.1605);
    assert_interval(0, 20, 0.0, 0.1611);
    assert_interval(1, 29, 0.0061, 0.1718);
    assert_interval(20, 20, 1.0 - 0.1611, 1.0); /* mirrored */
}

static void test_wilson_of_nothing(void **state)
{
    (void)state;
    double low, high;
    eval_wilson_interval(0, 0, &low, &high);
    assert_true(isnan(low));
    assert_true(isnan(high));
}

static void test_bad_input(void **state)
{
    (void)state;
    int labels[] = {0, 1, 1};
    float probabilities[] = {0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F};
    eval_scores scores;
    mien_error error;
    assert_fails(MIEN_INVALID_ARGUMENT, eval_score(labels, probabilities, 0, 2, &scores, &error),
                 &error, "no samples");
    assert_fails(MIEN_INVALID_ARGUMENT, eval_score(labels, probabilities, 3, 65, &scores, &error),
                 &error, "65 classes");
    assert_fails(MIEN_INVALID_ARGUMENT, eval_score(labels, probabilities, 3, 0, &scores, &error),
                 &error, "0 classes");
    assert_fails(MIEN_INVALID_ARGUMENT, eval_score(labels, probabilities, 3, 1, &scores, &error),
                 &error, "row 1: label 1");
    labels[2] = -1;
    assert_fails(MIEN_INVALID_ARGUMENT, eval_score(labels, probabilities, 3, 2, &scores, &error),
                 &error, "row 2: label -1");
    labels[2] = 0;
    probabilities[3] = NAN;
    assert_fails(MIEN_INVALID_ARGUMENT, eval_score(labels, probabilities, 3, 2, &scores, &error),
                 &error, "row 1: the probability of class 1");
    probabilities[3] = INFINITY;
    assert_fails(MIEN_INVALID_ARGUMENT, eval_score(labels, probabilities, 3, 2, &scores, &error),
                 &error, "row 1: the probability of class 1");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_confusion),
        cmocka_unit_test(test_golden_classes),
        cmocka_unit_test(test_golden_overall),
        cmocka_unit_test(test_class_without_support),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_first_of_equals_is_predicted),
        cmocka_unit_test(test_auc_of_ties_is_half),
        cmocka_unit_test(test_single_class_has_no_auc),
        cmocka_unit_test(test_nll_is_clipped),
        cmocka_unit_test(test_ece_bin_edges),
        cmocka_unit_test(test_values_outside_0_to_1),
        cmocka_unit_test(test_wilson_published_values),
        cmocka_unit_test(test_wilson_of_nothing),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
