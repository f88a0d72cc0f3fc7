/* SPDX-License-Identifier: Apache-2.0 */
#include "live/practice_view.h"

#include "cli/canvas.h"
#include "live/live_window.h"
#include "live/pictogram.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct practice_view {
    live_window *window;
    canvas canvas;
    mien_image mirror; /* as large as the last frame */
};

mien_status practice_view_open(practice_view **out, mien_error *error)
{
    *out = NULL;
    practice_view *v = memory_zeroed(1, sizeof *v);
    if (v == NULL)
        return error_no_memory(error, "a window", sizeof *v);
    mien_status status = live_window_open("mien practice", &v->window, error);
    if (status != MIEN_OK) {
        free(v);
        return status;
    }
    *out = v;
    return MIEN_OK;
}

void practice_view_close(practice_view *v)
{
    if (v == NULL)
        return;
    live_window_close(v->window);
    canvas_free(&v->canvas);
    mien_image_free(&v->mirror);
    free(v);
}

bool practice_view_wants_end(practice_view *v)
{
    live_keys keys;
    live_window_poll(v->window, &keys);
    return keys.quit;
}

/* ---- Drawing ---- */

static mien_status load_mirrored(practice_view *v, const mien_image *image, mien_error *error)
{
    mien_status status = MIEN_OK;
    if (v->mirror.width != image->width || v->mirror.height != image->height) {
        mien_image_free(&v->mirror);
        status = mien_image_alloc(image->width, image->height, MIEN_PIXEL_RGB8, &v->mirror, error);
    }
    if (status == MIEN_OK)
        status = image_mirror(image, &v->mirror, error);
    return status == MIEN_OK ? canvas_load(&v->canvas, &v->mirror, error) : status;
}

/* Dark glass, so that what lies on it can be read over any picture. */
static void draw_panel(cairo_t *cr, double x, double y, double width, double height)
{
    cairo_rectangle(cr, x, y, width, height);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.55);
    cairo_fill(cr);
}

static void draw_person(canvas *c, const mien_image *image, const person *who)
{
    double width = (double)who->face.width;
    cairo_rectangle(c->cr, image->width - (double)who->face.x - width, (double)who->face.y, width,
                    (double)who->face.height);
    cairo_set_line_width(c->cr, fmax(2, image->height / 240.0));
    cairo_set_source_rgb(c->cr, 1, 0.83, 0.35);
    cairo_stroke(c->cr);
}

/* The face to be shown, and its name, in the upper left corner. */
static void draw_target(canvas *c, const mien_image *image, const practice_scene *scene)
{
    double size = image->height / 4.0, edge = size / 8, letters = size / 4;
    double text_width = canvas_text_width(c, letters, scene->expression);
    draw_panel(c->cr, 0, 0, fmax(size, text_width) + 2 * edge, size + letters * 1.6 + 2 * edge);
    pictogram_draw(c, edge, edge, size, scene->expression);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    canvas_text(c, edge, size + edge + letters * 1.2, letters, scene->expression);
}

/* From red over yellow to green. */
static void choose_colour(cairo_t *cr, double score)
{
    double share = fmin(fmax(score / 100, 0), 1);
    cairo_set_source_rgb(cr, fmin(1, 2 - 2 * share) * 0.9, fmin(1, 2 * share) * 0.8, 0.15);
}

/* The score as a bar at the foot, a mark where the best one is. */
static void draw_score(canvas *c, const mien_image *image, const practice_scene *scene)
{
    char text[32];
    double high = image->height / 14.0, y = image->height - 1.5 * high, x = high / 2;
    double wide = image->width - 4.5 * high;
    draw_panel(c->cr, 0, y - high / 2, image->width, 2 * high);
    choose_colour(c->cr, scene->now);
    cairo_rectangle(c->cr, x, y, wide * scene->now / 100, high);
    cairo_fill(c->cr);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    cairo_set_line_width(c->cr, fmax(1, high / 12));
    cairo_rectangle(c->cr, x, y, wide, high);
    cairo_move_to(c->cr, x + wide * scene->best / 100, y - high / 3);
    cairo_rel_line_to(c->cr, 0, high * 5 / 3);
    cairo_stroke(c->cr);
    snprintf(text, sizeof text, "%.0f", scene->now);
    canvas_text(c, x + wide + high / 2, y + high * 0.85, high, text);
}

/* Seconds that are left to get ready, large. */
static void draw_countdown(canvas *c, const mien_image *image, const practice_scene *scene)
{
    char text[32];
    double letters = image->height / 5.0;
    snprintf(text, sizeof text, "%.0f", ceil(scene->moment.left_s));
    double width = canvas_text_width(c, letters, text), y = image->height * 0.9;
    draw_panel(c->cr, (image->width - width) / 2 - letters / 3, y - letters,
               width + letters * 2 / 3, letters * 1.25);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    canvas_text(c, (image->width - width) / 2, y, letters, text);
}

mien_status practice_view_show(practice_view *v, const mien_image *image,
                               const practice_scene *scene, mien_error *error)
{
    mien_image view;
    char words[128];
    mien_status status = load_mirrored(v, image, error);
    if (status != MIEN_OK)
        return status;
    if (scene->who != NULL)
        draw_person(&v->canvas, image, scene->who);
    draw_target(&v->canvas, image, scene);
    if (scene->moment.phase == PROMPT_ACT)
        draw_score(&v->canvas, image, scene);
    else
        draw_countdown(&v->canvas, image, scene);
    snprintf(words, sizeof words, "%zu of %zu   best %.0f%s", scene->moment.task + 1, scene->tasks,
             scene->best, scene->who == NULL ? "   no face" : "");
    status = canvas_view(&v->canvas, &view, error);
    if (status != MIEN_OK)
        return status;
    return live_window_show(v->window, &view, words, "q: end", error);
}
