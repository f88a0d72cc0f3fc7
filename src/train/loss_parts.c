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
