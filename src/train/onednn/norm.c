/* SPDX-License-Identifier: Apache-2.0 */

/*
 * BatchNormalization, and sums over rows of channels. Work is split into as many equal parts as
 * there are threads, and sums are joined in the order of the parts: the same number of threads
 * gives the same bits.
 */

#include "train/onednn/norm_rows.h"
#include "train/onednn/onednn.h"

#include <math.h>
#include <string.h>

#define MAX_CHANNELS TRAIN_MAX_CHANNELS

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

static int64_t chunk_before(int64_t first, int64_t end, int64_t channels)
{
    int64_t rows = CHUNK_FLOATS / channels + 1;
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

static int64_t row_count(const train_norm *norm)
{
    return norm->extent.batch * norm->extent.height * norm->extent.width;
}

/* ---- Forwards ---- */

/* Sums and squares about `x`'s first row, side by side in scratch: (threads, channels) each. */
static void moments(const train_norm *norm, const float *x, double *sums, double *squares)
{
    int threads = onednn_threads();
    int64_t channels = norm->extent.channels, rows = row_count(norm);
    float *parts = norm->scratch, *square_parts = parts + threads * channels;
    memset(parts, 0, (size_t)(2 * threads * channels) * sizeof *parts);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end;
        part_of(rows, t, threads, &first, &end);
        norm_rows_moments(x + first * channels, end - first, channels, x, parts + t * channels,
                          square_parts + t * channels);
    }
    join_sums(parts, threads, channels, sums);
    join_sums(square_parts, threads, channels, squares);
}

static void apply_norm(const train_norm *norm, const float *x, const float *factor,
                       const float *offset, float *y)
{
    int64_t channels = norm->extent.channels, rows = row_count(norm);
    norm_map map = norm_map_of(norm->activation, factor, offset);
    int threads = onednn_threads();
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end, begin;
        part_of(rows, t, threads, &first, &end);
        for (; end > first; end = begin) {
            begin = chunk_before(first, end, channels);
            int64_t at = begin * channels;
            norm_rows_map(x + at, end - begin, channels, &map, y + at,
                          norm->rounded != NULL ? norm->rounded + at : NULL);
        }
    }
}

void channels_norm_batch_map(const train_norm *norm, const float *scale, const float *shift,
                             const float *mean, const float *inverse, float *factor, float *offset)
{
    for (int64_t c = 0; c < norm->extent.channels; c++) {
        factor[c] = inverse[c] * scale[c];
        offset[c] = shift[c] - mean[c] * factor[c];
    }
}

void channels_norm_running_map(const train_norm *norm, const float *scale, const float *shift,
                               const float *mean, const float *variance, float *factor,
                               float *offset)
{
    for (int64_t c = 0; c < norm->extent.channels; c++) {
        factor[c] = scale[c] / sqrtf(variance[c] + norm->epsilon);
        offset[c] = shift[c] - mean[c] * factor[c];
    }
}

void channels_norm_again(const train_norm *norm, const float *x, const float *scale,
                         const float *shift, const float *mean, const float *inverse, float *y)
{
    float factor[MAX_CHANNELS], offset[MAX_CHANNELS];
    channels_norm_batch_map(norm, scale, shift, mean, inverse, factor, offset);
    apply_norm(norm, x, factor, offset, y);
}

void channels_norm_running(const train_norm *norm, const float *x, const float *scale,
                           const float *shift, const float *mean, const float *variance, float *y)
{
    float factor[MAX_CHANNELS], offset[MAX_CHANNELS];
    channels_norm_running_map(norm, scale, shift, mean, variance, factor, offset);
    apply_norm(norm, x, factor, offset, y);
}

/* The first row is the origin of the sums, so that the squares lose no digits. */
void channels_norm_forward(const train_norm *norm, const float *x, const float *scale,
                           const float *shift, float *mean, float *inverse, float *y)
{
    int64_t rows = row_count(norm), channels = norm->extent.channels;
    double sums[MAX_CHANNELS], squares[MAX_CHANNELS];
    moments(norm, x, sums, squares);
    for (int64_t c = 0; c < channels; c++) {
        double shifted = sums[c] / (double)rows;
        double variance = squares[c] / (double)rows - shifted * shifted;
        mean[c] = (float)(x[c] + shifted);
        inverse[c] = (float)(1 / sqrt((variance > 0 ? variance : 0) + norm->epsilon));
    }
    if (y != NULL)
        channels_norm_again(norm, x, scale, shift, mean, inverse, y);
}

/* ---- Backwards ---- */

/* Sums what comes back, and that times (x - mean): (channels) each. */
static void join_gradients(const train_norm *norm, const float *x, const float *mean,
                           const norm_map *map, const float *dy, double *sums, double *dots)
{
    int64_t rows = row_count(norm), channels = norm->extent.channels;
    int threads = onednn_threads();
    float *parts = norm->scratch, *dot_parts = parts + threads * channels;
    memset(parts, 0, (size_t)(2 * threads * channels) * sizeof *parts);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end;
        part_of(rows, t, threads, &first, &end);
        norm_rows_gradient_sums(x + first * channels, dy + first * channels, end - first, channels,
                                mean, map, parts + t * channels, dot_parts + t * channels);
    }
    join_sums(parts, threads, channels, sums);
    join_sums(dot_parts, threads, channels, dots);
}

static void apply_gradient(const train_norm *norm, const float *x, const float *dy,
                           const norm_map *map, const norm_slopes *slopes, float *dx)
{
    int64_t rows = row_count(norm), channels = norm->extent.channels;
    int threads = onednn_threads();
    train_bf16 *rounded = norm->rounded_gradient;
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end, begin;
        part_of(rows, t, threads, &first, &end);
        for (; end > first; end = begin) {
            begin = chunk_before(first, end, channels);
            int64_t at = begin * channels;
            norm_rows_gradient(x + at, dy + at, end - begin, channels, map, slopes,
                               rounded != NULL ? NULL : dx + at,
                               rounded != NULL ? rounded + at : NULL);
        }
    }
}

/* sums: (2, channels). */
static void slopes_of(const train_norm *norm, const float *scale, const float *mean,
                      const float *inverse, const double *sums, float *slopes)
{
    int64_t channels = norm->extent.channels;
    double rows = (double)row_count(norm);
    for (int64_t c = 0; c < channels; c++) {
        double normal_dot = sums[channels + c] * inverse[c]; /* sum of dy times normalised x */
        double factor = (double)scale[c] * inverse[c];
        double per_x = -factor * normal_dot * inverse[c] / rows;
        slopes[c] = (float)factor;
        slopes[channels + c] = (float)per_x;
        slopes[2 * channels + c] = (float)(-factor * sums[c] / rows - per_x * mean[c]);
    }
}

void channels_norm_backward(const train_norm *norm, const float *x, const float *scale,
                            const float *shift, const float *mean, const float *inverse,
                            const float *dy, float *dx, float *d_scale, float *d_shift)
{
    int64_t channels = norm->extent.channels;
    double own_sums[2 * MAX_CHANNELS];
    float own_slopes[3 * MAX_CHANNELS], factor[MAX_CHANNELS], offset[MAX_CHANNELS];
    const double *sums = norm->sums != NULL ? norm->sums : own_sums;
    float *slopes = norm->slopes != NULL ? norm->slopes : own_slopes;
    channels_norm_batch_map(norm, scale, shift, mean, inverse, factor, offset);
    norm_map map = norm_map_of(norm->activation, factor, offset);
    if (norm->sums == NULL)
        join_gradients(norm, x, mean, &map, dy, own_sums, own_sums + channels);
    for (int64_t c = 0; c < channels; c++) {
        d_scale[c] = (float)(sums[channels + c] * inverse[c]);
        d_shift[c] = (float)sums[c];
    }
    slopes_of(norm, scale, mean, inverse, sums, slopes);
    norm_slopes each = {slopes, slopes + channels, slopes + 2 * channels};
    if (norm->slopes == NULL && (dx != NULL || norm->rounded_gradient != NULL))
        apply_gradient(norm, x, dy, &map, &each, dx);
}
