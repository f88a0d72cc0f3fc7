/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Dense convolution with a window of 3x3 from few channels to eight, which oneDNN pads to sixteen.
 * Channels last; padding is made by copying a picture into a larger one. Weights and their sums
 * lie as (3, inputs, 3, 8): row of the window, input channel, column of the window, output channel.
 */

#include "train/onednn/lanes.h"
#include "train/onednn/onednn.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define SIDE       3
#define PIXELS     8 /* that are summed side by side */
#define MAX_INPUTS 8

struct narrow_conv {
    nn_conv shape;
    float *packed; /* the weights forwards */
    float *turned; /* backwards: the window turned around, inputs and outputs changed */
    float *padded; /* (threads, padded_floats) */
    float *sums;   /* (threads, weights) */
    size_t padded_floats, weight_floats;
};

/* A picture and the zeros around it. */
typedef struct frame {
    nn_extent picture; /* of batch 1 */
    int before[2], after[2];
} frame;

static bool has_border(const frame *f)
{
    return f->before[0] + f->before[1] + f->after[0] + f->after[1] > 0;
}

static int64_t framed_row(const frame *f)
{
    return (f->before[1] + f->picture.width + f->after[1]) * f->picture.channels;
}

static size_t framed_floats(const frame *f)
{
    return (size_t)((f->before[0] + f->picture.height + f->after[0]) * framed_row(f));
}

static int64_t picture_floats(const nn_extent *e)
{
    return e->height * e->width * e->channels;
}

static frame frame_of_x(const nn_conv *s)
{
    const nn_window *w = &s->window;
    return (frame){s->in, {w->pad_before[0], w->pad_before[1]}, {w->pad_after[0], w->pad_after[1]}};
}

/* dx is a convolution too, of dy with all the border that a window can reach. */
static frame frame_of_dy(const nn_conv *s)
{
    const nn_window *w = &s->window;
    return (frame){s->out,
                   {SIDE - 1 - w->pad_before[0], SIDE - 1 - w->pad_before[1]},
                   {SIDE - 1 - w->pad_after[0], SIDE - 1 - w->pad_after[1]}};
}

/* The picture with its border: itself, or made in `padded`. */
static const float *framed(const frame *f, const float *x, float *padded)
{
    if (!has_border(f))
        return x;
    int64_t row = f->picture.width * f->picture.channels;
    float *to = padded + f->before[0] * framed_row(f) + f->before[1] * f->picture.channels;
    memset(padded, 0, framed_floats(f) * sizeof *padded);
    for (int64_t y = 0; y < f->picture.height; y++)
        memcpy(to + y * framed_row(f), x + y * row, (size_t)row * sizeof *x);
    return padded;
}

/* PIXELS outputs side by side. Each number of x is multiplied with a row of the window. */
LANES_INLINE void sum_pixels(const float *x, int64_t row, int64_t inputs, const float *weights,
                             const lanes *bias, float *y)
{
    lanes sums[PIXELS];
    LANES_UNROLL
    for (int p = 0; p < PIXELS; p++)
        sums[p] = *bias;
    for (int ky = 0; ky < SIDE; ky++)
        for (int64_t c = 0; c < inputs; c++, weights += SIDE * LANES) {
            const float *from = x + ky * row + c;
            lanes w[SIDE];
            LANES_UNROLL
            for (int kx = 0; kx < SIDE; kx++)
                w[kx] = *(const lanes *)(weights + kx * LANES);
            LANES_UNROLL
            for (int p = 0; p < PIXELS + SIDE - 1; p++) {
                float value = from[p * inputs];
                LANES_UNROLL
                for (int kx = 0; kx < SIDE; kx++)
                    if (p >= kx && p - kx < PIXELS)
                        sums[p - kx] += w[kx] * value;
            }
        }
    LANES_UNROLL
    for (int p = 0; p < PIXELS; p++)
        *(lanes *)(y + p * LANES) = sums[p];
}

/* The last pixels of a row are summed together with some that are there already. */
LANES_INLINE void sum_row(const float *x, int64_t row, int64_t inputs, const float *weights,
                          const lanes *bias, int64_t width, float *y)
{
    for (int64_t column = 0; column < width; column += PIXELS) {
        int64_t first = column < width - PIXELS ? column : width - PIXELS;
        sum_pixels(x + first * inputs, row, inputs, weights, bias, y + first * LANES);
    }
}

VECTORISED static void convolve_row(const float *x, int64_t row, int64_t inputs,
                                    const float *weights, const float *bias, int64_t width,
                                    float *y)
{
    lanes start = {0};
    if (bias != NULL)
        start = *(const lanes *)bias;
    if (inputs == LANES)
        sum_row(x, row, LANES, weights, &start, width, y);
    else
        sum_row(x, row, inputs, weights, &start, width, y);
}

/* sums += x under each tap times dy, a row of `width` output pixels. */
VECTORISED static void framed_weights_of_row(const float *x, int64_t row, int64_t inputs,
                                             const float *dy, int64_t width, float *sums)
{
    /* SIDE numbers of x under a pixel at once, each with as many neighbours of dy. */
    for (int64_t i = 0; i < SIDE * inputs; i += SIDE, sums += SIDE * SIDE * LANES) {
        const float *from[SIDE];
        lanes kept[SIDE * SIDE], gradient[SIDE] = {{0}};
        for (int k = 0; k < SIDE; k++)
            from[k] = x + (i + k) / inputs * row + (i + k) % inputs;
        LANES_UNROLL
        for (int k = 0; k < SIDE * SIDE; k++)
            kept[k] = *(const lanes *)(sums + k * LANES);
        for (int64_t column = 0; column < width + SIDE - 1; column++) {
            gradient[2] = gradient[1];
            gradient[1] = gradient[0];
            gradient[0] = column < width ? *(const lanes *)(dy + column * LANES) : (lanes){0};
            LANES_UNROLL
            for (int k = 0; k < SIDE; k++) {
                float value = from[k][column * inputs];
                LANES_UNROLL
                for (int kx = 0; kx < SIDE; kx++)
                    kept[k * SIDE + kx] += gradient[kx] * value;
            }
        }
        LANES_UNROLL
        for (int k = 0; k < SIDE * SIDE; k++)
            *(lanes *)(sums + k * LANES) = kept[k];
    }
}

bool narrow_takes(const nn_conv *s, bool needs_input_gradient)
{
    const nn_window *w = &s->window;
    for (int i = 0; i < 2; i++)
        if (w->kernel[i] != SIDE || w->stride[i] != 1 || w->dilation[i] != 1 ||
            w->pad_before[i] >= SIDE || w->pad_after[i] >= SIDE)
            return false;
    return s->group == 1 && s->out.channels == LANES && s->out.width >= PIXELS &&
           s->in.width >= PIXELS &&
           (needs_input_gradient ? s->in.channels == LANES : s->in.channels <= MAX_INPUTS);
}

mien_status narrow_create(const nn_conv *shape, narrow_conv **out, mien_error *error)
{
    *out = NULL;
    narrow_conv *conv = memory_zeroed(1, sizeof *conv);
    if (conv == NULL)
        return error_no_memory(error, "a convolution", sizeof *conv);
    frame x = frame_of_x(shape), dy = frame_of_dy(shape);
    size_t threads = (size_t)onednn_threads();
    size_t x_floats = framed_floats(&x), dy_floats = framed_floats(&dy);
    conv->shape = *shape;
    conv->padded_floats = x_floats > dy_floats ? x_floats : dy_floats;
    conv->weight_floats = (size_t)(SIDE * SIDE * LANES * shape->in.channels);
    conv->packed = memory_aligned(conv->weight_floats * sizeof(float));
    conv->turned = memory_aligned(SIDE * SIDE * LANES * LANES * sizeof(float));
    size_t padded_bytes = threads * conv->padded_floats * sizeof(float);
    conv->padded = memory_aligned(padded_bytes);
    conv->sums = memory_aligned(threads * conv->weight_floats * sizeof(float));
    if (conv->packed == NULL || conv->turned == NULL || conv->padded == NULL ||
        conv->sums == NULL) {
        narrow_free(conv);
        return error_no_memory(error, "a convolution", padded_bytes);
    }
    *out = conv;
    return MIEN_OK;
}

void narrow_free(narrow_conv *conv)
{
    if (conv == NULL)
        return;
    free(conv->packed);
    free(conv->turned);
    free(conv->padded);
    free(conv->sums);
    free(conv);
}

/* y = the convolution of framed pictures, a part of the batch for each thread. */
static void convolve(const narrow_conv *conv, const frame *f, const float *from,
                     const float *weights, const float *bias, const nn_extent *out, float *to)
{
    int threads = onednn_threads();
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        float *padded = conv->padded + (size_t)t * conv->padded_floats;
        int64_t end = out->batch * (t + 1) / threads;
        for (int64_t n = out->batch * t / threads; n < end; n++) {
            const float *x = framed(f, from + n * picture_floats(&f->picture), padded);
            float *y = to + n * picture_floats(out);
            for (int64_t row = 0; row < out->height; row++)
                convolve_row(x + row * framed_row(f), framed_row(f), f->picture.channels, weights,
                             bias, out->width, y + row * out->width * LANES);
        }
    }
}

/* The place of a weight in ONNX's order, and in that of this file. */
static int64_t plain_index(int64_t inputs, int64_t output, int64_t input, int ky, int kx)
{
    return ((output * inputs + input) * SIDE + ky) * SIDE + kx;
}

static int64_t packed_index(int64_t inputs, int64_t output, int64_t input, int ky, int kx)
{
    return ((ky * inputs + input) * SIDE + kx) * LANES + output;
}

void narrow_forward(narrow_conv *conv, const float *x, const float *weights, const float *bias,
                    float *y)
{
    int64_t inputs = conv->shape.in.channels;
    frame f = frame_of_x(&conv->shape);
    for (int64_t o = 0; o < LANES; o++)
        for (int64_t c = 0; c < inputs; c++)
            for (int k = 0; k < SIDE * SIDE; k++)
                conv->packed[packed_index(inputs, o, c, k / SIDE, k % SIDE)] =
                    weights[plain_index(inputs, o, c, k / SIDE, k % SIDE)];
    convolve(conv, &f, x, conv->packed, bias, &conv->shape.out, y);
}

static void backward_input(narrow_conv *conv, const float *weights, const float *dy, float *dx)
{
    frame f = frame_of_dy(&conv->shape);
    for (int64_t o = 0; o < LANES; o++)
        for (int64_t c = 0; c < LANES; c++)
            for (int k = 0; k < SIDE * SIDE; k++)
                conv->turned[packed_index(LANES, c, o, k / SIDE, k % SIDE)] =
                    weights[plain_index(LANES, o, c, SIDE - 1 - k / SIDE, SIDE - 1 - k % SIDE)];
    convolve(conv, &f, dy, conv->turned, NULL, &conv->shape.in, dx);
}

/* Joins the threads' sums in order. */
static void join_weights(const narrow_conv *conv, int threads, float *d_weights)
{
    int64_t inputs = conv->shape.in.channels;
    for (int64_t o = 0; o < LANES; o++)
        for (int64_t c = 0; c < inputs; c++)
            for (int k = 0; k < SIDE * SIDE; k++) {
                const float *part = conv->sums + packed_index(inputs, o, c, k / SIDE, k % SIDE);
                float sum = 0;
                for (int t = 0; t < threads; t++)
                    sum += part[(size_t)t * conv->weight_floats];
                d_weights[plain_index(inputs, o, c, k / SIDE, k % SIDE)] = sum;
            }
}

static void backward_weights(narrow_conv *conv, const float *x, const float *dy, float *d_weights)
{
    const nn_extent *in = &conv->shape.in, *out = &conv->shape.out;
    frame f = frame_of_x(&conv->shape);
    int threads = onednn_threads();
    memset(conv->sums, 0, (size_t)threads * conv->weight_floats * sizeof *conv->sums);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        float *padded = conv->padded + (size_t)t * conv->padded_floats;
        int64_t end = out->batch * (t + 1) / threads;
        for (int64_t n = out->batch * t / threads; n < end; n++) {
            const float *from = framed(&f, x + n * picture_floats(in), padded);
            const float *gradient = dy + n * picture_floats(out);
            for (int64_t row = 0; row < out->height; row++)
                framed_weights_of_row(from + row * framed_row(&f), framed_row(&f), in->channels,
                                      gradient + row * out->width * LANES, out->width,
                                      conv->sums + (size_t)t * conv->weight_floats);
        }
    }
    join_weights(conv, threads, d_weights);
}

void narrow_backward(narrow_conv *conv, const float *x, const float *weights, const float *dy,
                     float *dx, float *d_weights)
{
    if (dx != NULL)
        backward_input(conv, weights, dy, dx);
    backward_weights(conv, x, dy, d_weights);
}
