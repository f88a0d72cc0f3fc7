/* SPDX-License-Identifier: Apache-2.0 */

/*
 * BatchNormalization, and sums over rows of channels. Work is split into as many equal parts as
 * there are threads, and sums are joined in the order of the parts: the same number of threads
 * gives the same bits.
 */

#include "train/onednn/onednn.h"

#include <math.h>
#include <string.h>

#define MAX_CHANNELS TRAIN_MAX_CHANNELS

/* ---- Rows of channels ---- */

/*
 * Few channels make short loops. Rows are taken several at a time, as one wide row of `repeat`
 * times the channels; what goes with a channel is repeated as often, and wide sums are folded at
 * the end.
 */
#define WIDE_ENOUGH 64
#define MAX_WIDTH   (MAX_CHANNELS + WIDE_ENOUGH)

static int64_t repeat_for(int64_t channels)
{
    return channels < WIDE_ENOUGH ? WIDE_ENOUGH / channels : 1;
}

static void repeat_channels(const float *from, int64_t channels, int64_t repeat, float *wide)
{
    for (int64_t r = 0; r < repeat; r++)
        memcpy(wide + r * channels, from, (size_t)channels * sizeof *wide);
}

/* Adds the repetitions of a wide sum to sums (channels). */
static void fold(const float *wide, int64_t channels, int64_t repeat, float *sums)
{
    for (int64_t r = 0; r < repeat; r++)
        for (int64_t c = 0; c < channels; c++)
            sums[c] += wide[r * channels + c];
}

/* The part of `rows` that thread t of `threads` takes. */
static void part_of(int64_t rows, int t, int threads, int64_t *first, int64_t *end)
{
    *first = rows * t / threads;
    *end = rows * (t + 1) / threads;
}

/*
 * A second pass over rows goes from the last to the first, chunk by chunk: the last ones are still
 * in the cache. Where the chunk begins that ends at `end`.
 */
#define CHUNK_FLOATS 16384

static int64_t chunk_before(int64_t first, int64_t end, int64_t width)
{
    int64_t rows = CHUNK_FLOATS / width + 1;
    return end - first > rows ? end - rows : first;
}

/* Joins (threads, channels) in order. */
static void join_sums(const float *parts, int threads, int64_t channels, double *sums)
{
    for (int64_t c = 0; c < channels; c++) {
        sums[c] = 0;
        for (int t = 0; t < threads; t++)
            sums[c] += parts[(int64_t)t * channels + c];
    }
}

void sum_rows(const float *x, int64_t rows, int64_t channels, float *sums)
{
    memset(sums, 0, (size_t)channels * sizeof *sums);
    for (int64_t r = 0; r < rows; r++, x += channels)
        for (int64_t c = 0; c < channels; c++)
            sums[c] += x[c];
}

/* ---- BatchNormalization ---- */

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

VECTORISED static void normalise_rows(const float *restrict x, int64_t rows, int64_t width,
                                      const float *restrict factor, const float *restrict shift,
                                      float low, float high, float *restrict y)
{
    for (int64_t r = 0; r < rows; r++, x += width, y += width)
        for (int64_t c = 0; c < width; c++) {
            float value = x[c] * factor[c] + shift[c];
            value = value > low ? value : low;
            y[c] = value < high ? value : high;
        }
}

/* The same, and y rounded. */
VECTORISED static void normalise_and_round(const float *restrict x, int64_t rows, int64_t width,
                                           const float *restrict factor,
                                           const float *restrict shift, float low, float high,
                                           float *restrict y, train_bf16 *restrict rounded)
{
    for (int64_t r = 0; r < rows; r++, x += width, y += width, rounded += width)
        for (int64_t c = 0; c < width; c++) {
            float value = x[c] * factor[c] + shift[c];
            value = value > low ? value : low;
            value = value < high ? value : high;
            y[c] = value;
            rounded[c] = bf16_of(value);
        }
}

/* Masks dy where the activation was flat, and sums dy and dy (x - mean). */
VECTORISED static void gradient_sums(const float *restrict x, const float *restrict y, int64_t rows,
                                     int64_t width, const float *restrict mean, float low,
                                     float high, float *restrict dy, float *restrict sums,
                                     float *restrict dots)
{
    for (int64_t r = 0; r < rows; r++, x += width, y += width, dy += width)
        for (int64_t c = 0; c < width; c++) {
            float gradient = ((y[c] > low) & (y[c] < high)) != 0 ? dy[c] : 0;
            dy[c] = gradient;
            sums[c] += gradient;
            dots[c] += gradient * (x[c] - mean[c]);
        }
}

/* The same where nothing is masked. */
VECTORISED static void plain_gradient_sums(const float *restrict x, const float *restrict dy,
                                           int64_t rows, int64_t width, const float *restrict mean,
                                           float *restrict sums, float *restrict dots)
{
    for (int64_t r = 0; r < rows; r++, x += width, dy += width)
        for (int64_t c = 0; c < width; c++) {
            sums[c] += dy[c];
            dots[c] += dy[c] * (x[c] - mean[c]);
        }
}

/* dx = a dy + b x + c, each by channel. */
VECTORISED static void combine_rows(const float *restrict x, const float *restrict dy, int64_t rows,
                                    int64_t width, const float *restrict a, const float *restrict b,
                                    const float *restrict c0, float *restrict dx)
{
    for (int64_t r = 0; r < rows; r++, x += width, dy += width, dx += width)
        for (int64_t c = 0; c < width; c++)
            dx[c] = a[c] * dy[c] + b[c] * x[c] + c0[c];
}

VECTORISED static void combine_and_round(const float *restrict x, const float *restrict dy,
                                         int64_t rows, int64_t width, const float *restrict a,
                                         const float *restrict b, const float *restrict c0,
                                         train_bf16 *restrict rounded)
{
    for (int64_t r = 0; r < rows; r++, x += width, dy += width, rounded += width)
        for (int64_t c = 0; c < width; c++)
            rounded[c] = bf16_of(a[c] * dy[c] + b[c] * x[c] + c0[c]);
}

/* The joined activation as bounds. */
static void bounds_of(nn_activation activation, float *low, float *high)
{
    *low = activation.kind == NN_ACTIVATION_RELU   ? 0
           : activation.kind == NN_ACTIVATION_CLIP ? activation.alpha
                                                   : -INFINITY;
    *high = activation.kind == NN_ACTIVATION_CLIP ? activation.beta : INFINITY;
}

/* One thread's rows first..end-1: sums and squares about `origin`, (channels) each, zeroed before.
 */
static void part_moments(const float *x, int64_t first, int64_t end, int64_t channels,
                         const float *origin, float *sums, float *squares)
{
    float wide_origin[MAX_WIDTH] = {0}, wide_sums[MAX_WIDTH], wide_squares[MAX_WIDTH];
    int64_t repeat = repeat_for(channels), width = repeat * channels;
    int64_t whole = (end - first) / repeat;
    repeat_channels(origin, channels, repeat, wide_origin);
    memset(wide_sums, 0, (size_t)width * sizeof *wide_sums);
    memset(wide_squares, 0, (size_t)width * sizeof *wide_squares);
    moments_of_rows(x + first * channels, whole, width, wide_origin, wide_sums, wide_squares);
    fold(wide_sums, channels, repeat, sums);
    fold(wide_squares, channels, repeat, squares);
    int64_t rest = first + whole * repeat;
    moments_of_rows(x + rest * channels, end - rest, channels, wide_origin, sums, squares);
}

/* Sums and squares of every part of the rows, side by side in scratch: (threads, channels) each. */
static void moments(const train_norm *norm, const float *x, int64_t rows, double *sums,
                    double *squares)
{
    int threads = onednn_threads();
    int64_t channels = norm->extent.channels;
    float *parts = norm->scratch, *square_parts = parts + threads * channels;
    memset(parts, 0, (size_t)(2 * threads * channels) * sizeof *parts);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end;
        part_of(rows, t, threads, &first, &end);
        part_moments(x, first, end, channels, x, parts + t * channels, square_parts + t * channels);
    }
    join_sums(parts, threads, channels, sums);
    join_sums(square_parts, threads, channels, squares);
}

/* How y is made of x: (wide rows of) what goes with each channel. */
typedef struct norm_factors {
    float factor[MAX_WIDTH], offset[MAX_WIDTH];
} norm_factors;

/* y = bounded(x factor + offset), `rows` rows of `width` from number `at` on. */
static void normalise_from(const train_norm *norm, const float *x, int64_t at, int64_t rows,
                           int64_t width, const norm_factors *wide, float *y)
{
    float low, high;
    bounds_of(norm->activation, &low, &high);
    if (norm->rounded != NULL)
        normalise_and_round(x + at, rows, width, wide->factor, wide->offset, low, high, y + at,
                            norm->rounded + at);
    else
        normalise_rows(x + at, rows, width, wide->factor, wide->offset, low, high, y + at);
}

static void apply_norm(const train_norm *norm, const float *x, int64_t rows, const float *factor,
                       const float *offset, float *y)
{
    int64_t channels = norm->extent.channels, repeat = repeat_for(channels);
    int64_t width = repeat * channels, whole = rows / repeat;
    norm_factors wide;
    int threads = onednn_threads();
    repeat_channels(factor, channels, repeat, wide.factor);
    repeat_channels(offset, channels, repeat, wide.offset);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end, begin;
        part_of(whole, t, threads, &first, &end);
        for (; end > first; end = begin) {
            begin = chunk_before(first, end, width);
            normalise_from(norm, x, begin * width, end - begin, width, &wide, y);
        }
    }
    int64_t rest = whole * repeat;
    normalise_from(norm, x, rest * channels, rows - rest, channels, &wide, y);
}

/* The first row is the origin of the sums, so that the squares lose no digits. */
void channels_norm_forward(const train_norm *norm, const float *x, const float *scale,
                           const float *shift, float *mean, float *inverse, float *y)
{
    const nn_extent *e = &norm->extent;
    int64_t rows = e->batch * e->height * e->width, channels = e->channels;
    double sums[MAX_CHANNELS], squares[MAX_CHANNELS];
    float factor[MAX_CHANNELS], offset[MAX_CHANNELS];
    moments(norm, x, rows, sums, squares);
    for (int64_t c = 0; c < channels; c++) {
        double shifted = sums[c] / (double)rows;
        double variance = squares[c] / (double)rows - shifted * shifted;
        mean[c] = (float)(x[c] + shifted);
        inverse[c] = (float)(1 / sqrt((variance > 0 ? variance : 0) + norm->epsilon));
        factor[c] = inverse[c] * scale[c];
        offset[c] = shift[c] - mean[c] * factor[c];
    }
    apply_norm(norm, x, rows, factor, offset, y);
}

void channels_norm_running(const train_norm *norm, const float *x, const float *scale,
                           const float *shift, const float *mean, const float *variance, float *y)
{
    const nn_extent *e = &norm->extent;
    float factor[MAX_CHANNELS], offset[MAX_CHANNELS];
    for (int64_t c = 0; c < e->channels; c++) {
        factor[c] = scale[c] / sqrtf(variance[c] + norm->epsilon);
        offset[c] = shift[c] - mean[c] * factor[c];
    }
    apply_norm(norm, x, e->batch * e->height * e->width, factor, offset, y);
}

/* `rows` rows of `width` from number `at` on: masks dy and adds to sums and dots (width). */
static void sums_from(const train_norm *norm, const float *x, const float *y, int64_t at,
                      int64_t rows, int64_t width, const float *mean, float *dy, float *sums,
                      float *dots)
{
    float low, high;
    bounds_of(norm->activation, &low, &high);
    if (norm->activation.kind == NN_ACTIVATION_NONE)
        plain_gradient_sums(x + at, dy + at, rows, width, mean, sums, dots);
    else
        gradient_sums(x + at, y + at, rows, width, mean, low, high, dy + at, sums, dots);
}

/* One thread's rows: masks dy and sums it, (channels) each, zeroed before. */
static void part_gradients(const train_norm *norm, const float *x, const float *y, int64_t first,
                           int64_t end, const float *mean, float *dy, float *sums, float *dots)
{
    int64_t channels = norm->extent.channels, repeat = repeat_for(channels);
    int64_t width = repeat * channels, whole = (end - first) / repeat;
    float wide_mean[MAX_WIDTH] = {0}, wide_sums[MAX_WIDTH], wide_dots[MAX_WIDTH];
    repeat_channels(mean, channels, repeat, wide_mean);
    memset(wide_sums, 0, (size_t)width * sizeof *wide_sums);
    memset(wide_dots, 0, (size_t)width * sizeof *wide_dots);
    sums_from(norm, x, y, first * channels, whole, width, wide_mean, dy, wide_sums, wide_dots);
    fold(wide_sums, channels, repeat, sums);
    fold(wide_dots, channels, repeat, dots);
    int64_t rest = first + whole * repeat;
    sums_from(norm, x, y, rest * channels, end - rest, channels, wide_mean, dy, sums, dots);
}

/* What dx is made of, by channel. */
typedef struct gradient_factors {
    float a[MAX_WIDTH], b[MAX_WIDTH], c[MAX_WIDTH];
} gradient_factors;

/* dx, or its rounding, `rows` rows of `width` from number `at` on. */
static void gradient_from(const train_norm *norm, const float *x, const float *dy, int64_t at,
                          int64_t rows, int64_t width, const gradient_factors *wide, float *dx)
{
    if (norm->rounded_gradient != NULL)
        combine_and_round(x + at, dy + at, rows, width, wide->a, wide->b, wide->c,
                          norm->rounded_gradient + at);
    else
        combine_rows(x + at, dy + at, rows, width, wide->a, wide->b, wide->c, dx + at);
}

static void apply_gradient(const train_norm *norm, const float *x, const float *dy, int64_t rows,
                           const gradient_factors *factors, float *dx)
{
    gradient_factors wide;
    int64_t channels = norm->extent.channels, repeat = repeat_for(channels);
    int64_t width = repeat * channels, whole = rows / repeat;
    int threads = onednn_threads();
    repeat_channels(factors->a, channels, repeat, wide.a);
    repeat_channels(factors->b, channels, repeat, wide.b);
    repeat_channels(factors->c, channels, repeat, wide.c);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end, begin;
        part_of(whole, t, threads, &first, &end);
        for (; end > first; end = begin) {
            begin = chunk_before(first, end, width);
            gradient_from(norm, x, dy, begin * width, end - begin, width, &wide, dx);
        }
    }
    int64_t rest = whole * repeat;
    gradient_from(norm, x, dy, rest * channels, rows - rest, channels, &wide, dx);
}

void channels_norm_backward(const train_norm *norm, const float *x, const float *y,
                            const float *scale, const float *mean, const float *inverse, float *dy,
                            float *dx, float *d_scale, float *d_shift)
{
    const nn_extent *e = &norm->extent;
    int64_t rows = e->batch * e->height * e->width, channels = e->channels;
    int threads = onednn_threads();
    float *parts = norm->scratch, *dot_parts = parts + threads * channels;
    memset(parts, 0, (size_t)(2 * threads * channels) * sizeof *parts);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end;
        part_of(rows, t, threads, &first, &end);
        part_gradients(norm, x, y, first, end, mean, dy, parts + t * channels,
                       dot_parts + t * channels);
    }
    double sums[MAX_CHANNELS], dots[MAX_CHANNELS];
    gradient_factors factors;
    join_sums(parts, threads, channels, sums);
    join_sums(dot_parts, threads, channels, dots);
    for (int64_t c = 0; c < channels; c++) {
        double normal_dot = dots[c] * inverse[c]; /* sum of dy times normalised x */
        d_scale[c] = (float)normal_dot;
        d_shift[c] = (float)sums[c];
        double factor = (double)scale[c] * inverse[c];
        double per_x = -factor * normal_dot * inverse[c] / (double)rows;
        factors.a[c] = (float)factor;
        factors.b[c] = (float)per_x;
        factors.c[c] = (float)(-factor * sums[c] / (double)rows - per_x * mean[c]);
    }
    if (dx != NULL || norm->rounded_gradient != NULL)
        apply_gradient(norm, x, dy, rows, &factors, dx);
}
