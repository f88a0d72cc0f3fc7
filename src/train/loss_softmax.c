/* SPDX-License-Identifier: Apache-2.0 */
#include "train/loss_parts.h"

#include <math.h>

/* The softmax of one row of logits. */
typedef struct distribution {
    const float *logits;
    double temperature, largest, log_total;
} distribution;

/* The total is taken without the largest share, which is 1: small rests keep their digits. */
static distribution distribution_of(const float *logits, int classes, double temperature)
{
    int top = 0;
    for (int c = 1; c < classes; c++)
        if (logits[c] > logits[top])
            top = c;
    double rest = 0;
    for (int c = 0; c < classes; c++)
        if (c != top)
            rest += exp(((double)logits[c] - (double)logits[top]) / temperature);
    return (distribution){logits, temperature, (double)logits[top], log1p(rest)};
}

static double log_probability(const distribution *d, int c)
{
    return ((double)d->logits[c] - d->largest) / d->temperature - d->log_total;
}

/* The share of class c that sample i should have. */
static double target_of(const loss_targets *targets, size_t i, int c)
{
    if (targets->shares != NULL)
        return (double)targets->shares[i * (size_t)targets->classes + (size_t)c];
    return targets->labels[i] == c ? 1 : 0;
}

/* ---- Cross-entropy ---- */

static double softmax_sample(const loss_targets *targets, size_t i, const float *logits,
                             double smoothing, double part, float *gradient)
{
    distribution d = distribution_of(logits, targets->classes, 1);
    double loss = 0, target_sum = 0;
    for (int c = 0; c < targets->classes; c++) {
        double target = (1 - smoothing) * target_of(targets, i, c) + smoothing / targets->classes;
        target_sum += target;
        if (target != 0)
            loss -= target * log_probability(&d, c);
    }
    for (int c = 0; c < targets->classes && gradient != NULL; c++) {
        double target = (1 - smoothing) * target_of(targets, i, c) + smoothing / targets->classes;
        gradient[c] += (float)(part * (target_sum * exp(log_probability(&d, c)) - target));
    }
    return part * loss;
}

double loss_softmax(const loss_targets *targets, const float *logits, float smoothing, float factor,
                    float *gradient)
{
    size_t classes = (size_t)targets->classes;
    double total = loss_batch_weight(targets), loss = 0;
    if (!(total > 0))
        return 0;
    for (size_t i = 0; i < targets->n; i++)
        loss += softmax_sample(targets, i, logits + i * classes, (double)smoothing,
                               (double)factor * loss_weight(targets, i) / total,
                               loss_row(gradient, i, classes));
    return loss;
}

/* ---- Focal ---- */

/* p times the derivative of -(1 - p)^gamma log p; at p = 1 its limit. */
static double focal_slope(double log_p, double rest, double gamma)
{
    double slope = -pow(rest, gamma);
    if (rest > 0)
        slope += gamma * exp(log_p) * log_p * pow(rest, gamma - 1);
    return slope;
}

static double focal_sample(const loss_targets *targets, size_t i, const float *logits, double gamma,
                           double part, float *gradient)
{
    distribution d = distribution_of(logits, targets->classes, 1);
    double loss = 0, slopes = 0;
    for (int c = 0; c < targets->classes; c++) {
        double target = target_of(targets, i, c);
        if (target == 0)
            continue;
        double log_p = log_probability(&d, c), rest = -expm1(log_p);
        loss -= target * pow(rest, gamma) * log_p;
        double slope = target * focal_slope(log_p, rest, gamma);
        slopes += slope;
        if (gradient != NULL)
            gradient[c] += (float)(part * slope);
    }
    for (int c = 0; c < targets->classes && gradient != NULL; c++)
        gradient[c] -= (float)(part * slopes * exp(log_probability(&d, c)));
    return part * loss;
}

double loss_focal(const loss_targets *targets, const float *logits, float gamma, float factor,
                  float *gradient)
{
    size_t classes = (size_t)targets->classes;
    double total = loss_batch_weight(targets), loss = 0;
    if (!(total > 0))
        return 0;
    for (size_t i = 0; i < targets->n; i++)
        loss += focal_sample(targets, i, logits + i * classes, (double)gamma,
                             (double)factor * loss_weight(targets, i) / total,
                             loss_row(gradient, i, classes));
    return loss;
}

/* ---- Distillation ---- */

static double distill_sample(const float *logits, const float *teacher, int classes,
                             double temperature, double part, float *gradient)
{
    distribution student = distribution_of(logits, classes, temperature);
    distribution wanted = distribution_of(teacher, classes, temperature);
    double divergence = 0;
    for (int c = 0; c < classes; c++) {
        double log_p = log_probability(&student, c), log_q = log_probability(&wanted, c);
        double q = exp(log_q);
        if (q > 0)
            divergence += q * (log_q - log_p);
        if (gradient != NULL)
            gradient[c] += (float)(part * temperature * (exp(log_p) - q));
    }
    return part * temperature * temperature * divergence;
}

double loss_distill(const loss_targets *targets, const float *logits, const float *teacher,
                    float temperature, float factor, float *gradient)
{
    size_t classes = (size_t)targets->classes;
    double total = loss_batch_weight(targets), loss = 0;
    if (!(total > 0))
        return 0;
    for (size_t i = 0; i < targets->n; i++)
        loss += distill_sample(
            logits + i * classes, teacher + i * classes, targets->classes, (double)temperature,
            (double)factor * loss_weight(targets, i) / total, loss_row(gradient, i, classes));
    return loss;
}
