/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_SESSION_PAGE_H
#define EVAL_SESSION_PAGE_H

/* What people looked like over time, as a page of eval/html.h. */

#include "eval/events.h"
#include "eval/group.h"
#include "eval/report_page.h"
#include "eval/session_pictures.h"

typedef struct session_person {
    int64_t id;
    const char *label; /* a name that somebody gave, or "" */
} session_person;

/* Something that was noted while the session ran. */
typedef struct session_note {
    double time_s;
    const char *text;
} session_note;

typedef struct session_settings {
    person_settings person;
    event_settings events;
    group_settings group;
    double overlap; /* of found and annotated events, 0..1, over 0 */
} session_settings;

session_settings session_defaults(void);

/* What is told of a session. All of it stays the caller's. */
typedef struct session_story {
    const char *name;
    const report_fact *facts; /* source, model, consent, ... */
    size_t fact_count;
    const timeline *timeline;
    const session_person *people; /* may lack some of the timeline's */
    size_t person_count;
    const session_note *notes; /* in the order of time */
    size_t note_count;
    const expression_event *annotations; /* NULL: there are none to compare with */
    size_t annotation_count;
    const session_pictures *pictures; /* NULL: none were saved */
} session_story;

/*
 * Writes the whole page: facts, shares, a line for each person, saved faces, the group, events,
 * formulas. Write errors stay in the stream. MIEN_OUT_OF_MEMORY, MIEN_LIMIT (of group_follow).
 */
mien_status session_page_write(FILE *out, const session_story *story,
                               const session_settings *settings, mien_error *error);

#endif
