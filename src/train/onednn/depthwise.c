/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Depthwise convolution, channels last. oneDNN's weight gradient falls to a slow product at small
 * pictures; here the loop over channels is innermost everywhere, so that the compiler makes
 * vectors.
 */

#include "train/onednn/depthwise.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 16 /* channels that are kept in registers */

/* ONNX's (C, 1, kH, kW) beside (taps, C): the weight of a tap and channel. */
static inline float weight_of(const float *weights, int64_t taps, int64_t tap, int64_t c)
{
    return weights[c * taps + tap];
}

/* The taps of one axis that fall inside: first..end-1. */
typedef struct tap_range {
    int first, end;
} tap_range;

static tap_range taps_inside(const nn_window *w, int axis, int64_t at, int64_t size)
{
    int64_t start = at * w->stride[axis] - w->pad_before[axis];
    tap_range range = {0, w->kernel[axis]};
    while (range.first < range.end && start + (int64_t)range.first * w->dilation[axis] < 0)
        range.first++;
    while (range.end > range.first && start + (int64_t)(range.end - 1) * w->dilation[axis] >= size)
        range.end--;
    return range;
}

/* dx under each tap += dy * w, one output pixel. */
VECTORISED static void pixel_backward(const nn_conv *s, const float *restrict dy,
                                      const float *restrict weights, tap_range rows,
                                      tap_range columns, float *restrict dx)
{
    int64_t channels = s->in.channels;
    for (int ky = rows.first; ky < rows.end; ky++)
        for (int kx = columns.first; kx < columns.end; kx++) {
            float *pixel = dx + ((int64_t)ky * s->window.dilation[0] * s->in.width +
                                 (int64_t)kx * s->window.dilation[1]) *
                                    channels;
            const float *w = weights + ((int64_t)ky * s->window.kernel[1] + kx) * channels;
            for (int64_t c = 0; c < channels; c++)
                pixel[c] += dy[c] * w[c];
        }
}

/* dw of one tap and one block of channels += sum over a row of output pixels of x * dy. */
VECTORISED static void row_weights(const float *x, int64_t x_step, const float *dy, int64_t dy_step,
                                   int64_t pixels, int channels, float *sums)
{
    if (channels == BLOCK) {
        float block[BLOCK];
        for (int c = 0; c < BLOCK; c++)
            block[c] = sums[c];
        for (int64_t p = 0; p < pixels; p++, x += x_step, dy += dy_step)
            for (int c = 0; c < BLOCK; c++)
                block[c] += x[c] * dy[c];
        for (int c = 0; c < BLOCK; c++)
            sums[c] = block[c];
        return;
    }
    for (int64_t p = 0; p < pixels; p++, x += x_step, dy += dy_step)
        for (int c = 0; c < channels; c++)
            sums[c] += x[c] * dy[c];
}

static void order_weights(const nn_conv *s, const float *weights, float *ordered)
{
    int64_t taps = (int64_t)s->window.kernel[0] * s->window.kernel[1];
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t c = 0; c < s->in.channels; c++)
            *ordered++ = weight_of(weights, taps, tap, c);
}

static int64_t row_floats(const nn_extent *e)
{
    return e->width * e->channels;
}

/* Input under tap (0, 0) of an output pixel, relative to its picture; it may lie outside. */
static int64_t corner(const nn_conv *s, int64_t row, int64_t column)
{
    const nn_window *w = &s->window;
    return ((row * w->stride[0] - w->pad_before[0]) * s->in.width + column * w->stride[1] -
            w->pad_before[1]) *
           s->in.channels;
}

static int64_t tap_count(const nn_conv *s)
{
    return (int64_t)s->window.kernel[0] * s->window.kernel[1];
}

/* The convolution that gives dx from dy; false when a padding would be negative. */
static bool turn_around(const nn_conv *s, nn_conv *turned)
{
    *turned = *s;
    turned->in = s->out;
    turned->out = s->in;
    turned->in.batch = turned->out.batch = 1;
    const int64_t in[2] = {s->in.height, s->in.width}, out[2] = {s->out.height, s->out.width};
    for (int i = 0; i < 2; i++) {
        int64_t reach = (int64_t)(s->window.kernel[i] - 1) * s->window.dilation[i];
        int64_t before = reach - s->window.pad_before[i];
        int64_t after = in[i] + reach - out[i] - before;
        if (s->window.stride[i] != 1 || before < 0 || after < 0)
            return false;
        turned->window.pad_before[i] = (int)before;
        turned->window.pad_after[i] = (int)after;
    }
    return true;
}

static size_t packed_floats(const depthwise_conv *conv)
{
    return conv->by_rows ? depthwise_3x3_packed_floats(&conv->forward)
                         : conv->kernels->conv_packed_floats(&conv->forward);
}

static void pack(const depthwise_conv *conv, const nn_conv *one, const float *weights,
                 const float *bias, float *packed)
{
    if (conv->by_rows)
        depthwise_3x3_pack(one, weights, bias, packed);
    else
        conv->kernels->conv_pack(one, weights, bias, packed);
}

bool depthwise_takes(const nn_conv *s)
{
    return s->group > 1 && s->group == s->in.channels && s->out.channels == s->in.channels;
}

mien_status depthwise_create(const nn_conv *shape, depthwise_conv **out, mien_error *error)
{
    *out = NULL;
    depthwise_conv *conv = memory_zeroed(1, sizeof *conv);
    if (conv == NULL)
        return error_no_memory(error, "a convolution", sizeof *conv);
    size_t weights = (size_t)(tap_count(shape) * shape->in.channels);
    conv->shape = conv->forward = *shape;
    conv->forward.in.batch = conv->forward.out.batch = 1;
    conv->kernels = nn_kernels_best();
    conv->turns = turn_around(shape, &conv->backward);
    conv->by_rows = depthwise_3x3_takes(shape);
    size_t packed = packed_floats(conv) * sizeof(float);
    conv->packed[0] = memory_aligned(packed);
    conv->packed[1] = memory_aligned(packed);
    conv->turned = memory_aligned(weights * sizeof(float));
    conv->ordered = memory_aligned(weights * sizeof(float));
    conv->zeros = memory_zeroed((size_t)shape->in.channels, sizeof *conv->zeros);
    conv->ones = memory_zeroed((size_t)shape->in.channels, sizeof *conv->ones);
    conv->forward.packed = conv->packed[0];
    conv->backward.packed = conv->packed[1];
    if (conv->packed[0] == NULL || conv->packed[1] == NULL || conv->turned == NULL ||
        conv->ordered == NULL || conv->zeros == NULL || conv->ones == NULL) {
        depthwise_free(conv);
        return error_no_memory(error, "a convolution", packed);
    }
    for (int64_t c = 0; c < shape->in.channels; c++)
        conv->ones[c] = 1;
    *out = conv;
    return MIEN_OK;
}

void depthwise_free(depthwise_conv *conv)
{
    if (conv == NULL)
        return;
    free(conv->packed[0]);
    free(conv->packed[1]);
    free(conv->turned);
    free(conv->ordered);
    free(conv->zeros);
    free(conv->ones);
    free(conv);
}

static int64_t picture_floats(const nn_extent *e)
{
    return e->height * row_floats(e);
}

/* The kernel on each picture; the runtime's depthwise ones need no scratch. */
static void run_pictures(const depthwise_conv *conv, const nn_conv *one, int64_t pictures,
                         const float *from, float *to)
{
    int64_t in = picture_floats(&one->in), out = picture_floats(&one->out);
    for (int64_t n = 0; n < pictures; n++, from += in, to += out)
        conv->kernels->conv(one, nn_whole(), from, NULL, to, NULL);
}

bool depthwise_goes_by_rows(const depthwise_conv *conv)
{
    return conv->by_rows;
}

void depthwise_start_forward(depthwise_conv *conv, const float *weights, const float *bias)
{
    pack(conv, &conv->forward, weights, bias, conv->packed[0]);
}

void depthwise_forward(const depthwise_conv *conv, int64_t pictures, const float *x, float *y)
{
    run_pictures(conv, &conv->forward, pictures, x, y);
}

void depthwise_start_backward(depthwise_conv *conv, const float *weights)
{
    const nn_conv *s = &conv->shape;
    int64_t taps = tap_count(s);
    if (conv->by_rows) {
        pack(conv, s, weights, NULL, conv->packed[0]);
        return;
    }
    if (!conv->turns) {
        order_weights(s, weights, conv->ordered);
        return;
    }
    for (int64_t c = 0; c < s->in.channels; c++)
        for (int64_t tap = 0; tap < taps; tap++)
            conv->turned[c * taps + tap] = weights[c * taps + taps - 1 - tap];
    pack(conv, &conv->backward, conv->turned, NULL, conv->packed[1]);
}

/* Strides over 1: each output pixel gives to the inputs under it. */
static void scatter(const depthwise_conv *conv, const float *dy, float *dx)
{
    const nn_conv *s = &conv->shape;
    int64_t channels = s->in.channels;
    memset(dx, 0, (size_t)picture_floats(&s->in) * sizeof *dx);
    for (int64_t row = 0; row < s->out.height; row++) {
        tap_range rows = taps_inside(&s->window, 0, row, s->in.height);
        const float *from = dy + row * row_floats(&s->out);
        for (int64_t column = 0; column < s->out.width; column++)
            pixel_backward(s, from + column * channels, conv->ordered, rows,
                           taps_inside(&s->window, 1, column, s->in.width),
                           dx + corner(s, row, column));
    }
}

void depthwise_input(const depthwise_conv *conv, int64_t pictures, const float *dy, float *dx)
{
    const nn_conv *s = &conv->shape;
    if (conv->turns) {
        run_pictures(conv, &conv->backward, pictures, dy, dx);
        return;
    }
    for (int64_t n = 0; n < pictures; n++)
        scatter(conv, dy + n * picture_floats(&s->out), dx + n * picture_floats(&s->in));
}

/* The output columns whose tap kx falls inside the picture: first..end-1. */
static void columns_of_tap(const nn_conv *s, int kx, int64_t *first, int64_t *end)
{
    const nn_window *w = &s->window;
    int64_t shift = (int64_t)kx * w->dilation[1] - w->pad_before[1];
    *first = shift < 0 ? (-shift + w->stride[1] - 1) / w->stride[1] : 0;
    int64_t room = s->in.width - 1 - shift;
    *end = room < 0 ? 0 : room / w->stride[1] + 1;
    if (*end > s->out.width)
        *end = s->out.width;
}

static void picture_weights(const nn_conv *s, const float *x, const float *dy, float *sums)
{
    const nn_window *w = &s->window;
    int64_t channels = s->in.channels;
    for (int64_t row = 0; row < s->out.height; row++)
        for (int ky = 0; ky < w->kernel[0]; ky++) {
            int64_t y = row * w->stride[0] - w->pad_before[0] + (int64_t)ky * w->dilation[0];
            if (y < 0 || y >= s->in.height)
                continue;
            for (int kx = 0; kx < w->kernel[1]; kx++) {
                int64_t first, end;
                columns_of_tap(s, kx, &first, &end);
                int64_t column =
                    first * w->stride[1] - w->pad_before[1] + (int64_t)kx * w->dilation[1];
                const float *from = x + (y * s->in.width + column) * channels;
                const float *gradient = dy + (row * s->out.width + first) * channels;
                float *to = sums + ((int64_t)ky * w->kernel[1] + kx) * channels;
                for (int64_t c = 0; end > first && c < channels; c += BLOCK)
                    row_weights(from + c, w->stride[1] * channels, gradient + c, channels,
                                end - first, channels - c < BLOCK ? (int)(channels - c) : BLOCK,
                                to + c);
            }
        }
}

void depthwise_weights(const depthwise_conv *conv, int64_t pictures, const float *x,
                       const float *dy, float *sums)
{
    const nn_conv *s = &conv->shape;
    int64_t in = picture_floats(&s->in), out = picture_floats(&s->out);
    for (int64_t n = 0; n < pictures; n++, x += in, dy += out)
        picture_weights(s, x, dy, sums);
}

void depthwise_unpack_weights(const depthwise_conv *conv, const float *sums, float *d_weights)
{
    int64_t taps = tap_count(&conv->shape), channels = conv->shape.in.channels;
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t c = 0; c < channels; c++)
            d_weights[c * taps + tap] = sums[tap * channels + c];
}
