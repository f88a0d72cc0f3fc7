/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Depthwise convolution with a window of 3x3, eight channels at a time. A row of output pixels is
 * made of three rows of input pixels; what lies outside the picture is read from a row of zeros.
 */

#include "train/onednn/lanes.h"
#include "train/onednn/onednn.h"

#include <string.h>

#define SIDE   3
#define TAPS   (SIDE * SIDE)
#define PIXELS 4 /* that are summed side by side */

/*
 * Eight channels of a row are done before the next eight, so three rows have to stay in the L1
 * cache. Wider pictures come from memory, and are better read in order, as the runtime does.
 */
#define MAX_ROW_FLOATS 2048

bool depthwise_3x3_takes(const nn_conv *s)
{
    const nn_window *w = &s->window;
    return w->kernel[0] == SIDE && w->kernel[1] == SIDE && w->dilation[0] == 1 &&
           w->dilation[1] == 1 && s->in.channels % LANES == 0 &&
           s->in.width <= MAX_ROW_FLOATS / s->in.channels;
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

/* The input rows under one output row. */
typedef struct input_rows {
    const float *at[SIDE]; /* column 0 */
    const float *zeros;
} input_rows;

static input_rows rows_under(const nn_conv *s, const float *x, const float *zeros, int64_t row)
{
    input_rows rows = {.zeros = zeros};
    int64_t top = row * s->window.stride[0] - s->window.pad_before[0];
    for (int64_t y = top; y < top + SIDE; y++)
        rows.at[y - top] =
            y >= 0 && y < s->in.height ? x + y * s->in.width * s->in.channels : zeros;
    return rows;
}

/* The output columns whose windows lie inside from left to right: first..end-1. */
typedef struct column_range {
    int64_t first, end;
} column_range;

static column_range whole_columns(const nn_conv *s)
{
    int64_t stride = s->window.stride[1], pad = s->window.pad_before[1];
    int64_t room = s->in.width - SIDE + pad;
    column_range whole = {(pad + stride - 1) / stride, room < 0 ? 0 : room / stride + 1};
    whole.first = whole.first < s->out.width ? whole.first : s->out.width;
    whole.end = whole.end < s->out.width ? whole.end : s->out.width;
    whole.end = whole.end > whole.first ? whole.end : whole.first;
    return whole;
}

/* The input under each tap of an output pixel at the edge. */
LANES_INLINE void taps_at_edge(const nn_conv *s, const input_rows *rows, int64_t column, int64_t c,
                               lanes *taps)
{
    int64_t left = column * s->window.stride[1] - s->window.pad_before[1];
    for (int kx = 0; kx < SIDE; kx++) {
        bool inside = left + kx >= 0 && left + kx < s->in.width;
        for (int ky = 0; ky < SIDE; ky++) {
            const float *row = inside ? rows->at[ky] + (left + kx) * s->in.channels : rows->zeros;
            taps[ky * SIDE + kx] = *(const lanes *)(row + c);
        }
    }
}

/* `pixels` outputs side by side; `from`: in each row, what lies under the first one's first tap. */
LANES_INLINE void sum_whole(const float *const *from, int64_t channels, const lanes *packed,
                            int pixels, int stride, float *y)
{
    lanes sums[PIXELS];
    LANES_UNROLL
    for (int p = 0; p < pixels; p++)
        sums[p] = packed[0];
    LANES_UNROLL
    for (int ky = 0; ky < SIDE; ky++) {
        LANES_UNROLL
        for (int kx = 0; kx < SIDE; kx++) {
            LANES_UNROLL
            for (int p = 0; p < pixels; p++)
                sums[p] += packed[1 + ky * SIDE + kx] *
                           *(const lanes *)(from[ky] + (p * stride + kx) * channels);
        }
    }
    LANES_UNROLL
    for (int p = 0; p < pixels; p++)
        *(lanes *)(y + p * channels) = sums[p];
}

LANES_INLINE void sum_at_edge(const nn_conv *s, const input_rows *rows, int64_t column, int64_t c,
                              const lanes *packed, float *y)
{
    lanes taps[TAPS], sum = packed[0];
    taps_at_edge(s, rows, column, c, taps);
    LANES_UNROLL
    for (int tap = 0; tap < TAPS; tap++)
        sum += packed[1 + tap] * taps[tap];
    *(lanes *)(y + column * s->in.channels + c) = sum;
}

/* Eight channels of a row of outputs. */
LANES_INLINE void sum_row(const nn_conv *s, const input_rows *rows, column_range whole, int64_t c,
                          const lanes *packed, int stride, float *y)
{
    int64_t channels = s->in.channels, column = whole.first;
    const float *from[SIDE];
    for (int64_t edge = 0; edge < whole.first; edge++)
        sum_at_edge(s, rows, edge, c, packed, y);
    for (int64_t edge = whole.end; edge < s->out.width; edge++)
        sum_at_edge(s, rows, edge, c, packed, y);
    for (int ky = 0; ky < SIDE; ky++)
        from[ky] = rows->at[ky] + (column * stride - s->window.pad_before[1]) * channels + c;
    while (column < whole.end) {
        int pixels = whole.end - column >= PIXELS ? PIXELS : 1;
        if (pixels == PIXELS)
            sum_whole(from, channels, packed, PIXELS, stride, y + column * channels + c);
        else
            sum_whole(from, channels, packed, 1, stride, y + column * channels + c);
        column += pixels;
        for (int ky = 0; ky < SIDE; ky++)
            from[ky] += pixels * stride * channels;
    }
}

VECTORISED static void forward_row(const nn_conv *s, const input_rows *rows, column_range whole,
                                   const float *weights, float *y)
{
    int64_t channels = s->in.channels;
    for (int64_t c = 0; c < channels; c += LANES) {
        lanes packed[1 + TAPS];
        LANES_UNROLL
        for (int i = 0; i < 1 + TAPS; i++)
            packed[i] = *(const lanes *)(weights + i * channels + c);
        if (s->window.stride[1] == 1)
            sum_row(s, rows, whole, c, packed, 1, y);
        else
            sum_row(s, rows, whole, c, packed, s->window.stride[1], y);
    }
}

void depthwise_3x3_forward(const nn_conv *s, const float *x, const float *packed,
                           const float *zeros, float *y)
{
    column_range whole = whole_columns(s);
    for (int64_t row = 0; row < s->out.height; row++) {
        input_rows rows = rows_under(s, x, zeros, row);
        forward_row(s, &rows, whole, packed, y + row * s->out.width * s->out.channels);
    }
}

LANES_INLINE void multiply_at_edge(const nn_conv *s, const input_rows *rows, int64_t column,
                                   int64_t c, const float *dy, lanes *sums)
{
    lanes taps[TAPS], gradient = *(const lanes *)(dy + column * s->in.channels + c);
    taps_at_edge(s, rows, column, c, taps);
    LANES_UNROLL
    for (int tap = 0; tap < TAPS; tap++)
        sums[tap] += gradient * taps[tap];
}

/* sums (taps, C) += x under each tap times dy, a row of output pixels. */
VECTORISED static void weights_of_row(const nn_conv *s, const input_rows *rows, column_range whole,
                                      const float *dy, float *sums)
{
    int64_t channels = s->in.channels;
    for (int64_t c = 0; c < channels; c += LANES) {
        lanes kept[TAPS];
        LANES_UNROLL
        for (int tap = 0; tap < TAPS; tap++)
            kept[tap] = *(const lanes *)(sums + tap * channels + c);
        for (int64_t edge = 0; edge < whole.first; edge++)
            multiply_at_edge(s, rows, edge, c, dy, kept);
        for (int64_t column = whole.first; column < whole.end; column++) {
            int64_t left = column * s->window.stride[1] - s->window.pad_before[1];
            lanes gradient = *(const lanes *)(dy + column * channels + c);
            LANES_UNROLL
            for (int tap = 0; tap < TAPS; tap++)
                kept[tap] += gradient * *(const lanes *)(rows->at[tap / SIDE] +
                                                         (left + tap % SIDE) * channels + c);
        }
        for (int64_t edge = whole.end; edge < s->out.width; edge++)
            multiply_at_edge(s, rows, edge, c, dy, kept);
        LANES_UNROLL
        for (int tap = 0; tap < TAPS; tap++)
            *(lanes *)(sums + tap * channels + c) = kept[tap];
    }
}

void depthwise_3x3_weights(const nn_conv *s, const float *x, const float *dy, const float *zeros,
                           float *sums)
{
    column_range whole = whole_columns(s);
    for (int64_t row = 0; row < s->out.height; row++) {
        input_rows rows = rows_under(s, x, zeros, row);
        weights_of_row(s, &rows, whole, dy + row * s->out.width * s->out.channels, sums);
    }
}
