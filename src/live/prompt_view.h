/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_PROMPT_VIEW_H
#define LIVE_PROMPT_VIEW_H

/* The window of commands that ask somebody to show an expression: the person as in a mirror, the
 * face to be shown, how long there is still to wait, and a score where there is one. */

#include "eval/prompts.h"
#include "video/people.h"

#include <mien/image.h>

typedef struct prompt_view prompt_view;

/* What there is to see. */
typedef struct prompt_scene {
    const char *expression; /* that is asked for */
    prompt_moment moment;   /* not PROMPT_DONE */
    size_t tasks;
    bool paused;
    bool scored;
    double now, best;  /* scores, 0..100 */
    char words[64];    /* how it goes, for the line under the picture */
    const person *who; /* NULL: nobody is there */
} prompt_scene;

/*
 * Success: *out is the caller's, free with prompt_view_close. Failure: *out is NULL; errors of
 * live_window_open.
 */
mien_status prompt_view_open(const char *title, prompt_view **out, mien_error *error);

/* NULL is fine. */
void prompt_view_close(prompt_view *view);

/* Shows a frame, RGB8. Errors of live_window_show, canvas_load and image_mirror. */
mien_status prompt_view_show(prompt_view *view, const mien_image *image, const prompt_scene *scene,
                             mien_error *error);

/* Looks at the keys. *pause: space was pressed an odd number of times. Returns whether somebody
 * wants to end. */
bool prompt_view_wants_end(prompt_view *view, bool *pause);

#endif
