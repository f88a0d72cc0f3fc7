/* SPDX-License-Identifier: Apache-2.0 */
#include "loss_checks.h"
#include "loss_goldens.h"

typedef struct softmax_case {
    loss_targets targets;
    float setting;        /* smoothing, gamma or temperature */
    const float *teacher; /* distillation only */
} softmax_case;

static double softmax(const void *context, const float *logits, float factor, float *gradient)
{
    const softmax_case *test = context;
    return loss_softmax(&test->targets, logits, test->setting, factor, gradient);
}

static double focal(const void *context, const float *logits, float factor, float *gradient)
{
    const softmax_case *test = context;
    return loss_focal(&test->targets, logits, test->setting, factor, gradient);
}

static double distill(const void *context, const float *logits, float factor, float *gradient)
{
    const softmax_case *test = context;
    return loss_distill(&test->targets, logits, test->teacher, test->setting, factor, gradient);
}

static const size_t golden_values = GOLDEN_N * GOLDEN_CLASSES;

static softmax_case golden_case(bool votes, bool weights, float setting)
{
    return (softmax_case){{GOLDEN_N, GOLDEN_CLASSES, golden_labels, votes ? golden_votes : NULL,
                           weights ? golden_weights : NULL},
                          setting,
                          golden_teacher};
}

static void softmax_is_like_pytorch(void **state)
{
    (void)state;
    softmax_case test = golden_case(false, false, 0);
    assert_golden(softmax, &test, golden_logits, golden_softmax, golden_softmax_gradient,
                  golden_values);
    test.setting = 0.1f;
    assert_golden(softmax, &test, golden_logits, golden_softmax_smoothed,
                  golden_softmax_smoothed_gradient, golden_values);
    test = golden_case(true, true, 0.2f);
    assert_golden(softmax, &test, golden_logits, golden_softmax_votes,
                  golden_softmax_votes_gradient, golden_values);
    test = golden_case(false, true, 0);
    assert_golden(softmax, &test, golden_logits, golden_softmax_weighted,
                  golden_softmax_weighted_gradient, golden_values);
}

static void focal_is_like_pytorch(void **state)
{
    (void)state;
    softmax_case test = golden_case(false, false, 2);
    assert_golden(focal, &test, golden_logits, golden_focal, golden_focal_gradient, golden_values);
    test = golden_case(true, true, 0.5f);
    assert_golden(focal, &test, golden_logits, golden_focal_votes, golden_focal_votes_gradient,
                  golden_values);
    test = golden_case(false, false, 0);
    assert_golden(focal, &test, golden_logits, golden_softmax, golden_softmax_gradient,
                  golden_values);
}

static void distillation_is_like_pytorch(void **state)
{
    (void)state;
    softmax_case test = golden_case(false, true, 3);
    assert_golden(distill, &test, golden_logits, golden_distill, golden_distill_gradient,
                  golden_values);
    test.teacher = golden_logits;
    assert_close(distill(&test, golden_logits, 1, NULL), 0, 1e-12, "distance to itself");
}

static void gradients_are_slopes(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        test_random random = {seed};
        int classes = test_random_int(&random, 1, 8);
        size_t n = (size_t)test_random_int(&random, 1, 9), count = n * (size_t)classes;
        int labels[9];
        float logits[72], teacher[72], shares[72], weights[8];
        draw(&random, 3, logits, count);
        draw(&random, 3, teacher, count);
        draw_labels(&random, classes, labels, n);
        draw_shares(&random, classes, labels, shares, n);
        for (int c = 0; c < classes; c++)
            weights[c] = 0.1f + fabsf(test_random_float(&random));
        softmax_case test = {
            {n, classes, labels, seed % 2 != 0 ? shares : NULL, seed % 3 != 0 ? weights : NULL},
            0.5f,
            teacher};
        assert_slopes(softmax, &test, logits, softmax, count);
        assert_slopes(focal, &test, logits, focal, count);
        test.setting = (float)test_random_int(&random, 1, 4);
        assert_slopes(focal, &test, logits, focal, count);
        assert_slopes(distill, &test, logits, distill, count);
    }
}

static void assert_all_finite(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(isfinite(values[i]));
}

static void huge_logits_do_not_overflow(void **state)
{
    (void)state;
    const float logits[] = {3e38f, -3e38f, 0, 1e4f, 1e4f, -1e4f};
    const int right[] = {0, 1}, wrong[] = {1, 2};
    for (int i = 0; i < 2; i++) {
        softmax_case test = {{2, 3, i == 0 ? right : wrong, NULL, NULL}, 0, logits};
        for (int gamma = 0; gamma <= 4; gamma++) {
            float gradient[6] = {0};
            test.setting = (float)gamma / 2;
            assert_true(isfinite(focal(&test, logits, 1, gradient)));
            assert_all_finite(gradient, 6);
        }
        float gradient[6] = {0};
        test.setting = 0.1f;
        assert_true(isfinite(softmax(&test, logits, 1, gradient)));
        test.setting = 4;
        assert_true(isfinite(distill(&test, logits, 1, gradient)));
        assert_all_finite(gradient, 6);
    }
    softmax_case sure = {{1, 3, right, NULL, NULL}, 0, NULL};
    assert_close(softmax(&sure, logits, 1, NULL), 0, 1e-12, "loss of a sure answer");
}

/* log(1 + e^-50) is far below the last digit of 1. */
static void small_losses_keep_their_digits(void **state)
{
    (void)state;
    const float logits[] = {50, 0};
    const int label = 0;
    softmax_case test = {{1, 2, &label, NULL, NULL}, 0, NULL};
    double loss = softmax(&test, logits, 1, NULL);
    assert_true(fabs(loss / exp(-50) - 1) < 1e-12);
}

static void weights_of_zero_leave_samples_out(void **state)
{
    (void)state;
    const float weights[] = {0, 1}, logits[] = {1, 2, 2, 5};
    const int labels[] = {0, 1}, own = 1;
    float gradient[4] = {0}, alone[2] = {0};
    softmax_case both = {{2, 2, labels, NULL, weights}, 0, NULL};
    softmax_case one = {{1, 2, &own, NULL, NULL}, 0, NULL};
    assert_close(softmax(&both, logits, 1, gradient), softmax(&one, logits + 2, 1, alone), 1e-12,
                 "loss");
    assert_float_equal(gradient[0], 0, 0);
    assert_float_equal(gradient[2], alone[0], 0);
    both.targets.n = 1;
    assert_true(softmax(&both, logits, 1, gradient) == 0);
    both.targets.n = 0;
    assert_true(focal(&both, logits, 1, gradient) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_is_like_pytorch),
        cmocka_unit_test(focal_is_like_pytorch),
        cmocka_unit_test(distillation_is_like_pytorch),
        cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(huge_logits_do_not_overflow),
        cmocka_unit_test(small_losses_keep_their_digits),
        cmocka_unit_test(weights_of_zero_leave_samples_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
