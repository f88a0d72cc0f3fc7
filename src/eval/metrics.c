/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/metrics.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/figures.h"

#include <math.h>
#include <stdlib.h>

/* The 0.975 quantile of the normal distribution. */
#define NORMAL_QUANTILE_975 1.959963984540054

void eval_wilson_interval(size_t successes, size_t n, double *low, double *high)
{
    *low = NAN;
    *high = NAN;
    if (n == 0)
        return;
    double z = NORMAL_QUANTILE_975;
    double count = (double)n;
    double share = (double)successes / count;
    double centre = share + z * z / (2.0 * count);
    double half = z * sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count));
    double scale = 1.0 + z * z / count;
    /* At the ends the formula is exact on paper; rounding may step over by one unit. */
    *low = successes == 0 ? 0.0 : (centre - half) / scale;
    *high = successes == n ? 1.0 : (centre + half) / scale;
}

static mien_status check_row(int label, const float *probabilities, int class_count, size_t row,
                             mien_error *error)
{
    if (label < 0 || label >= class_count)
        return error_set(error, MIEN_INVALID_ARGUMENT, "row %zu: label %d is not one of 0 to %d",
                         row, label, class_count - 1);
    for (int c = 0; c < class_count; c++)
        if (!isfinite(probabilities[c]))
            return error_set(error, MIEN_INVALID_ARGUMENT,
                             "row %zu: the probability of class %d is %f, not a finite number", row,
                             c, (double)probabilities[c]);
    return MIEN_OK;
}

static mien_status check_input(const int *labels, const float *probabilities, size_t n,
                               int class_count, mien_error *error)
{
    if (n == 0)
        return error_set(error, MIEN_INVALID_ARGUMENT, "there are no samples to score");
    if (class_count < 1 || class_count > EVAL_MAX_CLASSES)
        return error_set(error, MIEN_INVALID_ARGUMENT, "%d classes; 1 to %d can be scored",
                         class_count, EVAL_MAX_CLASSES);
    mien_status status = MIEN_OK;
    for (size_t i = 0; i < n && status == MIEN_OK; i++)
        status =
            check_row(labels[i], probabilities + i * (size_t)class_count, class_count, i, error);
    return status;
}

static void count_confusion(const int *labels, const float *probabilities, eval_scores *scores)
{
    for (size_t i = 0; i < scores->n; i++) {
        int predicted =
            eval_argmax(probabilities + i * (size_t)scores->class_count, scores->class_count);
        scores->confusion[labels[i]][predicted]++;
        scores->classes[labels[i]].support++;
        scores->classes[predicted].predicted++;
    }
}

static double share(size_t part, size_t whole)
{
    return whole != 0 ? (double)part / (double)whole : NAN;
}

static void score_class(eval_class_score *class_score, size_t hits, size_t n)
{
    size_t support = class_score->support;
    size_t predicted = class_score->predicted;
    size_t false_alarms = predicted - hits;
    size_t others = n - support;
    class_score->precision = share(hits, predicted);
    class_score->recall = share(hits, support);
    class_score->specificity = share(others - false_alarms, others);
    class_score->f1 = share(2 * hits, support + predicted);
}

static void score_accuracy(eval_scores *scores)
{
    size_t hits = 0;
    for (int c = 0; c < scores->class_count; c++)
        hits += scores->confusion[c][c];
    scores->accuracy = share(hits, scores->n);
    eval_wilson_interval(hits, scores->n, &scores->accuracy_low, &scores->accuracy_high);
}

/* Mean of the values that are not NaN; NaN when all are. */
static double mean_defined(const double *values, int count)
{
    double sum = 0.0;
    int defined = 0;
    for (int i = 0; i < count; i++) {
        if (isnan(values[i]))
            continue;
        sum += values[i];
        defined++;
    }
    return defined != 0 ? sum / defined : NAN;
}

static void score_means(eval_scores *scores)
{
    double recalls[EVAL_MAX_CLASSES];
    double f1s[EVAL_MAX_CLASSES];
    double areas[EVAL_MAX_CLASSES];
    for (int c = 0; c < scores->class_count; c++) {
        const eval_class_score *score = &scores->classes[c];
        recalls[c] = score->recall; /* NaN without support */
        f1s[c] = score->support != 0 ? score->f1 : NAN;
        areas[c] = score->roc_auc;
    }
    scores->balanced_accuracy = mean_defined(recalls, scores->class_count);
    scores->macro_f1 = mean_defined(f1s, scores->class_count);
    scores->macro_roc_auc = mean_defined(areas, scores->class_count);
}

static mien_status score_roc(const int *labels, const float *probabilities, eval_scores *scores,
                             mien_error *error)
{
    eval_ranked *samples = memory_zeroed(scores->n, sizeof *samples);
    if (samples == NULL)
        return error_no_memory(error, "the ROC curve", scores->n * sizeof *samples);
    for (int c = 0; c < scores->class_count; c++) {
        for (size_t i = 0; i < scores->n; i++) {
            samples[i].score = probabilities[i * (size_t)scores->class_count + (size_t)c];
            samples[i].positive = labels[i] == c;
        }
        scores->classes[c].roc_auc = eval_roc_auc(samples, scores->n);
    }
    free(samples);
    return MIEN_OK;
}

mien_status eval_score(const int *labels, const float *probabilities, size_t n, int class_count,
                       eval_scores *scores, mien_error *error)
{
    *scores = (eval_scores){.n = n, .class_count = class_count};
    mien_status status = check_input(labels, probabilities, n, class_count, error);
    if (status != MIEN_OK)
        return status;
    count_confusion(labels, probabilities, scores);
    for (int c = 0; c < class_count; c++)
        score_class(&scores->classes[c], scores->confusion[c][c], n);
    status = score_roc(labels, probabilities, scores, error);
    if (status != MIEN_OK)
        return status;
    score_accuracy(scores);
    score_means(scores);
    scores->nll = eval_nll(labels, probabilities, n, class_count);
    scores->brier = eval_brier(labels, probabilities, n, class_count);
    scores->ece = eval_ece(labels, probabilities, n, class_count);
    return MIEN_OK;
}
