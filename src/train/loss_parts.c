/* SPDX-License-Identifier: Apache-2.0 */
#include "train/loss_parts.h"

double loss_weight(const loss_targets *targets, size_t i)
{
    return targets->weights != NULL ? (double)targets->weights[targets->labels[i]] : 1;
}

double loss_batch_weight(const loss_targets *targets)
{
    double sum = 0;
    for (size_t i = 0; i < targets->n; i++)
        sum += loss_weight(targets, i);
    return sum;
}

size_t loss_class_count(const loss_targets *targets, int label)
{
    size_t count = 0;
    for (size_t i = 0; i < targets->n; i++)
        count += targets->labels[i] == label;
    return count;
}

float *loss_row(float *array, size_t i, size_t columns)
{
    return array != NULL ? array + i * columns : NULL;
}

/* Several sums side by side: the order is fixed, and the compiler may use vectors. */
double loss_distance(const float *a, const float *b, size_t dims)
{
    enum { LANES = 8 };
    double lanes[LANES] = {0};
    size_t whole = dims - dims % LANES;
    for (size_t d = 0; d < whole; d += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            double difference = (double)a[d + lane] - (double)b[d + lane];
            lanes[lane] += difference * difference;
        }
    for (size_t d = whole; d < dims; d++) {
        double difference = (double)a[d] - (double)b[d];
        lanes[d - whole] += difference * difference;
    }
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}
