/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/kernel.h"

#include <math.h>

/* A place in a picture (N, H, W, C). */
typedef struct place {
    int picture, row, column, channel;
} place;

DEVICE place place_of(uint32_t i, int height, int width, int channels)
{
    place p;
    p.channel = (int)(i % (uint32_t)channels);
    i /= (uint32_t)channels;
    p.column = (int)(i % (uint32_t)width);
    i /= (uint32_t)width;
    p.row = (int)(i % (uint32_t)height);
    p.picture = (int)(i / (uint32_t)height);
    return p;
}

/* Where cell k of the window over an output lies in the input; false: outside. */
DEVICE bool cell_of(const kernel_window *w, const place *out, int k, int *row, int *column)
{
    *row = out->row * w->stride[0] - w->pad_before[0] + k / w->kernel[1] * w->dilation[0];
    *column = out->column * w->stride[1] - w->pad_before[1] + k % w->kernel[1] * w->dilation[1];
    return *row >= 0 && *row < w->in_height && *column >= 0 && *column < w->in_width;
}

/* The output whose cell k lies on an input; false: there is none. */
DEVICE bool output_over(const kernel_window *w, const place *in, int k, int *row, int *column)
{
    int y = in->row + w->pad_before[0] - k / w->kernel[1] * w->dilation[0];
    int x = in->column + w->pad_before[1] - k % w->kernel[1] * w->dilation[1];
    *row = y / w->stride[0];
    *column = x / w->stride[1];
    return y >= 0 && x >= 0 && y % w->stride[0] == 0 && x % w->stride[1] == 0 &&
           *row < w->out_height && *column < w->out_width;
}

DEVICE uint32_t in_offset(const kernel_window *w, int picture, int row, int column, int channel)
{
    return (uint32_t)(((picture * w->in_height + row) * w->in_width + column) * w->in_channels +
                      channel);
}

DEVICE uint32_t out_offset(const kernel_window *w, int picture, int row, int column, int channel)
{
    return (uint32_t)(((picture * w->out_height + row) * w->out_width + column) * w->out_channels +
                      channel);
}

/* ---- Depthwise convolution ---- */

KERNEL(kernel_depthwise)
{
    const kernel_window *w = &work->window;
    place out = place_of(i, w->out_height, w->out_width, w->out_channels);
    int cells = w->kernel[0] * w->kernel[1], row, column;
    int channel = out.channel / (w->out_channels / w->in_channels);
    const float *weights = work->weights + out.channel * cells;
    float sum = work->bias != NULL ? work->bias[out.channel] : 0;
    for (int k = 0; k < cells; k++)
        if (cell_of(w, &out, k, &row, &column))
            sum += work->x[in_offset(w, out.picture, row, column, channel)] * weights[k];
    work->y[i] = sum;
}

KERNEL(kernel_depthwise_input)
{
    const kernel_window *w = &work->window;
    place in = place_of(i, w->in_height, w->in_width, w->in_channels);
    int cells = w->kernel[0] * w->kernel[1], each = w->out_channels / w->in_channels, row, column;
    float sum = 0;
    for (int k = 0; k < cells; k++)
        if (output_over(w, &in, k, &row, &column))
            for (int m = in.channel * each; m < (in.channel + 1) * each; m++)
                sum += work->dy[out_offset(w, in.picture, row, column, m)] *
                       work->weights[m * cells + k];
    work->dx[i] = sum;
}

KERNEL(kernel_depthwise_weights)
{
    const kernel_window *w = &work->window;
    uint32_t cells = (uint32_t)(w->kernel[0] * w->kernel[1]);
    uint32_t channels = (uint32_t)w->out_channels, width = cells * channels;
    /* Neighbours take neighbouring channels, which lie side by side. */
    uint32_t m = i % channels, k = i % width / channels, first = i / width * work->each;
    uint32_t end = work->rows - first < work->each ? work->rows : first + work->each;
    int channel = (int)m / (w->out_channels / w->in_channels), row, column;
    float sum = 0;
    for (uint32_t r = first; r < end; r++) {
        place out = place_of(r, w->out_height, w->out_width, 1);
        if (cell_of(w, &out, (int)k, &row, &column))
            sum += work->dy[r * channels + m] *
                   work->x[in_offset(w, out.picture, row, column, channel)];
    }
    work->sums[i / width * width + m * cells + k] = sum;
}

/* ---- Pooling ---- */

/* Cells of a window, those outside the picture as far as they count, along an axis. */
DEVICE int cells_along(const kernel_window *w, int axis, int at, int size, bool count_padding)
{
    int before = count_padding ? w->pad_before[axis] : 0;
    int after = count_padding ? w->pad_after[axis] : 0, cells = 0;
    for (int k = 0; k < w->kernel[axis]; k++) {
        int cell = at * w->stride[axis] - w->pad_before[axis] + k * w->dilation[axis];
        cells += cell >= -before && cell < size + after;
    }
    return cells;
}

/* What an average divides by. */
DEVICE float divisor_of(const kernel_window *w, int row, int column, bool count_padding)
{
    int cells = cells_along(w, 0, row, w->in_height, count_padding) *
                cells_along(w, 1, column, w->in_width, count_padding);
    return (float)(cells > 0 ? cells : 1);
}

KERNEL(kernel_pool)
{
    const kernel_window *w = &work->window;
    place out = place_of(i, w->out_height, w->out_width, w->out_channels);
    int winner = 0, row, column;
    float sum = 0, best = -INFINITY;
    for (int k = 0; k < w->kernel[0] * w->kernel[1]; k++) {
        if (!cell_of(w, &out, k, &row, &column))
            continue;
        float x = work->x[in_offset(w, out.picture, row, column, out.channel)];
        sum += x;
        winner = x > best ? k : winner;
        best = x > best ? x : best;
    }
    if (work->winners != NULL)
        work->winners[i] = (uint8_t)winner;
    work->y[i] = work->winners != NULL
                     ? best
                     : sum / divisor_of(w, out.row, out.column, work->count_padding);
}

KERNEL(kernel_pool_backward)
{
    const kernel_window *w = &work->window;
    place in = place_of(i, w->in_height, w->in_width, w->in_channels);
    int row, column;
    float sum = 0;
    for (int k = 0; k < w->kernel[0] * w->kernel[1]; k++) {
        if (!output_over(w, &in, k, &row, &column))
            continue;
        uint32_t at = out_offset(w, in.picture, row, column, in.channel);
        if (work->winners == NULL)
            sum += work->dy[at] / divisor_of(w, row, column, work->count_padding);
        else if (work->winners[at] == k)
            sum += work->dy[at];
    }
    work->dx[i] = sum;
}
