/* SPDX-License-Identifier: Apache-2.0 */
#include "video/people.h"

#include "base/error.h"
#include "base/memory.h"
#include "engine/model.h"
#include "video/smoother.h"

#include <stdlib.h>

/* What is remembered of a person. */
typedef struct memory {
    int64_t id;
    smoother smoother;
} memory;

struct people {
    const mien_model *model;
    people_settings settings;
    mien_analyzer *analyzer;
    tracker *tracker;
    int64_t frames;
    person *found;
    image_rect *boxes; /* as many as found */
    int64_t *ids;
    size_t room;
    memory *memories;
    size_t memory_count, memory_room;
};

mien_status people_create(const mien_model *model, const mien_detector *detector,
                          const people_settings *settings, people **out, mien_error *error)
{
    *out = NULL;
    if (settings->every < 1 || !(settings->smooth_s >= 0))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "cannot look for faces every %d frames and smooth over %g s",
                         settings->every, settings->smooth_s);
    people *p = memory_zeroed(1, sizeof *p);
    if (p == NULL)
        return error_no_memory(error, "people", sizeof *p);
    p->model = model;
    p->settings = *settings;
    mien_status status = mien_analyzer_create(model, detector, &p->analyzer, error);
    if (status == MIEN_OK)
        status = tracker_create(NULL, &p->tracker, error);
    if (status != MIEN_OK) {
        people_free(p);
        return status;
    }
    *out = p;
    return MIEN_OK;
}

void people_free(people *p)
{
    if (p == NULL)
        return;
    mien_analyzer_free(p->analyzer);
    tracker_free(p->tracker);
    free(p->found);
    free(p->boxes);
    free(p->ids);
    free(p->memories);
    free(p);
}

int64_t people_count(const people *p)
{
    return tracker_people(p->tracker);
}

static mien_status reserve(people *p, size_t count, mien_error *error)
{
    if (count <= p->room)
        return MIEN_OK;
    free(p->found);
    free(p->boxes);
    free(p->ids);
    p->found = memory_zeroed(count, sizeof *p->found);
    p->boxes = memory_zeroed(count, sizeof *p->boxes);
    p->ids = memory_zeroed(count, sizeof *p->ids);
    p->room = 0;
    if (p->found == NULL || p->boxes == NULL || p->ids == NULL)
        return error_no_memory(error, "the people of a frame", count * sizeof *p->found);
    p->room = count;
    return MIEN_OK;
}

/* ---- One frame ---- */

static mien_status detect(people *p, const video_frame *frame, size_t *count, mien_error *error)
{
    const mien_face *faces;
    mien_status status = mien_analyzer_run(p->analyzer, frame->image, &faces, count, error);
    if (status == MIEN_OK)
        status = reserve(p, *count, error);
    for (size_t i = 0; status == MIEN_OK && i < *count; i++) {
        p->found[i] = (person){.face = faces[i]};
        p->boxes[i] = (image_rect){faces[i].x, faces[i].y, faces[i].width, faces[i].height};
    }
    if (status == MIEN_OK)
        status = tracker_update(p->tracker, frame->time_s, p->boxes, *count, p->ids, error);
    for (size_t i = 0; status == MIEN_OK && i < *count; i++)
        p->found[i].id = p->ids[i];
    return status;
}

static int left_to_right(const void *a, const void *b)
{
    const person *first = a, *second = b;
    if (first->face.x != second->face.x)
        return first->face.x < second->face.x ? -1 : 1;
    return first->id < second->id ? -1 : 1;
}

static person expected(const track *t)
{
    return (person){
        .id = t->id,
        .predicted = true,
        .face = {.x = t->box.x, .y = t->box.y, .width = t->box.width, .height = t->box.height}};
}

/* Those who were seen when faces were last looked for, not too long ago to tell where they are. */
static mien_status predict(people *p, const video_frame *frame, size_t *count, mien_error *error)
{
    size_t track_count;
    double since_s = frame->time_s - tracker_defaults().keep_s;
    mien_status status = tracker_predict(p->tracker, frame->time_s, error);
    const track *tracks = tracker_tracks(p->tracker, &track_count);
    if (status == MIEN_OK)
        status = reserve(p, track_count, error);
    *count = 0;
    for (size_t i = 0; status == MIEN_OK && i < track_count; i++)
        if (tracks[i].id != 0 && tracks[i].seen && tracks[i].last_seen_s >= since_s)
            p->found[(*count)++] = expected(&tracks[i]);
    if (*count > 1)
        qsort(p->found, *count, sizeof *p->found, left_to_right);
    for (size_t i = 0; status == MIEN_OK && p->model != NULL && i < *count; i++)
        status = mien_analyzer_read(p->analyzer, frame->image, &p->found[i].face, error);
    return status;
}

/* ---- Smoothing ---- */

static bool is_tracked(const people *p, int64_t id)
{
    size_t count;
    const track *tracks = tracker_tracks(p->tracker, &count);
    for (size_t i = 0; i < count; i++)
        if (tracks[i].id == id)
            return true;
    return false;
}

static void forget_the_lost(people *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->memory_count; i++)
        if (is_tracked(p, p->memories[i].id))
            p->memories[kept++] = p->memories[i];
    p->memory_count = kept;
}

/* NULL when out of memory. */
static memory *memory_of(people *p, int64_t id)
{
    for (size_t i = 0; i < p->memory_count; i++)
        if (p->memories[i].id == id)
            return &p->memories[i];
    void *memories = p->memories;
    if (!memory_grow(&memories, p->memory_count, &p->memory_room, sizeof *p->memories))
        return NULL;
    p->memories = memories;
    p->memories[p->memory_count] = (memory){.id = id};
    return &p->memories[p->memory_count++];
}

static mien_status smooth(people *p, double time_s, person *who, mien_error *error)
{
    memory *kept = memory_of(p, who->id);
    if (kept == NULL)
        return error_no_memory(error, "a person", sizeof *kept);
    mien_status status = smoother_update(&kept->smoother, time_s, p->settings.smooth_s,
                                         who->face.probabilities, p->model->class_count, error);
    if (status == MIEN_OK)
        model_choose_top(p->model, &who->face);
    return status;
}

mien_status people_find(people *p, const video_frame *frame, const person **found, size_t *count,
                        mien_error *error)
{
    size_t here = 0;
    *found = NULL;
    *count = 0;
    mien_status status = p->frames++ % p->settings.every == 0 ? detect(p, frame, &here, error)
                                                              : predict(p, frame, &here, error);
    if (status == MIEN_OK)
        forget_the_lost(p);
    for (size_t i = 0; status == MIEN_OK && p->model != NULL && i < here; i++)
        if (p->found[i].id != 0)
            status = smooth(p, frame->time_s, &p->found[i], error);
    if (status != MIEN_OK)
        return status;
    *found = p->found;
    *count = here;
    return MIEN_OK;
}
