/* SPDX-License-Identifier: Apache-2.0 */
#include "video/looks.h"

#include <math.h>

enum { SAMPLES = 8 }; /* of an area, along each side */

static const double darkest = 8;
static const double weight_of_colour = 2;

/* In sides of the face, from the middle of its top edge. */
static const image_rect areas[LOOKS_AREAS] = {
    {-0.5f, -0.35f, 1, 0.45f},         {-0.4f, 0.1f, 0.8f, 0.5f},
    {-0.4f, 0.6f, 0.8f, 0.5f},         {-1.4f / 2, 1.4f, 1.4f / 3, 0.6f},
    {-1.4f / 6, 1.4f, 1.4f / 3, 0.6f}, {+1.4f / 6, 1.4f, 1.4f / 3, 0.6f},
    {-1.4f / 2, 2, 1.4f / 3, 0.6f},    {-1.4f / 6, 2, 1.4f / 3, 0.6f},
    {+1.4f / 6, 2, 1.4f / 3, 0.6f},
};

/* ---- Measuring ---- */

/* Where samples lie along one side of an area: the pixels inside the picture; their number. */
static int place_samples(double start, double length, int limit, int places[SAMPLES])
{
    int count = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double at = start + length * (i + 0.5) / SAMPLES;
        if (at >= 0 && at < limit)
            places[count++] = (int)at;
    }
    return count;
}

/* false: less than half of the area lies in the picture. */
static bool mean_colour(const mien_image *image, double x, double y, double width, double height,
                        float colour[3])
{
    int columns[SAMPLES], rows[SAMPLES], sums[3] = {0};
    int column_count = place_samples(x, width, image->width, columns);
    int row_count = place_samples(y, height, image->height, rows);
    int count = column_count * row_count;
    for (int i = 0; i < row_count; i++) {
        const uint8_t *row = image_row(image, rows[i]);
        for (int j = 0; j < column_count; j++) {
            const uint8_t *pixel = row + (size_t)columns[j] * 3;
            for (int c = 0; c < 3; c++)
                sums[c] += pixel[c];
        }
    }
    if (count * 2 < SAMPLES * SAMPLES)
        return false;
    for (int c = 0; c < 3; c++)
        colour[c] = (float)sums[c] / (float)count;
    return true;
}

looks looks_of(const mien_image *image, const image_rect *face)
{
    looks out = {0};
    double side = sqrt((double)face->width * (double)face->height);
    double middle = (double)face->x + (double)face->width / 2;
    for (unsigned i = 0; image->format == MIEN_PIXEL_RGB8 && i < LOOKS_AREAS; i++) {
        const image_rect *a = &areas[i];
        if (mean_colour(image, middle + side * (double)a->x, (double)face->y + side * (double)a->y,
                        side * (double)a->width, side * (double)a->height, out.colours[i]))
            out.known |= 1u << i;
    }
    return out;
}

/* ---- Comparing ---- */

/* What the colours are divided by. common: bits of at least one area. */
static double brightness(const looks *l, unsigned common)
{
    double sum = 0;
    int count = 0;
    for (unsigned i = 0; i < LOOKS_AREAS; i++) {
        if ((common >> i & 1) == 0)
            continue;
        for (int c = 0; c < 3; c++)
            sum += (double)l->colours[i][c];
        count += 3;
    }
    return fmax(sum / count, darkest);
}

static double colour_distance(const float a[3], double a_scale, const float b[3], double b_scale)
{
    double red = (double)a[0] / a_scale - (double)b[0] / b_scale;
    double green = (double)a[1] / a_scale - (double)b[1] / b_scale;
    double blue = (double)a[2] / a_scale - (double)b[2] / b_scale;
    double lightness = (red + green + blue) / 3;
    double red_green = weight_of_colour * (red - green);
    double yellow_blue = weight_of_colour * ((red + green) / 2 - blue);
    double squares = lightness * lightness + red_green * red_green + yellow_blue * yellow_blue;
    return fmin(1, sqrt(squares));
}

bool looks_compare(const looks *a, const looks *b, double *distance)
{
    unsigned common = a->known & b->known;
    double sum = 0;
    int count = 0;
    *distance = 1;
    if (common >> LOOKS_FIRST_OF_CLOTHES == 0)
        return false;
    double a_scale = brightness(a, common), b_scale = brightness(b, common);
    for (unsigned i = 0; i < LOOKS_AREAS; i++) {
        if ((common >> i & 1) == 0)
            continue;
        sum += colour_distance(a->colours[i], a_scale, b->colours[i], b_scale);
        count++;
    }
    *distance = sum / count;
    return true;
}

void looks_blend(looks *kept, const looks *now, float share)
{
    for (unsigned i = 0; i < LOOKS_AREAS; i++) {
        if ((now->known >> i & 1) == 0)
            continue;
        bool is_new = (kept->known >> i & 1) == 0;
        for (int c = 0; c < 3; c++)
            kept->colours[i][c] +=
                (is_new ? 1 : share) * (now->colours[i][c] - kept->colours[i][c]);
    }
    kept->known |= now->known;
}
