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

/*
 * The way backwards reads x and dy alone: what the way forwards gave is made again from x, and
 * where it is at a bound, nothing comes back. Each by channel; low and high as in normalise_rows.
 */
typedef struct flat_parts {
    const float *factor, *offset;
    float low, high;
} flat_parts;

static inline float behind_bounds(float x, float dy, float factor, float offset, float low,
                                  float high)
{
    float y = x * factor + offset;
    return ((y > low) & (y < high)) != 0 ? dy : 0;
}

/* Sums what comes back, and what comes back times (x - mean). */
VECTORISED static void gradient_sums(const float *restrict x, const float *restrict dy,
                                     int64_t rows, int64_t width, const float *restrict mean,
                                     const flat_parts *flat, float *restrict sums,
                                     float *restrict dots)
{
    const float *restrict factor = flat->factor, *restrict offset = flat->offset;
    float low = flat->low, high = flat->high;
    for (int64_t r = 0; r < rows; r++, x += width, dy += width)
        for (int64_t c = 0; c < width; c++) {
            float back = behind_bounds(x[c], dy[c], factor[c], offset[c], low, high);
            sums[c] += back;
            dots[c] += back * (x[c] - mean[c]);
        }
}

/* dx = a dy + b x + c, each by channel; dx may be dy. */
VECTORISED static void combine_rows(const float *x, const float *dy, int64_t rows, int64_t width,
                                    const float *a, const float *b, const float *c0,
                                    const flat_parts *flat, float *dx)
{
    const float *factor = flat->factor, *offset = flat->offset;
    float low = flat->low, high = flat->high;
    for (int64_t r = 0; r < rows; r++, x += width, dy += width, dx += width) {
#pragma omp simd
        for (int64_t c = 0; c < width; c++) {
            float back = behind_bounds(x[c], dy[c], factor[c], offset[c], low, high);
            dx[c] = a[c] * back + b[c] * x[c] + c0[c];
        }
    }
}

VECTORISED static void combine_and_round(const float *restrict x, const float *restrict dy,
                                         int64_t rows, int64_t width, const float *restrict a,
                                         const float *restrict b, const float *restrict c0,
                                         const flat_parts *flat, train_bf16 *restrict rounded)
{
    const float *restrict factor = flat->factor, *restrict offset = flat->offset;
    float low = flat->low, high = flat->high;
    for (int64_t r = 0; r < rows; r++, x += width, dy += width, rounded += width)
        for (int64_t c = 0; c < width; c++) {
            float back = behind_bounds(x[c], dy[c], factor[c], offset[c], low, high);
            rounded[c] = bf16_of(a[c] * back + b[c] * x[c] + c0[c]);
        }
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

/* y = x factor + offset, by the statistics of the batch. */
static void batch_factors(const train_norm *norm, const float *scale, const float *shift,
                          const float *mean, const float *inverse, float *factor, float *offset)
{
    for (int64_t c = 0; c < norm->extent.channels; c++) {
        factor[c] = inverse[c] * scale[c];
        offset[c] = shift[c] - mean[c] * factor[c];
    }
}

void channels_norm_again(const train_norm *norm, const float *x, const float *scale,
                         const float *shift, const float *mean, const float *inverse, float *y)
{
    const nn_extent *e = &norm->extent;
    float factor[MAX_CHANNELS], offset[MAX_CHANNELS];
    batch_factors(norm, scale, shift, mean, inverse, factor, offset);
    apply_norm(norm, x, e->batch * e->height * e->width, factor, offset, y);
}

/* The first row is the origin of the sums, so that the squares lose no digits. */
void channels_norm_forward(const train_norm *norm, const float *x, const float *scale,
                           const float *shift, float *mean, float *inverse, float *y)
{
    const nn_extent *e = &norm->extent;
    int64_t rows = e->batch * e->height * e->width, channels = e->channels;
    double sums[MAX_CHANNELS], squares[MAX_CHANNELS];
    moments(norm, x, rows, sums, squares);
    for (int64_t c = 0; c < channels; c++) {
        double shifted = sums[c] / (double)rows;
        double variance = squares[c] / (double)rows - shifted * shifted;
        mean[c] = (float)(x[c] + shifted);
        inverse[c] = (float)(1 / sqrt((variance > 0 ? variance : 0) + norm->epsilon));
    }
    channels_norm_again(norm, x, scale, shift, mean, inverse, y);
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

/* One thread's rows: what comes back, summed, (channels) each, zeroed before. */
static void part_gradients(const train_norm *norm, const float *x, int64_t first, int64_t end,
                           const float *mean, const norm_factors *made, const float *dy,
                           float *sums, float *dots)
{
    int64_t channels = norm->extent.channels, repeat = repeat_for(channels);
    int64_t width = repeat * channels, whole = (end - first) / repeat;
    float wide_mean[MAX_WIDTH] = {0}, wide_sums[MAX_WIDTH], wide_dots[MAX_WIDTH];
    flat_parts flat = {.factor = made->factor, .offset = made->offset};
    bounds_of(norm->activation, &flat.low, &flat.high);
    repeat_channels(mean, channels, repeat, wide_mean);
    memset(wide_sums, 0, (size_t)width * sizeof *wide_sums);
    memset(wide_dots, 0, (size_t)width * sizeof *wide_dots);
    gradient_sums(x + first * channels, dy + first * channels, whole, width, wide_mean, &flat,
                  wide_sums, wide_dots);
    fold(wide_sums, channels, repeat, sums);
    fold(wide_dots, channels, repeat, dots);
    int64_t rest = (first + whole * repeat) * channels;
    gradient_sums(x + rest, dy + rest, end - first - whole * repeat, channels, wide_mean, &flat,
                  sums, dots);
}

/* What dx is made of, (wide rows of) what goes with each channel. */
typedef struct gradient_factors {
    float a[MAX_WIDTH], b[MAX_WIDTH], c[MAX_WIDTH];
} gradient_factors;

/* dx, or its rounding, `rows` rows of `width` from number `at` on. */
static void gradient_from(const train_norm *norm, const float *x, const float *dy, int64_t at,
                          int64_t rows, int64_t width, const gradient_factors *wide,
                          const flat_parts *flat, float *dx)
{
    if (norm->rounded_gradient != NULL)
        combine_and_round(x + at, dy + at, rows, width, wide->a, wide->b, wide->c, flat,
                          norm->rounded_gradient + at);
    else
        combine_rows(x + at, dy + at, rows, width, wide->a, wide->b, wide->c, flat, dx + at);
}

static void apply_gradient(const train_norm *norm, const float *x, const float *dy, int64_t rows,
                           const gradient_factors *wide, const norm_factors *made, float *dx)
{
    int64_t channels = norm->extent.channels, repeat = repeat_for(channels);
    int64_t width = repeat * channels, whole = rows / repeat;
    int threads = onednn_threads();
    flat_parts flat = {.factor = made->factor, .offset = made->offset};
    bounds_of(norm->activation, &flat.low, &flat.high);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end, begin;
        part_of(whole, t, threads, &first, &end);
        for (; end > first; end = begin) {
            begin = chunk_before(first, end, width);
            gradient_from(norm, x, dy, begin * width, end - begin, width, wide, &flat, dx);
        }
    }
    int64_t rest = whole * repeat;
    gradient_from(norm, x, dy, rest * channels, rows - rest, channels, wide, &flat, dx);
}

/* Sums what comes back: (channels) each. */
static void join_gradients(const train_norm *norm, const float *x, const float *mean,
                           const norm_factors *made, const float *dy, double *sums, double *dots)
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
        part_gradients(norm, x, first, end, mean, made, dy, parts + t * channels,
                       dot_parts + t * channels);
    }
    join_sums(parts, threads, channels, sums);
    join_sums(dot_parts, threads, channels, dots);
}

/* Repeats what goes with a channel over the wide row that it begins. */
static void widen(float *row, int64_t channels)
{
    for (int64_t r = 1; r < repeat_for(channels); r++)
        memcpy(row + r * channels, row, (size_t)channels * sizeof *row);
}

void channels_norm_backward(const train_norm *norm, const float *x, const float *scale,
                            const float *shift, const float *mean, const float *inverse,
                            const float *dy, float *dx, float *d_scale, float *d_shift)
{
    const nn_extent *e = &norm->extent;
    int64_t rows = e->batch * e->height * e->width, channels = e->channels;
    double sums[MAX_CHANNELS], dots[MAX_CHANNELS];
    gradient_factors wide;
    norm_factors made;
    batch_factors(norm, scale, shift, mean, inverse, made.factor, made.offset);
    widen(made.factor, channels);
    widen(made.offset, channels);
    join_gradients(norm, x, mean, &made, dy, sums, dots);
    for (int64_t c = 0; c < channels; c++) {
        double normal_dot = dots[c] * inverse[c]; /* sum of dy times normalised x */
        d_scale[c] = (float)normal_dot;
        d_shift[c] = (float)sums[c];
        double factor = (double)scale[c] * inverse[c];
        double per_x = -factor * normal_dot * inverse[c] / (double)rows;
        wide.a[c] = (float)factor;
        wide.b[c] = (float)per_x;
        wide.c[c] = (float)(-factor * sums[c] / (double)rows - per_x * mean[c]);
    }
    widen(wide.a, channels);
    widen(wide.b, channels);
    widen(wide.c, channels);
    if (dx != NULL || norm->rounded_gradient != NULL)
        apply_gradient(norm, x, dy, rows, &wide, &made, dx);
}
