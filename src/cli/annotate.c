/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/annotate.h"

#include "cli/canvas.h"

#include <math.h>
#include <stdio.h>

/* A colour for each class: the palette of Okabe and Ito (2008), told apart by most eyes. */
static const double palette[][3] = {
    {0.84, 0.37, 0.00}, {0.00, 0.62, 0.45}, {0.80, 0.47, 0.65}, {0.95, 0.90, 0.25},
    {0.00, 0.45, 0.70}, {0.90, 0.62, 0.00}, {0.34, 0.71, 0.91}, {0.75, 0.75, 0.75},
};

static void set_class_colour(cairo_t *cr, const mien_face *face, int class_index)
{
    static const double plain[3] = {0.34, 0.71, 0.91};
    size_t colours = sizeof palette / sizeof *palette;
    const double *colour = face->has_expression ? palette[(size_t)class_index % colours] : plain;
    cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
}

/* Sizes grow with the picture, so that a photograph reads like a thumbnail. */
typedef struct style {
    double line, font;
} style;

static style style_for(int width, int height)
{
    double side = width < height ? width : height;
    double font = side / 36;
    font = font < 9 ? 9 : font > 60 ? 60 : font;
    return (style){font / 6, font};
}

static void draw_landmarks(cairo_t *cr, const mien_face *face, style s)
{
    for (int i = 0; i < 5 && face->has_landmarks; i++) {
        cairo_arc(cr, (double)face->landmarks[i][0], (double)face->landmarks[i][1], s.line * 1.2, 0,
                  2 * M_PI);
        cairo_fill(cr);
    }
}

static void draw_label(cairo_t *cr, const char *text, double x, double y, style s)
{
    cairo_text_extents_t extents;
    cairo_text_extents(cr, text, &extents);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.65);
    cairo_rectangle(cr, x, y - s.font, extents.x_advance + s.font / 2, s.font * 1.35);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, x + s.font / 4, y);
    cairo_show_text(cr, text);
}

/* The widest class name, in the font that is set. */
static double name_width(cairo_t *cr, const mien_model *model)
{
    double widest = 0;
    for (int c = 0; c < mien_model_class_count(model); c++) {
        cairo_text_extents_t extents;
        cairo_text_extents(cr, mien_model_class_name(model, c), &extents);
        widest = fmax(widest, extents.x_advance);
    }
    return widest;
}

/* Under the box a row for each class: its name, then a bar as long as the probability. */
static void draw_bars(cairo_t *cr, const mien_model *model, const mien_face *face, style s)
{
    int classes = mien_model_class_count(model);
    double row = fmin(s.font * 0.75, (double)face->height / 5);
    double x = (double)face->x, y = (double)face->y + (double)face->height + s.line;
    cairo_set_font_size(cr, row * 0.95);
    double names = name_width(cr, model) + row * 0.6;
    double bars = fmax((double)face->width - names, row * 3);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.6);
    cairo_rectangle(cr, x, y, names + bars, row * (classes + 0.4));
    cairo_fill(cr);
    for (int c = 0; c < classes; c++) {
        double top = y + row * (c + 0.2);
        cairo_set_source_rgb(cr, 1, 1, 1);
        cairo_move_to(cr, x + row * 0.3, top + row * 0.82);
        cairo_show_text(cr, mien_model_class_name(model, c));
        set_class_colour(cr, face, c);
        cairo_rectangle(cr, x + names, top + row * 0.1, bars * (double)face->probabilities[c],
                        row * 0.8);
        cairo_fill(cr);
    }
}

static void draw_face(cairo_t *cr, const mien_model *model, const mien_face *face, style s)
{
    set_class_colour(cr, face, face->top);
    cairo_set_line_width(cr, s.line);
    cairo_rectangle(cr, (double)face->x, (double)face->y, (double)face->width,
                    (double)face->height);
    cairo_stroke(cr);
    draw_landmarks(cr, face, s);
    if (!face->has_expression)
        return;
    char text[80];
    snprintf(text, sizeof text, "%s%s %.0f %%", face->unsure ? "unsure: " : "",
             mien_model_class_name(model, face->top), 100 * (double)face->confidence);
    draw_bars(cr, model, face, s);
    cairo_set_font_size(cr, s.font);
    double above = (double)face->y - s.font * 0.5;
    draw_label(cr, text, (double)face->x, above > s.font ? above : (double)face->y + s.font, s);
}

mien_status annotate_picture(const mien_image *image, const mien_model *model,
                             const mien_face *faces, size_t count, mien_image *out,
                             mien_error *error)
{
    canvas c;
    *out = (mien_image){0};
    mien_status status = canvas_create_of(image, &c, error);
    style s = style_for(image->width, image->height);
    for (size_t i = 0; status == MIEN_OK && i < count; i++)
        draw_face(c.cr, model, &faces[i], s);
    if (status == MIEN_OK)
        status = canvas_finish(&c, out, error);
    canvas_free(&c);
    return status;
}
