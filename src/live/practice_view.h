/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_PRACTICE_VIEW_H
#define LIVE_PRACTICE_VIEW_H

/* The window of `mien practice`: the person as in a mirror, the face to be shown, the score. */

#include "eval/prompts.h"
#include "video/people.h"

#include <mien/image.h>

typedef struct practice_view practice_view;

/* What there is to see. */
typedef struct practice_scene {
    const char *expression; /* that is asked for */
    prompt_moment moment;
    size_t tasks;
    double now, best;  /* scores, 0..100 */
    const person *who; /* NULL: nobody is there */
} practice_scene;

/*
 * Success: *out is the caller's, free with practice_view_close. Failure: *out is NULL; errors of
 * live_window_open.
 */
mien_status practice_view_open(practice_view **out, mien_error *error);

/* NULL is fine. */
void practice_view_close(practice_view *view);

/* Shows a frame, RGB8. Errors of live_window_show, canvas_load and image_mirror. */
mien_status practice_view_show(practice_view *view, const mien_image *image,
                               const practice_scene *scene, mien_error *error);

/* Looks at the keys; whether somebody wants to end. */
bool practice_view_wants_end(practice_view *view);

#endif
