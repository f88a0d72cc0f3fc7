/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/picture_job.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/image.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MAX_PICTURE_BYTES ((size_t)1 << 30)

/* Results that may wait for an earlier one, by worker: a large picture among small ones then stops
 * nobody. Where the pictures wait with them, there is one more than workers. */
#define RESULTS_A_WORKER 64

/* A place for one picture on its way; the slots are a ring over the list. */
typedef struct slot {
    picture_result result;
    mien_image image;
    mien_face *faces;
    bool ready;
} slot;

typedef struct work {
    const picture_job *job;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t next;      /* the file that is taken next */
    size_t delivered; /* files handed out */
    size_t slot_count;
    slot *slots;
} work;

typedef struct worker {
    work *work;
    mien_analyzer *analyzer;
    pthread_t thread;
    bool started;
} worker;

/* A video that was taken for a picture: the message says what reads it. */
static mien_status hint_at_live(const char *source, mien_error *error)
{
    static const char *const videos[] = {"avi", "gif", "m4v", "mkv", "mov", "mp4", "mpg", "webm"};
    const mien_error without = *error;
    for (size_t i = 0; i < sizeof videos / sizeof *videos; i++)
        if (strcasecmp(file_extension(source), videos[i]) == 0)
            return error_set(error, without.status, "%s; videos are for 'mien live --no-window'",
                             without.message);
    return without.status;
}

static mien_status read_picture(const picture_job *job, const char *source, mien_image *image,
                                mien_image_reduction *reduction, mien_error *error)
{
    bool is_file = strcmp(source, "-") != 0;
    uint8_t *bytes;
    size_t size;
    mien_status status = is_file ? file_read(source, MAX_PICTURE_BYTES, &bytes, &size, error)
                                 : file_read_descriptor(STDIN_FILENO, "standard input",
                                                        MAX_PICTURE_BYTES, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = mien_image_decode_reduced(bytes, size, MIEN_PIXEL_RGB8, job->max_pixels,
                                       job->least_side, image, reduction, error);
    free(bytes);
    if (status == MIEN_OK)
        return MIEN_OK;
    if (!is_file)
        return error_prefix(error, status, "standard input");
    error_prefix(error, status, "'%s'", source);
    return status == MIEN_UNSUPPORTED ? hint_at_live(source, error) : status;
}

static void enlarge(mien_face *face, int factor)
{
    face->x *= (float)factor;
    face->y *= (float)factor;
    face->width *= (float)factor;
    face->height *= (float)factor;
    for (int i = 0; i < 5; i++)
        for (int axis = 0; axis < 2; axis++)
            face->landmarks[i][axis] *= (float)factor;
}

/* The analyzer's faces live until its next picture: the slot takes a copy, in the whole picture. */
static mien_status copy_faces(slot *s, const mien_face *faces, size_t count, int factor,
                              mien_error *error)
{
    s->faces = memory_zeroed(count, sizeof *s->faces);
    if (s->faces == NULL)
        return error_no_memory(error, "faces", count * sizeof *s->faces);
    if (count != 0)
        memcpy(s->faces, faces, count * sizeof *s->faces);
    for (size_t i = 0; i < count; i++)
        enlarge(&s->faces[i], factor);
    s->result.faces = s->faces;
    s->result.face_count = count;
    return MIEN_OK;
}

static void process(const picture_job *job, mien_analyzer *analyzer, size_t index, slot *s)
{
    picture_result *result = &s->result;
    *result = (picture_result){.source = job->files->paths[index]};
    const mien_face *faces;
    size_t count;
    mien_image_reduction reduction;
    mien_status status = read_picture(job, result->source, &s->image, &reduction, &result->error);
    if (status == MIEN_OK) {
        result->width = reduction.full_width;
        result->height = reduction.full_height;
        status = mien_analyzer_run(analyzer, &s->image, &faces, &count, &result->error);
        if (status == MIEN_OK)
            status = copy_faces(s, faces, count, reduction.factor, &result->error);
        if (status != MIEN_OK)
            error_prefix(&result->error, status, "'%s'", result->source);
    }
    result->status = status;
    if (status == MIEN_OK && job->keep_images)
        result->image = &s->image;
    else
        mien_image_free(&s->image);
}

static void *work_through(void *argument)
{
    const worker *self = argument;
    work *w = self->work;
    pthread_mutex_lock(&w->mutex);
    while (w->next < w->job->files->count) {
        if (w->next >= w->delivered + w->slot_count) {
            pthread_cond_wait(&w->changed, &w->mutex);
            continue;
        }
        size_t index = w->next++;
        slot *s = &w->slots[index % w->slot_count];
        pthread_mutex_unlock(&w->mutex);
        process(w->job, self->analyzer, index, s);
        pthread_mutex_lock(&w->mutex);
        s->ready = true;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static void clear(slot *s)
{
    mien_image_free(&s->image);
    free(s->faces);
    *s = (slot){0};
}

static void deliver_all(work *w)
{
    for (size_t i = 0; i < w->job->files->count; i++) {
        slot *s = &w->slots[i % w->slot_count];
        pthread_mutex_lock(&w->mutex);
        while (!s->ready)
            pthread_cond_wait(&w->changed, &w->mutex);
        pthread_mutex_unlock(&w->mutex);
        w->job->deliver(w->job->context, &s->result);
        pthread_mutex_lock(&w->mutex);
        clear(s);
        w->delivered++;
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->mutex);
    }
}

static mien_status start_workers(work *w, worker *workers, int count, mien_error *error)
{
    for (int i = 0; i < count; i++) {
        workers[i].work = w;
        mien_status status =
            mien_analyzer_create(w->job->model, w->job->detector, &workers[i].analyzer, error);
        if (status != MIEN_OK)
            return status;
    }
    for (int i = 0; i < count; i++) {
        workers[i].started =
            pthread_create(&workers[i].thread, NULL, work_through, &workers[i]) == 0;
        if (!workers[i].started && i == 0)
            return error_set(error, MIEN_OUT_OF_MEMORY, "cannot start a thread");
    }
    return MIEN_OK;
}

static size_t slots_for(const picture_job *job, size_t workers)
{
    size_t most = job->files->count;
    size_t wanted = job->keep_images ? workers + 1 : workers * RESULTS_A_WORKER;
    return wanted < most ? wanted : most;
}

mien_status picture_job_run(const picture_job *job, mien_error *error)
{
    int count = (size_t)job->threads < job->files->count ? job->threads : (int)job->files->count;
    if (count == 0)
        return MIEN_OK;
    work w = {.job = job,
              .mutex = PTHREAD_MUTEX_INITIALIZER,
              .changed = PTHREAD_COND_INITIALIZER,
              .slot_count = slots_for(job, (size_t)count)};
    worker *workers = memory_zeroed((size_t)count, sizeof *workers);
    w.slots = memory_zeroed(w.slot_count, sizeof *w.slots);
    mien_status status = MIEN_OK;
    if (workers == NULL || w.slots == NULL)
        status = error_no_memory(error, "workers", (size_t)count * sizeof *workers);
    if (status == MIEN_OK)
        status = start_workers(&w, workers, count, error);
    if (status == MIEN_OK)
        deliver_all(&w);
    for (int i = 0; workers != NULL && i < count; i++) {
        if (workers[i].started)
            pthread_join(workers[i].thread, NULL);
        mien_analyzer_free(workers[i].analyzer);
    }
    free(workers);
    free(w.slots);
    return status;
}
