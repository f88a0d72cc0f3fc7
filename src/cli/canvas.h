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

/*
 * Puts an RGB8 picture on a canvas, which takes its size. What the canvas held is lost; its memory
 * is kept where the size is the same, as from frame to frame of a video. The canvas was zeroed or
 * created before. Success and failure as of canvas_create.
 */
mien_status canvas_load(canvas *c, const mien_image *image, mien_error *error);

/* Draws an RGB8 picture into a box: enlarged without smoothing, shrunk with. Errors as of
 * canvas_create. */
mien_status canvas_place(canvas *c, const mien_image *image, double x, double y, double width,
                         double height, mien_error *error);

/* Text whose baseline begins at x, y; size in pixels; at most 511 bytes are drawn. The width is
 * that of the same text, in pixels. */
void canvas_text(canvas *c, double x, double y, double size, const char *text);
double canvas_text_width(canvas *c, double size, const char *text);

/*
 * What was drawn. Success: *out is the caller's, RGB8, free with mien_image_free. Failure: *out is
 * zeroed; MIEN_OUT_OF_MEMORY, also for a failure of anything drawn before.
 */
mien_status canvas_finish(const canvas *c, mien_image *out, mien_error *error);

/*
 * The same without a copy: *view is BGRA8, its alpha without meaning, and lasts until the canvas is
 * drawn on or freed. Failure as of canvas_finish.
 */
mien_status canvas_view(const canvas *c, mien_image *view, mien_error *error);

#endif
