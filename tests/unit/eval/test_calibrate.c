/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/calibrate.h"

#include "support.h"

#include <math.h>

static void assert_close(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.9g is not %.9g", value, expected);
}

/* Three of four are right at a confidence of 0.9: the best confidence is 0.75, and ln 9 / T = ln 3
 * gives T = 2. */
static void overconfidence_is_halved(void **state)
{
    (void)state;
    const int labels[4] = {0, 0, 0, 1};
    const float probabilities[8] = {0.9f, 0.1f, 0.9f, 0.1f, 0.9f, 0.1f, 0.9f, 0.1f};
    calibration fitted = eval_fit_calibration(labels, probabilities, 4, 2);
    assert_close(fitted.temperature, 2, 1e-4);
    assert_true(fitted.floor == 0);
    assert_close(eval_nll_at(labels, probabilities, 4, 2, &fitted),
                 -0.75 * log(0.75) - 0.25 * log(0.25), 1e-6);
}

static void a_calibrated_model_stays(void **state)
{
    (void)state;
    const int labels[4] = {0, 0, 0, 1};
    const float probabilities[8] = {0.75f, 0.25f, 0.75f, 0.25f, 0.75f, 0.25f, 0.75f, 0.25f};
    calibration fitted = eval_fit_calibration(labels, probabilities, 4, 2);
    assert_close(fitted.temperature, 1, 1e-4);
    assert_true(fitted.floor == 0);
}

static void doubt_is_sharpened(void **state)
{
    (void)state;
    const int labels[2] = {0, 1};
    const float probabilities[6] = {0.4f, 0.3f, 0.3f, 0.3f, 0.4f, 0.3f};
    assert_close(eval_fit_calibration(labels, probabilities, 2, 3).temperature,
                 EVAL_MIN_TEMPERATURE, 1e-3);
}

static void certainty_that_is_wrong_stays_finite(void **state)
{
    (void)state;
    const calibration none = {.temperature = 1};
    const int labels[2] = {0, 1};
    const float probabilities[4] = {0, 1, 1, 0};
    assert_true(isfinite(eval_nll_at(labels, probabilities, 2, 2, &none)));
    assert_close(eval_fit_calibration(labels, probabilities, 2, 2).temperature,
                 EVAL_MAX_TEMPERATURE, 1e-2);
}

/* By hand: q = (0.9, 0.06, 0.04), less 0.05 but at least a tenth: 0.85, 0.01, 0.004. */
static void the_floor_is_taken_off(void **state)
{
    (void)state;
    const calibration with_floor = {.temperature = 0.5, .floor = 0.05};
    double values[3] = {0.5 * log(0.9), 0.5 * log(0.06), 0.5 * log(0.04)};
    calibration_apply(&with_floor, values, 3, values);
    assert_close(values[0], 0.85 / 0.864, 1e-12);
    assert_close(values[1], 0.01 / 0.864, 1e-12);
    assert_close(values[2], 0.004 / 0.864, 1e-12);
}

/* 100 pictures of each of three kinds, whose labels fall as the kind says; the network knows that,
 * but has learned from labels of which 0.15 was spread over the three classes. */
static void smoothing_is_undone(void **state)
{
    (void)state;
    static const int counts[3][3] = {{97, 2, 1}, {60, 30, 10}, {5, 25, 70}};
    static int labels[300];
    static float probabilities[900];
    double entropy = 0;
    int n = 0;
    for (int kind = 0; kind < 3; kind++)
        for (int label = 0; label < 3; label++)
            for (int i = 0; i < counts[kind][label]; i++, n++) {
                labels[n] = label;
                entropy -= log(counts[kind][label] / 100.0) / 300;
                for (int c = 0; c < 3; c++)
                    probabilities[3 * n + c] = (float)(0.85 * counts[kind][c] / 100 + 0.15 / 3);
            }
    assert_int_equal(n, 300);
    calibration fitted = eval_fit_calibration(labels, probabilities, 300, 3);
    assert_close(fitted.floor, 0.05, 1e-3);
    assert_close(fitted.temperature, 1, 1e-2);
    assert_close(eval_nll_at(labels, probabilities, 300, 3, &fitted), entropy, 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overconfidence_is_halved),
        cmocka_unit_test(a_calibrated_model_stays),
        cmocka_unit_test(doubt_is_sharpened),
        cmocka_unit_test(certainty_that_is_wrong_stays_finite),
        cmocka_unit_test(the_floor_is_taken_off),
        cmocka_unit_test(smoothing_is_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
