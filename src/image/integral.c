/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "image/check.h"

#include <string.h>

/* Sums of a larger white picture would not fit into an int32. */
enum { MAX_PIXELS = INT32_MAX / 255 };

static void fill_sum(const mien_image *gray, int32_t *table)
{
    size_t step = (size_t)gray->width + 1;
    memset(table, 0, step * sizeof *table);
    for (int y = 0; y < gray->height; y++) {
        const uint8_t *pixels = image_row(gray, y);
        const int32_t *above = table;
        table += step;
        int32_t row_sum = 0;
        table[0] = 0;
        for (int x = 0; x < gray->width; x++) {
            row_sum += pixels[x];
            table[x + 1] = above[x + 1] + row_sum;
        }
    }
}

static void fill_squares(const mien_image *gray, uint32_t *table)
{
    size_t step = (size_t)gray->width + 1;
    memset(table, 0, step * sizeof *table);
    for (int y = 0; y < gray->height; y++) {
        const uint8_t *pixels = image_row(gray, y);
        const uint32_t *above = table;
        table += step;
        uint32_t row_sum = 0;
        table[0] = 0;
        for (int x = 0; x < gray->width; x++) {
            row_sum += (uint32_t)pixels[x] * pixels[x];
            table[x + 1] = above[x + 1] + row_sum;
        }
    }
}

/*
 * Row y of the tilted table from the two rows above it. A triangle is the union of the triangles
 * one row up, to its left and its right, less their overlap two rows up, plus the two pixels under
 * that overlap. At the edges of the picture one of the two and the overlap are equal and fall away.
 */
static void fill_tilted_row(int32_t *row, const int32_t *above, const int32_t *above_two,
                            const uint8_t *pixels, const uint8_t *pixels_above, int width)
{
    row[0] = above[1];
    for (int x = 1; x < width; x++)
        row[x] = above[x - 1] + (above[x + 1] - above_two[x]) + pixels[x - 1] + pixels_above[x - 1];
    row[width] = above[width - 1] + pixels[width - 1] + pixels_above[width - 1];
}

static void fill_tilted(const mien_image *gray, int32_t *table)
{
    size_t step = (size_t)gray->width + 1;
    memset(table, 0, 2 * step * sizeof *table);
    for (int x = 0; x < gray->width; x++)
        table[step + (size_t)x + 1] = image_row(gray, 0)[x];
    for (int y = 2; y <= gray->height; y++) {
        int32_t *row = table + (size_t)y * step;
        fill_tilted_row(row, row - step, row - 2 * step, image_row(gray, y - 1),
                        image_row(gray, y - 2), gray->width);
    }
}

mien_status image_integral(const mien_image *gray, int32_t *sum, uint32_t *squares, int32_t *tilted,
                           mien_error *error)
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
    if (sum != NULL)
        fill_sum(gray, sum);
    if (squares != NULL)
        fill_squares(gray, squares);
    if (tilted != NULL)
        fill_tilted(gray, tilted);
    return MIEN_OK;
}
