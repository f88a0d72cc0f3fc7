/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/calibrate.h"

#include <math.h>
#include <mien/model.h>

/* A floor that gains less than this is none. */
#define LEAST_GAIN 1e-4

typedef struct samples {
    const int *labels;
    const float *probabilities;
    size_t n;
    int classes;
    double floor; /* at which the temperature is sought */
} samples;

double eval_nll_at(const int *labels, const float *probabilities, size_t n, int classes,
                   const calibration *at)
{
    const double smallest = 1e-30;
    double values[MIEN_MAX_CLASSES], total = 0;
    for (size_t i = 0; i < n; i++) {
        const float *row = probabilities + i * (size_t)classes;
        for (int c = 0; c < classes; c++)
            values[c] = log(fmax(row[c], smallest));
        calibration_apply(at, values, classes, values);
        total -= log(fmax(values[labels[i]], smallest));
    }
    return total / (double)n;
}

static double nll_at(const samples *s, double temperature, double floor)
{
    const calibration at = {.temperature = temperature, .floor = floor};
    return eval_nll_at(s->labels, s->probabilities, s->n, s->classes, &at);
}

/* Where f is least between low and high, by the golden section. */
static double find_least(double low, double high, double tolerance,
                         double (*f)(samples *s, double at), samples *s)
{
    const double golden = 0.6180339887498949;
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a = f(s, a), at_b = f(s, b);
    while (high - low > tolerance) {
        if (at_a < at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            at_a = f(s, a);
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            at_b = f(s, b);
        }
    }
    return (low + high) / 2;
}

static double nll_at_logarithm(samples *s, double logarithm)
{
    return nll_at(s, exp(logarithm), s->floor);
}

static double best_temperature(samples *s)
{
    return exp(find_least(log(EVAL_MIN_TEMPERATURE), log(EVAL_MAX_TEMPERATURE), 1e-5,
                          nll_at_logarithm, s));
}

static double nll_at_floor(samples *s, double floor)
{
    s->floor = floor;
    return nll_at(s, best_temperature(s), floor);
}

calibration eval_fit_calibration(const int *labels, const float *probabilities, size_t n,
                                 int classes)
{
    samples s = {labels, probabilities, n, classes, 0};
    double without = nll_at_floor(&s, 0);
    double floor = find_least(0, 0.5 / classes, 1e-4, nll_at_floor, &s);
    if (nll_at_floor(&s, floor) > without - LEAST_GAIN)
        floor = 0;
    s.floor = floor;
    return (calibration){.temperature = best_temperature(&s), .floor = floor};
}
