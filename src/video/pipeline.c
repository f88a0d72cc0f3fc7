/* SPDX-License-Identifier: Apache-2.0 */
#include "video/pipeline.h"

#include "base/error.h"
#include "base/memory.h"
#include "video/clock.h"
#include "video/queue.h"
#include "video/stages.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Frames that wait for a stage: few, as each adds to the delay, or to the memory. */
enum { FILE_WAITING = 2, BETWEEN_STAGES = 2 };

/* The longest wait before a look at whether the source is silent. */
#define SILENCE_STEP_S 1.0

/* Finding or reading on a thread of its own, from one queue to the next. */
typedef struct worker {
    pipeline *pipeline;
    stage_work *work;
    queue *in, *out;
} worker;

enum { WORKERS = 2, THREADS = WORKERS + 1 };

struct pipeline {
    char *name;
    pipeline_settings settings;
    stages stages;
    bool live;
    atomic_bool closing;
    slot *slots; /* (slot_count) */
    size_t slot_count;
    queue *unused, *fetched, *found, *done; /* NULL on one thread */
    worker workers[WORKERS];
    pthread_t threads[THREADS];
    size_t thread_count; /* that were started */
    /* Of the caller's thread: */
    slot *published; /* the slot that the caller looks at, or NULL */
    bool ended;
    bool silent; /* it was said that the source is */
    int64_t published_count, skipped, people_count;
    char notice[MIEN_ERROR_MESSAGE_SIZE];
};

/* ---- Threads ---- */

/* false: the pipeline is being closed. */
static bool hand_on(pipeline *p, slot *s)
{
    void *oldest = NULL;
    if (s->kind == SLOT_NOTICE)
        return queue_push(p->done, s);
    if (!p->live || s->kind != SLOT_FRAME)
        return queue_push(p->fetched, s);
    return queue_push_over(p->fetched, s, &oldest) &&
           (oldest == NULL || queue_push(p->unused, oldest));
}

static void *fetch_all(void *argument)
{
    pipeline *p = argument;
    bool more = true;
    while (more) {
        slot *s = queue_pop_newest(p->unused, INFINITY);
        if (s == NULL)
            break;
        stage_do(stage_fetch, &p->stages, s);
        more = s->kind == SLOT_FRAME || s->kind == SLOT_NOTICE;
        more = hand_on(p, s) && more;
    }
    return NULL;
}

static void *work_through(void *argument)
{
    const worker *w = argument;
    bool more = true;
    while (more) {
        slot *s = queue_pop(w->in, INFINITY);
        if (s == NULL)
            break;
        stage_do(w->work, &w->pipeline->stages, s);
        more = s->kind == SLOT_FRAME;
        more = queue_push(w->out, s) && more;
    }
    queue_close(w->in); /* after a failure, whoever is before has nothing more to do */
    return NULL;
}

static bool start_thread(pipeline *p, void *(*run)(void *), void *argument)
{
    bool started = pthread_create(&p->threads[p->thread_count], NULL, run, argument) == 0;
    if (started)
        p->thread_count++;
    return started;
}

static mien_status start_threads(pipeline *p, mien_error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    p->workers[0] = (worker){p, stage_find, p->fetched, p->found};
    p->workers[1] = (worker){p, stage_read, p->found, p->done};
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = start_thread(p, fetch_all, p) && start_thread(p, work_through, &p->workers[0]) &&
                   start_thread(p, work_through, &p->workers[1]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started ? MIEN_OK : error_set(error, MIEN_OUT_OF_MEMORY, "cannot start a thread");
}

static void stop_threads(pipeline *p)
{
    queue *const queues[] = {p->unused, p->fetched, p->found, p->done};
    atomic_store(&p->closing, true);
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        if (queues[i] != NULL)
            queue_close(queues[i]);
    for (size_t i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        queue_free(queues[i]);
}

/* ---- Opening and closing ---- */

static mien_status make_slots(pipeline *p, size_t count, mien_error *error)
{
    p->slots = memory_zeroed(count, sizeof *p->slots);
    if (p->slots == NULL)
        return error_no_memory(error, "frames", count * sizeof *p->slots);
    p->slot_count = count;
    return MIEN_OK;
}

/* One slot for each place that a frame can be at, so that fetching never lacks one: the queues, the
 * three threads, the caller. */
static mien_status make_queues(pipeline *p, mien_error *error)
{
    size_t waiting = p->live ? PIPELINE_WAITING : FILE_WAITING;
    mien_status status = make_slots(p, waiting + 2 * BETWEEN_STAGES + THREADS + 1, error);
    if (status == MIEN_OK)
        status = queue_create(p->slot_count, &p->unused, error);
    if (status == MIEN_OK)
        status = queue_create(waiting, &p->fetched, error);
    if (status == MIEN_OK)
        status = queue_create(BETWEEN_STAGES, &p->found, error);
    if (status == MIEN_OK)
        status = queue_create(BETWEEN_STAGES, &p->done, error);
    for (size_t i = 0; status == MIEN_OK && i < p->slot_count; i++)
        queue_push(p->unused, &p->slots[i]);
    return status;
}

static bool is_stopped(void *context)
{
    const pipeline *p = context;
    const video_source_options *asked = &p->settings.source;
    return atomic_load(&p->closing) || (asked->stopped != NULL && asked->stopped(asked->context));
}

static mien_status open_stages(pipeline *p, const char *name, const mien_model *model,
                               const mien_detector *detector, mien_error *error)
{
    stream_settings wanted = {
        .source = p->settings.source, .play = p->settings.live, .rate = p->settings.rate};
    wanted.source.stopped = is_stopped;
    wanted.source.context = p;
    if (!(wanted.source.rate > 0))
        wanted.source.rate = p->settings.rate;
    mien_status status =
        stages_open(name, model, detector, &p->settings.people, &wanted, &p->stages, error);
    if (status == MIEN_OK)
        p->live = stream_is_live(p->stages.stream);
    return status;
}

mien_status pipeline_open(const char *name, const mien_model *model, const mien_detector *detector,
                          const pipeline_settings *settings, pipeline **out, mien_error *error)
{
    *out = NULL;
    pipeline *p = memory_zeroed(1, sizeof *p);
    if (p == NULL || (p->name = memory_copy_string(name)) == NULL) {
        free(p);
        return error_no_memory(error, "a pipeline", sizeof *p);
    }
    p->settings = *settings;
    mien_status status = open_stages(p, name, model, detector, error);
    if (status == MIEN_OK)
        status = settings->one_thread ? make_slots(p, 1, error) : make_queues(p, error);
    if (status == MIEN_OK && !settings->one_thread)
        status = start_threads(p, error);
    if (status != MIEN_OK) {
        pipeline_close(p);
        return status;
    }
    *out = p;
    return MIEN_OK;
}

void pipeline_close(pipeline *p)
{
    if (p == NULL)
        return;
    stop_threads(p);
    stages_close(&p->stages);
    for (size_t i = 0; i < p->slot_count; i++)
        slot_free(&p->slots[i]);
    free(p->slots);
    free(p->name);
    free(p);
}

/* ---- Publishing ---- */

/* Done here and now: the way without threads. */
static slot *work_alone(pipeline *p)
{
    slot *s = &p->slots[0];
    stage_do(stage_fetch, &p->stages, s);
    stage_do(stage_find, &p->stages, s);
    stage_do(stage_read, &p->stages, s);
    return s;
}

static bool fell_silent(pipeline *p)
{
    bool silent = stream_silence_s(p->stages.stream) >= PIPELINE_SILENCE_S;
    bool news = silent && !p->silent;
    p->silent = silent;
    if (news)
        snprintf(p->notice, sizeof p->notice, "%s has sent nothing for %g s", p->name,
                 PIPELINE_SILENCE_S);
    return news;
}

/* NULL: nothing came in time, or *silent. */
static slot *wait_for(pipeline *p, double wait_s, bool *silent)
{
    double until_s = clock_now_s() + wait_s;
    slot *s = NULL;
    *silent = false;
    while (s == NULL && !*silent) {
        double left_s = until_s - clock_now_s();
        s = queue_pop(p->done, left_s < SILENCE_STEP_S ? left_s : SILENCE_STEP_S);
        *silent = s == NULL && fell_silent(p);
        if (left_s < SILENCE_STEP_S)
            break;
    }
    return s;
}

static void give_back(pipeline *p)
{
    if (p->published != NULL && !p->settings.one_thread)
        queue_push(p->unused, p->published);
    p->published = NULL;
}

static pipeline_event publish_frame(pipeline *p, const slot *s, pipeline_frame *frame)
{
    p->silent = false;
    p->published_count++;
    p->skipped = s->skipped;
    p->people_count = s->people_count;
    *frame = (pipeline_frame){.source = p->name,
                              .number = s->number,
                              .time_s = s->frame.time_s,
                              .image = &s->image,
                              .people = s->people.people,
                              .count = s->people.count,
                              .find_s = s->find_s,
                              .delay_s = clock_now_s() - s->frame.arrived_s,
                              .dropped = s->number - p->published_count};
    return PIPELINE_FRAME;
}

static mien_status publish(pipeline *p, const slot *s, pipeline_event *event, pipeline_frame *frame,
                           mien_error *error)
{
    switch (s->kind) {
    case SLOT_FRAME:
        *event = publish_frame(p, s, frame);
        return MIEN_OK;
    case SLOT_NOTICE:
        snprintf(p->notice, sizeof p->notice, "%s", s->error.message);
        *event = PIPELINE_NOTICE;
        return MIEN_OK;
    case SLOT_END:
    case SLOT_FAILURE:
        break;
    }
    p->ended = true;
    p->skipped = s->skipped;
    return s->kind == SLOT_END ? MIEN_OK
                               : error_set(error, s->error.status, "%s", s->error.message);
}

mien_status pipeline_next(pipeline *p, double wait_s, pipeline_event *event, pipeline_frame *frame,
                          mien_error *error)
{
    bool silent = false;
    *event = PIPELINE_END;
    *frame = (pipeline_frame){0};
    if (p->ended)
        return MIEN_OK;
    give_back(p);
    slot *s = p->settings.one_thread ? work_alone(p) : wait_for(p, wait_s, &silent);
    if (s == NULL) {
        *event = silent ? PIPELINE_NOTICE : PIPELINE_NOTHING;
        return MIEN_OK;
    }
    p->published = s;
    return publish(p, s, event, frame, error);
}

const char *pipeline_notice(const pipeline *p)
{
    return p->notice;
}

bool pipeline_is_live(const pipeline *p)
{
    return p->live;
}

int64_t pipeline_skipped(const pipeline *p)
{
    return p->skipped;
}

int64_t pipeline_people(const pipeline *p)
{
    return p->people_count;
}
