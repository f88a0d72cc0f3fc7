/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The onednn backend's table, and its kernels on rows of channels. Work is split into as many equal
 * parts as there are threads, and sums are joined in the order of the parts: the same number of
 * threads gives the same bits.
 */

#include "train/onednn/onednn.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define VECTORISED             __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define MAX_THREADS            (TRAIN_NORM_SCRATCH / 2)
#define MAX_CHANNELS           TRAIN_MAX_CHANNELS
#define DEPTHWISE_MAX_TAPS     25
#define DEPTHWISE_MAX_CHANNELS 2048

int onednn_threads(void)
{
    int threads = omp_get_max_threads();
    return threads < MAX_THREADS ? threads : MAX_THREADS;
}

/* ---- Convolutions ---- */

struct train_conv {
    nn_conv shape;
    dense_conv *dense; /* one of the two */
    depthwise_conv *depthwise;
};

static bool is_depthwise(const nn_conv *s)
{
    return s->group > 1 && s->group == s->in.channels && s->out.channels == s->in.channels;
}

static void conv_free(train_conv *conv)
{
    if (conv == NULL)
        return;
    dense_conv_free(conv->dense);
    depthwise_free(conv->depthwise);
    free(conv);
}

static mien_status conv_create(const nn_conv *shape, bool needs_input_gradient, train_conv **out,
                               mien_error *error)
{
    *out = NULL;
    train_conv *conv = memory_zeroed(1, sizeof *conv);
    if (conv == NULL)
        return error_no_memory(error, "a convolution", sizeof *conv);
    conv->shape = *shape;
    mien_status status = MIEN_OK;
    if (is_depthwise(shape))
        status = depthwise_create(shape, &conv->depthwise, error);
    else
        status = dense_conv_create(shape, needs_input_gradient, &conv->dense, error);
    if (status != MIEN_OK) {
        conv_free(conv);
        return status;
    }
    *out = conv;
    return MIEN_OK;
}

static void conv_forward(train_conv *conv, const float *x, const float *weights, const float *bias,
                         float *y)
{
    if (conv->dense != NULL)
        dense_conv_forward(conv->dense, x, weights, bias, y);
    else
        depthwise_forward(conv->depthwise, x, weights, bias, y);
}

static void conv_backward(train_conv *conv, const float *x, const float *weights, const float *dy,
                          float *dx, float *d_weights, float *d_bias)
{
    const nn_extent *out = &conv->shape.out;
    if (conv->dense != NULL) {
        dense_conv_backward(conv->dense, x, weights, dy, dx, d_weights);
    } else {
        if (dx != NULL)
            depthwise_backward_input(conv->depthwise, dy, weights, dx);
        depthwise_backward_weights(conv->depthwise, x, dy, d_weights);
    }
    if (d_bias != NULL)
        sum_rows(dy, out->batch * out->height * out->width, out->channels, d_bias);
}

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

/* dx = a dy + b x + c, each by channel. */
VECTORISED static void combine_rows(const float *restrict x, const float *restrict dy, int64_t rows,
                                    int64_t width, const float *restrict a, const float *restrict b,
                                    const float *restrict c0, float *restrict dx)
{
    for (int64_t r = 0; r < rows; r++, x += width, dy += width, dx += width)
        for (int64_t c = 0; c < width; c++)
            dx[c] = a[c] * dy[c] + b[c] * x[c] + c0[c];
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

/* y = bounded(x factor + offset) on all rows. */
static void apply_norm(const train_norm *norm, const float *x, int64_t rows, const float *factor,
                       const float *offset, float *y)
{
    int64_t channels = norm->extent.channels, repeat = repeat_for(channels);
    int64_t width = repeat * channels, whole = rows / repeat;
    float wide_factor[MAX_WIDTH], wide_offset[MAX_WIDTH], low, high;
    int threads = onednn_threads();
    bounds_of(norm->activation, &low, &high);
    repeat_channels(factor, channels, repeat, wide_factor);
    repeat_channels(offset, channels, repeat, wide_offset);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end;
        part_of(whole, t, threads, &first, &end);
        normalise_rows(x + first * width, end - first, width, wide_factor, wide_offset, low, high,
                       y + first * width);
    }
    int64_t rest = whole * repeat;
    normalise_rows(x + rest * channels, rows - rest, channels, wide_factor, wide_offset, low, high,
                   y + rest * channels);
}

/* The first row is the origin of the sums, so that the squares lose no digits. */
static void norm_forward(const train_norm *norm, const float *x, const float *scale,
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

static void norm_running(const train_norm *norm, const float *x, const float *scale,
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

/* One thread's rows: masks dy and sums it, (channels) each, zeroed before. */
static void part_gradients(const train_norm *norm, const float *x, const float *y, int64_t first,
                           int64_t end, const float *mean, float *dy, float *sums, float *dots)
{
    int64_t channels = norm->extent.channels, repeat = repeat_for(channels);
    int64_t width = repeat * channels, whole = (end - first) / repeat;
    float wide_mean[MAX_WIDTH] = {0}, wide_sums[MAX_WIDTH], wide_dots[MAX_WIDTH], low, high;
    bounds_of(norm->activation, &low, &high);
    repeat_channels(mean, channels, repeat, wide_mean);
    memset(wide_sums, 0, (size_t)width * sizeof *wide_sums);
    memset(wide_dots, 0, (size_t)width * sizeof *wide_dots);
    int64_t at = first * channels;
    gradient_sums(x + at, y + at, whole, width, wide_mean, low, high, dy + at, wide_sums,
                  wide_dots);
    fold(wide_sums, channels, repeat, sums);
    fold(wide_dots, channels, repeat, dots);
    int64_t rest = first + whole * repeat;
    at = rest * channels;
    gradient_sums(x + at, y + at, end - rest, channels, wide_mean, low, high, dy + at, sums, dots);
}

/* What dx is made of, by channel. */
typedef struct gradient_factors {
    float a[MAX_WIDTH], b[MAX_WIDTH], c[MAX_WIDTH];
} gradient_factors;

static void apply_gradient(const float *x, const float *dy, int64_t rows, int64_t channels,
                           const gradient_factors *factors, float *dx)
{
    gradient_factors wide;
    int64_t repeat = repeat_for(channels), width = repeat * channels, whole = rows / repeat;
    int threads = onednn_threads();
    repeat_channels(factors->a, channels, repeat, wide.a);
    repeat_channels(factors->b, channels, repeat, wide.b);
    repeat_channels(factors->c, channels, repeat, wide.c);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first, end;
        part_of(whole, t, threads, &first, &end);
        combine_rows(x + first * width, dy + first * width, end - first, width, wide.a, wide.b,
                     wide.c, dx + first * width);
    }
    int64_t rest = whole * repeat;
    combine_rows(x + rest * channels, dy + rest * channels, rows - rest, channels, wide.a, wide.b,
                 wide.c, dx + rest * channels);
}

static void norm_backward(const train_norm *norm, const float *x, const float *y,
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
    if (dx != NULL)
        apply_gradient(x, dy, rows, channels, &factors, dx);
}

/* ---- Pooling: a picture stays with one thread ---- */

/* Where cell k of the window of an output pixel lies, in floats from the picture; -1 outside. */
static int64_t cell_offset(const nn_pool *pool, int64_t row, int64_t column, int k)
{
    const nn_window *w = &pool->window;
    int64_t y =
        row * w->stride[0] - w->pad_before[0] + (int64_t)(k / w->kernel[1]) * w->dilation[0];
    int64_t x =
        column * w->stride[1] - w->pad_before[1] + (int64_t)(k % w->kernel[1]) * w->dilation[1];
    if (y < 0 || y >= pool->in.height || x < 0 || x >= pool->in.width)
        return -1;
    return (y * pool->in.width + x) * pool->in.channels;
}

/* Cells that an average is taken over. */
static float share_of(const nn_pool *pool, int64_t row, int64_t column)
{
    int cells = 0, all = pool->window.kernel[0] * pool->window.kernel[1];
    for (int k = 0; k < all; k++)
        cells += cell_offset(pool, row, column, k) >= 0;
    return 1.0f / (float)(pool->count_padding ? all : cells > 0 ? cells : 1);
}

#define POOL_BLOCK 16 /* channels that are kept in registers */

/* The largest of the window's cells and which it is, for a block of channels; -1 cells lie outside.
 */
VECTORISED static void largest_in_window(const float *restrict x, const int64_t *restrict cells,
                                         int cell_count, int channels, float *restrict y,
                                         uint8_t *restrict winners)
{
    float best[POOL_BLOCK];
    int32_t won[POOL_BLOCK];
    for (int c = 0; c < POOL_BLOCK; c++) {
        best[c] = -INFINITY;
        won[c] = 0;
    }
    for (int k = 0; k < cell_count; k++) {
        const float *cell = x + cells[k];
        if (cells[k] < 0)
            continue;
        for (int c = 0; c < channels; c++) {
            won[c] = cell[c] > best[c] ? k : won[c];
            best[c] = cell[c] > best[c] ? cell[c] : best[c];
        }
    }
    for (int c = 0; c < channels; c++) {
        y[c] = best[c];
        winners[c] = (uint8_t)won[c];
    }
}

/* dx of the cell that won += dy, for a block of channels. */
VECTORISED static void give_to_winners(const float *restrict dy, const uint8_t *restrict winners,
                                       const int64_t *restrict cells, int cell_count, int channels,
                                       float *restrict dx)
{
    int32_t won[POOL_BLOCK];
    float gradient[POOL_BLOCK];
    for (int c = 0; c < channels; c++) {
        won[c] = winners[c];
        gradient[c] = dy[c];
    }
    for (int k = 0; k < cell_count; k++) {
        float *cell = dx + cells[k];
        if (cells[k] < 0)
            continue;
        for (int c = 0; c < channels; c++)
            cell[c] += won[c] == k ? gradient[c] : 0;
    }
}

VECTORISED static void add_scaled(const float *restrict x, int64_t channels, float factor,
                                  float *restrict y)
{
    for (int64_t c = 0; c < channels; c++)
        y[c] += x[c] * factor;
}

#define MAX_CELLS 225 /* of a window: network.c keeps it below */

static int find_cells(const nn_pool *pool, int64_t row, int64_t column, int64_t *cells)
{
    int count = pool->window.kernel[0] * pool->window.kernel[1];
    for (int k = 0; k < count; k++)
        cells[k] = cell_offset(pool, row, column, k);
    return count;
}

static void pool_pixel(const nn_pool *pool, const float *x, int64_t row, int64_t column, float *y,
                       uint8_t *winners)
{
    int64_t cells[MAX_CELLS], channels = pool->in.channels;
    int count = find_cells(pool, row, column, cells);
    for (int64_t c = 0; pool->maximum && c < channels; c += POOL_BLOCK) {
        if (channels - c >= POOL_BLOCK)
            largest_in_window(x + c, cells, count, POOL_BLOCK, y + c, winners + c);
        else
            largest_in_window(x + c, cells, count, (int)(channels - c), y + c, winners + c);
    }
    if (pool->maximum)
        return;
    memset(y, 0, (size_t)channels * sizeof *y);
    for (int k = 0; k < count; k++)
        if (cells[k] >= 0)
            add_scaled(x + cells[k], channels, share_of(pool, row, column), y);
}

static void pool_forward(const nn_pool *pool, const float *x, float *y, uint8_t *winners)
{
    int64_t in = pool->in.height * pool->in.width * pool->in.channels;
    int64_t out = pool->out.height * pool->out.width * pool->out.channels;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < pool->out.batch; n++)
        for (int64_t p = 0; p < pool->out.height * pool->out.width; p++) {
            int64_t at = n * out + p * pool->out.channels;
            pool_pixel(pool, x + n * in, p / pool->out.width, p % pool->out.width, y + at,
                       winners != NULL ? winners + at : NULL);
        }
}

static void unpool_pixel(const nn_pool *pool, const float *dy, int64_t row, int64_t column,
                         const uint8_t *winners, float *dx)
{
    int64_t cells[MAX_CELLS], channels = pool->in.channels;
    int count = find_cells(pool, row, column, cells);
    for (int64_t c = 0; pool->maximum && c < channels; c += POOL_BLOCK) {
        if (channels - c >= POOL_BLOCK)
            give_to_winners(dy + c, winners + c, cells, count, POOL_BLOCK, dx + c);
        else
            give_to_winners(dy + c, winners + c, cells, count, (int)(channels - c), dx + c);
    }
    for (int k = 0; !pool->maximum && k < count; k++)
        if (cells[k] >= 0)
            add_scaled(dy, channels, share_of(pool, row, column), dx + cells[k]);
}

static void pool_backward(const nn_pool *pool, const float *dy, const uint8_t *winners, float *dx)
{
    int64_t in = pool->in.height * pool->in.width * pool->in.channels;
    int64_t out = pool->out.height * pool->out.width * pool->out.channels;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < pool->out.batch; n++) {
        memset(dx + n * in, 0, (size_t)in * sizeof *dx);
        for (int64_t p = 0; p < pool->out.height * pool->out.width; p++) {
            int64_t at = n * out + p * pool->out.channels;
            unpool_pixel(pool, dy + at, p / pool->out.width, p % pool->out.width,
                         winners != NULL ? winners + at : NULL, dx + n * in);
        }
    }
}

static void global_average_forward(const nn_extent *in, const float *x, float *y)
{
    int64_t pixels = in->height * in->width;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < in->batch; n++) {
        memset(y + n * in->channels, 0, (size_t)in->channels * sizeof *y);
        for (int64_t p = 0; p < pixels; p++)
            add_scaled(x + (n * pixels + p) * in->channels, in->channels, 1.0f / (float)pixels,
                       y + n * in->channels);
    }
}

static void global_average_backward(const nn_extent *in, const float *dy, float *dx)
{
    int64_t pixels = in->height * in->width;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < in->batch; n++)
        for (int64_t p = 0; p < pixels; p++)
            for (int64_t c = 0; c < in->channels; c++)
                dx[(n * pixels + p) * in->channels + c] = dy[n * in->channels + c] / (float)pixels;
}

/* ---- Factors, joining and splitting ---- */

static void scale_channels_forward(const nn_extent *in, const float *x, const float *factor,
                                   float *y)
{
    int64_t pixels = in->height * in->width, channels = in->channels;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < in->batch * pixels; row++)
        for (int64_t c = 0; c < channels; c++)
            y[row * channels + c] = x[row * channels + c] * factor[row / pixels * channels + c];
}

static void scale_channels_backward(const nn_extent *in, const float *x, const float *factor,
                                    const float *dy, float *dx, float *d_factor)
{
    int64_t pixels = in->height * in->width, channels = in->channels;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < in->batch; n++) {
        float *sums = d_factor + n * channels;
        const float *factors = factor + n * channels;
        memset(sums, 0, (size_t)channels * sizeof *sums);
        for (int64_t i = n * pixels * channels; i < (n + 1) * pixels * channels; i += channels)
            for (int64_t c = 0; c < channels; c++) {
                sums[c] += dy[i + c] * x[i + c];
                dx[i + c] = dy[i + c] * factors[c];
            }
    }
}

static void join_channels(const nn_extent *part, int64_t first, int64_t all_channels,
                          const float *from, float *whole)
{
    for (int64_t row = 0; row < part->batch * part->height * part->width; row++)
        memcpy(whole + row * all_channels + first, from + row * part->channels,
               (size_t)part->channels * sizeof *from);
}

static void split_channels(const nn_extent *part, int64_t first, int64_t all_channels,
                           const float *whole, float *to)
{
    for (int64_t row = 0; row < part->batch * part->height * part->width; row++)
        memcpy(to + row * part->channels, whole + row * all_channels + first,
               (size_t)part->channels * sizeof *to);
}

const train_backend train_backend_onednn = {.name = "onednn",
                                            .channels_last = true,
                                            .conv_create = conv_create,
                                            .conv_free = conv_free,
                                            .conv_forward = conv_forward,
                                            .conv_backward = conv_backward,
                                            .dense_forward = dense_forward,
                                            .dense_backward = dense_backward,
                                            .norm_forward = norm_forward,
                                            .norm_running = norm_running,
                                            .norm_backward = norm_backward,
                                            .pool_forward = pool_forward,
                                            .pool_backward = pool_backward,
                                            .global_average_forward = global_average_forward,
                                            .global_average_backward = global_average_backward,
                                            .scale_channels_forward = scale_channels_forward,
                                            .scale_channels_backward = scale_channels_backward,
                                            .join_channels = join_channels,
                                            .split_channels = split_channels};
