/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/canvas.h"

#include "base/error.h"
#include "base/utf8.h"
#include "image/image.h"

#define MAX_CAIRO_SIDE 32767

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Cairo's pixels are taken for BGRA8, which they are in little-endian memory"
#endif

enum { MAX_TEXT = 512 };

/* Cairo remembers its first failure and draws nothing from there on. */
static mien_status check_drawing(cairo_t *cr, mien_error *error)
{
    cairo_status_t status = cairo_status(cr);
    if (status == CAIRO_STATUS_SUCCESS)
        return MIEN_OK;
    return error_set(error, MIEN_OUT_OF_MEMORY, "cannot draw on the picture: %s",
                     cairo_status_to_string(status));
}

mien_status canvas_create(int width, int height, canvas *c, mien_error *error)
{
    *c = (canvas){0};
    if (width > MAX_CAIRO_SIDE || height > MAX_CAIRO_SIDE)
        return error_set(error, MIEN_LIMIT, "%d x %d pixels are too large to draw on", width,
                         height);
    c->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    c->cr = cairo_create(c->surface);
    mien_status status = check_drawing(c->cr, error);
    if (status == MIEN_OK)
        cairo_select_font_face(c->cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                               CAIRO_FONT_WEIGHT_NORMAL);
    return status;
}

void canvas_free(canvas *c)
{
    if (c->cr != NULL)
        cairo_destroy(c->cr);
    if (c->surface != NULL)
        cairo_surface_destroy(c->surface);
    *c = (canvas){0};
}

/* Cairo's pixels are native-endian 32-bit xRGB. */
static void copy_in(const mien_image *image, cairo_surface_t *surface)
{
    cairo_surface_flush(surface);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < image->height; y++) {
        const uint8_t *from = image_row(image, y);
        uint32_t *to = (uint32_t *)(void *)(pixels + (size_t)y * (size_t)stride);
        for (int x = 0; x < image->width; x++, from += 3)
            to[x] = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    }
    cairo_surface_mark_dirty(surface);
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

mien_status canvas_load(canvas *c, const mien_image *image, mien_error *error)
{
    mien_status status = MIEN_OK;
    if (c->surface == NULL || cairo_image_surface_get_width(c->surface) != image->width ||
        cairo_image_surface_get_height(c->surface) != image->height) {
        canvas_free(c);
        status = canvas_create(image->width, image->height, c, error);
    }
    if (status == MIEN_OK)
        copy_in(image, c->surface);
    return status;
}

mien_status canvas_place(canvas *c, const mien_image *image, double x, double y, double width,
                         double height, mien_error *error)
{
    if (image->width > MAX_CAIRO_SIDE || image->height > MAX_CAIRO_SIDE)
        return error_set(error, MIEN_LIMIT, "%d x %d pixels are too large to draw on", image->width,
                         image->height);
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width, image->height);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(surface);
        return error_no_memory(error, "a picture", 4 * (uint64_t)image->width * image->height);
    }
    copy_in(image, surface);
    cairo_save(c->cr);
    cairo_translate(c->cr, x, y);
    cairo_scale(c->cr, width / image->width, height / image->height);
    cairo_set_source_surface(c->cr, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(c->cr),
                             width < image->width ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
    cairo_paint(c->cr);
    cairo_restore(c->cr);
    cairo_surface_destroy(surface);
    return check_drawing(c->cr, error);
}

/* Cairo draws nothing more after a text that is not UTF-8. */
void canvas_text(canvas *c, double x, double y, double size, const char *text)
{
    char clean[MAX_TEXT];
    cairo_set_font_size(c->cr, size);
    cairo_move_to(c->cr, x, y);
    cairo_show_text(c->cr, utf8_clean(text, clean, sizeof clean));
}

double canvas_text_width(canvas *c, double size, const char *text)
{
    char clean[MAX_TEXT];
    cairo_text_extents_t extents;
    cairo_set_font_size(c->cr, size);
    cairo_text_extents(c->cr, utf8_clean(text, clean, sizeof clean), &extents);
    return extents.x_advance;
}

mien_status canvas_finish(const canvas *c, mien_image *out, mien_error *error)
{
    *out = (mien_image){0};
    mien_status status = check_drawing(c->cr, error);
    if (status == MIEN_OK)
        status = mien_image_alloc(cairo_image_surface_get_width(c->surface),
                                  cairo_image_surface_get_height(c->surface), MIEN_PIXEL_RGB8, out,
                                  error);
    if (status == MIEN_OK)
        copy_out(c->surface, out);
    return status;
}

mien_status canvas_view(const canvas *c, mien_image *view, mien_error *error)
{
    *view = (mien_image){0};
    mien_status status = check_drawing(c->cr, error);
    if (status != MIEN_OK)
        return status;
    cairo_surface_flush(c->surface);
    *view = (mien_image){.data = cairo_image_surface_get_data(c->surface),
                         .width = cairo_image_surface_get_width(c->surface),
                         .height = cairo_image_surface_get_height(c->surface),
                         .stride = (size_t)cairo_image_surface_get_stride(c->surface),
                         .format = MIEN_PIXEL_BGRA8};
    return MIEN_OK;
}
