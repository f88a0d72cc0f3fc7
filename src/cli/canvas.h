/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CANVAS_H
#define CLI_CANVAS_H

/* A picture to draw on, with Cairo. */

#include <mien/image.h>

#include <cairo.h>

typedef struct canvas {
    cairo_surface_t *surface; /* RGB24 */
    cairo_t *cr;              /* what is drawn with; its font is sans-serif */
} canvas;

/*
 * Black, width x height pixels.
 * Success: the caller frees with canvas_free. Failure: *c may be freed too; MIEN_OUT_OF_MEMORY,
 * MIEN_LIMIT (a side over 32767 pixels, Cairo's most).
 */
mien_status canvas_create(int width, int height, canvas *c, mien_error *error);
void canvas_free(canvas *c);

/* The same, as a copy of an RGB8 picture. */
mien_status canvas_create_of(const mien_image *image, canvas *c, mien_error *error);

/* Draws an RGB8 picture into a box: enlarged without smoothing, shrunk with. Errors as of
 * canvas_create. */
mien_status canvas_place(canvas *c, const mien_image *image, double x, double y, double width,
                         double height, mien_error *error);

/* Text whose baseline begins at x, y; size in pixels; at most 511 bytes are drawn. */
void canvas_text(canvas *c, double x, double y, double size, const char *text);

/*
 * What was drawn. Success: *out is the caller's, RGB8, free with mien_image_free. Failure: *out is
 * zeroed; MIEN_OUT_OF_MEMORY, also for a failure of anything drawn before.
 */
mien_status canvas_finish(const canvas *c, mien_image *out, mien_error *error);

#endif
