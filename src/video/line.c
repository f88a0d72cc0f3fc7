/* SPDX-License-Identifier: Apache-2.0 */
#include "video/line.h"

#include "base/error.h"
#include "base/memory.h"
#include "video/queue.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* Frames that wait between the later stations: few, as each adds to the delay. */
enum { BETWEEN = 2, THREADS = 3 };

/* Finding or reading, from one queue to the next. */
typedef struct station {
    line_work *work;
    void *context;
    queue *in, *out;
} station;

struct line {
    line_settings settings;
    slot *slots; /* (slot_count) */
    size_t slot_count;
    queue *unused, *fetched, *found, *done; /* NULL on one thread */
    station find, read;
    pthread_t threads[THREADS];
    size_t thread_count; /* that were started */
    slot *taken;         /* by the caller, or NULL */
};

static void work_on(line_work *work, void *context, slot *s)
{
    mien_error error;
    if (work(context, s, &error) == MIEN_OK)
        return;
    s->kind = SLOT_FAILURE;
    s->error = error;
}

/* ---- Threads ---- */

/* false: the line is being stopped. */
static bool hand_on(line *l, slot *s)
{
    void *oldest = NULL;
    if (s->kind == SLOT_NOTICE)
        return queue_push(l->done, s);
    if (!l->settings.drops || s->kind != SLOT_FRAME)
        return queue_push(l->fetched, s);
    return queue_push_over(l->fetched, s, &oldest) &&
           (oldest == NULL || queue_push(l->unused, oldest));
}

static void *run_fetching(void *argument)
{
    line *l = argument;
    bool more = true;
    while (more) {
        slot *s = queue_pop_newest(l->unused, INFINITY);
        if (s == NULL)
            break;
        work_on(l->settings.fetch, l->settings.context, s);
        more = s->kind == SLOT_FRAME || s->kind == SLOT_NOTICE;
        more = hand_on(l, s) && more;
    }
    return NULL;
}

static void *run_station(void *argument)
{
    const station *here = argument;
    bool more = true;
    while (more) {
        slot *s = queue_pop(here->in, INFINITY);
        if (s == NULL)
            break;
        if (s->kind == SLOT_FRAME)
            work_on(here->work, here->context, s);
        more = s->kind == SLOT_FRAME;
        more = queue_push(here->out, s) && more;
    }
    queue_close(here->in); /* after a failure, whoever is before has nothing more to do */
    return NULL;
}

static bool start_thread(line *l, void *(*run)(void *), void *argument)
{
    bool started = pthread_create(&l->threads[l->thread_count], NULL, run, argument) == 0;
    if (started)
        l->thread_count++;
    return started;
}

static mien_status start_threads(line *l, mien_error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    l->find = (station){l->settings.find, l->settings.context, l->fetched, l->found};
    l->read = (station){l->settings.read, l->settings.context, l->found, l->done};
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = start_thread(l, run_fetching, l) && start_thread(l, run_station, &l->find) &&
                   start_thread(l, run_station, &l->read);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started ? MIEN_OK : error_set(error, MIEN_OUT_OF_MEMORY, "cannot start a thread");
}

/* ---- Starting and stopping ---- */

static mien_status make_slots(line *l, size_t count, mien_error *error)
{
    l->slots = memory_zeroed(count, sizeof *l->slots);
    if (l->slots == NULL)
        return error_no_memory(error, "frames", count * sizeof *l->slots);
    l->slot_count = count;
    return MIEN_OK;
}

/* One slot for each place that a frame can be at, so that fetching never lacks one: the queues, the
 * threads, the caller. */
static mien_status make_queues(line *l, mien_error *error)
{
    size_t waiting = l->settings.waiting;
    mien_status status = make_slots(l, waiting + 2 * BETWEEN + THREADS + 1, error);
    if (status == MIEN_OK)
        status = queue_create(l->slot_count, &l->unused, error);
    if (status == MIEN_OK)
        status = queue_create(waiting, &l->fetched, error);
    if (status == MIEN_OK)
        status = queue_create(BETWEEN, &l->found, error);
    if (status == MIEN_OK)
        status = queue_create(BETWEEN, &l->done, error);
    for (size_t i = 0; status == MIEN_OK && i < l->slot_count; i++)
        queue_push(l->unused, &l->slots[i]);
    return status;
}

mien_status line_start(const line_settings *settings, line **out, mien_error *error)
{
    *out = NULL;
    line *l = memory_zeroed(1, sizeof *l);
    if (l == NULL)
        return error_no_memory(error, "a line of frames", sizeof *l);
    l->settings = *settings;
    mien_status status = settings->one_thread ? make_slots(l, 1, error) : make_queues(l, error);
    if (status == MIEN_OK && !settings->one_thread)
        status = start_threads(l, error);
    if (status != MIEN_OK) {
        line_stop(l);
        return status;
    }
    *out = l;
    return MIEN_OK;
}

void line_stop(line *l)
{
    if (l == NULL)
        return;
    queue *const queues[] = {l->unused, l->fetched, l->found, l->done};
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        if (queues[i] != NULL)
            queue_close(queues[i]);
    for (size_t i = 0; i < l->thread_count; i++)
        pthread_join(l->threads[i], NULL);
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        queue_free(queues[i]);
    for (size_t i = 0; i < l->slot_count; i++)
        slot_free(&l->slots[i]);
    free(l->slots);
    free(l);
}

/* ---- The end of the line ---- */

static slot *work_alone(const line *l)
{
    slot *s = &l->slots[0];
    work_on(l->settings.fetch, l->settings.context, s);
    if (s->kind == SLOT_FRAME)
        work_on(l->settings.find, l->settings.context, s);
    if (s->kind == SLOT_FRAME)
        work_on(l->settings.read, l->settings.context, s);
    return s;
}

const slot *line_next(line *l, double wait_s)
{
    if (l->settings.one_thread)
        return work_alone(l);
    if (l->taken != NULL)
        queue_push(l->unused, l->taken);
    l->taken = queue_pop(l->done, wait_s);
    return l->taken;
}
