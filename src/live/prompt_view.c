/* SPDX-License-Identifier: Apache-2.0 */
#include "live/prompt_view.h"

#include "cli/canvas.h"
#include "live/live_window.h"
#include "live/pictogram.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct prompt_view {
    live_window *window;
    canvas canvas;
    mien_image mirror; /* as large as the last frame */
};

mien_status prompt_view_open(const char *title, prompt_view **out, mien_error *error)
{
    *out = NULL;
    prompt_view *v = memory_zeroed(1, sizeof *v);
    if (v == NULL)
        return error_no_memory(error, "a window", sizeof *v);
    mien_status status = live_window_open(title, &v->window, error);
    if (status != MIEN_OK) {
        free(v);
        return status;
    }
    *out = v;
    return MIEN_OK;
}

void prompt_view_close(prompt_view *v)
{
    if (v == NULL)
        return;
    live_window_close(v->window);
    canvas_free(&v->canvas);
    mien_image_free(&v->mirror);
    free(v);
}

bool prompt_view_wants_end(prompt_view *v, bool *pause)
{
    live_keys keys;
    live_window_poll(v->window, &keys);
    *pause = keys.pause;
    return keys.quit;
}

/* ---- Drawing ---- */

static mien_status load_mirrored(prompt_view *v, const mien_image *image, mien_error *error)
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

/* The face to be shown, where there is a drawing of it, and its name, in the upper left corner. */
static void draw_target(canvas *c, const mien_image *image, const prompt_scene *scene)
{
    double size = image->height / 4.0, edge = size / 8, letters = size / 4;
    double text_width = canvas_text_width(c, letters, scene->expression);
    double face = pictogram_knows(scene->expression) ? size : 0;
    draw_panel(c->cr, 0, 0, fmax(face, text_width) + 2 * edge, face + letters * 1.6 + 2 * edge);
    pictogram_draw(c, edge, edge, size, scene->expression);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    canvas_text(c, edge, face + edge + letters * 1.2, letters, scene->expression);
}

/* From red over yellow to green. */
static void choose_colour(cairo_t *cr, double score)
{
    double share = fmin(fmax(score / 100, 0), 1);
    cairo_set_source_rgb(cr, fmin(1, 2 - 2 * share) * 0.9, fmin(1, 2 * share) * 0.8, 0.15);
}

/* The score as a bar at the foot, a mark where the best one is. */
static void draw_score(canvas *c, const mien_image *image, const prompt_scene *scene)
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
static void draw_countdown(canvas *c, const mien_image *image, const prompt_scene *scene)
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

/* The face is looked at: a red disc and the seconds that are left, at the foot. */
static void draw_recording(canvas *c, const mien_image *image, const prompt_scene *scene)
{
    char text[32];
    double high = image->height / 14.0, y = image->height - 1.5 * high;
    snprintf(text, sizeof text, "%.0f s", ceil(scene->moment.left_s));
    draw_panel(c->cr, 0, y - high / 2, image->width, 2 * high);
    cairo_arc(c->cr, high, y + high / 2, high / 2, 0, 2 * M_PI);
    cairo_set_source_rgb(c->cr, 0.9, 0.15, 0.15);
    cairo_fill(c->cr);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    canvas_text(c, 2 * high, y + high * 0.85, high, text);
}

/* The picture goes on behind dark glass, under the sign that all players have. */
static void draw_pause(canvas *c, const mien_image *image)
{
    static const char words[] = "paused: space goes on";
    double bar = image->height / 24.0, high = 5 * bar, letters = image->height / 16.0;
    double x = image->width / 2.0, y = image->height / 2.0 - high;
    draw_panel(c->cr, 0, 0, image->width, image->height);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    cairo_rectangle(c->cr, x - 2 * bar, y, 1.5 * bar, high);
    cairo_rectangle(c->cr, x + bar / 2, y, 1.5 * bar, high);
    cairo_fill(c->cr);
    canvas_text(c, x - canvas_text_width(c, letters, words) / 2, y + high + 2 * letters, letters,
                words);
}

static void draw_scene(prompt_view *v, const mien_image *image, const prompt_scene *scene)
{
    if (scene->who != NULL)
        draw_person(&v->canvas, image, scene->who);
    draw_target(&v->canvas, image, scene);
    if (scene->paused)
        draw_pause(&v->canvas, image);
    else if (scene->moment.phase == PROMPT_REST)
        draw_countdown(&v->canvas, image, scene);
    else if (scene->scored)
        draw_score(&v->canvas, image, scene);
    else
        draw_recording(&v->canvas, image, scene);
}

mien_status prompt_view_show(prompt_view *v, const mien_image *image, const prompt_scene *scene,
                             mien_error *error)
{
    mien_image view;
    char words[128];
    mien_status status = load_mirrored(v, image, error);
    if (status != MIEN_OK)
        return status;
    draw_scene(v, image, scene);
    snprintf(words, sizeof words, "%s%zu of %zu   %s%s", scene->paused ? "PAUSED   " : "",
             scene->moment.task + 1, scene->tasks, scene->words,
             scene->who == NULL ? "   no face" : "");
    status = canvas_view(&v->canvas, &view, error);
    if (status != MIEN_OK)
        return status;
    return live_window_show(v->window, &view, words, "space pause   q end", error);
}
