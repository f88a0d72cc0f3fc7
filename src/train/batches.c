/* SPDX-License-Identifier: Apache-2.0 */
#include "train/batches.h"

#include "base/error.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A stream of the generator, kept apart from the samples' by its high bits (orders have bit 60). */
#define STREAM_MIX (UINT64_C(2) << 60)

typedef struct slot {
    train_batch batch;
    mien_status status;
    mien_error error;
    bool ready;
} slot;

/* A thread and the memory that it works with. */
typedef struct worker {
    batch_maker *maker;
    float *mix_scratch;
    prep_scratch prep;
    teacher_memory *teachers; /* NULL without */
    pthread_t thread;
    bool running;
} worker;

struct batch_maker {
    batch_settings settings;
    size_t input_floats;
    int64_t per_epoch;
    size_t *order; /* (samples): the epoch's */
    int *labels;   /* (samples) */
    int64_t epoch;
    int64_t claimed, taken; /* batches of this epoch: being made or made, and handed out */
    slot *slots;            /* one for each worker, and the one that is learned from */
    int64_t slot_count;
    worker *workers;
    int worker_count;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool stop;
};

/* ---- Making one batch ---- */

static mien_status fill_sample(worker *w, slot *s, int64_t index, size_t position)
{
    const batch_maker *m = w->maker;
    const dataset *set = m->settings.set;
    const dataset_sample *sample = &set->samples[m->order[(size_t)index]];
    uint64_t stream = (uint64_t)m->epoch * set->count + (uint64_t)index;
    random_state random = random_start(m->settings.seed, stream);
    float *shares = s->batch.shares + position * (size_t)set->class_count;
    for (int c = 0; c < set->class_count; c++)
        shares[c] = sample->votes != NULL ? sample->votes[c] : c == sample->label;
    s->batch.labels[position] = sample->label;
    image_rect face = dataset_face(sample);
    return augment_fill_face(m->settings.augment, m->settings.prep, &sample->image, &face, &random,
                             &w->prep, s->batch.inputs + position * m->input_floats, &s->error);
}

static void mix_batch(worker *w, slot *s, int64_t index)
{
    const batch_maker *m = w->maker;
    const batch_settings *b = &m->settings;
    random_state random = random_start(
        b->seed, STREAM_MIX + (uint64_t)m->epoch * (uint64_t)m->per_epoch + (uint64_t)index);
    bool cut = b->cutmix > 0 && (b->mixup <= 0 || random_unit(&random) < 0.5);
    size_t n = s->batch.n;
    int channels = b->prep->format == PREP_GRAY ? 1 : 3;
    if (cut)
        augment_cutmix(s->batch.inputs, s->batch.shares, n, channels, b->prep->height,
                       b->prep->width, b->set->class_count, b->cutmix, &random, w->mix_scratch);
    else if (b->mixup > 0)
        augment_mixup(s->batch.inputs, s->batch.shares, n, m->input_floats, b->set->class_count,
                      b->mixup, &random, w->mix_scratch);
}

static void make_batch(worker *w, slot *s, int64_t index)
{
    int batch = w->maker->settings.batch;
    s->status = MIEN_OK;
    s->batch.n = (size_t)batch;
    for (size_t p = 0; s->status == MIEN_OK && p < s->batch.n; p++)
        s->status = fill_sample(w, s, index * batch + (int64_t)p, p);
    if (s->status != MIEN_OK)
        return;
    mix_batch(w, s, index);
    if (w->teachers != NULL)
        teachers_run(w->teachers, s->batch.inputs, s->batch.teacher);
}

/* ---- Threads ---- */

/* The slot last taken is still read by the caller. */
static bool may_claim(const batch_maker *m)
{
    return m->claimed < m->per_epoch && m->claimed < m->taken + m->slot_count - 1;
}

static void *make_ahead(void *argument)
{
    worker *w = argument;
    batch_maker *m = w->maker;
    pthread_mutex_lock(&m->mutex);
    while (!m->stop) {
        if (!may_claim(m)) {
            pthread_cond_wait(&m->changed, &m->mutex);
            continue;
        }
        int64_t index = m->claimed++;
        slot *s = &m->slots[index % m->slot_count];
        pthread_mutex_unlock(&m->mutex);
        make_batch(w, s, index);
        pthread_mutex_lock(&m->mutex);
        s->ready = true;
        pthread_cond_broadcast(&m->changed);
    }
    pthread_mutex_unlock(&m->mutex);
    return NULL;
}

static mien_status create_slots(batch_maker *m, mien_error *error)
{
    size_t n = (size_t)m->settings.batch, classes = (size_t)m->settings.set->class_count;
    m->slot_count = (int64_t)m->worker_count + 1;
    m->slots = memory_zeroed((size_t)m->slot_count, sizeof *m->slots);
    bool complete = m->slots != NULL;
    for (int64_t i = 0; complete && i < m->slot_count; i++) {
        train_batch *batch = &m->slots[i].batch;
        batch->inputs = memory_aligned(n * m->input_floats * sizeof(float));
        batch->shares = memory_zeroed(n * classes, sizeof(float));
        batch->labels = memory_zeroed(n, sizeof(int));
        complete = batch->inputs != NULL && batch->shares != NULL && batch->labels != NULL;
        if (complete && m->settings.teachers != NULL) {
            batch->teacher = memory_zeroed(n * classes, sizeof(float));
            complete = batch->teacher != NULL;
        }
    }
    return complete ? MIEN_OK
                    : error_no_memory(error, "batches", n * m->input_floats * sizeof(float));
}

static mien_status create_order(batch_maker *m, mien_error *error)
{
    const dataset *set = m->settings.set;
    m->order = memory_zeroed(set->count, sizeof *m->order);
    m->labels = memory_zeroed(set->count, sizeof *m->labels);
    if (m->order == NULL || m->labels == NULL)
        return error_no_memory(error, "the order of samples", set->count * sizeof *m->order);
    for (size_t i = 0; i < set->count; i++)
        m->labels[i] = set->samples[i].label;
    return MIEN_OK;
}

static mien_status start_worker(batch_maker *m, worker *w, mien_error *error)
{
    size_t n = (size_t)m->settings.batch, classes = (size_t)m->settings.set->class_count;
    w->maker = m;
    w->mix_scratch = memory_aligned(n * (m->input_floats + classes) * sizeof(float));
    if (w->mix_scratch == NULL)
        return error_no_memory(error, "batches", n * m->input_floats * sizeof(float));
    if (m->settings.teachers != NULL) {
        mien_status status = teacher_memory_create(m->settings.teachers, &w->teachers, error);
        if (status != MIEN_OK)
            return status;
    }
    w->running = pthread_create(&w->thread, NULL, make_ahead, w) == 0;
    return w->running ? MIEN_OK : error_set(error, MIEN_OUT_OF_MEMORY, "cannot start a thread");
}

static mien_status start_workers(batch_maker *m, mien_error *error)
{
    m->workers = memory_zeroed((size_t)m->worker_count, sizeof *m->workers);
    if (m->workers == NULL)
        return error_no_memory(error, "threads", sizeof *m->workers);
    mien_status status = MIEN_OK;
    for (int i = 0; status == MIEN_OK && i < m->worker_count; i++)
        status = start_worker(m, &m->workers[i], error);
    return status;
}

mien_status batch_maker_create(const batch_settings *settings, batch_maker **out, mien_error *error)
{
    *out = NULL;
    int64_t per_epoch = (int64_t)settings->set->count / settings->batch;
    if (per_epoch == 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "%zu samples do not fill one batch of %d: make the batch smaller",
                         settings->set->count, settings->batch);
    if (settings->workers < 0 || settings->workers > BATCH_MAX_WORKERS)
        return error_set(error, MIEN_INVALID_ARGUMENT, "%d threads that make batches, not 1 to %d",
                         settings->workers, BATCH_MAX_WORKERS);
    batch_maker *m = memory_zeroed(1, sizeof *m);
    if (m == NULL)
        return error_no_memory(error, "batches", sizeof *m);
    m->settings = *settings;
    m->per_epoch = per_epoch;
    m->worker_count = settings->workers > 0 ? settings->workers : 1;
    m->input_floats = prep_input_floats(settings->prep);
    m->claimed = m->taken = per_epoch; /* nothing to make before the first epoch begins */
    pthread_mutex_init(&m->mutex, NULL);
    pthread_cond_init(&m->changed, NULL);
    mien_status status = create_slots(m, error);
    if (status == MIEN_OK)
        status = create_order(m, error);
    if (status == MIEN_OK)
        status = start_workers(m, error);
    if (status != MIEN_OK) {
        batch_maker_free(m);
        return status;
    }
    *out = m;
    return MIEN_OK;
}

static void stop_worker(worker *w)
{
    if (w->running)
        pthread_join(w->thread, NULL);
    free(w->mix_scratch);
    prep_scratch_free(&w->prep);
    teacher_memory_free(w->teachers);
}

void batch_maker_free(batch_maker *m)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->mutex);
    m->stop = true;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->mutex);
    for (int i = 0; m->workers != NULL && i < m->worker_count; i++)
        stop_worker(&m->workers[i]);
    for (int64_t i = 0; m->slots != NULL && i < m->slot_count; i++) {
        free(m->slots[i].batch.inputs);
        free(m->slots[i].batch.shares);
        free(m->slots[i].batch.labels);
        free(m->slots[i].batch.teacher);
    }
    pthread_mutex_destroy(&m->mutex);
    pthread_cond_destroy(&m->changed);
    free(m->workers);
    free(m->slots);
    free(m->order);
    free(m->labels);
    free(m);
}

/* ---- Taking batches ---- */

mien_status batch_maker_begin(batch_maker *m, int64_t epoch, mien_error *error)
{
    const batch_settings *b = &m->settings;
    pthread_mutex_lock(&m->mutex);
    mien_status status = sampler_order(b->sampler, m->labels, b->set->count, b->set->class_count,
                                       b->seed, (uint64_t)epoch, m->order, error);
    m->epoch = epoch;
    for (int64_t i = 0; i < m->slot_count; i++)
        m->slots[i].ready = false;
    m->claimed = m->taken = status == MIEN_OK ? 0 : m->per_epoch;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->mutex);
    return status;
}

int64_t batch_maker_per_epoch(const batch_maker *m)
{
    return m->per_epoch;
}

mien_status batch_maker_next(batch_maker *m, const train_batch **batch, mien_error *error)
{
    pthread_mutex_lock(&m->mutex);
    slot *s = &m->slots[m->taken % m->slot_count];
    while (!s->ready)
        pthread_cond_wait(&m->changed, &m->mutex);
    s->ready = false;
    m->taken++;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->mutex);
    *batch = &s->batch;
    if (s->status != MIEN_OK && error != NULL)
        *error = s->error;
    return s->status;
}
