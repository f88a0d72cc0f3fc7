/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/temperature.h"

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
    assert_close(eval_fit_temperature(labels, probabilities, 4, 2), 2, 1e-4);
    assert_close(eval_nll_at(labels, probabilities, 4, 2, 2), -0.75 * log(0.75) - 0.25 * log(0.25),
                 1e-6);
}

/* Confidences of 0.9, all right, and of 0.6, half of them right: 0.75 in the mean, as is the
 * accuracy; the likelihood would rather have the former higher. */
static void the_mean_confidence_becomes_the_accuracy(void **state)
{
    (void)state;
    const int labels[4] = {0, 0, 0, 1};
    const float probabilities[8] = {0.9f, 0.1f, 0.9f, 0.1f, 0.6f, 0.4f, 0.6f, 0.4f};
    assert_close(eval_fit_confidence(labels, probabilities, 4, 2), 1, 1e-5);
    assert_true(eval_fit_temperature(labels, probabilities, 4, 2) < 0.9);
    const float surer[8] = {0.9f, 0.1f, 0.9f, 0.1f, 0.9f, 0.1f, 0.9f, 0.1f};
    assert_close(eval_fit_confidence(labels, surer, 4, 2), 2, 1e-5);
    const int all_right[4] = {0};
    assert_close(eval_fit_confidence(all_right, surer, 4, 2), EVAL_MIN_TEMPERATURE, 1e-3);
    const int all_wrong[4] = {1, 1, 1, 1};
    assert_close(eval_fit_confidence(all_wrong, surer, 4, 2), EVAL_MAX_TEMPERATURE, 1e-3);
}

static void a_calibrated_model_stays(void **state)
{
    (void)state;
    const int labels[4] = {0, 0, 0, 1};
    const float probabilities[8] = {0.75f, 0.25f, 0.75f, 0.25f, 0.75f, 0.25f, 0.75f, 0.25f};
    assert_close(eval_fit_temperature(labels, probabilities, 4, 2), 1, 1e-4);
}

static void doubt_is_sharpened(void **state)
{
    (void)state;
    const int labels[2] = {0, 1};
    const float probabilities[6] = {0.4f, 0.3f, 0.3f, 0.3f, 0.4f, 0.3f};
    assert_close(eval_fit_temperature(labels, probabilities, 2, 3), EVAL_MIN_TEMPERATURE, 1e-3);
}

static void certainty_that_is_wrong_stays_finite(void **state)
{
    (void)state;
    const int labels[2] = {0, 1};
    const float probabilities[4] = {0, 1, 1, 0};
    assert_true(isfinite(eval_nll_at(labels, probabilities, 2, 2, 1)));
    assert_close(eval_fit_temperature(labels, probabilities, 2, 2), EVAL_MAX_TEMPERATURE, 1e-2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overconfidence_is_halved),
        cmocka_unit_test(the_mean_confidence_becomes_the_accuracy),
        cmocka_unit_test(a_calibrated_model_stays),
        cmocka_unit_test(doubt_is_sharpened),
        cmocka_unit_test(certainty_that_is_wrong_stays_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
