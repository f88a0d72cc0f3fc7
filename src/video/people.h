/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_PEOPLE_H
#define VIDEO_PEOPLE_H

/*
 * From frames to people: finds and reads the faces of a frame, knows them again from the frames
 * before, and smooths what each looks like. All state belongs to a person's track. For one thread
 * at a time.
 */

#include "video/source.h"
#include "video/tracker.h"

#include <mien/analyzer.h>

typedef struct people_settings {
    int every; /* faces are looked for in one frame of so many, at least 1; between them people
                  are read where their tracks predict them */
    double smooth_s; /* time constant of smoother.h; 0 for none */
} people_settings;

/* A face of a frame and whose it is. */
typedef struct person {
    int64_t id;     /* from 1, never given twice; 0 while it is not sure that this is a person */
    bool predicted; /* nobody looked: the face was read where it was expected, without landmarks */
    mien_face face; /* probabilities smoothed for those with an id */
} person;

typedef struct people people;

/*
 * model NULL: faces only. detector NULL: each frame is one face. Both must outlive the object.
 * Success: *out is the caller's, free with people_free. Failure: *out is NULL;
 * MIEN_INVALID_ARGUMENT, MIEN_OUT_OF_MEMORY and mien_analyzer_create's.
 */
mien_status people_create(const mien_model *model, const mien_detector *detector,
                          const people_settings *settings, people **out, mien_error *error);
void people_free(people *people);

/*
 * The next frame. Success: *found, (*count) of them from left to right, last until the next call.
 * Failure: *found is NULL and *count 0; errors as of mien_analyzer_run and tracker_update.
 */
mien_status people_find(people *people, const video_frame *frame, const person **found,
                        size_t *count, mien_error *error);

/* Ids that were given out so far. */
int64_t people_count(const people *people);

#endif
