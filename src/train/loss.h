/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

/*
 * Losses as functions of a batch: the mean loss and its gradient. logits: (n, classes), features:
 * (n, dims), labels: (n), all row-major. Gradients are *added* to the array that is given, so that
 * losses can be joined. Sums are in double and in the order of the batch: the result does not
 * depend on threads. Pure functions; what a loss learns (centres) lives in the caller's object.
 *
 * Every mean is weighted: sum of w loss / sum of w, over the samples it is of; without any, the
 * loss is 0. The value returned is times factor, too, so that the values of joined losses add up;
 * gradient is that of this value, and may be NULL.
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
 * 2016). Mean over the batch.
 */
double loss_softmax(const loss_targets *targets, const float *logits, float smoothing, float factor,
                    float *gradient);

/* Focal loss, -sum of t (1 - p)^gamma log p, gamma 0 or more, on the softmax (Lin et al. 2017). */
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
    float *moved;   /* (classes, dims), scratch */
} loss_centres;

/*
 * All centres at 0. Success: freed with loss_centres_free. Failure: *centres is zeroed;
 * MIEN_INVALID_ARGUMENT (no class, no dimension), MIEN_OUT_OF_MEMORY.
 */
mien_status loss_centres_create(int classes, size_t dims, loss_centres *centres, mien_error *error);
void loss_centres_free(loss_centres *centres);

/*
 * Centre loss: mean of 1/2 |x - c_label|^2; the gradient is of the features.
 * loss_centres_update then moves the centres by the rate alpha (0..1):
 * c_j -= alpha * sum(c_j - x_i of class j) / (1 + count of class j). Class weights do not matter.
 */
double loss_centre(const loss_targets *targets, const float *features, const loss_centres *centres,
                   float factor, float *gradient);
void loss_centres_update(loss_centres *centres, const loss_targets *targets, const float *features,
                         float alpha);

/*
 * Island loss (Cai et al. 2018): centre loss + lambda1 * sum over j and k != j (each pair of
 * centres twice) of (cos(c_j, c_k) + 1); a centre at 0 has cosine 0 to all. The features get the
 * centre loss's gradient; the pair term moves the centres only. loss_island_update moves them as
 * the paper does, all at once: by loss_centres_update and by -alpha * lambda1 / (classes - 1) *
 * sum over k != j of the gradient of cos(c_j, c_k) in c_j.
 */
double loss_island(const loss_targets *targets, const float *features, const loss_centres *centres,
                   float lambda1, float factor, float *gradient);
void loss_island_update(loss_centres *centres, const loss_targets *targets, const float *features,
                        float lambda1, float alpha);

/*
 * Locality-preserving loss (Li, Deng, Du 2017): mean of 1/2 |x_i - mean of its k nearest features
 * of the same class in the batch|^2, that mean held constant. k: 1..LOSS_MOST_NEIGHBOURS, more
 * count as that; with fewer of its class all are taken, alone in its class a sample's loss is 0.
 */
double loss_locality(const loss_targets *targets, const float *features, size_t dims, int k,
                     float factor, float *gradient);

#define LOSS_MOST_NEIGHBOURS 64

/*
 * Triplet loss with the hardest positive p and negative n in the batch (Schroff et al. 2015;
 * Hermans et al. 2017): max(0, |x - p|^2 - |x - n|^2 + margin), mean over the anchors x that have
 * both. All three get a gradient.
 */
double loss_triplet(const loss_targets *targets, const float *features, size_t dims, float margin,
                    float factor, float *gradient);

/*
 * (N+M)-tuplet cluster loss (Liu et al. 2017). A class with N >= 2 samples x in the batch and M >=
 * 1 of other classes is a cluster around c, the mean of the N, held constant. In the paper
 * positives stay within T - margin / 2 of c and negatives beyond T + margin / 2, in squared
 * distance. Here the nearest negative n sets the threshold, T = |n - c|^2 - margin / 2, so that
 * nothing is left to tune or learn but the margin:
 *   max(0, |x - c|^2 - |n - c|^2 + margin), mean over the samples of all clusters.
 * x and n get a gradient. centre: (dims) doubles of scratch.
 */
double loss_tuplet_cluster(const loss_targets *targets, const float *features, size_t dims,
                           float margin, float factor, float *gradient, double *centre);

#endif
