/* SPDX-License-Identifier: Apache-2.0 */

/* Pooling, channels last. A picture stays with one thread. */

#include "train/onednn/lanes.h"
#include "train/onednn/onednn.h"

#include <math.h>
#include <string.h>

#define MAX_CELLS 225 /* of a window: network.c keeps it below */

/* The cells of a window that lie inside the picture. */
typedef struct window_cells {
    int count;
    int32_t numbers[MAX_CELLS]; /* in the window */
    int64_t offsets[MAX_CELLS]; /* floats from the window's first cell */
} window_cells;

/* Where the window of an output pixel begins; it may lie outside. */
typedef struct corner {
    int64_t y, x;
} corner;

static corner corner_of(const nn_window *w, int64_t row, int64_t column)
{
    return (corner){row * w->stride[0] - w->pad_before[0],
                    column * w->stride[1] - w->pad_before[1]};
}

static int64_t corner_floats(const nn_pool *pool, corner at)
{
    return (at.y * pool->in.width + at.x) * pool->in.channels;
}

static bool is_inside(const nn_pool *pool, int64_t y, int64_t x)
{
    return y >= 0 && y < pool->in.height && x >= 0 && x < pool->in.width;
}

static bool is_whole(const nn_pool *pool, corner at)
{
    const nn_window *w = &pool->window;
    return is_inside(pool, at.y, at.x) &&
           is_inside(pool, at.y + (int64_t)(w->kernel[0] - 1) * w->dilation[0],
                     at.x + (int64_t)(w->kernel[1] - 1) * w->dilation[1]);
}

/* whole: all cells, wherever they lie. */
static void find_cells(const nn_pool *pool, corner at, bool whole, window_cells *cells)
{
    const nn_window *w = &pool->window;
    cells->count = 0;
    for (int k = 0; k < w->kernel[0] * w->kernel[1]; k++) {
        int64_t y = (int64_t)(k / w->kernel[1]) * w->dilation[0];
        int64_t x = (int64_t)(k % w->kernel[1]) * w->dilation[1];
        if (!whole && !is_inside(pool, at.y + y, at.x + x))
            continue;
        cells->numbers[cells->count] = k;
        cells->offsets[cells->count++] = (y * pool->in.width + x) * pool->in.channels;
    }
}

/* One over the cells that an average is taken over. */
static float share_of(const nn_pool *pool, const window_cells *cells)
{
    int all = pool->window.kernel[0] * pool->window.kernel[1];
    return 1.0f / (float)(pool->count_padding ? all : cells->count > 0 ? cells->count : 1);
}

LANES_INLINE void largest_of_lanes(const float *x, int64_t first, const window_cells *cells,
                                   float *y, uint8_t *winners)
{
    lane_words best = (lane_words)((lanes){0} - INFINITY), won = {0};
    for (int k = 0; k < cells->count; k++) {
        lanes cell = *(const lanes *)(x + (first + cells->offsets[k]));
        lane_words larger = (lane_words)(cell > (lanes)best);
        won = (larger & cells->numbers[k]) | (~larger & won);
        best = (larger & (lane_words)cell) | (~larger & best);
    }
    *(lanes *)y = (lanes)best;
    *(lane_bytes *)winners = __builtin_convertvector(won, lane_bytes);
}

/* The largest cell of the window and which it is, by channel; the window begins at x + first. */
VECTORISED static void largest_in_window(const float *x, int64_t first, const window_cells *cells,
                                         int64_t channels, float *y, uint8_t *winners)
{
    int64_t c = 0;
    for (; c + LANES <= channels; c += LANES)
        largest_of_lanes(x, first + c, cells, y + c, winners + c);
    for (; c < channels; c++) {
        float best = -INFINITY;
        int won = 0;
        for (int k = 0; k < cells->count; k++) {
            float cell = x[first + c + cells->offsets[k]];
            won = cell > best ? cells->numbers[k] : won;
            best = cell > best ? cell : best;
        }
        y[c] = best;
        winners[c] = (uint8_t)won;
    }
}

LANES_INLINE void give_to_lanes(const float *dy, const uint8_t *winners, const window_cells *cells,
                                float *dx, int64_t first)
{
    lane_words gradient = (lane_words) * (const lanes *)dy;
    lane_words won = __builtin_convertvector(*(const lane_bytes *)winners, lane_words);
    for (int k = 0; k < cells->count; k++) {
        lanes *cell = (lanes *)(dx + (first + cells->offsets[k]));
        *cell += (lanes)(gradient & (won == cells->numbers[k]));
    }
}

/* dx of the cell that won += dy, by channel. */
VECTORISED static void give_to_winners(const float *dy, const uint8_t *winners,
                                       const window_cells *cells, int64_t channels, float *dx,
                                       int64_t first)
{
    int64_t c = 0;
    for (; c + LANES <= channels; c += LANES)
        give_to_lanes(dy + c, winners + c, cells, dx, first + c);
    for (; c < channels; c++)
        for (int k = 0; k < cells->count; k++)
            dx[first + c + cells->offsets[k]] += winners[c] == cells->numbers[k] ? dy[c] : 0;
}

VECTORISED static void add_scaled(const float *restrict x, int64_t channels, float factor,
                                  float *restrict y)
{
    for (int64_t c = 0; c < channels; c++)
        y[c] += x[c] * factor;
}

static void pool_pixel(const nn_pool *pool, const float *x, int64_t first,
                       const window_cells *cells, float *y, uint8_t *winners)
{
    int64_t channels = pool->in.channels;
    if (pool->maximum) {
        largest_in_window(x, first, cells, channels, y, winners);
        return;
    }
    float share = share_of(pool, cells);
    memset(y, 0, (size_t)channels * sizeof *y);
    for (int k = 0; k < cells->count; k++)
        add_scaled(x + (first + cells->offsets[k]), channels, share, y);
}

static void unpool_pixel(const nn_pool *pool, const float *dy, int64_t first,
                         const window_cells *cells, const uint8_t *winners, float *dx)
{
    int64_t channels = pool->in.channels;
    if (pool->maximum) {
        give_to_winners(dy, winners, cells, channels, dx, first);
        return;
    }
    float share = share_of(pool, cells);
    for (int k = 0; k < cells->count; k++)
        add_scaled(dy, channels, share, dx + (first + cells->offsets[k]));
}

/* The cells of one window: those of a whole one, or found in `edge`. */
static const window_cells *cells_at(const nn_pool *pool, corner at, const window_cells *whole,
                                    window_cells *edge)
{
    if (is_whole(pool, at))
        return whole;
    find_cells(pool, at, false, edge);
    return edge;
}

static void pool_picture(const nn_pool *pool, const float *x, float *y, uint8_t *winners)
{
    window_cells whole, edge;
    find_cells(pool, (corner){0, 0}, true, &whole);
    for (int64_t row = 0; row < pool->out.height; row++)
        for (int64_t column = 0; column < pool->out.width; column++) {
            corner at = corner_of(&pool->window, row, column);
            int64_t to = (row * pool->out.width + column) * pool->out.channels;
            pool_pixel(pool, x, corner_floats(pool, at), cells_at(pool, at, &whole, &edge), y + to,
                       winners != NULL ? winners + to : NULL);
        }
}

static void unpool_picture(const nn_pool *pool, const float *dy, const uint8_t *winners, float *dx)
{
    window_cells whole, edge;
    find_cells(pool, (corner){0, 0}, true, &whole);
    for (int64_t row = 0; row < pool->out.height; row++)
        for (int64_t column = 0; column < pool->out.width; column++) {
            corner at = corner_of(&pool->window, row, column);
            int64_t from = (row * pool->out.width + column) * pool->out.channels;
            unpool_pixel(pool, dy + from, corner_floats(pool, at),
                         cells_at(pool, at, &whole, &edge), winners != NULL ? winners + from : NULL,
                         dx);
        }
}

void channels_pool_forward(train_device *device, const nn_pool *pool, const float *x, float *y,
                           uint8_t *winners)
{
    (void)device;
    int64_t in = pool->in.height * pool->in.width * pool->in.channels;
    int64_t out = pool->out.height * pool->out.width * pool->out.channels;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < pool->out.batch; n++)
        pool_picture(pool, x + n * in, y + n * out, winners != NULL ? winners + n * out : NULL);
}

void channels_pool_backward(train_device *device, const nn_pool *pool, const float *dy,
                            const uint8_t *winners, float *dx)
{
    (void)device;
    int64_t in = pool->in.height * pool->in.width * pool->in.channels;
    int64_t out = pool->out.height * pool->out.width * pool->out.channels;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < pool->out.batch; n++) {
        memset(dx + n * in, 0, (size_t)in * sizeof *dx);
        unpool_picture(pool, dy + n * out, winners != NULL ? winners + n * out : NULL, dx + n * in);
    }
}

void channels_global_average_forward(train_device *device, const nn_extent *in, const float *x,
                                     float *y)
{
    (void)device;
    int64_t pixels = in->height * in->width;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < in->batch; n++) {
        memset(y + n * in->channels, 0, (size_t)in->channels * sizeof *y);
        for (int64_t p = 0; p < pixels; p++)
            add_scaled(x + (n * pixels + p) * in->channels, in->channels, 1.0f / (float)pixels,
                       y + n * in->channels);
    }
}

void channels_global_average_backward(train_device *device, const nn_extent *in, const float *dy,
                                      float *dx)
{
    (void)device;
    int64_t pixels = in->height * in->width;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < in->batch; n++)
        for (int64_t p = 0; p < pixels; p++)
            for (int64_t c = 0; c < in->channels; c++)
                dx[(n * pixels + p) * in->channels + c] = dy[n * in->channels + c] / (float)pixels;
}
