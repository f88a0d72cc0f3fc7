/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_SESSION_PICTURES_H
#define EVAL_SESSION_PICTURES_H

/* Faces that were saved while a session ran: which of them are shown, and the section of the page
 * that shows them. */

#include <mien/image.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A picture that may be shown. */
typedef struct picture_choice {
    int64_t person;
    double time_s;
    int class_index; /* the apparent expression */
    size_t tag;      /* the caller's */
    bool passed;     /* it is shown already, or cannot be */
} picture_choice;

/*
 * The next of one person's pictures to show beside shown[], places among the choices: of an
 * expression that is shown least, and of those the furthest in time from all that are shown; the
 * first of several. count when there is none that was not passed. Pure.
 */
size_t picture_choose(const picture_choice *choices, size_t count, const size_t *shown,
                      size_t shown_count);

/* A picture that is shown. */
typedef struct session_picture {
    int64_t person;
    double time_s;
    int class_index;
    mien_image image; /* RGB8, small */
} session_picture;

typedef struct session_pictures {
    char *folder;            /* where they lie */
    bool is_there;           /* else nothing is known of them */
    size_t saved;            /* lie there */
    size_t gone;             /* were saved, and do not */
    size_t unreadable;       /* of those that would have been shown */
    size_t of_a_person;      /* at most so many are shown */
    size_t count;            /* shown */
    session_picture *images; /* by person and time */
} session_pictures;

#endif
