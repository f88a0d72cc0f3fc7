/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TRAIN_LOSS_CHECKS_H
#define TESTS_TRAIN_LOSS_CHECKS_H

/* Goldens and finite differences for any loss; a loss is seen as a function of one array. */

#include "support.h"
#include "train/loss.h"

#include <math.h>

typedef double (*checked_loss)(const void *context, const float *values, float factor,
                               float *gradient);

enum { MOST_VALUES = 512 };

static inline void assert_close(double value, double expected, double tolerance, const char *what)
{
    if (!(fabs(value - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%s is %.12g, not %.12g", what, value, expected);
}

/*
 * The value and the gradient are the golden ones; with a factor both are times it, and the gradient
 * is added to what is there. Without a gradient the value is the same.
 */
static inline void assert_golden(checked_loss loss, const void *context, const float *values,
                                 double expected, const double *expected_gradient, size_t count)
{
    float gradient[MOST_VALUES] = {0};
    assert_close(loss(context, values, 1, gradient), expected, 1e-7, "loss");
    for (size_t i = 0; i < count; i++)
        assert_close((double)gradient[i], expected_gradient[i], 1e-6, "gradient");
    assert_close(loss(context, values, 1, NULL), expected, 1e-7, "loss");
    for (size_t i = 0; i < count; i++)
        gradient[i] = (float)i;
    assert_close(loss(context, values, 0.5f, gradient), expected / 2, 1e-7, "half the loss");
    for (size_t i = 0; i < count; i++)
        assert_close((double)gradient[i], (double)i + expected_gradient[i] / 2, 1e-6, "sum");
}

/* Central differences of a value that is computed in double. */
static inline void assert_slopes(checked_loss loss, const void *context, const float *values,
                                 checked_loss value_of, size_t count)
{
    float gradient[MOST_VALUES] = {0}, moved[MOST_VALUES];
    memcpy(moved, values, count * sizeof *values);
    loss(context, values, 1.5f, gradient);
    for (size_t i = 0; i < count; i++) {
        float step = 1e-3f, high = values[i] + step, low = values[i] - step;
        moved[i] = high;
        double above = value_of(context, moved, 1.5f, NULL);
        moved[i] = low;
        double below = value_of(context, moved, 1.5f, NULL);
        moved[i] = values[i];
        double slope = (above - below) / ((double)high - (double)low);
        assert_close((double)gradient[i], slope, 2e-5, "slope");
    }
}

static inline void draw(test_random *random, float scale, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = scale * test_random_float(random);
}

static inline void draw_labels(test_random *random, int classes, int *labels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        labels[i] = test_random_int(random, 0, classes - 1);
}

/* Rows that sum to 1, the label's share the largest. */
static inline void draw_shares(test_random *random, int classes, const int *labels, float *shares,
                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float *row = shares + i * (size_t)classes, sum = 0;
        for (int c = 0; c < classes; c++) {
            row[c] = labels[i] == c ? 1 : fabsf(test_random_float(random));
            sum += row[c];
        }
        for (int c = 0; c < classes; c++)
            row[c] /= sum;
    }
}

#endif
