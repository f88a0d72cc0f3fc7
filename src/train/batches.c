/* SPDX-License-Identifier: Apache-2.0 */
#include "train/batches.h"

#include "base/error.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2 }; /* one is learned from while the other is made */

/* Streams of the generator: kept apart by their high bits. */
#define STREAM_ORDER (UINT64_C(1) << 60)
#define STREAM_MIX   (UINT64_C(2) << 60)

typedef struct slot {
    train_batch batch;
    mien_status status;
    mien_error error;
    bool ready;
} slot;

struct batch_maker {
    batch_settings settings;
    size_t input_floats;
    int64_t per_epoch;
    uint32_t *order; /* (samples): the epoch's */
    int64_t epoch;
    int64_t made, taken; /* batches of this epoch */
    slot slots[SLOTS];
    float *mix_scratch;
    prep_scratch prep;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool running, stop;
};

static void shuffle(batch_maker *m)
{
    size_t count = m->settings.set->count;
    random_state random = random_start(m->settings.seed, STREAM_ORDER + (uint64_t)m->epoch);
    for (size_t i = 0; i < count; i++)
        m->order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)random_below(&random, i);
        uint32_t moved = m->order[i - 1];
        m->order[i - 1] = m->order[j];
        m->order[j] = moved;
    }
}

static mien_status fill_sample(batch_maker *m, slot *s, int64_t index, size_t position)
{
    const dataset *set = m->settings.set;
    const dataset_sample *sample = &set->samples[m->order[(size_t)index]];
    uint64_t stream = (uint64_t)m->epoch * set->count + (uint64_t)index;
    random_state random = random_start(m->settings.seed, stream);
    float *shares = s->batch.shares + position * (size_t)set->class_count;
    for (int c = 0; c < set->class_count; c++)
        shares[c] = sample->votes != NULL ? sample->votes[c] : c == sample->label;
    s->batch.labels[position] = sample->label;
    return augment_fill(m->settings.augment, m->settings.prep, &sample->image, &random, &m->prep,
                        s->batch.inputs + position * m->input_floats, &s->error);
}

static void mix_batch(batch_maker *m, slot *s, int64_t index)
{
    const batch_settings *b = &m->settings;
    random_state random = random_start(
        b->seed, STREAM_MIX + (uint64_t)m->epoch * (uint64_t)m->per_epoch + (uint64_t)index);
    bool cut = b->cutmix > 0 && (b->mixup <= 0 || random_unit(&random) < 0.5);
    size_t n = s->batch.n;
    int channels = b->prep->format == PREP_GRAY ? 1 : 3;
    if (cut)
        augment_cutmix(s->batch.inputs, s->batch.shares, n, channels, b->prep->height,
                       b->prep->width, b->set->class_count, b->cutmix, &random, m->mix_scratch);
    else if (b->mixup > 0)
        augment_mixup(s->batch.inputs, s->batch.shares, n, m->input_floats, b->set->class_count,
                      b->mixup, &random, m->mix_scratch);
}

static void make_batch(batch_maker *m, slot *s, int64_t index)
{
    s->status = MIEN_OK;
    s->batch.n = (size_t)m->settings.batch;
    for (size_t p = 0; s->status == MIEN_OK && p < s->batch.n; p++)
        s->status = fill_sample(m, s, index * m->settings.batch + (int64_t)p, p);
    if (s->status == MIEN_OK)
        mix_batch(m, s, index);
}

static void *make_ahead(void *argument)
{
    batch_maker *m = argument;
    pthread_mutex_lock(&m->mutex);
    while (!m->stop) {
        slot *s = &m->slots[m->made % SLOTS];
        /* The slot last taken is still read by the caller. */
        if (m->made >= m->per_epoch || m->made >= m->taken + 1) {
            pthread_cond_wait(&m->changed, &m->mutex);
            continue;
        }
        int64_t index = m->made;
        pthread_mutex_unlock(&m->mutex);
        make_batch(m, s, index);
        pthread_mutex_lock(&m->mutex);
        s->ready = true;
        m->made++;
        pthread_cond_broadcast(&m->changed);
    }
    pthread_mutex_unlock(&m->mutex);
    return NULL;
}

static mien_status create_slots(batch_maker *m, mien_error *error)
{
    size_t n = (size_t)m->settings.batch, classes = (size_t)m->settings.set->class_count;
    m->input_floats = prep_input_floats(m->settings.prep);
    m->order = memory_zeroed(m->settings.set->count, sizeof *m->order);
    m->mix_scratch = memory_aligned(n * (m->input_floats + classes) * sizeof(float));
    bool complete = m->order != NULL && m->mix_scratch != NULL;
    for (int i = 0; i < SLOTS; i++) {
        train_batch *batch = &m->slots[i].batch;
        batch->inputs = memory_aligned(n * m->input_floats * sizeof(float));
        batch->shares = memory_zeroed(n * classes, sizeof(float));
        batch->labels = memory_zeroed(n, sizeof(int));
        complete =
            complete && batch->inputs != NULL && batch->shares != NULL && batch->labels != NULL;
    }
    return complete ? MIEN_OK
                    : error_no_memory(error, "batches", n * m->input_floats * sizeof(float));
}

mien_status batch_maker_create(const batch_settings *settings, batch_maker **out, mien_error *error)
{
    *out = NULL;
    int64_t per_epoch = (int64_t)settings->set->count / settings->batch;
    if (per_epoch == 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "%zu samples do not fill one batch of %d: make the batch smaller",
                         settings->set->count, settings->batch);
    batch_maker *m = memory_zeroed(1, sizeof *m);
    if (m == NULL)
        return error_no_memory(error, "batches", sizeof *m);
    m->settings = *settings;
    m->per_epoch = per_epoch;
    m->made = m->taken = per_epoch; /* nothing to make before the first epoch begins */
    pthread_mutex_init(&m->mutex, NULL);
    pthread_cond_init(&m->changed, NULL);
    mien_status status = create_slots(m, error);
    if (status == MIEN_OK) {
        m->running = pthread_create(&m->thread, NULL, make_ahead, m) == 0;
        if (!m->running)
            status = error_set(error, MIEN_OUT_OF_MEMORY, "cannot start a thread");
    }
    if (status != MIEN_OK) {
        batch_maker_free(m);
        return status;
    }
    *out = m;
    return MIEN_OK;
}

void batch_maker_free(batch_maker *m)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->mutex);
    m->stop = true;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->mutex);
    if (m->running)
        pthread_join(m->thread, NULL);
    for (int i = 0; i < SLOTS; i++) {
        free(m->slots[i].batch.inputs);
        free(m->slots[i].batch.shares);
        free(m->slots[i].batch.labels);
    }
    pthread_mutex_destroy(&m->mutex);
    pthread_cond_destroy(&m->changed);
    prep_scratch_free(&m->prep);
    free(m->order);
    free(m->mix_scratch);
    free(m);
}

void batch_maker_begin(batch_maker *m, int64_t epoch)
{
    pthread_mutex_lock(&m->mutex);
    m->epoch = epoch;
    shuffle(m);
    for (int i = 0; i < SLOTS; i++)
        m->slots[i].ready = false;
    m->made = m->taken = 0;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->mutex);
}

int64_t batch_maker_per_epoch(const batch_maker *m)
{
    return m->per_epoch;
}

mien_status batch_maker_next(batch_maker *m, const train_batch **batch, mien_error *error)
{
    pthread_mutex_lock(&m->mutex);
    slot *s = &m->slots[m->taken % SLOTS];
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
