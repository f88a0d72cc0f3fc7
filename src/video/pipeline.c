/* SPDX-License-Identifier: Apache-2.0 */
#include "video/pipeline.h"

#include "base/address.h"
#include "base/error.h"
#include "base/memory.h"
#include "video/clock.h"
#include "video/line.h"
#include "video/stages.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_WAITING = 2 };

/* The longest wait before a look at whether the source is silent. */
#define SILENCE_STEP_S 1.0

struct pipeline {
    char *name;
    pipeline_settings settings;
    stages stages;
    bool live;
    atomic_bool closing;
    line *line;
    /* Of the caller's thread: */
    bool ended;
    bool silent; /* it was said that the source is */
    int64_t published_count, skipped, people_count;
    char notice[MIEN_ERROR_MESSAGE_SIZE];
};

/* ---- Opening and closing ---- */

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

static mien_status start_line(pipeline *p, mien_error *error)
{
    line_settings wanted = {.fetch = stage_fetch,
                            .find = stage_find,
                            .read = stage_read,
                            .context = &p->stages,
                            .waiting = p->live ? PIPELINE_WAITING : FILE_WAITING,
                            .drops = p->live,
                            .one_thread = p->settings.one_thread};
    return line_start(&wanted, &p->line, error);
}

mien_status pipeline_open(const char *name, const mien_model *model, const mien_detector *detector,
                          const pipeline_settings *settings, pipeline **out, mien_error *error)
{
    *out = NULL;
    pipeline *p = memory_zeroed(1, sizeof *p);
    if (p == NULL || (p->name = address_without_password(name)) == NULL) {
        free(p);
        return error_no_memory(error, "a pipeline", sizeof *p);
    }
    p->settings = *settings;
    mien_status status = open_stages(p, name, model, detector, error);
    if (status == MIEN_OK)
        status = start_line(p, error);
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
    atomic_store(&p->closing, true);
    line_stop(p->line);
    stages_close(&p->stages);
    free(p->name);
    free(p);
}

/* ---- Publishing ---- */

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
static const slot *wait_for(pipeline *p, double wait_s, bool *silent)
{
    double until_s = clock_now_s() + wait_s;
    const slot *s = NULL;
    *silent = false;
    while (s == NULL && !*silent) {
        double left_s = until_s - clock_now_s();
        s = line_next(p->line, left_s < SILENCE_STEP_S ? left_s : SILENCE_STEP_S);
        *silent = s == NULL && fell_silent(p);
        if (left_s < SILENCE_STEP_S)
            break;
    }
    return s;
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
    const slot *s = wait_for(p, wait_s, &silent);
    if (s == NULL) {
        *event = silent ? PIPELINE_NOTICE : PIPELINE_NOTHING;
        return MIEN_OK;
    }
    return publish(p, s, event, frame, error);
}

const char *pipeline_notice(const pipeline *p)
{
    return p->notice;
}

const char *pipeline_name(const pipeline *p)
{
    return p->name;
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
