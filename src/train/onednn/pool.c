/* SPDX-License-Identifier: Apache-2.0 */

/* Pooling, channels last. A picture stays with one thread. */

#include "train/onednn/onednn.h"

#include <math.h>
#include <string.h>

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
    float share = share_of(pool, row, column);
    memset(y, 0, (size_t)channels * sizeof *y);
    for (int k = 0; k < count; k++)
        if (cells[k] >= 0)
            add_scaled(x + cells[k], channels, share, y);
}

void channels_pool_forward(const nn_pool *pool, const float *x, float *y, uint8_t *winners)
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
    if (pool->maximum)
        return;
    float share = share_of(pool, row, column);
    for (int k = 0; k < count; k++)
        if (cells[k] >= 0)
            add_scaled(dy, channels, share, dx + cells[k]);
}

void channels_pool_backward(const nn_pool *pool, const float *dy, const uint8_t *winners, float *dx)
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

void channels_global_average_forward(const nn_extent *in, const float *x, float *y)
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

void channels_global_average_backward(const nn_extent *in, const float *dy, float *dx)
{
    int64_t pixels = in->height * in->width;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < in->batch; n++)
        for (int64_t p = 0; p < pixels; p++)
            for (int64_t c = 0; c < in->channels; c++)
                dx[(n * pixels + p) * in->channels + c] = dy[n * in->channels + c] / (float)pixels;
}
