/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two buffers: the caller fills one while the thread writes the other. A buffer that could not be
 * written stays the thread's, and is tried again, while the caller's fills up.
 */

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "store/batch.h"
#include "store/internal.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_SAMPLES 32768
#define MAX_EVENTS  1024
#define INTERVAL_S  1

typedef struct buffer {
    timeline_sample *samples;
    float *probabilities;
    store_event *events;
    char **texts; /* of each event */
    size_t sample_count, event_count;
    double length_s;
} buffer;

struct store_writer {
    store *store;
    int64_t session;
    int class_count;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under the lock. */
    buffer *filling;
    bool closing;
    int64_t lost_samples, lost_events;
    mien_status status; /* of the last try */
    mien_error error;   /* of the last failure */
    bool news;          /* it has not been told yet */
    bool deleted;       /* by somebody else */
    /* The thread's. */
    buffer *writing;
    int64_t batch;           /* number of what is in writing */
    int64_t samples, events; /* how many are in the store */
    double length_s;         /* as it is in the store */
    buffer buffers[2];
};

/* ---- Buffers ---- */

static bool buffer_create(buffer *b, int class_count)
{
    b->samples = memory_zeroed(MAX_SAMPLES, sizeof *b->samples);
    b->probabilities = memory_zeroed(MAX_SAMPLES, (size_t)class_count * sizeof *b->probabilities);
    b->events = memory_zeroed(MAX_EVENTS, sizeof *b->events);
    b->texts = memory_zeroed(MAX_EVENTS, sizeof *b->texts);
    return b->samples != NULL && b->probabilities != NULL && b->events != NULL && b->texts != NULL;
}

static void buffer_empty(buffer *b)
{
    for (size_t i = 0; i < b->event_count; i++)
        free(b->texts[i]);
    b->sample_count = b->event_count = 0;
}

static void buffer_free(buffer *b)
{
    buffer_empty(b);
    free(b->samples);
    free(b->probabilities);
    free(b->events);
    free(b->texts);
}

static bool is_empty(const buffer *b)
{
    return b->sample_count == 0 && b->event_count == 0;
}

static bool is_half_full(const buffer *b)
{
    return b->sample_count >= MAX_SAMPLES / 2 || b->event_count >= MAX_EVENTS / 2;
}

/* ---- The thread ---- */

static mien_status write_buffer(store_writer *w, bool ended, mien_error *error)
{
    const buffer *b = w->writing;
    const store_batch batch = {
        .number = w->batch,
        .length_s = b->length_s,
        .ended = ended,
        .sample_count = b->sample_count,
        .samples = b->samples,
        .probabilities = b->probabilities,
        .first_sample = w->samples + 1,
        .event_count = b->event_count,
        .events = b->events,
        .first_event = w->events + 1,
    };
    mien_status status = batch_write(w->store, w->session, w->class_count, &batch, error);
    if (status != MIEN_OK)
        return status;
    w->samples += (int64_t)b->sample_count;
    w->events += (int64_t)b->event_count;
    w->length_s = b->length_s;
    buffer_empty(w->writing);
    return MIEN_OK;
}

static void swap_buffers(store_writer *w)
{
    buffer *full = w->filling;
    w->filling = w->writing;
    w->filling->length_s = full->length_s;
    w->writing = full;
    w->batch++;
}

/* With the lock held, which it gives up while it writes. */
static void write_some(store_writer *w, bool ended)
{
    mien_error error = {0};
    if (is_empty(w->writing))
        swap_buffers(w);
    pthread_mutex_unlock(&w->lock);
    mien_status status = write_buffer(w, ended, &error);
    pthread_mutex_lock(&w->lock);
    if (status != MIEN_OK) {
        w->news |= w->status == MIEN_OK;
        w->deleted = status == MIEN_NOT_FOUND;
        w->error = error;
    }
    w->status = status;
}

static bool has_work(const store_writer *w)
{
    return !is_empty(w->writing) || !is_empty(w->filling) || w->filling->length_s > w->length_s;
}

/* A second, or less when much has come in. */
static void wait_for_work(store_writer *w)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += INTERVAL_S;
    int code = 0;
    while (code == 0 && !w->closing && !(w->status == MIEN_OK && is_half_full(w->filling)))
        code = pthread_cond_timedwait(&w->changed, &w->lock, &until);
}

/* Up to twice: that a connection was lost meanwhile is only seen by writing. */
static void write_the_rest(store_writer *w)
{
    w->status = MIEN_IO;
    for (int i = 0; i < 2 && w->status != MIEN_OK && !w->deleted; i++) {
        if (!is_empty(w->writing)) /* what an earlier failure has left */
            write_some(w, false);
        if (!w->deleted && is_empty(w->writing))
            write_some(w, true);
    }
}

static void *work(void *context)
{
    store_writer *w = context;
    pthread_mutex_lock(&w->lock);
    while (!w->closing) {
        wait_for_work(w);
        if (!w->closing && !w->deleted && has_work(w))
            write_some(w, false);
    }
    write_the_rest(w);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Signals are for other threads: one that comes here would not interrupt what waits for it, and one
 * for a file that may not grow would end the program. */
static int start_thread(store_writer *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&w->thread, NULL, work, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/* ---- The caller ---- */

static void writer_free(store_writer *w)
{
    for (size_t i = 0; i < 2; i++)
        buffer_free(&w->buffers[i]);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static store_writer *writer_create(store *s, int class_count)
{
    store_writer *w = memory_zeroed(1, sizeof *w);
    if (w == NULL)
        return NULL;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&w->lock, NULL);
    w->store = s;
    w->class_count = class_count;
    w->filling = &w->buffers[0];
    w->writing = &w->buffers[1];
    if (buffer_create(w->filling, class_count) && buffer_create(w->writing, class_count))
        return w;
    writer_free(w);
    return NULL;
}

mien_status store_writer_open(store *s, const store_session *session, store_writer **out,
                              int64_t *id, mien_error *error)
{
    *out = NULL;
    int64_t number;
    mien_status status = batch_begin(s, session, &number, error);
    if (status != MIEN_OK)
        return status;
    store_writer *w = writer_create(s, session->class_count);
    if (w == NULL) {
        store_delete(s, number, NULL);
        return error_no_memory(error, "what waits to be stored", MAX_SAMPLES);
    }
    w->session = number;
    if (start_thread(w) != 0) {
        store_delete(s, number, NULL);
        writer_free(w);
        return error_set(error, MIEN_LIMIT, "the system gives no thread to write a session");
    }
    if (id != NULL)
        *id = number;
    *out = w;
    return MIEN_OK;
}

void store_writer_time(store_writer *w, double time_s)
{
    pthread_mutex_lock(&w->lock);
    if (isfinite(time_s) && time_s > w->filling->length_s)
        w->filling->length_s = time_s;
    pthread_mutex_unlock(&w->lock);
}

static bool is_valid_sample(const timeline_sample *sample)
{
    return isfinite(sample->time_s) && sample->time_s >= 0 && sample->person >= 1 &&
           isfinite(sample->x) && isfinite(sample->y) && isfinite(sample->width) &&
           isfinite(sample->height) && isfinite(sample->facing);
}

static bool are_valid_probabilities(const float *values, int count)
{
    for (int i = 0; i < count; i++)
        if (!(values[i] >= 0 && values[i] <= 1))
            return false;
    return true;
}

static void wake_when_much(store_writer *w)
{
    if (is_half_full(w->filling))
        pthread_cond_signal(&w->changed);
}

mien_status store_writer_sample(store_writer *w, const timeline_sample *sample,
                                const float *probabilities, mien_error *error)
{
    size_t classes = (size_t)w->class_count;
    if (!is_valid_sample(sample) || !are_valid_probabilities(probabilities, w->class_count))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a sample of person %" PRId64 " at %g s has a number out of its range",
                         sample->person, sample->time_s);
    pthread_mutex_lock(&w->lock);
    buffer *b = w->filling;
    if (b->sample_count < MAX_SAMPLES) {
        memcpy(b->probabilities + b->sample_count * classes, probabilities,
               classes * sizeof *probabilities);
        b->samples[b->sample_count++] = *sample;
        b->length_s = fmax(b->length_s, sample->time_s);
    } else {
        w->lost_samples++;
    }
    wake_when_much(w);
    pthread_mutex_unlock(&w->lock);
    return MIEN_OK;
}

/* Both texts in one piece of memory, the kind first; NULL when out of memory. */
static char *copy_texts(const store_event *event)
{
    size_t kind = strnlen(event->kind, STORE_MAX_TEXT), text = strnlen(event->text, STORE_MAX_TEXT);
    char *copy = malloc(kind + text + 2);
    if (copy == NULL)
        return NULL;
    utf8_clean(event->kind, copy, kind + 1);
    utf8_clean(event->text, copy + strlen(copy) + 1, text + 1);
    return copy;
}

mien_status store_writer_event(store_writer *w, const store_event *event, mien_error *error)
{
    if (!isfinite(event->time_s) || !isfinite(event->length_s) || event->length_s < 0 ||
        event->person < 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "an event '%s' at %g s has a number out of its range", event->kind,
                         event->time_s);
    char *texts = copy_texts(event);
    pthread_mutex_lock(&w->lock);
    buffer *b = w->filling;
    if (texts != NULL && b->event_count < MAX_EVENTS) {
        b->texts[b->event_count] = texts;
        b->events[b->event_count] = *event;
        b->events[b->event_count].kind = texts;
        b->events[b->event_count++].text = texts + strlen(texts) + 1;
    } else {
        w->lost_events++;
        if (texts == NULL)
            error_no_memory(&w->error, "an event", sizeof *event);
        free(texts);
    }
    wake_when_much(w);
    pthread_mutex_unlock(&w->lock);
    return MIEN_OK;
}

mien_status store_writer_trouble(store_writer *w, mien_error *error)
{
    mien_status status = MIEN_OK;
    pthread_mutex_lock(&w->lock);
    if (w->news) {
        w->news = false;
        status = w->error.status;
        if (error != NULL)
            *error = w->error;
    }
    pthread_mutex_unlock(&w->lock);
    return status;
}

/* What the whole session has come to. */
static mien_status judge(store_writer *w, mien_error *error)
{
    for (size_t i = 0; i < 2; i++) {
        w->lost_samples += (int64_t)w->buffers[i].sample_count;
        w->lost_events += (int64_t)w->buffers[i].event_count;
    }
    if (w->status == MIEN_OK && w->lost_samples + w->lost_events == 0)
        return MIEN_OK;
    if (w->error.status == MIEN_OK)
        error_set(&w->error, MIEN_LIMIT, "'%s' could not keep up", store_name(w->store));
    return error_set(error, w->error.status,
                     "session %" PRId64 " is not whole: %" PRId64 " of its %" PRId64
                     " samples and %" PRId64 " of its %" PRId64 " events are lost%s: %s",
                     w->session, w->lost_samples, w->lost_samples + w->samples, w->lost_events,
                     w->lost_events + w->events,
                     w->status == MIEN_OK ? "" : ", and it is not marked as ended",
                     w->error.message);
}

mien_status store_writer_close(store_writer *w, mien_error *error)
{
    if (w == NULL)
        return MIEN_OK;
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    mien_status status = judge(w, error);
    writer_free(w);
    return status;
}
