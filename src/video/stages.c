/* SPDX-License-Identifier: Apache-2.0 */
#include "video/stages.h"

#include "base/error.h"
#include "video/clock.h"

mien_status stages_open(const char *name, const mien_model *model, const mien_detector *detector,
                        const people_settings *people, const stream_settings *wanted, stages *all,
                        mien_error *error)
{
    *all = (stages){.pace.least = people->every};
    if (people->every < 1)
        return error_set(error, MIEN_INVALID_ARGUMENT, "cannot look for faces every %d frames",
                         people->every);
    mien_status status = people_finder_create(detector, people->remember_s, &all->finder, error);
    if (status == MIEN_OK)
        status = people_reader_create(model, people, &all->reader, error);
    if (status == MIEN_OK)
        status = stream_open(name, wanted, &all->stream, error);
    if (status == MIEN_OK)
        all->pace.adapts = stream_is_live(all->stream);
    return status;
}

void stages_close(stages *all)
{
    stream_close(all->stream);
    people_finder_free(all->finder);
    people_reader_free(all->reader);
    *all = (stages){0};
}

static slot_kind kind_of(stream_event event)
{
    switch (event) {
    case STREAM_FRAME:
        return SLOT_FRAME;
    case STREAM_NOTICE:
        return SLOT_NOTICE;
    case STREAM_END:
        break;
    }
    return SLOT_END;
}

mien_status stage_fetch(void *context, slot *s, mien_error *error)
{
    stages *all = context;
    stream_event event;
    mien_status status = stream_next(all->stream, &s->image, &event, &s->frame, error);
    s->kind = kind_of(event);
    s->find_s = 0;
    s->skipped = stream_skipped(all->stream);
    if (s->kind == SLOT_FRAME)
        s->number = ++all->fetched;
    if (s->kind == SLOT_NOTICE)
        error_set(&s->error, MIEN_OK, "%s", stream_notice(all->stream));
    return status;
}

mien_status stage_find(void *context, slot *s, mien_error *error)
{
    stages *all = context;
    double start_s = clock_now_s();
    bool search = search_pace_next(&all->pace);
    mien_status status =
        people_finder_run(all->finder, &s->image, s->frame.time_s, search, &s->people, error);
    double took_s = clock_now_s() - start_s;
    if (search)
        search_pace_took(&all->pace, took_s, s->frame.interval_s);
    s->find_s += took_s;
    s->people_count = people_finder_count(all->finder);
    return status;
}

mien_status stage_read(void *context, slot *s, mien_error *error)
{
    const stages *all = context;
    double start_s = clock_now_s();
    mien_status status =
        people_reader_run(all->reader, &s->image, s->frame.time_s, &s->people, error);
    s->find_s += clock_now_s() - start_s;
    return status;
}
