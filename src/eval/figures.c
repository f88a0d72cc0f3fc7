/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/figures.h"

#include <math.h>

#define SMALLEST_PROBABILITY 1e-12

int eval_argmax(const float *values, int class_count)
{
    int best = 0;
    for (int c = 1; c < class_count; c++)
        if (values[c] > values[best])
            best = c;
    return best;
}

double eval_nll(const int *labels, const float *probabilities, size_t n, int class_count)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double p = (double)probabilities[i * (size_t)class_count + (size_t)labels[i]];
        sum -= log(fmax(p, SMALLEST_PROBABILITY));
    }
    return sum / (double)n;
}

double eval_brier(const int *labels, const float *probabilities, size_t n, int class_count)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const float *row = probabilities + i * (size_t)class_count;
        for (int c = 0; c < class_count; c++) {
            double difference = (double)row[c] - (c == labels[i] ? 1.0 : 0.0);
            sum += difference * difference;
        }
    }
    return sum / (double)n;
}
