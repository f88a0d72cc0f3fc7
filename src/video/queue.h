/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_QUEUE_H
#define VIDEO_QUEUE_H

/*
 * A bounded queue between threads: first in, first out. It holds pointers and never looks behind
 * them. After queue_create nothing is allocated. All functions are thread-safe.
 */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct queue queue;

/*
 * capacity: at least 1. Success: *out is the caller's, free with queue_free once no thread uses it.
 * Failure: *out is NULL; MIEN_OUT_OF_MEMORY.
 */
mien_status queue_create(size_t capacity, queue **out, mien_error *error);

/* What it still holds stays its owner's. NULL is fine. */
void queue_free(queue *queue);

/* Adds an item, waiting for room. false: the queue is closed, the item is still the caller's. */
bool queue_push(queue *queue, void *item);

/*
 * Adds an item without waiting: where there is no room, the oldest goes and is the caller's in
 * *oldest, else NULL. false: the queue is closed, the item is still the caller's.
 */
bool queue_push_over(queue *queue, void *item, void **oldest);

/* Takes out the oldest item, or the newest. NULL: none came within wait_s seconds (INFINITY for as
 * long as it takes), or the queue is closed. */
void *queue_pop(queue *queue, double wait_s);
void *queue_pop_newest(queue *queue, double wait_s);

/* From here on nothing goes in or out, and nobody waits. What the queue holds stays its owner's. */
void queue_close(queue *queue);

#endif
