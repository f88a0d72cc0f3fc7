/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_GROUP_H
#define EVAL_GROUP_H

/*
 * A group over time: how much of it looks to the camera, how it looks, and who stands out. Made for
 * 25 to 50 faces. Pure functions of a timeline; experimental: looking elsewhere is not inattention.
 *
 * Time is cut into windows of equal length, the last one shorter. A person is there from the first
 * to the last sample, seen or not. A sample holds as in person_time.h.
 */

#include "eval/person_time.h"

typedef struct group_settings {
    double window_s;  /* over 0 */
    double facing;    /* from which on a face looks to the camera, 0..1 */
    double negative;  /* mean sum of negative probabilities from which a person stands out */
    double attention; /* under which a person stands out */
    double of_group;  /* while the median of the group's attention is at least this */
    double least_s;   /* time within a window under which nothing is said of a person */
    double look_s;    /* looks that are shorter are left out */
} group_settings;

/* 10 s, 0.5, 0.6, 0.3, 0.6, 3 s, 20 s. */
group_settings group_defaults(void);

typedef struct group_window {
    double start_s, end_s;
    size_t there;     /* people */
    double attention; /* mean over them of: time seen with the face to the camera (or with that not
                         known), of the time there. NaN when nobody is there */
    double mood;      /* mean over those who were seen of their mean valence (roles.h), -1..1; NaN
                         when nobody was seen */
    double negative;  /* the same of the sum of negative probabilities, 0..1 */
} group_window;

typedef enum look_reason { LOOK_NEGATIVE, LOOK_AWAY } look_reason;

/* Someone who may need a look: from one window to the end of another. */
typedef struct group_look {
    int64_t person;
    look_reason reason;
    double start_s, end_s;
    double value; /* the most extreme one: negative 0..1, or attention 0..1 */
} group_look;

typedef struct group_course {
    group_window *windows; /* (window_count) */
    size_t window_count;
    group_look *looks; /* (look_count): by start, then person */
    size_t look_count;
} group_course;

/*
 * Success: the caller frees with group_free. Failure: *out is zeroed; MIEN_OUT_OF_MEMORY,
 * MIEN_LIMIT (over a million windows).
 */
mien_status group_follow(const timeline *t, const person_settings *person,
                         const group_settings *settings, group_course *out, mien_error *error);
void group_free(group_course *course);

#endif
