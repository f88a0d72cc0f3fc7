/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_STAGES_H
#define VIDEO_STAGES_H

/*
 * What is done to a frame, one after the other: fetching it from the source, finding its people,
 * reading them. Each has state of its own, so that each may be on a thread of its own. They know
 * nothing of queues.
 */

#include "video/line.h"
#include "video/people_finder.h"
#include "video/people_reader.h"
#include "video/search_pace.h"
#include "video/stream.h"

typedef struct stages {
    stream *stream; /* of fetching */
    int64_t fetched;
    people_finder *finder; /* of finding */
    search_pace pace;
    people_reader *reader; /* of reading */
} stages;

/*
 * Opens the source and makes what the stages need; model and detector must outlive them.
 * Success and failure: stages_close frees what is there. Errors as of stream_open,
 * people_finder_create, people_reader_create; MIEN_INVALID_ARGUMENT.
 */
mien_status stages_open(const char *name, const mien_model *model, const mien_detector *detector,
                        const people_settings *people, const stream_settings *stream,
                        stages *stages, mien_error *error);
void stages_close(stages *stages);

/*
 * The work of the stations; context: the stages. Fetching takes what the source gives next, a
 * frame, a notice or its end, with errors as of stream_next; finding, as of people_finder_run;
 * reading, as of people_reader_run.
 */
line_work stage_fetch, stage_find, stage_read;

#endif
