/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/annotate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* A colour for each class: the palette of Okabe and Ito (2008), told apart by most eyes. */
static const double palette[][3] = {
    {0.84, 0.37, 0.00}, {0.00, 0.62, 0.45}, {0.80, 0.47, 0.65}, {0.95, 0.90, 0.25},
    {0.00, 0.45, 0.70}, {0.90, 0.62, 0.00}, {0.34, 0.71, 0.91}, {0.75, 0.75, 0.75},
};

static void set_class_colour(cairo_t *cr, int class_index)
{
    const double *colour = palette[(size_t)class_index % (sizeof palette / sizeof *palette)];
    cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
}

static void set_face_colour(cairo_t *cr, const mien_face *face)
{
    if (!face->has_expression)
        cairo_set_source_rgb(cr, 0.34, 0.71, 0.91);
    else if (face->unsure)
        cairo_set_source_rgb(cr, 0.62, 0.62, 0.62);
    else
        set_class_colour(cr, face->top);
}

/* Sizes in pixels. They grow with the picture, so that a photograph reads like a thumbnail, and
 * shrink with the face, so that the names of a crowd stay apart. Fonts have whole sizes: Cairo
 * keeps each size that it has drawn. */
typedef struct style {
    double line, font;
} style;

/* The least that can be read. */
#define MIN_FONT 9.0

static style style_for(const canvas *c, const mien_face *face)
{
    int width = cairo_image_surface_get_width(c->surface);
    int height = cairo_image_surface_get_height(c->surface);
    double font = fmin(width, height) / 30;
    font = fmin(fmin(font, 60), (double)face->width / 6);
    font = fmax(floor(font), MIN_FONT);
    return (style){fmax(font / 6, 2), font};
}

static void draw_box(cairo_t *cr, const annotate_mark *mark, style s)
{
    const mien_face *face = mark->face;
    const double dashes[] = {s.line * 2, s.line * 2};
    set_face_colour(cr, face);
    cairo_set_line_width(cr, s.line);
    cairo_set_dash(cr, dashes, mark->predicted ? 2 : 0, 0);
    cairo_rectangle(cr, (double)face->x, (double)face->y, (double)face->width,
                    (double)face->height);
    cairo_stroke(cr);
    /* In a video they would flicker: only faces that were found have them. */
    for (int i = 0; i < 5 && face->has_landmarks && !mark->brief; i++) {
        cairo_arc(cr, (double)face->landmarks[i][0], (double)face->landmarks[i][1], s.line * 1.2, 0,
                  2 * M_PI);
        cairo_fill(cr);
    }
}

/* "person 2: unsure: happy 31 %", or as much of it as is known. */
static void name_face(const mien_model *model, const annotate_mark *mark, char *text, size_t size)
{
    const mien_face *face = mark->face;
    char who[40] = "", look[160] = "";
    if (mark->id != 0)
        snprintf(who, sizeof who, "person %" PRId64 "%s", mark->id,
                 face->has_expression ? ": " : "");
    if (face->has_expression)
        snprintf(look, sizeof look, "%s%.100s %.0f %%", face->unsure ? "unsure: " : "",
                 mien_model_class_name(model, face->top), 100 * (double)face->confidence);
    snprintf(text, size, "%s%s", who, look);
}

/* For faces that are small in a video, whose bar says the rest: "2 happy", with "?" when unsure. */
static void name_face_shortly(const mien_model *model, const annotate_mark *mark, char *text,
                              size_t size)
{
    const mien_face *face = mark->face;
    char who[24] = "";
    if (mark->id != 0)
        snprintf(who, sizeof who, "%" PRId64, mark->id);
    snprintf(text, size, "%s%s%.100s%s", who, mark->id != 0 && face->has_expression ? " " : "",
             face->has_expression ? mien_model_class_name(model, face->top) : "",
             face->has_expression && face->unsure ? "?" : "");
}

/* What stands above a face: shortly where the whole would cover its neighbours. */
static void choose_name(canvas *c, const mien_model *model, const annotate_mark *mark, char *text,
                        size_t size)
{
    name_face(model, mark, text, size);
    if (mark->brief && canvas_text_width(c, MIN_FONT, text) > 2 * (double)mark->face->width)
        name_face_shortly(model, mark, text, size);
}

/* Above the box where there is room, else at its top; within the picture from left to right. A name
 * that is much wider than its face is written smaller, so that neighbours can be read. */
static void draw_label(canvas *c, const mien_face *face, const char *text, style s)
{
    double width = canvas_text_width(c, s.font, text);
    double size = s.font * fmin(1, 1.4 * (double)face->width / width);
    size = fmax(floor(size), MIN_FONT);
    width = canvas_text_width(c, size, text) + size / 2;
    double above = (double)face->y - size * 0.5;
    double y = above > size ? above : fmax((double)face->y, 0) + size;
    double x = fmin((double)face->x, cairo_image_surface_get_width(c->surface) - width);
    x = fmax(x, 0);
    cairo_set_source_rgba(c->cr, 0, 0, 0, 0.65);
    cairo_rectangle(c->cr, x, y - size, width, size * 1.35);
    cairo_fill(c->cr);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    canvas_text(c, x + size / 4, y, size, text);
}

/* Under the box: dark over its whole width, coloured as far as the confidence goes. */
static void draw_confidence(cairo_t *cr, const mien_face *face, style s)
{
    double x = (double)face->x, y = (double)face->y + (double)face->height + s.line;
    double width = (double)face->width, height = s.font * 0.45;
    cairo_set_source_rgba(cr, 0, 0, 0, 0.65);
    cairo_rectangle(cr, x, y, width, height);
    cairo_fill(cr);
    set_face_colour(cr, face);
    cairo_rectangle(cr, x, y, width * (double)face->confidence, height);
    cairo_fill(cr);
}

/* The widest class name. */
static double name_width(canvas *c, const mien_model *model, double size)
{
    double widest = 0;
    for (int i = 0; i < mien_model_class_count(model); i++)
        widest = fmax(widest, canvas_text_width(c, size, mien_model_class_name(model, i)));
    return widest;
}

/* Under the box a row for each class: its name, then a bar as long as the probability. */
static void draw_classes(canvas *c, const mien_model *model, const mien_face *face, style s)
{
    cairo_t *cr = c->cr;
    int classes = mien_model_class_count(model);
    double row = fmin(s.font * 0.75, (double)face->height / 5), size = row * 0.95;
    double x = (double)face->x, y = (double)face->y + (double)face->height + s.line;
    double names = name_width(c, model, size) + row * 0.6;
    double bars = fmax((double)face->width - names, row * 3);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.6);
    cairo_rectangle(cr, x, y, names + bars, row * (classes + 0.4));
    cairo_fill(cr);
    for (int i = 0; i < classes; i++) {
        double top = y + row * (i + 0.2);
        cairo_set_source_rgb(cr, 1, 1, 1);
        canvas_text(c, x + row * 0.3, top + row * 0.82, size, mien_model_class_name(model, i));
        set_class_colour(cr, i);
        cairo_rectangle(cr, x + names, top + row * 0.1, bars * (double)face->probabilities[i],
                        row * 0.8);
        cairo_fill(cr);
    }
}

void annotate_face(canvas *c, const mien_model *model, const annotate_mark *mark)
{
    const mien_face *face = mark->face;
    style s = style_for(c, face);
    char text[256];
    draw_box(c->cr, mark, s);
    if (face->has_expression && mark->brief)
        draw_confidence(c->cr, face, s);
    else if (face->has_expression)
        draw_classes(c, model, face, s);
    choose_name(c, model, mark, text, sizeof text);
    if (text[0] != '\0')
        draw_label(c, face, text, s);
}

mien_status annotate_picture(const mien_image *image, const mien_model *model,
                             const mien_face *faces, size_t count, mien_image *out,
                             mien_error *error)
{
    canvas c = {0};
    *out = (mien_image){0};
    mien_status status = canvas_load(&c, image, error);
    for (size_t i = 0; status == MIEN_OK && i < count; i++)
        annotate_face(&c, model, &(annotate_mark){.face = &faces[i]});
    if (status == MIEN_OK)
        status = canvas_finish(&c, out, error);
    canvas_free(&c);
    return status;
}
