/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_TIMELINE_H
#define EVAL_TIMELINE_H

/* What was seen of people over time, as plain arrays: what sessions keep and what is computed from
 * them. */

#include <mien/model.h>
#include <stddef.h>
#include <stdint.h>

/* A face in a frame. */
typedef struct timeline_sample {
    double time_s;             /* from the start of the session */
    int64_t person;            /* from 1; the track */
    float x, y, width, height; /* pixels */
    float facing;              /* 0 (from the side) to 1 (to the camera); negative: not known */
} timeline_sample;

/* Samples in the order of their times. */
typedef struct timeline {
    int class_count; /* 1..MIEN_MAX_CLASSES */
    const char *const *class_names;
    size_t count;
    const timeline_sample *samples;
    const float *probabilities; /* (count, class_count), each row 0..1 with the sum 1 */
    double length_s;            /* of the session, at least the last sample's time */
} timeline;

/* The probabilities of a sample: (class_count). */
static inline const float *timeline_row(const timeline *t, size_t sample)
{
    return t->probabilities + sample * (size_t)t->class_count;
}
/*
 * How far a face is turned to the camera, by the nose between the eyes:
 * 1 - min(1, |2 (nose.x - left_eye.x) / (right_eye.x - left_eye.x) - 1|); 1 when it lies midway, 0
 * when it is before an eye or beyond. landmarks: as of mien_face, (x, y) each; NULL for none.
 * Negative when there are none or the eyes stand one above the other. Pure.
 */
float timeline_facing(const float (*landmarks)[2]);

#endif
