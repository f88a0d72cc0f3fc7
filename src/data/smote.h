/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_SMOTE_H
#define DATA_SMOTE_H

/*
 * SMOTE: synthetic samples of a small class (Chawla et al. 2002), of pixels or of features.
 */

#include "base/random.h"
#include "data/dataset.h"

/*
 * Makes m samples between samples of one class: x + u (y - x) with y one of the k nearest
 * neighbours of x (Euclidean; of equals the earlier), drawn evenly, and u uniform in 0..1, one for
 * the whole sample. x goes through the samples in turn, in an order drawn anew for each round, so
 * that each is used equally often, give or take one.
 *
 * samples: (n, dims), n at least 2. k: at least 1; n - 1 when there are fewer. synthetic: (m,
 * dims), the caller's. Pure: the result depends on the arguments alone. Time n^2 dims.
 * MIEN_INVALID_ARGUMENT (n, dims or k too small), MIEN_OUT_OF_MEMORY; then synthetic is as it was.
 */
mien_status smote_make(const float *samples, size_t n, size_t dims, size_t k, size_t m,
                       random_state *random, float *synthetic, mien_error *error);

/*
 * Synthetic pictures for a set: each class gets as many as bring it to `share` (0..1) of the size
 * of the biggest one; a class of less than two pictures gets none. Pixels are rounded; votes lie
 * between those of the two pictures as the pixels do. All pictures must have one size and format,
 * and be faces as a whole.
 * Success: *synthetic is the caller's, freed with dataset_free, and may be empty; only new pictures
 * are in it, without rows and paths. Failure: *synthetic is zeroed; MIEN_UNSUPPORTED (pictures that
 * differ), and errors of smote_make. The result depends on the arguments alone.
 */
mien_status smote_pictures(const dataset *set, float share, size_t k, uint64_t seed,
                           dataset *synthetic, mien_error *error);

#endif
