/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_BATCHES_H
#define TRAIN_BATCHES_H

/*
 * Batches of prepared inputs, made ahead on threads of their own while the network learns. What is
 * in a batch depends on seed, epoch and position alone, so that a run replays, however many threads
 * make them.
 */

#include "data/augment.h"
#include "data/dataset.h"
#include "data/sampler.h"
#include "prep/prep.h"
#include "train/teacher.h"

#define BATCH_MAX_WORKERS 16

typedef struct train_batch {
    float *inputs;  /* (n, channels, height, width) */
    float *shares;  /* (n, classes): what each picture should be */
    int *labels;    /* (n) */
    float *teacher; /* (n, classes): what the teachers say, logits; NULL without */
    size_t n;
} train_batch;

typedef struct batch_settings {
    const dataset *set;
    const prep_settings *prep;
    const augment_settings *augment;
    int batch;
    float mixup, cutmix; /* alpha, 0: off */
    uint64_t seed;
    sampler_kind sampler;
    const train_teachers *teachers; /* made for this batch; NULL for none */
    int workers;                    /* threads, 1..BATCH_MAX_WORKERS; 0 for 1 */
} batch_settings;

typedef struct batch_maker batch_maker;

/* Success: *out is the caller's, free with batch_maker_free. What settings points at must outlive
 * it. Failure: *out is NULL. */
mien_status batch_maker_create(const batch_settings *settings, batch_maker **out,
                               mien_error *error);
void batch_maker_free(batch_maker *maker);

/* Begins an epoch (0..), the one before being taken whole or not at all: a new order of the
 * samples. The last, incomplete batch is left out. Errors of sampler_order. */
mien_status batch_maker_begin(batch_maker *maker, int64_t epoch, mien_error *error);
int64_t batch_maker_per_epoch(const batch_maker *maker);

/*
 * The next batch of the epoch, valid until the next call. MIEN_OUT_OF_MEMORY and what prep_fill
 * reports.
 */
mien_status batch_maker_next(batch_maker *maker, const train_batch **batch, mien_error *error);

#endif
