/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Depthwise convolution with a window of 3x3, eight channels at a time. What a row of the window
 * sees slides through registers from column to column, and what BatchNormalization wants of each
 * number is done while it is there. Strides are 1 or 2 in both directions.
 */

#include "train/onednn/depthwise.h"
#include "train/onednn/lanes.h"

#include <math.h>

/* All that takes or gives lanes is inlined: there is no call whose ABI could change. */
#pragma GCC diagnostic ignored "-Wpsabi"

#define SIDE 3
#define TAPS (SIDE * SIDE)

bool depthwise_3x3_takes(const nn_conv *s)
{
    const nn_window *w = &s->window;
    return w->kernel[0] == SIDE && w->kernel[1] == SIDE && w->dilation[0] == 1 &&
           w->dilation[1] == 1 && w->stride[0] == w->stride[1] && w->stride[0] <= 2 &&
           s->in.channels % LANES == 0;
}

size_t depthwise_3x3_packed_floats(const nn_conv *s)
{
    return (size_t)s->in.channels * (TAPS + 1);
}

void depthwise_3x3_pack(const nn_conv *s, const float *weights, const float *bias, float *packed)
{
    int64_t channels = s->in.channels;
    for (int64_t c = 0; c < channels; c++) {
        packed[c] = bias != NULL ? bias[c] : 0;
        for (int tap = 0; tap < TAPS; tap++)
            packed[(1 + tap) * channels + c] = weights[c * TAPS + tap];
    }
}

/* Eight channels of a row, from column 0; outside first..width-1 there is 0. */
typedef struct lane_row {
    const float *at;
    int64_t width, channels;
} lane_row;

/* How eight numbers of x become what the convolution reads. */
typedef struct lane_map {
    lanes factor, offset, low, high;
} lane_map;

LANES_INLINE lanes lanes_at(const float *from)
{
    return *(const lanes *)from;
}

LANES_INLINE lanes chosen(lane_words where, lanes yes, lanes no)
{
    return (lanes)((where & (lane_words)yes) | (~where & (lane_words)no));
}

LANES_INLINE lane_map map_of(const norm_map *map, int64_t c)
{
    return (lane_map){lanes_at(map->factor + c), lanes_at(map->offset + c), (lanes){0} + map->low,
                      (lanes){0} + map->high};
}

LANES_INLINE lanes mapped(lanes x, lane_map map)
{
    lanes value = x * map.factor + map.offset;
    value = chosen((lane_words)(value > map.low), value, map.low);
    return chosen((lane_words)(value < map.high), value, map.high);
}

LANES_INLINE lanes pixel_of(lane_row row, int64_t column)
{
    return column >= 0 && column < row.width ? lanes_at(row.at + column * row.channels)
                                             : (lanes){0};
}

LANES_INLINE lanes mapped_pixel(lane_row row, int64_t column, lane_map map)
{
    if (column < 0 || column >= row.width)
        return (lanes){0};
    return mapped(lanes_at(row.at + column * row.channels), map);
}

/* The rows of the window that lie over some picture's rows. */
LANES_INLINE void load_window(const depthwise_3x3_rows *rows, int count, const float *weights,
                              int64_t channels, lanes (*window)[SIDE])
{
    LANES_UNROLL
    for (int r = 0; r < count; r++) {
        LANES_UNROLL
        for (int kx = 0; kx < SIDE; kx++)
            window[r][kx] =
                lanes_at(weights + (int64_t)(rows->window_row[r] * SIDE + kx) * channels);
    }
}

LANES_INLINE void forward_lanes(const nn_conv *s, const depthwise_3x3_rows *rows, int count,
                                int stride, int64_t c, const depthwise_3x3_forward_row *task)
{
    int64_t channels = s->in.channels, pad = s->window.pad_before[1];
    int64_t reads = stride * stride * (int64_t)sizeof(lanes); /* of a column, bytes */
    const char *ahead = (const char *)task->ahead + c / LANES * s->out.width * reads;
    lanes window[SIDE][SIDE], seen[SIDE][SIDE];
    lane_map map = map_of(&task->map, c);
    lane_row row[SIDE];
    load_window(rows, count, task->packed + channels + c, channels, window);
    LANES_UNROLL
    for (int r = 0; r < count; r++) {
        row[r] = (lane_row){rows->at[r] + c, s->in.width, channels};
        seen[r][2] = mapped_pixel(row[r], stride == 1 ? 1 - pad : -pad, map);
        seen[r][1] = mapped_pixel(row[r], -pad, map);
    }
    lanes bias = lanes_at(task->packed + c), origin = lanes_at(task->origin + c);
    lanes sum = lanes_at(task->sums + c), square = lanes_at(task->sums + channels + c);
    for (int64_t column = 0; column < s->out.width; column++, ahead += reads) {
        lanes y = bias;
        __builtin_prefetch(ahead);
        if (stride == 2)
            __builtin_prefetch(ahead + 64);
        LANES_UNROLL
        for (int r = 0; r < count; r++) {
            int64_t right = column * stride + 2 - pad;
            seen[r][0] = stride == 1 ? seen[r][1] : seen[r][2];
            seen[r][1] = stride == 1 ? seen[r][2] : mapped_pixel(row[r], right - 1, map);
            seen[r][2] = mapped_pixel(row[r], right, map);
            LANES_UNROLL
            for (int kx = 0; kx < SIDE; kx++)
                y += window[r][kx] * seen[r][kx];
        }
        *(lanes *)(task->y + column * channels + c) = y;
        lanes moved = y - origin;
        sum += moved;
        square += moved * moved;
    }
    *(lanes *)(task->sums + c) = sum;
    *(lanes *)(task->sums + channels + c) = square;
}

LANES_INLINE void forward_rows(const nn_conv *s, const depthwise_3x3_rows *rows, int stride,
                               const depthwise_3x3_forward_row *task)
{
    for (int64_t c = 0; c < s->in.channels; c += LANES) {
        if (rows->count == 3)
            forward_lanes(s, rows, 3, stride, c, task);
        else if (rows->count == 2)
            forward_lanes(s, rows, 2, stride, c, task);
        else if (rows->count == 1)
            forward_lanes(s, rows, 1, stride, c, task);
        else
            forward_lanes(s, rows, 0, stride, c, task);
    }
}

VECTORISED static void depthwise_forward_row(const nn_conv *s, const depthwise_3x3_rows *rows,
                                             const depthwise_3x3_forward_row *task)
{
    if (s->window.stride[1] == 1)
        forward_rows(s, rows, 1, task);
    else
        forward_rows(s, rows, 2, task);
}

void depthwise_3x3_forward(const nn_conv *s, const depthwise_3x3_rows *rows,
                           const depthwise_3x3_forward_row *task)
{
    depthwise_forward_row(s, rows, task);
}

/* What eight channels of a row of x gather on their way backwards. */
typedef struct lane_sums {
    lanes weights[SIDE][SIDE];
    lanes back, dots;
} lane_sums;

/* One pixel of dx, made of the gradients that window columns first, first + step.. gave it. */
LANES_INLINE void backward_pixel(const float *from, float *to, lane_map map, lanes mean, int count,
                                 int first, int step, lanes (*window)[SIDE],
                                 lanes (*gradient)[SIDE], lane_sums *sums)
{
    lanes x = lanes_at(from), dx = {0};
    lanes y = x * map.factor + map.offset;
    lane_words above = (lane_words)(y > map.low), below = (lane_words)(y < map.high);
    lanes read = chosen(below, chosen(above, y, map.low), map.high);
    LANES_UNROLL
    for (int r = 0; r < count; r++) {
        LANES_UNROLL
        for (int kx = first; kx < SIDE; kx += step) {
            dx += window[r][kx] * gradient[r][kx];
            sums->weights[r][kx] += read * gradient[r][kx];
        }
    }
    *(lanes *)to = dx;
    lanes back = (lanes)(above & below & (lane_words)dx);
    sums->back += back;
    sums->dots += back * (x - mean);
}

LANES_INLINE void backward_columns(const nn_conv *s, const lane_row *dy, int count, int stride,
                                   int64_t c, const depthwise_3x3_backward_row *task,
                                   lanes (*window)[SIDE], lane_sums *sums)
{
    int64_t channels = s->in.channels, pad = s->window.pad_before[1];
    const char *ahead = (const char *)task->ahead + c * s->in.width * (int64_t)sizeof(float);
    lane_map map = map_of(&task->map, c);
    lanes mean = lanes_at(task->mean + c), seen[SIDE][SIDE];
    const float *x = task->x + c;
    float *dx = task->dx + c;
    LANES_UNROLL
    for (int r = 0; r < count; r++) {
        seen[r][0] = pixel_of(dy[r], pad - 1);
        seen[r][1] = pixel_of(dy[r], pad - 2);
    }
    /* Of strides 2: from the column whose window begins at or before the picture's first one. */
    int64_t column = stride == 1 ? 0 : -(pad % 2);
    for (; column < s->in.width; column += stride, ahead += (size_t)stride * sizeof(lanes)) {
        __builtin_prefetch(ahead);
        LANES_UNROLL
        for (int r = 0; r < count; r++) {
            seen[r][2] = stride == 1 ? seen[r][1] : pixel_of(dy[r], (column + pad) / 2 - 1);
            seen[r][1] = seen[r][0];
            seen[r][0] = pixel_of(dy[r], (column + pad) / stride);
            if (stride == 2)
                seen[r][1] = seen[r][0];
        }
        if (stride == 1) {
            backward_pixel(x + column * channels, dx + column * channels, map, mean, count, 0, 1,
                           window, seen, sums);
            continue;
        }
        if (column >= 0)
            backward_pixel(x + column * channels, dx + column * channels, map, mean, count, 0, 2,
                           window, seen, sums);
        if (column + 1 < s->in.width)
            backward_pixel(x + (column + 1) * channels, dx + (column + 1) * channels, map, mean,
                           count, 1, 2, window, seen, sums);
    }
}

LANES_INLINE void backward_lanes(const nn_conv *s, const depthwise_3x3_rows *rows, int count,
                                 int stride, int64_t c, const depthwise_3x3_backward_row *task)
{
    int64_t channels = s->in.channels;
    lanes window[SIDE][SIDE];
    lane_row dy[SIDE];
    lane_sums sums;
    load_window(rows, count, task->packed + channels + c, channels, window);
    load_window(rows, count, task->d_weights + c, channels, sums.weights);
    sums.back = lanes_at(task->sums + c);
    sums.dots = lanes_at(task->sums + channels + c);
    LANES_UNROLL
    for (int r = 0; r < count; r++)
        dy[r] = (lane_row){rows->at[r] + c, s->out.width, channels};
    backward_columns(s, dy, count, stride, c, task, window, &sums);
    *(lanes *)(task->sums + c) = sums.back;
    *(lanes *)(task->sums + channels + c) = sums.dots;
    LANES_UNROLL
    for (int r = 0; r < count; r++) {
        LANES_UNROLL
        for (int kx = 0; kx < SIDE; kx++)
            *(lanes *)(task->d_weights + (int64_t)(rows->window_row[r] * SIDE + kx) * channels +
                       c) = sums.weights[r][kx];
    }
}

LANES_INLINE void backward_rows(const nn_conv *s, const depthwise_3x3_rows *rows, int stride,
                                const depthwise_3x3_backward_row *task)
{
    for (int64_t c = 0; c < s->in.channels; c += LANES) {
        if (rows->count == 3)
            backward_lanes(s, rows, 3, stride, c, task);
        else if (rows->count == 2)
            backward_lanes(s, rows, 2, stride, c, task);
        else if (rows->count == 1)
            backward_lanes(s, rows, 1, stride, c, task);
        else
            backward_lanes(s, rows, 0, stride, c, task);
    }
}

VECTORISED static void depthwise_backward_row(const nn_conv *s, const depthwise_3x3_rows *rows,
                                              const depthwise_3x3_backward_row *task)
{
    if (s->window.stride[1] == 1)
        backward_rows(s, rows, 1, task);
    else
        backward_rows(s, rows, 2, task);
}

void depthwise_3x3_backward(const nn_conv *s, const depthwise_3x3_rows *rows,
                            const depthwise_3x3_backward_row *task)
{
    depthwise_backward_row(s, rows, task);
}
