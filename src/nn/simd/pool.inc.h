/* SPDX-License-Identifier: Apache-2.0 */

/* Pooling, channels last, vectors along the channels. */

/* What lies inside the picture of one window, and where its result goes. */
typedef struct pool_window {
    const number *x; /* the first tap inside */
    number *y;
    int64_t row_numbers, tap_numbers; /* from one tap to the next */
    int rows, columns;
    float share; /* average: what each tap counts */
} pool_window;

#define NAME(x) wide_##x
#define VECTOR  wide
#include "nn/simd/pool_lanes.inc.h"
#undef NAME
#undef VECTOR

#if NARROW_FLOATS != WIDE_FLOATS
#define NAME(x) narrow_##x
#define VECTOR  narrow
#include "nn/simd/pool_lanes.inc.h"
#undef NAME
#undef VECTOR
#endif

#if UNIT == 2
#define NAME(x) wide_##x
#define PAIRS   wide_integers
#include "nn/simd/pool_pairs.inc.h"
#undef NAME
#undef PAIRS

#define NAME(x) narrow_##x
#define PAIRS   narrow_integers
#include "nn/simd/pool_pairs.inc.h"
#undef NAME
#undef PAIRS
#endif

/* The channels that fill no vector. */
static void pool_rest(const pool_window *at, int64_t c, int64_t channels, bool maximum)
{
    for (; c < channels; c++) {
        float best = maximum ? -INFINITY : 0;
        for (int ky = 0; ky < at->rows; ky++)
            for (int kx = 0; kx < at->columns; kx++) {
                float x = real_of(at->x[ky * at->row_numbers + kx * at->tap_numbers + c]);
                best = !maximum ? best + x : x > best ? x : best;
            }
        at->y[c] = number_of(maximum ? best : best * at->share);
    }
}

/* rows, columns: the window's, maybe constants where this is called. */
INLINE void pool_channels(const pool_window *at, int64_t channels, bool maximum, int rows,
                          int columns)
{
    int64_t c = 0;
#if UNIT == 2
    for (; maximum && c + 2 * WIDE_FLOATS <= channels; c += 2 * WIDE_FLOATS)
        wide_pool_largest(at, c, rows, columns);
    for (; maximum && c + 2 * NARROW_FLOATS <= channels; c += 2 * NARROW_FLOATS)
        narrow_pool_largest(at, c, rows, columns);
#endif
    for (; c + WIDE_FLOATS <= channels; c += WIDE_FLOATS)
        wide_pool(at, c, maximum, rows, columns);
#if NARROW_FLOATS != WIDE_FLOATS
    for (; c + NARROW_FLOATS <= channels; c += NARROW_FLOATS)
        narrow_pool(at, c, maximum, rows, columns);
#endif
    pool_rest(at, c, channels, maximum);
}

/* `count` windows beside each other, `step` numbers apart. */
INLINE void pool_run(pool_window at, int64_t count, int64_t step, int64_t channels, bool maximum,
                     int rows, int columns)
{
    for (int64_t i = 0; i < count; i++, at.x += step, at.y += channels)
        pool_channels(&at, channels, maximum, rows, columns);
}

static void pool_windows(const pool_window *at, int64_t count, int64_t step, int64_t channels,
                         bool maximum)
{
    if (maximum && at->rows == 2 && at->columns == 2)
        pool_run(*at, count, step, channels, true, 2, 2);
    else if (maximum && at->rows == 3 && at->columns == 3)
        pool_run(*at, count, step, channels, true, 3, 3);
    else if (maximum)
        pool_run(*at, count, step, channels, true, at->rows, at->columns);
    else
        pool_run(*at, count, step, channels, false, at->rows, at->columns);
}

/* Cells of one axis that count in the divisor; inside: the taps inside the picture. */
static int64_t cells_counted(const nn_pool *pool, int axis, int64_t at, tap_range inside)
{
    if (!pool->count_padding)
        return inside.end - inside.first;
    const nn_window *w = &pool->window;
    nn_window padded = *w;
    padded.pad_before[axis] = 0;
    int64_t size = axis == 0 ? pool->in.height : pool->in.width;
    tap_range range =
        taps_inside(&padded, axis, at, size + w->pad_before[axis] + w->pad_after[axis]);
    return range.end - range.first;
}

/* x: the first row under the window that lies inside the picture; pitch: numbers to the next. */
static void pool_row(const nn_pool *pool, int64_t row, const number *x, int64_t pitch, number *y)
{
    const nn_window *w = &pool->window;
    int64_t channels = pool->in.channels;
    tap_range rows = taps_inside(w, 0, row, pool->in.height);
    int64_t cells_down = cells_counted(pool, 0, row, rows);
    pool_window at = {.row_numbers = w->dilation[0] * pitch,
                      .tap_numbers = w->dilation[1] * channels,
                      .rows = rows.end - rows.first};
    for (int64_t column = 0, count; column < pool->out.width; column += count) {
        int64_t inside = windows_inside(w, pool->in.width, pool->out.width, column);
        count = inside > 0 ? inside : 1;
        tap_range columns = taps_inside(w, 1, column, pool->in.width);
        int64_t left =
            column * w->stride[1] - w->pad_before[1] + (int64_t)columns.first * w->dilation[1];
        at.x = x + left * channels;
        at.y = y + column * channels;
        at.columns = columns.end - columns.first;
        int64_t cells = cells_down * cells_counted(pool, 1, column, columns);
        at.share = cells > 0 ? 1.0f / (float)cells : 0;
        pool_windows(&at, count, w->stride[1] * channels, channels, pool->maximum);
    }
}

static void run_pool(const nn_pool *pool, nn_part part, const number *x, number *y)
{
    const nn_window *w = &pool->window;
    int64_t pitch = pool->in.width * pool->in.channels;
    int64_t row_numbers = pool->out.width * pool->in.channels;
    nn_span rows = nn_share(part, pool->out.batch * pool->out.height, 1);
    for (int64_t row = rows.first; row < rows.end; row++) {
        int64_t picture = row / pool->out.height, at = row % pool->out.height;
        tap_range inside = taps_inside(w, 0, at, pool->in.height);
        int64_t top = at * w->stride[0] - w->pad_before[0] + (int64_t)inside.first * w->dilation[0];
        pool_row(pool, at, x + (picture * pool->in.height + top) * pitch, pitch,
                 y + row * row_numbers);
    }
}
