/* SPDX-License-Identifier: Apache-2.0 */
#include "video/queue.h"

#include "base/error.h"
#include "base/memory.h"
#include "video/clock.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t capacity;
    size_t first, count; /* a ring */
    bool closed;
    void **items; /* (capacity) */
};

static bool create_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool done = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return done;
}

mien_status queue_create(size_t capacity, queue **out, mien_error *error)
{
    *out = NULL;
    queue *q = memory_zeroed(1, sizeof *q);
    void **items = memory_zeroed(capacity, sizeof *items);
    if (q == NULL || items == NULL || !create_condition(&q->changed)) {
        free(items);
        free(q);
        return error_no_memory(error, "a queue", capacity * sizeof *items);
    }
    pthread_mutex_init(&q->mutex, NULL);
    q->capacity = capacity;
    q->items = items;
    *out = q;
    return MIEN_OK;
}

void queue_free(queue *q)
{
    if (q == NULL)
        return;
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->mutex);
    free(q->items);
    free(q);
}

/* ---- With the lock held ---- */

static void add(queue *q, void *item)
{
    q->items[(q->first + q->count++) % q->capacity] = item;
    pthread_cond_broadcast(&q->changed);
}

static void *take_oldest(queue *q)
{
    void *item = q->items[q->first];
    q->first = (q->first + 1) % q->capacity;
    q->count--;
    pthread_cond_broadcast(&q->changed);
    return item;
}

static void *take_newest(queue *q)
{
    void *item = q->items[(q->first + --q->count) % q->capacity];
    pthread_cond_broadcast(&q->changed);
    return item;
}

/* ---- From outside ---- */

bool queue_push(queue *q, void *item)
{
    pthread_mutex_lock(&q->mutex);
    while (!q->closed && q->count == q->capacity)
        pthread_cond_wait(&q->changed, &q->mutex);
    bool open = !q->closed;
    if (open)
        add(q, item);
    pthread_mutex_unlock(&q->mutex);
    return open;
}

bool queue_push_over(queue *q, void *item, void **oldest)
{
    *oldest = NULL;
    pthread_mutex_lock(&q->mutex);
    bool open = !q->closed;
    if (open && q->count == q->capacity)
        *oldest = take_oldest(q);
    if (open)
        add(q, item);
    pthread_mutex_unlock(&q->mutex);
    return open;
}

static void *pop(queue *q, double wait_s, void *(*take)(queue *))
{
    struct timespec deadline = clock_deadline(wait_s);
    int code = 0;
    pthread_mutex_lock(&q->mutex);
    while (!q->closed && q->count == 0 && code == 0)
        code = pthread_cond_timedwait(&q->changed, &q->mutex, &deadline);
    void *item = !q->closed && q->count > 0 ? take(q) : NULL;
    pthread_mutex_unlock(&q->mutex);
    return item;
}

void *queue_pop(queue *q, double wait_s)
{
    return pop(q, wait_s, take_oldest);
}

void *queue_pop_newest(queue *q, double wait_s)
{
    return pop(q, wait_s, take_newest);
}

void queue_close(queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->closed = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}
