/* SPDX-License-Identifier: Apache-2.0 */
#include "train/onednn/norm_rows.h"

#include "train/onednn/onednn.h"

#include <math.h>
#include <string.h>

/*
 * Few channels make short loops. Rows are taken several at a time, as one wide row of `repeat`
 * times the channels; what goes with a channel is repeated as often, and wide sums are folded at
 * the end.
 */
#define WIDE_ENOUGH 64
#define MAX_WIDE    (2 * WIDE_ENOUGH)

/* Rows of channels as fewer wide ones, and some that are left. */
typedef struct wide_rows {
    int64_t repeat, width, whole, rest;
} wide_rows;

static wide_rows widened(int64_t rows, int64_t channels)
{
    int64_t repeat = channels < WIDE_ENOUGH ? WIDE_ENOUGH / channels : 1;
    return (wide_rows){repeat, repeat * channels, rows / repeat, rows % repeat};
}

/* Numbers by channel, repeated over a wide row: themselves where once is enough. */
static const float *repeated(const float *from, const wide_rows *w, float *wide)
{
    if (w->repeat == 1)
        return from;
    int64_t channels = w->width / w->repeat;
    for (int64_t r = 0; r < w->repeat; r++)
        memcpy(wide + r * channels, from, (size_t)channels * sizeof *wide);
    return wide;
}

/* Adds the repetitions of a wide sum to sums (channels). */
static void fold(const float *wide, const wide_rows *w, float *sums)
{
    int64_t channels = w->width / w->repeat;
    for (int64_t r = 0; r < w->repeat; r++)
        for (int64_t c = 0; c < channels; c++)
            sums[c] += wide[r * channels + c];
}

norm_map norm_map_of(nn_activation activation, const float *factor, const float *offset)
{
    bool relu = activation.kind == NN_ACTIVATION_RELU, clip = activation.kind == NN_ACTIVATION_CLIP;
    return (norm_map){.factor = factor,
                      .offset = offset,
                      .low = relu   ? 0
                             : clip ? activation.alpha
                                    : -INFINITY,
                      .high = clip ? activation.beta : INFINITY};
}

/* ---- Moments ---- */

VECTORISED static void moments_of_rows(const float *restrict x, int64_t rows, int64_t width,
                                       const float *restrict origin, float *restrict sums,
                                       float *restrict squares)
{
    for (int64_t r = 0; r < rows; r++, x += width)
        for (int64_t c = 0; c < width; c++) {
            float d = x[c] - origin[c];
            sums[c] += d;
            squares[c] += d * d;
        }
}

void norm_rows_moments(const float *x, int64_t rows, int64_t channels, const float *origin,
                       float *sums, float *squares)
{
    wide_rows w = widened(rows, channels);
    if (w.repeat == 1) {
        moments_of_rows(x, rows, channels, origin, sums, squares);
        return;
    }
    float wide_origin[MAX_WIDE] = {0}, wide_sums[MAX_WIDE] = {0}, wide_squares[MAX_WIDE] = {0};
    moments_of_rows(x, w.whole, w.width, repeated(origin, &w, wide_origin), wide_sums,
                    wide_squares);
    fold(wide_sums, &w, sums);
    fold(wide_squares, &w, squares);
    moments_of_rows(x + w.whole * w.width, w.rest, channels, origin, sums, squares);
}

/* ---- Normalising ---- */

VECTORISED static void normalise_rows(const float *restrict x, int64_t rows, int64_t width,
                                      const float *restrict factor, const float *restrict offset,
                                      float low, float high, float *restrict y)
{
    for (int64_t r = 0; r < rows; r++, x += width, y += width)
        for (int64_t c = 0; c < width; c++) {
            float value = x[c] * factor[c] + offset[c];
            value = value > low ? value : low;
            y[c] = value < high ? value : high;
        }
}

/* The same, and y rounded. */
VECTORISED static void normalise_and_round(const float *restrict x, int64_t rows, int64_t width,
                                           const float *restrict factor,
                                           const float *restrict offset, float low, float high,
                                           float *restrict y, train_bf16 *restrict rounded)
{
    for (int64_t r = 0; r < rows; r++, x += width, y += width, rounded += width)
        for (int64_t c = 0; c < width; c++) {
            float value = x[c] * factor[c] + offset[c];
            value = value > low ? value : low;
            value = value < high ? value : high;
            y[c] = value;
            rounded[c] = rule_bf16(value);
        }
}

static void normalise(const float *x, int64_t rows, int64_t width, const norm_map *map, float *y,
                      train_bf16 *rounded)
{
    if (rounded != NULL)
        normalise_and_round(x, rows, width, map->factor, map->offset, map->low, map->high, y,
                            rounded);
    else
        normalise_rows(x, rows, width, map->factor, map->offset, map->low, map->high, y);
}

void norm_rows_map(const float *x, int64_t rows, int64_t channels, const norm_map *map, float *y,
                   train_bf16 *rounded)
{
    float factor[MAX_WIDE], offset[MAX_WIDE];
    wide_rows w = widened(rows, channels);
    norm_map wide = {repeated(map->factor, &w, factor), repeated(map->offset, &w, offset), map->low,
                     map->high};
    int64_t rest = w.whole * w.width;
    normalise(x, w.whole, w.width, &wide, y, rounded);
    normalise(x + rest, w.rest, channels, map, y + rest, rounded != NULL ? rounded + rest : NULL);
}

/* ---- The way backwards ---- */

/*
 * It reads x and dy alone: what the way forwards gave is made again from x, and where it is at a
 * bound, nothing comes back.
 */
static inline float behind_bounds(float x, float dy, float factor, float offset, float low,
                                  float high)
{
    float y = x * factor + offset;
    return ((y > low) & (y < high)) != 0 ? dy : 0;
}

VECTORISED static void gradient_sums(const float *restrict x, const float *restrict dy,
                                     int64_t rows, int64_t width, const float *restrict mean,
                                     const norm_map *map, float *restrict sums,
                                     float *restrict dots)
{
    const float *restrict factor = map->factor, *restrict offset = map->offset;
    float low = map->low, high = map->high;
    for (int64_t r = 0; r < rows; r++, x += width, dy += width)
        for (int64_t c = 0; c < width; c++) {
            float back = behind_bounds(x[c], dy[c], factor[c], offset[c], low, high);
            sums[c] += back;
            dots[c] += back * (x[c] - mean[c]);
        }
}

void norm_rows_gradient_sums(const float *x, const float *dy, int64_t rows, int64_t channels,
                             const float *mean, const norm_map *map, float *sums, float *dots)
{
    wide_rows w = widened(rows, channels);
    if (w.repeat == 1) {
        gradient_sums(x, dy, rows, channels, mean, map, sums, dots);
        return;
    }
    float factor[MAX_WIDE], offset[MAX_WIDE], wide_mean[MAX_WIDE] = {0};
    float wide_sums[MAX_WIDE] = {0}, wide_dots[MAX_WIDE] = {0};
    norm_map wide = {repeated(map->factor, &w, factor), repeated(map->offset, &w, offset), map->low,
                     map->high};
    int64_t rest = w.whole * w.width;
    gradient_sums(x, dy, w.whole, w.width, repeated(mean, &w, wide_mean), &wide, wide_sums,
                  wide_dots);
    fold(wide_sums, &w, sums);
    fold(wide_dots, &w, dots);
    gradient_sums(x + rest, dy + rest, w.rest, channels, mean, map, sums, dots);
}

/* dx may be dy. */
VECTORISED static void combine_rows(const float *x, const float *dy, int64_t rows, int64_t width,
                                    const norm_map *map, const norm_slopes *slopes, float *dx)
{
    const float *factor = map->factor, *offset = map->offset;
    const float *a = slopes->by_gradient, *b = slopes->by_x, *c0 = slopes->constant;
    float low = map->low, high = map->high;
    for (int64_t r = 0; r < rows; r++, x += width, dy += width, dx += width) {
#pragma omp simd
        for (int64_t c = 0; c < width; c++) {
            float back = behind_bounds(x[c], dy[c], factor[c], offset[c], low, high);
            dx[c] = a[c] * back + b[c] * x[c] + c0[c];
        }
    }
}

VECTORISED static void combine_and_round(const float *restrict x, const float *restrict dy,
                                         int64_t rows, int64_t width, const norm_map *map,
                                         const norm_slopes *slopes, train_bf16 *restrict rounded)
{
    const float *restrict factor = map->factor, *restrict offset = map->offset;
    const float *restrict a = slopes->by_gradient, *restrict b = slopes->by_x;
    const float *restrict c0 = slopes->constant;
    float low = map->low, high = map->high;
    for (int64_t r = 0; r < rows; r++, x += width, dy += width, rounded += width)
        for (int64_t c = 0; c < width; c++) {
            float back = behind_bounds(x[c], dy[c], factor[c], offset[c], low, high);
            rounded[c] = rule_bf16(a[c] * back + b[c] * x[c] + c0[c]);
        }
}

void norm_rows_gradient(const float *x, const float *dy, int64_t rows, int64_t channels,
                        const norm_map *map, const norm_slopes *slopes, float *dx,
                        train_bf16 *rounded)
{
    float factor[MAX_WIDE], offset[MAX_WIDE], a[MAX_WIDE], b[MAX_WIDE], c[MAX_WIDE];
    wide_rows w = widened(rows, channels);
    norm_map wide = {repeated(map->factor, &w, factor), repeated(map->offset, &w, offset), map->low,
                     map->high};
    norm_slopes wide_slopes = {repeated(slopes->by_gradient, &w, a), repeated(slopes->by_x, &w, b),
                               repeated(slopes->constant, &w, c)};
    int64_t rest = w.whole * w.width;
    if (rounded != NULL) {
        combine_and_round(x, dy, w.whole, w.width, &wide, &wide_slopes, rounded);
        combine_and_round(x + rest, dy + rest, w.rest, channels, map, slopes, rounded + rest);
    } else {
        combine_rows(x, dy, w.whole, w.width, &wide, &wide_slopes, dx);
        combine_rows(x + rest, dy + rest, w.rest, channels, map, slopes, dx + rest);
    }
}
