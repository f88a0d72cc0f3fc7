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

#endif
