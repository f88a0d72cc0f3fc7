/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_EVENTS_H
#define EVAL_EVENTS_H

/* Events: an expression held over a threshold; and how well found events meet annotated ones. */

#include "eval/timeline.h"

#include <mien/status.h>
#include <stdio.h>

typedef struct event_settings {
    double on;     /* an event begins where the probability reaches this, 0..1 */
    double off;    /* and goes on while it is at least this, at most on */
    double hold_s; /* shorter ones are none */
    double gap_s;  /* two of one person and class with a shorter gap are one; so long, too, may a
                      person be out of sight within one. Over 0 */
} event_settings;

/* 0.6, 0.5, 1 s, 0.5 s. */
event_settings event_defaults(void);

typedef struct expression_event {
    int64_t person;  /* annotations: 0 for anyone */
    int class_index; /* of the timeline */
    double start_s, end_s;
    double peak; /* largest probability within; annotations: NaN */
} expression_event;

/*
 * The events of all people for all classes but one (without: usually neutral; -1 for none), by
 * start, then person. Several classes may hold at once only if off is under 0.5.
 * Success: *events, (*count) of them, is the caller's, freed with free(); NULL when there are none.
 * Failure: *events is NULL; MIEN_OUT_OF_MEMORY.
 */
mien_status events_find(const timeline *t, const event_settings *settings, int without,
                        expression_event **events, size_t *count, mien_error *error);

/* Event-based scores. NaN where there is nothing to divide by. */
typedef struct event_scores {
    size_t found, annotated, matched;
    double precision, recall, f1;
} event_scores;

/*
 * Matches found events one to one with annotated ones of the same class, and person where that is
 * given, whose intersection over union in time is at least overlap (0..1, over 0; 0.5 is usual),
 * those that overlap most first. The measure of facial expression spotting: See, Yap, Li, Hong,
 * Wang: MEGC 2019 - the second facial micro-expressions grand challenge, FG 2019. scores:
 * (class_count) for each class, and all together in *all.
 * MIEN_OUT_OF_MEMORY.
 */
mien_status events_score(const expression_event *found, size_t found_count,
                         const expression_event *annotated, size_t annotated_count, double overlap,
                         int class_count, event_scores *scores, event_scores *all,
                         mien_error *error);

/*
 * Reads annotations: CSV with the columns person, expression, start and end (seconds from the start
 * of the session; person may be empty for anyone). name: of the stream, for messages.
 * Success: *events is the caller's, freed with free(); NULL when there are none. Failure: *events
 * is NULL; MIEN_MALFORMED with the row (a column is missing, a class that the timeline does not
 * have, a number that is none, an end before its start), MIEN_IO, MIEN_OUT_OF_MEMORY.
 */
mien_status events_read_csv(FILE *stream, const char *name, const char *const *class_names,
                            int class_count, expression_event **events, size_t *count,
                            mien_error *error);

#endif
