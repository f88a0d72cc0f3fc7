/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "image/check.h"

#include <string.h>

/* Sums of a larger white picture would not fit into an int32. */
enum { MAX_PIXELS = INT32_MAX / 255 };

/* Where column x stands in a row. */
static inline size_t place(size_t odd_columns, int x)
{
    size_t column = (size_t)x;
    return odd_columns == 0 ? column : column / 2 + column % 2 * odd_columns;
}

static void clear_row(const image_tables *tables, int width, void *table, int y)
{
    uint32_t *row = (uint32_t *)table + (size_t)y * tables->stride;
    for (int x = 0; x <= width; x++)
        row[place(tables->odd_columns, x)] = 0;
}

static void fill_sum(const mien_image *gray, const image_tables *tables)
{
    clear_row(tables, gray->width, tables->sum, 0);
    for (int y = 0; y < gray->height; y++) {
        const uint8_t *pixels = image_row(gray, y);
        const int32_t *above = tables->sum + (size_t)y * tables->stride;
        int32_t *row = tables->sum + (size_t)(y + 1) * tables->stride;
        int32_t row_sum = 0;
        row[0] = 0;
        for (int x = 0; x < gray->width; x++) {
            size_t i = place(tables->odd_columns, x + 1);
            row_sum += pixels[x];
            row[i] = above[i] + row_sum;
        }
    }
}

static void fill_squares(const mien_image *gray, const image_tables *tables)
{
    clear_row(tables, gray->width, tables->squares, 0);
    for (int y = 0; y < gray->height; y++) {
        const uint8_t *pixels = image_row(gray, y);
        const uint32_t *above = tables->squares + (size_t)y * tables->stride;
        uint32_t *row = tables->squares + (size_t)(y + 1) * tables->stride;
        uint32_t row_sum = 0;
        row[0] = 0;
        for (int x = 0; x < gray->width; x++) {
            size_t i = place(tables->odd_columns, x + 1);
            row_sum += (uint32_t)pixels[x] * pixels[x];
            row[i] = above[i] + row_sum;
        }
    }
}

/*
 * Row y of the tilted table from the two rows above it. A triangle is the union of the triangles
 * one row up, to its left and its right, less their overlap two rows up, plus the two pixels under
 * that overlap. At the edges of the picture one of the two and the overlap are equal and fall away.
 */
static void fill_tilted_row(const mien_image *gray, const image_tables *tables, int y)
{
    size_t odd = tables->odd_columns;
    int32_t *row = tables->tilted + (size_t)y * tables->stride;
    const int32_t *above = row - tables->stride, *above_two = above - tables->stride;
    const uint8_t *pixels = image_row(gray, y - 1), *pixels_above = image_row(gray, y - 2);
    int width = gray->width;
    row[0] = above[place(odd, 1)];
    for (int x = 1; x < width; x++)
        row[place(odd, x)] = above[place(odd, x - 1)] +
                             (above[place(odd, x + 1)] - above_two[place(odd, x)]) + pixels[x - 1] +
                             pixels_above[x - 1];
    row[place(odd, width)] =
        above[place(odd, width - 1)] + pixels[width - 1] + pixels_above[width - 1];
}

static void fill_tilted(const mien_image *gray, const image_tables *tables)
{
    clear_row(tables, gray->width, tables->tilted, 0);
    clear_row(tables, gray->width, tables->tilted, 1);
    for (int x = 0; x < gray->width; x++)
        tables->tilted[tables->stride + place(tables->odd_columns, x + 1)] = image_row(gray, 0)[x];
    for (int y = 2; y <= gray->height; y++)
        fill_tilted_row(gray, tables, y);
}

mien_status image_integral(const mien_image *gray, const image_tables *tables, mien_error *error)
{
    mien_status status = image_check(gray, error);
    if (status != MIEN_OK)
        return status;
    if (gray->format != MIEN_PIXEL_GRAY8)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "integral images are made of grey pictures, not of pixel format %d",
                         (int)gray->format);
    if ((int64_t)gray->width * gray->height > MAX_PIXELS)
        return error_set(error, MIEN_LIMIT,
                         "an integral image of %d x %d pixels: the limit is %d pixels", gray->width,
                         gray->height, MAX_PIXELS);
    if (tables->sum != NULL)
        fill_sum(gray, tables);
    if (tables->squares != NULL)
        fill_squares(gray, tables);
    if (tables->tilted != NULL)
        fill_tilted(gray, tables);
    return MIEN_OK;
}
