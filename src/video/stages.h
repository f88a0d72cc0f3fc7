/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_STAGES_H
#define VIDEO_STAGES_H

/*
 * What is done to a frame, one after the other: fetching it from the source, finding its people,
 * reading them. Each stage has state of its own and one thread at a time, which may be three
 * different ones. They know nothing of queues.
 */

#include "video/people_finder.h"
#include "video/people_reader.h"
#include "video/search_pace.h"
#include "video/slot.h"

typedef struct stages {
    stream *stream; /* of fetching */
    int64_t fetched;
    people_finder *finder; /* of finding */
    search_pace pace;
    people_reader *reader; /* of reading */
} stages;

typedef mien_status stage_work(stages *stages, slot *slot, mien_error *error);

/*
 * Opens the source and makes what the stages need; model and detector must outlive them.
 * Success and failure: stages_close frees what is there. Errors as of stream_open,
 * people_finder_create, people_reader_create; MIEN_INVALID_ARGUMENT.
 */
mien_status stages_open(const char *name, const mien_model *model, const mien_detector *detector,
                        const people_settings *people, const stream_settings *stream,
                        stages *stages, mien_error *error);
void stages_close(stages *stages);

/* What the source gives next: a frame, a notice or its end. Errors as of stream_next. */
mien_status stage_fetch(stages *stages, slot *slot, mien_error *error);

/* The people of a frame. Errors as of people_finder_run. */
mien_status stage_find(stages *stages, slot *slot, mien_error *error);

/* Their expressions. Errors as of people_reader_run. */
mien_status stage_read(stages *stages, slot *slot, mien_error *error);

/* Does a stage's work if the slot holds a frame, or fills it; a failure stays in the slot. */
void stage_do(stage_work *work, stages *stages, slot *slot);

#endif
