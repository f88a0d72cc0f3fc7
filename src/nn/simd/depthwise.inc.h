/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Depthwise convolution: each channel by itself, vectors along the channels, four neighbouring
 * pixels at once so that each weight is loaded once for four. Packed weights: biases (C), then
 * weights (taps, C).
 */

#define DEPTHWISE_PIXELS 4

INLINE bool is_depthwise(const nn_conv *conv)
{
    return conv->group > 1 && conv->group == conv->in.channels &&
           conv->out.channels == conv->in.channels;
}

static void pack_depthwise(const nn_conv *conv, const float *weights, const float *bias,
                           float *packed)
{
    int64_t taps = tap_count(conv), channels = conv->in.channels;
    for (int64_t c = 0; c < channels; c++)
        *packed++ = bias != NULL ? bias[c] : 0;
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t c = 0; c < channels; c++)
            *packed++ = weights[c * taps + tap];
}

/* The taps of one axis that fall inside the picture: first..end-1. */
typedef struct tap_range {
    int first, end;
} tap_range;

INLINE tap_range taps_inside(const nn_window *window, int axis, int64_t at, int64_t size)
{
    int64_t start = at * window->stride[axis] - window->pad_before[axis];
    tap_range range = {0, window->kernel[axis]};
    while (range.first < range.end && start + (int64_t)range.first * window->dilation[axis] < 0)
        range.first++;
    while (range.end > range.first &&
           start + (int64_t)(range.end - 1) * window->dilation[axis] >= size)
        range.end--;
    return range;
}

/* One run of output pixels in a row that see the same taps. */
typedef struct depthwise_run {
    const nn_conv *conv;
    const float *x; /* input under tap (0, 0) of the first pixel; it may lie outside */
    const float *residual;
    float *y;
    tap_range rows, columns;
} depthwise_run;

#define NAME(x) wide_##x
#define VECTOR  wide
#include "nn/simd/depthwise_lanes.inc.h"
#undef NAME
#undef VECTOR

#if NARROW_FLOATS != WIDE_FLOATS
#define NAME(x) narrow_##x
#define VECTOR  narrow
#include "nn/simd/depthwise_lanes.inc.h"
#undef NAME
#undef VECTOR
#endif

/* The channels that fill no vector. */
static void depthwise_rest(const depthwise_run *run, int64_t c, int pixels)
{
    const nn_conv *conv = run->conv;
    int64_t channels = conv->in.channels;
    for (; c < channels; c++)
        for (int p = 0; p < pixels; p++) {
            float sum = conv->packed[c];
            for (int ky = run->rows.first; ky < run->rows.end; ky++)
                for (int kx = run->columns.first; kx < run->columns.end; kx++)
                    sum += conv->packed[(1 + (int64_t)ky * conv->window.kernel[1] + kx) * channels +
                                        c] *
                           run->x[((int64_t)ky * conv->window.dilation[0] * conv->in.width +
                                   p * conv->window.stride[1] +
                                   (int64_t)kx * conv->window.dilation[1]) *
                                      channels +
                                  c];
            if (run->residual != NULL)
                sum += run->residual[p * channels + c];
            run->y[p * channels + c] = activate_one(conv->activation, sum);
        }
}

INLINE void depthwise_pixels(const depthwise_run *run, int pixels)
{
    int64_t channels = run->conv->in.channels, c = 0;
    for (; c + WIDE_FLOATS <= channels; c += WIDE_FLOATS)
        wide_depthwise(run, c, pixels);
#if NARROW_FLOATS != WIDE_FLOATS
    for (; c + NARROW_FLOATS <= channels; c += NARROW_FLOATS)
        narrow_depthwise(run, c, pixels);
#endif
    depthwise_rest(run, c, pixels);
}

static void depthwise_row(const nn_conv *conv, const float *x, const float *residual, float *y,
                          int64_t row)
{
    const nn_window *w = &conv->window;
    int64_t channels = conv->in.channels;
    int64_t top = row * w->stride[0] - w->pad_before[0];
    tap_range rows = taps_inside(w, 0, row, conv->in.height);
    for (int64_t column = 0; column < conv->out.width;) {
        int64_t left = column * w->stride[1] - w->pad_before[1];
        depthwise_run run = {.conv = conv,
                             .x = x + (top * conv->in.width + left) * channels,
                             .residual = residual != NULL ? residual + column * channels : NULL,
                             .y = y + column * channels,
                             .rows = rows,
                             .columns = taps_inside(w, 1, column, conv->in.width)};
        int64_t last = column + DEPTHWISE_PIXELS - 1;
        tap_range at_last = taps_inside(w, 1, last, conv->in.width);
        bool together = last < conv->out.width && run.columns.first == 0 &&
                        run.columns.end == w->kernel[1] && at_last.first == 0 &&
                        at_last.end == w->kernel[1];
        if (together)
            depthwise_pixels(&run, DEPTHWISE_PIXELS);
        else
            depthwise_pixels(&run, 1);
        column += together ? DEPTHWISE_PIXELS : 1;
    }
}

static void run_depthwise(const nn_conv *conv, const float *x, const float *residual, float *y)
{
    size_t picture_in = (size_t)(conv->in.height * conv->in.width * conv->in.channels);
    size_t row_out = (size_t)(conv->out.width * conv->out.channels);
    for (int64_t n = 0; n < conv->out.batch; n++)
        for (int64_t row = 0; row < conv->out.height; row++) {
            depthwise_row(conv, x + (size_t)n * picture_in, residual, y, row);
            y += row_out;
            residual = residual != NULL ? residual + row_out : NULL;
        }
}
