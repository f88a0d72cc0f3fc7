/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_SAMPLER_H
#define DATA_SAMPLER_H

/* In which order an epoch goes through the samples. */

#include <mien/status.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sampler_kind {
    SAMPLER_IN_ORDER,
    SAMPLER_SHUFFLED, /* each sample once */
    SAMPLER_BALANCED  /* each class that has samples equally often, give or take one; within it
                         samples are drawn evenly, with replacement; all in random order */
} sampler_kind;

/*
 * Fills order, (n), with sample indices 0..n-1. labels: (n), each 0..classes-1; only BALANCED looks
 * at them, the others take NULL. The result depends on the arguments alone.
 * MIEN_INVALID_ARGUMENT (a label out of range), MIEN_OUT_OF_MEMORY.
 */
mien_status sampler_order(sampler_kind kind, const int *labels, size_t n, int classes,
                          uint64_t seed, uint64_t epoch, size_t *order, mien_error *error);

#endif
