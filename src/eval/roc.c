/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/figures.h"

#include <math.h>
#include <stdlib.h>

static int compare_scores(const void *a, const void *b)
{
    const eval_ranked *first = a;
    const eval_ranked *second = b;
    return (first->score > second->score) - (first->score < second->score);
}

/* Sum of the ranks (from 1) of the positives; equal scores share the mean of their ranks. */
static double positive_rank_sum(const eval_ranked *samples, size_t n)
{
    double sum = 0.0;
    size_t begin = 0;
    while (begin < n) {
        size_t end = begin;
        size_t positives = 0;
        while (end < n && samples[end].score == samples[begin].score)
            positives += samples[end++].positive != 0;
        double midrank = ((double)begin + 1.0 + (double)end) / 2.0;
        sum += midrank * (double)positives;
        begin = end;
    }
    return sum;
}

double eval_roc_auc(eval_ranked *samples, size_t n)
{
    size_t positive_count = 0;
    for (size_t i = 0; i < n; i++)
        positive_count += samples[i].positive != 0;
    if (positive_count == 0 || positive_count == n)
        return NAN;
    qsort(samples, n, sizeof *samples, compare_scores);
    double positives = (double)positive_count;
    double negatives = (double)(n - positive_count);
    double wins = positive_rank_sum(samples, n) - positives * (positives + 1.0) / 2.0;
    return wins / (positives * negatives);
}
