/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_PIPELINE_H
#define VIDEO_PIPELINE_H

/*
 * A source worked through, from its bytes to the people of each frame. Whoever prints, draws, shows
 * or stores takes the frames from here, one after the other. For one thread at a time.
 */

#include "video/people.h"
#include "video/source.h"

typedef struct pipeline_settings {
    people_settings people;
    video_source_options source;
} pipeline_settings;

/* A frame with everything that is known of it. */
typedef struct pipeline_frame {
    const char *source;      /* as the user named it */
    int64_t number;          /* from 1 */
    double time_s;           /* as of video_frame */
    const mien_image *image; /* RGB8, upright */
    const person *people;    /* from left to right */
    size_t count;
    double find_s;   /* the time that finding and reading the people took, on the wall */
    int64_t dropped; /* frames so far that a live source went past while others were worked on */
} pipeline_frame;

typedef enum pipeline_event {
    PIPELINE_FRAME,
    PIPELINE_NOTHING, /* there was nothing for as long as one was ready to wait */
    PIPELINE_NOTICE,  /* something that people should know; the run goes on */
    PIPELINE_END,     /* of the source, or stopped */
} pipeline_event;

typedef struct pipeline pipeline;

/*
 * Opens a source as video_source_open and people_create do, with their errors; model and detector
 * must outlive the pipeline.
 * Success: *out is the caller's, free with pipeline_close. Failure: *out is NULL.
 */
mien_status pipeline_open(const char *name, const mien_model *model, const mien_detector *detector,
                          const pipeline_settings *settings, pipeline **out, mien_error *error);

/* NULL is fine. */
void pipeline_close(pipeline *pipeline);

/*
 * What comes next, within wait_s seconds. PIPELINE_FRAME: *frame is filled in; what it points to is
 * the pipeline's until the next call. Otherwise *frame is zeroed.
 * Failure: errors as of video_source_next and people_find; there is nothing more after it.
 */
mien_status pipeline_next(pipeline *pipeline, double wait_s, pipeline_event *event,
                          pipeline_frame *frame, mien_error *error);

/* The words of the last PIPELINE_NOTICE, for people; the pipeline's until the next call. */
const char *pipeline_notice(const pipeline *pipeline);

/* Packets that were passed over, and people that were seen, so far. */
int64_t pipeline_skipped(const pipeline *pipeline);
int64_t pipeline_people(const pipeline *pipeline);

#endif
