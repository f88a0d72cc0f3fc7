/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/temperature.h"

#include "eval/figures.h"

#include <math.h>

double eval_nll_at(const int *labels, const float *probabilities, size_t n, int classes,
                   double temperature)
{
    const double smallest = 1e-30;
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        const float *row = probabilities + i * (size_t)classes;
        double largest = -INFINITY, sum = 0;
        for (int c = 0; c < classes; c++)
            largest = fmax(largest, log(fmax(row[c], smallest)) / temperature);
        for (int c = 0; c < classes; c++)
            sum += exp(log(fmax(row[c], smallest)) / temperature - largest);
        total += largest + log(sum) - log(fmax(row[labels[i]], smallest)) / temperature;
    }
    return total / (double)n;
}

double eval_fit_temperature(const int *labels, const float *probabilities, size_t n, int classes)
{
    const double golden = 0.6180339887498949;
    double low = log(EVAL_MIN_TEMPERATURE), high = log(EVAL_MAX_TEMPERATURE);
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a = eval_nll_at(labels, probabilities, n, classes, exp(a));
    double at_b = eval_nll_at(labels, probabilities, n, classes, exp(b));
    while (high - low > 1e-6) {
        if (at_a < at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            at_a = eval_nll_at(labels, probabilities, n, classes, exp(a));
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            at_b = eval_nll_at(labels, probabilities, n, classes, exp(b));
        }
    }
    return exp((low + high) / 2);
}

static double mean_confidence(const float *probabilities, size_t n, int classes, double temperature)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        const float *row = probabilities + i * (size_t)classes;
        double largest = row[eval_argmax(row, classes)], sum = 0;
        for (int c = 0; c < classes; c++)
            sum += pow(row[c] / largest, 1 / temperature);
        total += 1 / sum;
    }
    return total / (double)n;
}

double eval_fit_confidence(const int *labels, const float *probabilities, size_t n, int classes)
{
    size_t right = 0;
    for (size_t i = 0; i < n; i++)
        right += eval_argmax(probabilities + i * (size_t)classes, classes) == labels[i];
    double accuracy = (double)right / (double)n;
    double low = log(EVAL_MIN_TEMPERATURE), high = log(EVAL_MAX_TEMPERATURE);
    while (high - low > 1e-6) { /* the confidence falls as the temperature rises */
        double middle = (low + high) / 2;
        if (mean_confidence(probabilities, n, classes, exp(middle)) > accuracy)
            low = middle;
        else
            high = middle;
    }
    return exp((low + high) / 2);
}
