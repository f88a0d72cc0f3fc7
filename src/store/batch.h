/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

/* A session's way into its store: its head once, then a transaction for each batch. */

#include "store/store.h"

/* What came in since the last batch. */
typedef struct store_batch {
    int64_t number; /* from 1, rising; after a failure the same may be written again, as it was */
    double length_s;
    bool ended;
    size_t sample_count;
    const timeline_sample *samples;
    const float *probabilities; /* (sample_count, class_count) */
    int64_t first_sample;       /* numbers of the first of each in the session */
    size_t event_count;
    const store_event *events;
    int64_t first_event;
} store_batch;

/* The head of a session; *id: the number that it got. Errors as of store_writer_open. */
mien_status batch_begin(store *store, const store_session *session, int64_t *id, mien_error *error);

/*
 * Writes a batch whole or not at all; one that is there already is passed over (a connection that
 * breaks off may have kept it). MIEN_NOT_FOUND: somebody deleted the session.
 */
mien_status batch_write(store *store, int64_t session, int class_count, const store_batch *batch,
                        mien_error *error);

#endif
