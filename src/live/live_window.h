/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_LIVE_WINDOW_H
#define LIVE_LIVE_WINDOW_H

/*
 * A window with a picture and a line of words under it (SDL2, whose types are seen in live_window.c
 * alone). It can be resized; the picture keeps its proportions. For the thread that opened it; one
 * window at a time.
 */

#include <mien/image.h>
#include <stdbool.h>

typedef struct live_window live_window;

/* What was pressed since one last asked. */
typedef struct live_keys {
    bool quit;     /* q, Escape, or the window was closed */
    bool pause;    /* space; and each of the others an odd number of times */
    bool snapshot; /* s */
    bool mode;     /* m */
} live_keys;

/*
 * Finds a display; the window comes with the first picture. No signal handlers are set.
 * Success: *out is the caller's, free with live_window_close. Failure: *out is NULL; MIEN_IO (there
 * is no display; the message says what to do), MIEN_OUT_OF_MEMORY.
 */
mien_status live_window_open(const char *title, live_window **out, mien_error *error);

/* NULL is fine. */
void live_window_close(live_window *window);

/*
 * Shows a picture, BGRA8 (alpha is ignored), and words under it: left ones, and right ones where
 * there is room for both. The window is made as large as the first picture, or the screen. MIEN_IO,
 * MIEN_OUT_OF_MEMORY.
 */
mien_status live_window_show(live_window *window, const mien_image *image, const char *left,
                             const char *right, mien_error *error);

/* New words under the picture that is shown. Errors as above. */
mien_status live_window_say(live_window *window, const char *left, const char *right,
                            mien_error *error);

/* Looks at the keys, and draws again what was covered. Never waits. */
void live_window_poll(live_window *window, live_keys *keys);

#endif
