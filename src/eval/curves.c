/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/curves.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- ROC ---- */

static int compare_falling(const void *a, const void *b)
{
    const eval_ranked *first = a, *second = b;
    return (first->score < second->score) - (first->score > second->score);
}

static bool far_apart(eval_roc_point a, eval_roc_point b)
{
    const float step = 1.0f / 64;
    return b.false_positives - a.false_positives >= step ||
           b.true_positives - a.true_positives >= step;
}

/* Goes down the scores; equal scores are one step. */
static size_t walk(const eval_ranked *samples, size_t n, size_t positives, eval_roc_point *points)
{
    size_t count = 1, hits = 0, alarms = 0;
    points[0] = (eval_roc_point){0, 0};
    for (size_t i = 0; i < n;) {
        float score = samples[i].score;
        for (; i < n && samples[i].score == score; i++) {
            hits += samples[i].positive != 0;
            alarms += samples[i].positive == 0;
        }
        eval_roc_point point = {(float)((double)alarms / (double)(n - positives)),
                                (float)((double)hits / (double)positives)};
        if (far_apart(points[count - 1], point) && i < n && count < EVAL_ROC_POINTS - 1)
            points[count++] = point;
    }
    points[count++] = (eval_roc_point){1, 1};
    return count;
}

mien_status eval_roc_curve(const int *labels, const float *probabilities, size_t n, int class_count,
                           int index, eval_roc_point points[EVAL_ROC_POINTS], size_t *count,
                           mien_error *error)
{
    size_t positives = 0;
    *count = 0;
    eval_ranked *samples = memory_zeroed(n, sizeof *samples);
    if (samples == NULL)
        return error_no_memory(error, "a ROC curve", n * sizeof *samples);
    for (size_t i = 0; i < n; i++) {
        samples[i].score = probabilities[i * (size_t)class_count + (size_t)index];
        samples[i].positive = labels[i] == index;
        positives += labels[i] == index;
    }
    qsort(samples, n, sizeof *samples, compare_falling);
    if (positives > 0 && positives < n)
        *count = walk(samples, n, positives, points);
    free(samples);
    return MIEN_OK;
}

/* ---- Reliability (Guo et al. 2017) ---- */

/* The bin (k/15, (k+1)/15] of a confidence. The product is exact: 24 bits times 4 bits. */
static int bin_of(double confidence)
{
    double bin = ceil(confidence * EVAL_ECE_BINS) - 1.0;
    return (int)fmin(fmax(bin, 0.0), EVAL_ECE_BINS - 1.0);
}

void eval_reliability(const int *labels, const float *probabilities, size_t n, int class_count,
                      eval_bin bins[EVAL_ECE_BINS])
{
    memset(bins, 0, EVAL_ECE_BINS * sizeof *bins);
    for (size_t i = 0; i < n; i++) {
        const float *row = probabilities + i * (size_t)class_count;
        int predicted = eval_argmax(row, class_count);
        eval_bin *bin = &bins[bin_of((double)row[predicted])];
        bin->count++;
        bin->confidence += (double)row[predicted];
        bin->accuracy += predicted == labels[i] ? 1.0 : 0.0;
    }
    for (int b = 0; b < EVAL_ECE_BINS; b++)
        if (bins[b].count > 0) {
            bins[b].confidence /= (double)bins[b].count;
            bins[b].accuracy /= (double)bins[b].count;
        }
}

double eval_ece(const int *labels, const float *probabilities, size_t n, int class_count)
{
    eval_bin bins[EVAL_ECE_BINS];
    double error = 0.0;
    eval_reliability(labels, probabilities, n, class_count, bins);
    for (int b = 0; b < EVAL_ECE_BINS; b++)
        error += (double)bins[b].count * fabs(bins[b].accuracy - bins[b].confidence);
    return error / (double)n;
}

/* ---- The most confident ---- */

static double confidence_of(const float *row, int class_count)
{
    return (double)row[eval_argmax(row, class_count)];
}

size_t eval_most_confident(const int *labels, const float *probabilities, size_t n, int class_count,
                           const eval_search *search, size_t *order)
{
    size_t count = 0, classes = (size_t)class_count;
    for (size_t i = 0; i < n; i++) {
        const float *row = probabilities + i * classes;
        bool right = eval_argmax(row, class_count) == labels[i];
        if (right != search->right || (search->label >= 0 && labels[i] != search->label))
            continue;
        size_t place = count;
        while (place > 0 && confidence_of(probabilities + order[place - 1] * classes, class_count) <
                                confidence_of(row, class_count))
            place--;
        if (place == search->most)
            continue;
        count += count < search->most;
        memmove(order + place + 1, order + place, (count - 1 - place) * sizeof *order);
        order[place] = i;
    }
    return count;
}
