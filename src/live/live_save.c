/* SPDX-License-Identifier: Apache-2.0 */
#include "live/live_save.h"

#include "live/cut_out.h"

#include "live/face_folder.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/image.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Faces that wait for the disk. */
enum { QUEUE_LENGTH = 32 };

/* Of a face's box, kept on each side of it. */
#define MARGIN 0.2

/* When the next picture of a person may be taken. */
typedef struct turn {
    int64_t id;
    double due_s;
} turn;

struct live_save {
    live_save_settings settings;
    face_folder *files; /* the thread's own */
    turn *turns;
    size_t turn_count, turn_room;

    /* The queue and the counts, shared under the mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    face_record queue[QUEUE_LENGTH];
    size_t first, waiting;
    bool closing;
    bool full;
    live_save_counts counts;

    bool failing; /* the last face could not be written; the thread's own */
};

/* ---- The thread ---- */

/* Says once that the quota is used up. */
static void note_full(live_save *s)
{
    pthread_mutex_lock(&s->mutex);
    bool first = !s->full;
    s->full = true;
    pthread_mutex_unlock(&s->mutex);
    if (first)
        fprintf(stderr,
                "mien: '%s' holds the %.6g MB that it may: no more faces are saved, all else goes "
                "on; --save-quota allows more\n",
                s->settings.folder, (double)s->settings.quota_bytes / 1e6);
}

/* One message for failures in a row. */
static void save_face(live_save *s, const face_record *record)
{
    mien_error error;
    bool saved;
    bool failed = face_folder_write(s->files, record, &saved, &error) != MIEN_OK;
    if (failed && !s->failing)
        fprintf(stderr, "mien: faces cannot be saved: %s; all else goes on\n", error.message);
    s->failing = failed;
    if (!failed && !saved)
        note_full(s);
    pthread_mutex_lock(&s->mutex);
    s->counts.failed |= failed;
    s->counts.saved += saved;
    s->counts.not_saved += !saved;
    pthread_mutex_unlock(&s->mutex);
}

static void *work(void *argument)
{
    live_save *s = argument;
    pthread_mutex_lock(&s->mutex);
    for (;;) {
        while (s->waiting == 0 && !s->closing)
            pthread_cond_wait(&s->changed, &s->mutex);
        if (s->waiting == 0)
            break;
        face_record *face = &s->queue[s->first]; /* its place is given back when it is done */
        pthread_mutex_unlock(&s->mutex);
        save_face(s, face);
        mien_image_free(&face->picture);
        pthread_mutex_lock(&s->mutex);
        s->first = (s->first + 1) % QUEUE_LENGTH;
        s->waiting--;
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* ---- Taking faces ---- */

/* Turns that are due, or lie further off than any would because time stepped back, are forgotten:
 * what is left is few, however many people pass. */
static void forget_turns(live_save *s, double time_s)
{
    size_t kept = 0;
    double latest_s = time_s + 1 / s->settings.rate;
    for (size_t i = 0; i < s->turn_count; i++)
        if (s->turns[i].due_s > time_s && s->turns[i].due_s <= latest_s)
            s->turns[kept++] = s->turns[i];
    s->turn_count = kept;
}

/* Whether a person's picture may be taken now; then it is noted. */
static bool take_turn(live_save *s, int64_t id, double time_s)
{
    for (size_t i = 0; i < s->turn_count; i++)
        if (s->turns[i].id == id)
            return false;
    void *turns = s->turns;
    if (!memory_grow(&turns, s->turn_count, &s->turn_room, sizeof *s->turns))
        return false;
    s->turns = turns;
    const double rounding_s = 1e-6; /* of times that should be equal */
    s->turns[s->turn_count++] = (turn){id, time_s + 1 / s->settings.rate - rounding_s};
    return true;
}

/* false: nothing of the face lies in the picture, or there is no memory. */
static bool copy_face(const mien_image *image, const mien_face *face, mien_image *out)
{
    mien_image view;
    if (!cut_out(image, face, MARGIN, &view) ||
        mien_image_alloc(view.width, view.height, view.format, out, NULL) != MIEN_OK)
        return false;
    if (image_convert(&view, out, NULL) == MIEN_OK)
        return true;
    mien_image_free(out);
    return false;
}

static bool has_room(live_save *s)
{
    pthread_mutex_lock(&s->mutex);
    bool room = !s->full && s->waiting < QUEUE_LENGTH;
    s->counts.not_saved += !room;
    pthread_mutex_unlock(&s->mutex);
    return room;
}

/* Only the caller adds, so the place that was seen stays free. */
static void enqueue(live_save *s, const face_record *face)
{
    pthread_mutex_lock(&s->mutex);
    s->queue[(s->first + s->waiting++) % QUEUE_LENGTH] = *face;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->mutex);
}

static void take_face(live_save *s, const pipeline_frame *frame, const person *who)
{
    face_record face = {.who = *who, .frame = frame->number, .time_s = frame->time_s};
    if (who->id == 0 || who->predicted || !take_turn(s, who->id, frame->time_s) || !has_room(s))
        return;
    if (copy_face(frame->image, &who->face, &face.picture)) {
        enqueue(s, &face);
        return;
    }
    pthread_mutex_lock(&s->mutex);
    s->counts.not_saved++;
    pthread_mutex_unlock(&s->mutex);
}

void live_save_frame(live_save *s, const pipeline_frame *frame)
{
    forget_turns(s, frame->time_s);
    for (size_t i = 0; i < frame->count; i++)
        take_face(s, frame, &frame->people[i]);
}

const char *live_save_run(const live_save *s)
{
    return face_folder_run(s->files);
}

live_save_counts live_save_count(live_save *s)
{
    pthread_mutex_lock(&s->mutex);
    live_save_counts counts = s->counts;
    pthread_mutex_unlock(&s->mutex);
    return counts;
}

/* ---- Opening and closing ---- */

static void release(live_save *s)
{
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->mutex);
    face_folder_close(s->files);
    free(s->turns);
    free(s);
}

mien_status live_save_open(const live_save_settings *settings, const char *source,
                           const mien_model *model, live_save **out, mien_error *error)
{
    *out = NULL;
    live_save *s = memory_zeroed(1, sizeof *s);
    if (s == NULL)
        return error_no_memory(error, "the saving of faces", sizeof *s);
    s->settings = *settings;
    mien_status status =
        face_folder_open(settings->folder, settings->quota_bytes, source, model, &s->files, error);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (status == MIEN_OK && pthread_create(&s->thread, NULL, work, s) != 0)
        status = error_set(error, MIEN_OUT_OF_MEMORY, "cannot start a thread to save faces");
    if (status != MIEN_OK) {
        release(s);
        return status;
    }
    *out = s;
    return MIEN_OK;
}

live_save_counts live_save_close(live_save *s)
{
    pthread_mutex_lock(&s->mutex);
    s->closing = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->thread, NULL);
    live_save_counts counts = s->counts;
    release(s);
    return counts;
}
