/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_LOSS_PARTS_H
#define TRAIN_LOSS_PARTS_H

/* What the losses share. */

#include "train/loss.h"

/* The weight of sample i, and of the whole batch. */
double loss_weight(const loss_targets *targets, size_t i);
double loss_batch_weight(const loss_targets *targets);

/* Samples of a class in the batch. */
size_t loss_class_count(const loss_targets *targets, int label);

/* Row i of (n, columns), or NULL when there is no array. */
float *loss_row(float *array, size_t i, size_t columns);

#endif
