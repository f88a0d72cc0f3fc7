/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/figures.h"
#include "eval/metrics.h"

#include <math.h>

#define SMALLEST_PROBABILITY 1e-12

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

/* The bin (k/15, (k+1)/15] of a confidence. The product is exact: 24 bits times 4 bits. */
static int bin_of(double confidence)
{
    double bin = ceil(confidence * EVAL_ECE_BINS) - 1.0;
    return (int)fmin(fmax(bin, 0.0), EVAL_ECE_BINS - 1.0);
}

double eval_ece(const int *labels, const float *probabilities, size_t n, int class_count)
{
    double confidence[EVAL_ECE_BINS] = {0};
    double correct[EVAL_ECE_BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        const float *row = probabilities + i * (size_t)class_count;
        int predicted = eval_argmax(row, class_count);
        int bin = bin_of((double)row[predicted]);
        confidence[bin] += (double)row[predicted];
        correct[bin] += predicted == labels[i] ? 1.0 : 0.0;
    }
    /* The size of a bin cancels: size / n * |correct / size - confidence / size|. */
    double error = 0.0;
    for (int bin = 0; bin < EVAL_ECE_BINS; bin++)
        error += fabs(correct[bin] - confidence[bin]);
    return error / (double)n;
}
