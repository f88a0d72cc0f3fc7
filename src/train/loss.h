/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

/*
 * Losses as functions of a batch: the mean loss and its gradient. logits: (n, classes), features:
 * (n, dims), labels: (n), all row-major. Gradients are *added* to the array that is given, so that
 * losses can be joined. Sums are in double and in the order of the batch: the result does not
 * depend on threads. Pure functions; what a loss learns (centres) lives in the caller's object.
 */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>

/* What a batch should be. */
typedef struct loss_targets {
    size_t n;
    int classes;
    const int *labels;    /* (n); the class with the largest share */
    const float *shares;  /* (n, classes), each row sums to 1; NULL: all of it is the label's */
    const float *weights; /* (classes) or NULL for 1: each sample counts by its label's */
} loss_targets;

/*
 * Softmax cross-entropy with label smoothing e: target (1 - e) t + e / classes (Szegedy et al.
 * 2016). Mean over the batch, weighted by class weights (sum of w loss / sum of w).
 */
double loss_softmax(const loss_targets *targets, const float *logits, float smoothing, float factor,
                    float *gradient);

/* Focal loss, gamma 0 or more, on the softmax (Lin et al. 2017). */
double loss_focal(const loss_targets *targets, const float *logits, float gamma, float factor,
                  float *gradient);

/* Distillation: T^2 KL(softmax(teacher / T) || softmax(logits / T)) (Hinton et al. 2015).
 * teacher: logits (n, classes). */
double loss_distill(const loss_targets *targets, const float *logits, const float *teacher,
                    float temperature, float factor, float *gradient);

/* Class centres (Wen et al. 2016), the caller's; starts zeroed. */
typedef struct loss_centres {
    int classes;
    size_t dims;
    float *centres; /* (classes, dims) */
} loss_centres;

mien_status loss_centres_create(int classes, size_t dims, loss_centres *centres, mien_error *error);
void loss_centres_free(loss_centres *centres);

/*
 * Centre loss: mean of 1/2 |x - c_label|^2. gradient: of the features, may be NULL.
 * loss_centres_update then moves the centres by the rate alpha (0..1):
 * c_j -= alpha * sum(c_j - x_i of class j) / (1 + count of class j).
 */
double loss_centre(const loss_targets *targets, const float *features, const loss_centres *centres,
                   float factor, float *gradient);
void loss_centres_update(loss_centres *centres, const loss_targets *targets, const float *features,
                         float alpha);

/*
 * Island loss (Cai et al. 2018): centre loss + lambda1 * sum over pairs of centres j != k of
 * (cos(c_j, c_k) + 1). The pair term moves the centres only (their gradient is applied in
 * loss_island_update with the rate alpha); the features get the centre loss's gradient.
 */
double loss_island(const loss_targets *targets, const float *features, const loss_centres *centres,
                   float lambda1, float factor, float *gradient);
void loss_island_update(loss_centres *centres, const loss_targets *targets, const float *features,
                        float lambda1, float alpha);

/* Locality-preserving loss (Li, Deng, Du 2017): mean of 1/2 |x_i - mean of its k nearest features
 * of the same class in the batch|^2, the neighbours held constant. */
double loss_locality(const loss_targets *targets, const float *features, size_t dims, int k,
                     float factor, float *gradient);

/* Triplet loss on squared distances with the hardest positive and negative in the batch (Schroff et
 * al. 2015; Hermans et al. 2017), mean over anchors that have both. */
double loss_triplet(const loss_targets *targets, const float *features, size_t dims, float margin,
                    float factor, float *gradient);

/*
 * (N+M)-tuplet cluster loss (Liu et al. 2017): for each class with at least two samples in the
 * batch, its samples against their mean, the nearest negative as reference. The header of loss_*.c
 * states the exact form; the mean is held constant in the gradient.
 */
double loss_tuplet_cluster(const loss_targets *targets, const float *features, size_t dims,
                           float margin, float factor, float *gradient);

#endif
