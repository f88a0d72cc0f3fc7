/* SPDX-License-Identifier: Apache-2.0 */
#include "video/pipeline.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <time.h>

struct pipeline {
    char *name;
    people *people;
    video_source *source;
    int64_t frames;
};

mien_status pipeline_open(const char *name, const mien_model *model, const mien_detector *detector,
                          const pipeline_settings *settings, pipeline **out, mien_error *error)
{
    *out = NULL;
    pipeline *p = memory_zeroed(1, sizeof *p);
    if (p == NULL || (p->name = memory_copy_string(name)) == NULL) {
        free(p);
        return error_no_memory(error, "a pipeline", sizeof *p);
    }
    mien_status status = people_create(model, detector, &settings->people, &p->people, error);
    if (status == MIEN_OK)
        status = video_source_open(name, &settings->source, &p->source, error);
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
    video_source_close(p->source);
    people_free(p->people);
    free(p->name);
    free(p);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

mien_status pipeline_next(pipeline *p, double wait_s, pipeline_event *event, pipeline_frame *frame,
                          mien_error *error)
{
    (void)wait_s;
    video_frame read;
    *event = PIPELINE_END;
    *frame = (pipeline_frame){0};
    mien_status status = video_source_next(p->source, &read, error);
    if (status != MIEN_OK || read.image == NULL)
        return status;
    pipeline_frame found = {
        .source = p->name, .number = p->frames + 1, .time_s = read.time_s, .image = read.image};
    double start_s = now_s();
    status = people_find(p->people, &read, &found.people, &found.count, error);
    if (status != MIEN_OK)
        return status;
    found.find_s = now_s() - start_s;
    p->frames++;
    *frame = found;
    *event = PIPELINE_FRAME;
    return MIEN_OK;
}

const char *pipeline_notice(const pipeline *p)
{
    (void)p;
    return "";
}

int64_t pipeline_skipped(const pipeline *p)
{
    return video_source_skipped(p->source);
}

int64_t pipeline_people(const pipeline *p)
{
    return people_count(p->people);
}
