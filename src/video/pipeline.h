/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_PIPELINE_H
#define VIDEO_PIPELINE_H

/*
 * A source worked through, from its bytes to the people of each frame. Whoever prints, draws, shows
 * or stores takes the frames from here, one after the other. For one thread at a time.
 *
 * Behind it, fetching, finding and reading have a thread each, with bounded queues between them and
 * to the caller. Of a file no frame is lost: whoever is ahead waits. A live source (a camera, a
 * screen, a stream without end, a file that is played) is never kept waiting: when
 * PIPELINE_WAITING of its frames wait to be looked at, the oldest is dropped; before it comes to
 * that, faces are looked for in fewer frames (search_pace.h). What a frame's people are depends on
 * the frames before it alone, so a file gives the same results run for run, and on one thread.
 *
 * Frames and results lie in a fixed number of slots, which are used again: while size and number of
 * people do not grow, the pipeline allocates nothing.
 */

#include "video/people.h"
#include "video/source.h"

enum { PIPELINE_WAITING = 8 };

typedef struct pipeline_settings {
    people_settings people;
    video_source_options source; /* stopped is asked on another thread */
    bool live;       /* play a file at its own pace and treat it as a camera (stream.h) */
    double rate;     /* frames a second that are wanted of a live source; those that come sooner
                        are left out and not counted; 0 for all */
    bool one_thread; /* no threads: all work is done in pipeline_next, which waits for as long as
                        it takes; live sources then lose frames uncounted, and silence goes
                        unnoticed */
} pipeline_settings;

/* A frame with everything that is known of it. */
typedef struct pipeline_frame {
    const char *source;      /* as the user named it, without a password */
    int64_t number;          /* from 1; dropped frames have numbers too */
    double time_s;           /* as of video_frame */
    const mien_image *image; /* RGB8, upright */
    const person *people;    /* from left to right */
    size_t count;
    double find_s;   /* the time that finding and reading the people took, on the wall */
    double delay_s;  /* from the frame's arrival here to now */
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
 * Opens a source as stream_open does, and makes what stages_open does, with their errors; model and
 * detector must outlive the pipeline. MIEN_OUT_OF_MEMORY: also when no thread can be started. The
 * threads leave all signals to the caller's.
 * Success: *out is the caller's, free with pipeline_close. Failure: *out is NULL.
 */
mien_status pipeline_open(const char *name, const mien_model *model, const mien_detector *detector,
                          const pipeline_settings *settings, pipeline **out, mien_error *error);

/* At any time; what is under way is given up. NULL is fine. */
void pipeline_close(pipeline *pipeline);

/*
 * What comes next, within wait_s seconds (INFINITY for as long as it takes). PIPELINE_FRAME: *frame
 * is filled in; what it points to is the pipeline's until the next call. Otherwise *frame is
 * zeroed. A source that gives nothing for PIPELINE_SILENCE_S is a PIPELINE_NOTICE, once each time.
 * Failure: errors as of stream_next, people_finder_run and people_reader_run, once all frames
 * before it were handed out; there is nothing more after it.
 */
#define PIPELINE_SILENCE_S 5.0
mien_status pipeline_next(pipeline *pipeline, double wait_s, pipeline_event *event,
                          pipeline_frame *frame, mien_error *error);

/* The words of the last PIPELINE_NOTICE, for people; the pipeline's until the next call. */
const char *pipeline_notice(const pipeline *pipeline);

/* What the source is called: as the user named it, without a password. The pipeline's. */
const char *pipeline_name(const pipeline *pipeline);

/* Whether the source is a live one. */
bool pipeline_is_live(const pipeline *pipeline);

/* Packets that were passed over, and people that were seen, up to the last frame. */
int64_t pipeline_skipped(const pipeline *pipeline);
int64_t pipeline_people(const pipeline *pipeline);

#endif
