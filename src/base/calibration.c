/* SPDX-License-Identifier: Apache-2.0 */
#include "base/calibration.h"

#include <math.h>

static void divide_by_sum(double *values, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += values[i];
    for (int i = 0; i < count; i++)
        values[i] /= sum;
}

void calibration_apply(const calibration *c, const double *logits, int classes,
                       double *probabilities)
{
    double largest = -INFINITY;
    for (int k = 0; k < classes; k++)
        largest = fmax(largest, logits[k]);
    for (int k = 0; k < classes; k++)
        probabilities[k] = exp((logits[k] - largest) / c->temperature);
    divide_by_sum(probabilities, classes);
    for (int k = 0; k < classes; k++)
        probabilities[k] = fmax(probabilities[k] - c->floor, probabilities[k] / 10);
    divide_by_sum(probabilities, classes);
}
