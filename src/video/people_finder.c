/* SPDX-License-Identifier: Apache-2.0 */
#include "video/people_finder.h"

#include "base/error.h"
#include "base/memory.h"
#include "video/scratch.h"
#include "video/tracker.h"

#include <stdlib.h>

struct people_finder {
    mien_analyzer *analyzer; /* without a model */
    tracker *tracker;
    scratch boxes, looks, ids; /* of the faces of a frame */
};

mien_status people_finder_create(const mien_detector *detector, double remember_s,
                                 people_finder **out, mien_error *error)
{
    tracker_settings settings = tracker_defaults();
    settings.remember_s = remember_s;
    *out = NULL;
    people_finder *finder = memory_zeroed(1, sizeof *finder);
    if (finder == NULL)
        return error_no_memory(error, "people", sizeof *finder);
    mien_status status = mien_analyzer_create(NULL, detector, &finder->analyzer, error);
    if (status == MIEN_OK)
        status = tracker_create(&settings, &finder->tracker, error);
    if (status != MIEN_OK) {
        people_finder_free(finder);
        return status;
    }
    *out = finder;
    return MIEN_OK;
}

void people_finder_free(people_finder *finder)
{
    if (finder == NULL)
        return;
    mien_analyzer_free(finder->analyzer);
    tracker_free(finder->tracker);
    scratch_free(&finder->boxes);
    scratch_free(&finder->looks);
    scratch_free(&finder->ids);
    free(finder);
}

int64_t people_finder_count(const people_finder *finder)
{
    return tracker_people(finder->tracker);
}

static mien_status reserve_list(const people_finder *finder, size_t count, people_list *list,
                                mien_error *error)
{
    size_t track_count;
    tracker_tracks(finder->tracker, &track_count);
    return people_list_reserve(list, count, track_count, error);
}

static mien_status search_faces(people_finder *finder, const mien_image *image, double time_s,
                                people_list *list, mien_error *error)
{
    const mien_face *faces;
    size_t count;
    mien_status status = mien_analyzer_run(finder->analyzer, image, &faces, &count, error);
    if (status != MIEN_OK)
        return status;
    image_rect *boxes = scratch_zeroed(&finder->boxes, count, sizeof *boxes);
    looks *now = scratch_zeroed(&finder->looks, count, sizeof *now);
    int64_t *ids = scratch_zeroed(&finder->ids, count, sizeof *ids);
    if (boxes == NULL || now == NULL || ids == NULL)
        return error_no_memory(error, "the faces of a frame", count * sizeof *boxes);
    for (size_t i = 0; i < count; i++) {
        boxes[i] = (image_rect){faces[i].x, faces[i].y, faces[i].width, faces[i].height};
        now[i] = looks_of(image, &boxes[i]);
    }
    status = tracker_update(finder->tracker, time_s, boxes, now, count, ids, error);
    if (status == MIEN_OK)
        status = reserve_list(finder, count, list, error);
    for (size_t i = 0; status == MIEN_OK && i < count; i++)
        list->people[list->count++] = (person){.id = ids[i], .face = faces[i]};
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
static mien_status predict_faces(people_finder *finder, double time_s, people_list *list,
                                 mien_error *error)
{
    size_t track_count;
    double since_s = time_s - tracker_defaults().keep_s;
    mien_status status = tracker_predict(finder->tracker, time_s, error);
    const track *tracks = tracker_tracks(finder->tracker, &track_count);
    if (status == MIEN_OK)
        status = reserve_list(finder, track_count, list, error);
    for (size_t i = 0; status == MIEN_OK && i < track_count; i++)
        if (tracks[i].id != 0 && tracks[i].seen && tracks[i].last_seen_s >= since_s)
            list->people[list->count++] = expected(&tracks[i]);
    if (list->count > 1)
        qsort(list->people, list->count, sizeof *list->people, left_to_right);
    return status;
}

mien_status people_finder_run(people_finder *finder, const mien_image *image, double time_s,
                              bool search, people_list *list, mien_error *error)
{
    list->count = list->living_count = 0;
    mien_status status = search ? search_faces(finder, image, time_s, list, error)
                                : predict_faces(finder, time_s, list, error);
    if (status != MIEN_OK)
        return status;
    size_t track_count;
    const track *tracks = tracker_tracks(finder->tracker, &track_count);
    for (size_t i = 0; i < track_count; i++)
        if (tracks[i].id != 0)
            list->living[list->living_count++] = tracks[i].id;
    return MIEN_OK;
}
