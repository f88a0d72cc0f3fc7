/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/annotate.h"

#include "base/error.h"
#include "image/image.h"

#include <cairo.h>

#include <math.h>
#include <stdio.h>

#define MAX_CAIRO_SIDE 32767

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

/* Cairo's pixels are native-endian 32-bit xRGB. */
static void copy_in(const mien_image *image, cairo_surface_t *surface)
{
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < image->height; y++) {
        const uint8_t *from = image_row(image, y);
        uint32_t *to = (uint32_t *)(void *)(pixels + (size_t)y * (size_t)stride);
        for (int x = 0; x < image->width; x++, from += 3)
            to[x] = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    }
}

static void copy_out(cairo_surface_t *surface, mien_image *image)
{
    cairo_surface_flush(surface);
    const unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < image->height; y++) {
        uint8_t *to = image_row(image, y);
        const uint32_t *from =
            (const uint32_t *)(const void *)(pixels + (size_t)y * (size_t)stride);
        for (int x = 0; x < image->width; x++, to += 3) {
            to[0] = (uint8_t)(from[x] >> 16);
            to[1] = (uint8_t)(from[x] >> 8);
            to[2] = (uint8_t)from[x];
        }
    }
}

/* Cairo remembers its first failure and draws nothing from there on. */
static mien_status check_drawing(cairo_t *cr, mien_error *error)
{
    cairo_status_t status = cairo_status(cr);
    if (status == CAIRO_STATUS_SUCCESS)
        return MIEN_OK;
    return error_set(error, MIEN_OUT_OF_MEMORY, "cannot draw on the picture: %s",
                     cairo_status_to_string(status));
}

mien_status annotate_picture(const mien_image *image, const mien_model *model,
                             const mien_face *faces, size_t count, mien_image *out,
                             mien_error *error)
{
    *out = (mien_image){0};
    if (image->width > MAX_CAIRO_SIDE || image->height > MAX_CAIRO_SIDE)
        return error_set(error, MIEN_LIMIT, "%d x %d pixels are too large to draw on", image->width,
                         image->height);
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width, image->height);
    cairo_t *cr = cairo_create(surface);
    mien_status status = check_drawing(cr, error);
    if (status != MIEN_OK)
        goto cleanup;
    cairo_surface_flush(surface);
    copy_in(image, surface);
    cairo_surface_mark_dirty(surface);
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    style s = style_for(image->width, image->height);
    for (size_t i = 0; i < count; i++)
        draw_face(cr, model, &faces[i], s);
    status = check_drawing(cr, error);
    if (status == MIEN_OK)
        status = mien_image_alloc(image->width, image->height, MIEN_PIXEL_RGB8, out, error);
    if (status == MIEN_OK)
        copy_out(surface, out);
cleanup:
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return status;
}
