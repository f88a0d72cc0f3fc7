/* SPDX-License-Identifier: Apache-2.0 */
#include "live/pictogram.h"

#include <math.h>
#include <string.h>

/* What a face does, in the terms of action units (Ekman and Friesen 1978): 0 at rest. */
typedef struct face_parts {
    const char *names[3];
    double brow_raise;  /* -1 lowered .. 1 raised */
    double brow_slant;  /* 1: the inner ends down, as in anger; -1: up, as in sadness */
    double eyes_open;   /* 1 at rest, over 1 wide, under 1 narrowed */
    double corners;     /* of the mouth: -1 down .. 1 up */
    double mouth_open;  /* 0..1 */
    double mouth_width; /* 1 at rest */
    double lopsided;    /* one corner alone goes up: 0..1 */
    bool wrinkled;      /* nose */
} face_parts;

static const face_parts faces[] = {
    {{"neutral", "neutrality"}, 0, 0, 1, 0, 0, 1, 0, false},
    {{"happy", "happiness"}, 0.3, 0, 0.8, 1, 0.35, 1.25, 0, false},
    {{"sad", "sadness"}, 0.2, -1, 0.8, -0.9, 0, 0.9, 0, false},
    {{"angry", "anger"}, -0.8, 1, 0.8, -0.5, 0, 1, 0, false},
    {{"surprise", "surprised"}, 1, 0, 1.5, 0, 1, 0.6, 0, false},
    {{"fear", "fearful"}, 0.9, -0.8, 1.5, -0.4, 0.35, 1.1, 0, false},
    {{"disgust", "disgusted"}, -0.6, 0.6, 0.5, -0.7, 0.15, 1, 0, true},
    {{"contempt"}, 0, 0, 0.8, 0, 0, 1, 1, false},
};

static const face_parts *find(const char *expression)
{
    for (size_t i = 0; i < sizeof faces / sizeof *faces; i++)
        for (int n = 0; n < 3 && faces[i].names[n] != NULL; n++)
            if (strcmp(faces[i].names[n], expression) == 0)
                return &faces[i];
    return NULL;
}

/* The face lies in a box from -1 to 1, y down. side: -1 the left of the picture, 1 the right. */
static void draw_eye(cairo_t *cr, const face_parts *f, double side)
{
    double high = 0.13 * f->eyes_open;
    cairo_save(cr);
    cairo_translate(cr, 0.36 * side, -0.15);
    cairo_scale(cr, 0.13, high);
    cairo_arc(cr, 0, 0, 1, 0, 2 * M_PI);
    cairo_restore(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_fill_preserve(cr);
    cairo_set_source_rgb(cr, 0.15, 0.1, 0.05);
    cairo_stroke(cr);
    cairo_arc(cr, 0.36 * side, -0.15, fmin(0.07, high * 0.8), 0, 2 * M_PI);
    cairo_fill(cr);
}

static void draw_brow(cairo_t *cr, const face_parts *f, double side)
{
    double y = -0.42 - 0.13 * f->brow_raise, slant = 0.12 * f->brow_slant;
    cairo_move_to(cr, 0.17 * side, y + slant);
    cairo_line_to(cr, 0.55 * side, y - slant / 2);
    cairo_stroke(cr);
}

static void draw_mouth(cairo_t *cr, const face_parts *f)
{
    double half = 0.36 * f->mouth_width, y = 0.42;
    double left = y - 0.16 * f->corners, right = left - 0.16 * f->lopsided;
    double bend = 0.24 * f->corners, open = 0.32 * f->mouth_open;
    cairo_move_to(cr, -half, left);
    cairo_curve_to(cr, -half / 2, y + bend - open, half / 2, y + bend - open, half, right);
    if (open > 0) {
        cairo_curve_to(cr, half / 2, y + bend + 1.4 * open, -half / 2, y + bend + 1.4 * open, -half,
                       left);
        cairo_set_source_rgb(cr, 0.45, 0.12, 0.1);
        cairo_fill_preserve(cr);
        cairo_set_source_rgb(cr, 0.15, 0.1, 0.05);
    }
    cairo_stroke(cr);
}

static void draw_wrinkles(cairo_t *cr)
{
    for (int side = -1; side <= 1; side += 2) {
        cairo_move_to(cr, 0.05 * side, 0.02);
        cairo_line_to(cr, 0.14 * side, -0.06);
        cairo_move_to(cr, 0.06 * side, 0.12);
        cairo_line_to(cr, 0.17 * side, 0.04);
        cairo_stroke(cr);
    }
}

bool pictogram_knows(const char *expression)
{
    return find(expression) != NULL;
}

bool pictogram_draw(canvas *c, double x, double y, double size, const char *expression)
{
    const face_parts *f = find(expression);
    if (f == NULL)
        return false;
    cairo_save(c->cr);
    cairo_translate(c->cr, x + size / 2, y + size / 2);
    cairo_scale(c->cr, size / 2, size / 2);
    cairo_set_line_width(c->cr, 0.06);
    cairo_set_line_cap(c->cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_arc(c->cr, 0, 0, 0.95, 0, 2 * M_PI);
    cairo_set_source_rgb(c->cr, 1, 0.83, 0.35);
    cairo_fill_preserve(c->cr);
    cairo_set_source_rgb(c->cr, 0.15, 0.1, 0.05);
    cairo_stroke(c->cr);
    for (double side = -1; side <= 1; side += 2) {
        draw_eye(c->cr, f, side);
        draw_brow(c->cr, f, side);
    }
    draw_mouth(c->cr, f);
    if (f->wrinkled)
        draw_wrinkles(c->cr);
    cairo_restore(c->cr);
    return true;
}
