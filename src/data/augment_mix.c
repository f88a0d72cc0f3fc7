/* SPDX-License-Identifier: Apache-2.0 */
#include "data/augment.h"

#include <math.h>
#include <string.h>

/* Gamma with scale 1 (Marsaglia and Tsang 2000); a shape below 1 is raised by 1 first. */
static double draw_gamma(random_state *random, double shape)
{
    if (shape < 1) {
        double share = 1 - random_unit(random);
        return draw_gamma(random, shape + 1) * pow(share, 1 / shape);
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double normal = random_normal(random), cube = 1 + c * normal;
        if (cube <= 0)
            continue;
        cube = cube * cube * cube;
        double uniform = 1 - random_unit(random);
        if (log(uniform) < normal * normal / 2 + d - d * cube + d * log(cube))
            return d * cube;
    }
}

/* Beta(alpha, alpha); where both gammas vanish, its limit: 0 or 1. */
static double draw_beta(random_state *random, double alpha)
{
    double a = draw_gamma(random, alpha), b = draw_gamma(random, alpha);
    if (!(a + b > 0))
        return random_unit(random) < 0.5 ? 0 : 1;
    return a / (a + b);
}

/* values: rows of `columns`; row i becomes its share of itself and the rest of row i + places. */
static void mix_rows(float *values, size_t n, size_t columns, size_t places, float share,
                     float *scratch)
{
    memcpy(scratch, values, n * columns * sizeof *values);
    for (size_t i = 0; i < n; i++) {
        float *row = values + i * columns;
        const float *other = scratch + (i + places) % n * columns;
        for (size_t k = 0; k < columns; k++)
            row[k] = share * row[k] + (1 - share) * other[k];
    }
}

/* The larger of the two shares: a sample stays mostly itself, and its own label the heaviest. */
static double draw_own_share(random_state *random, double alpha)
{
    double share = draw_beta(random, alpha);
    return fmax(share, 1 - share);
}

static size_t draw_places(random_state *random, size_t n)
{
    return 1 + (size_t)random_below(random, n - 1);
}

void augment_mixup(float *inputs, float *shares, size_t n, size_t input_floats, int classes,
                   float alpha, random_state *random, float *scratch)
{
    if (n < 2 || !(alpha > 0))
        return;
    float share = (float)draw_own_share(random, (double)alpha);
    size_t places = draw_places(random, n);
    mix_rows(inputs, n, input_floats, places, share, scratch);
    mix_rows(shares, n, (size_t)classes, places, share, scratch);
}

/* ---- CutMix ---- */

typedef struct span {
    int from, to;
} span;

/* A span of a side around a random place, cut off at the ends. */
static span draw_span(random_state *random, int side, double share)
{
    double length = share * side, centre = random_unit(random) * side;
    span s = {(int)lrint(centre - length / 2), (int)lrint(centre + length / 2)};
    s.from = s.from < 0 ? 0 : s.from;
    s.to = s.to > side ? side : s.to;
    return s;
}

/* Copies the box from the picture that is `places` further on. planes: (n * channels). */
static void paste_box(float *planes, size_t count, size_t ahead, int height, int width, span rows,
                      span columns, const float *scratch)
{
    size_t plane = (size_t)height * (size_t)width;
    size_t bytes = (size_t)(columns.to - columns.from) * sizeof *planes;
    for (size_t p = 0; p < count; p++)
        for (int y = rows.from; y < rows.to; y++) {
            size_t place = (size_t)y * (size_t)width + (size_t)columns.from;
            memcpy(planes + p * plane + place, scratch + (p + ahead) % count * plane + place,
                   bytes);
        }
}

void augment_cutmix(float *inputs, float *shares, size_t n, int channels, int height, int width,
                    int classes, float alpha, random_state *random, float *scratch)
{
    if (n < 2 || !(alpha > 0))
        return;
    double side = sqrt(1 - draw_own_share(random, (double)alpha));
    size_t places = draw_places(random, n), planes = n * (size_t)channels;
    span rows = draw_span(random, height, side), columns = draw_span(random, width, side);
    memcpy(scratch, inputs, planes * (size_t)height * (size_t)width * sizeof *inputs);
    paste_box(inputs, planes, places * (size_t)channels, height, width, rows, columns, scratch);
    double box = (double)(rows.to - rows.from) * (double)(columns.to - columns.from);
    float kept = (float)(1 - box / ((double)height * (double)width));
    mix_rows(shares, n, (size_t)classes, places, kept, scratch);
}
