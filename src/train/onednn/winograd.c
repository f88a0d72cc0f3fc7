/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Dense convolution with a window of 3x3 by minimal filtering (winograd.h): less than a third of
 * the products. Tiles are taken to the points some at a time, so that what lies between stays in
 * the cache. Sums are taken in another order than by the window, and through differences: results
 * are off by some more roundings than the direct way's, in f32 alone.
 */

#include "train/onednn/winograd.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/onednn/onednn.h"

#include <stdlib.h>

#define SIDE   WINOGRAD_SIDE
#define TAPS   WINOGRAD_TAPS
#define REACH  WINOGRAD_REACH
#define POINTS WINOGRAD_POINTS
#define PANEL  WINOGRAD_PANEL
#define BLOCK                                                                                      \
    96 /* tiles that are taken to the points at once; a multiple of the product's rows             \
        */
#define MIN_CHANNELS 32 /* below, the way to the points and back outweighs what is saved */

struct winograd_conv {
    nn_conv shape;
    float *zeros; /* a pixel outside the picture */
};

/* How tiles of `to` lie over `from`, which has `before` zeros around. */
typedef struct tiling {
    nn_extent from, to;
    int before[2];
    int64_t down, across, count;
} tiling;

static tiling tiling_of(nn_extent from, nn_extent to, int above, int left)
{
    tiling t = {.from = from, .to = to, .before = {above, left}};
    t.down = (to.height + SIDE - 1) / SIDE;
    t.across = (to.width + SIDE - 1) / SIDE;
    t.count = to.batch * t.down * t.across;
    return t;
}

static tiling tiling_forward(const nn_conv *s)
{
    return tiling_of(s->in, s->out, s->window.pad_before[0], s->window.pad_before[1]);
}

/* dx is a convolution too, of dy with all the border that a window can reach. */
static tiling tiling_backward(const nn_conv *s)
{
    return tiling_of(s->out, s->in, SIDE - 1 - s->window.pad_before[0],
                     SIDE - 1 - s->window.pad_before[1]);
}

/* Tiles that reach beyond the picture waste products. */
static bool saves_enough(const tiling *t)
{
    return t->count * POINTS * 2 <= t->to.batch * t->to.height * t->to.width * TAPS;
}

bool winograd_takes(const nn_conv *s)
{
    const nn_window *w = &s->window;
    bool fits = s->group == 1 && s->in.channels % PANEL == 0 && s->out.channels % PANEL == 0 &&
                s->in.channels >= MIN_CHANNELS && s->out.channels >= MIN_CHANNELS;
    for (int i = 0; i < 2; i++)
        fits = fits && w->kernel[i] == SIDE && w->stride[i] == 1 && w->dilation[i] == 1 &&
               w->pad_before[i] < SIDE && w->pad_after[i] < SIDE;
    if (!fits)
        return false;
    tiling forward = tiling_forward(s), backward = tiling_backward(s);
    return saves_enough(&forward) && saves_enough(&backward);
}

mien_status winograd_create(const nn_conv *shape, winograd_conv **out, mien_error *error)
{
    *out = NULL;
    winograd_conv *conv = memory_zeroed(1, sizeof *conv);
    if (conv == NULL)
        return error_no_memory(error, "a convolution", sizeof *conv);
    int64_t in = shape->in.channels, outputs = shape->out.channels;
    conv->shape = *shape;
    conv->zeros = memory_zeroed((size_t)(in > outputs ? in : outputs), sizeof *conv->zeros);
    if (conv->zeros == NULL) {
        free(conv);
        return error_no_memory(error, "a convolution", sizeof *conv);
    }
    *out = conv;
    return MIEN_OK;
}

void winograd_free(winograd_conv *conv)
{
    if (conv == NULL)
        return;
    free(conv->zeros);
    free(conv);
}

/* ---- The lent memory: weights at the points, then for each thread inputs and outputs of a block
 * ---- */

static int64_t weight_floats(const nn_conv *s)
{
    return POINTS * s->in.channels * s->out.channels;
}

static int64_t block_floats(const nn_conv *s)
{
    return POINTS * BLOCK * (s->in.channels + s->out.channels);
}

size_t winograd_scratch(const winograd_conv *conv)
{
    int64_t blocks = onednn_threads() * block_floats(&conv->shape);
    return (size_t)(weight_floats(&conv->shape) + blocks) * sizeof(float);
}

/* ---- Tiles ---- */

/* Where tile `index` begins in the picture n of `to`. */
typedef struct tile_place {
    int64_t n, row, column;
} tile_place;

static tile_place place_of(const tiling *t, int64_t index)
{
    int64_t in_picture = index % (t->down * t->across);
    return (tile_place){index / (t->down * t->across), in_picture / t->across * SIDE,
                        in_picture % t->across * SIDE};
}

/* The pixel's index in its batch, or -1: it lies outside. */
static int64_t pixel_at(const nn_extent *e, int64_t n, int64_t row, int64_t column)
{
    bool inside = row >= 0 && row < e->height && column >= 0 && column < e->width;
    return inside ? (n * e->height + row) * e->width + column : -1;
}

/* The 25 pixels of x under a tile. */
static void find_inputs(const tiling *t, int64_t index, const float *x, const float *zeros,
                        const float **pixels)
{
    tile_place place = place_of(t, index);
    for (int p = 0; p < POINTS; p++) {
        int64_t at = pixel_at(&t->from, place.n, place.row - t->before[0] + p / REACH,
                              place.column - t->before[1] + p % REACH);
        pixels[p] = at >= 0 ? x + at * t->from.channels : zeros;
    }
}

/* The 9 pixels of y that a tile is. */
static void find_outputs(const tiling *t, int64_t index, float *y, float **pixels)
{
    tile_place place = place_of(t, index);
    for (int p = 0; p < TAPS; p++) {
        int64_t at = pixel_at(&t->to, place.n, place.row + p / SIDE, place.column + p % SIDE);
        pixels[p] = at >= 0 ? y + at * t->to.channels : NULL;
    }
}

/* The same to be read. */
static void find_gradient(const tiling *t, int64_t index, const float *dy, const float *zeros,
                          const float **pixels)
{
    tile_place place = place_of(t, index);
    for (int p = 0; p < TAPS; p++) {
        int64_t at = pixel_at(&t->to, place.n, place.row + p / SIDE, place.column + p % SIDE);
        pixels[p] = at >= 0 ? dy + at * t->to.channels : zeros;
    }
}

/* ---- Pictures to pictures ---- */

/* Tiles first..first+count-1; block: the thread's own. */
static void convolve_block(const winograd_conv *conv, const tiling *t, int64_t first, int64_t count,
                           const float *x, const float *weights, const float *bias, float *block,
                           float *y)
{
    int64_t in = t->from.channels, out = t->to.channels;
    float *inputs = block, *outputs = block + POINTS * BLOCK * in;
    const float *from[POINTS];
    float *to[TAPS];
    for (int64_t i = 0; i < count; i++) {
        find_inputs(t, first + i, x, conv->zeros, from);
        winograd_take_inputs(from, in, inputs + i * in, BLOCK * in);
    }
    for (int p = 0; p < POINTS; p++)
        winograd_multiply((winograd_matrix){inputs + p * BLOCK * in, in, 1}, weights + p * in * out,
                          count, in, out, false, outputs + p * BLOCK * out);
    for (int64_t i = 0; i < count; i++) {
        find_outputs(t, first + i, y, to);
        winograd_give_outputs(outputs + i * out, BLOCK * out, out, bias, to);
    }
}

static void convolve(const winograd_conv *conv, const tiling *t, const winograd_window *window,
                     const float *x, const float *bias, float *y, float *scratch)
{
    int threads = onednn_threads();
    int64_t plane = window->inputs * window->outputs;
#pragma omp parallel for schedule(static)
    for (int64_t output = 0; output < window->outputs; output += PANEL)
        winograd_take_weights(window, output, scratch + output * window->inputs, plane);
    float *blocks = scratch + weight_floats(&conv->shape);
#pragma omp parallel for schedule(static)
    for (int k = 0; k < threads; k++) {
        int64_t end = t->count * (k + 1) / threads;
        for (int64_t i = t->count * k / threads; i < end; i += BLOCK)
            convolve_block(conv, t, i, end - i < BLOCK ? end - i : BLOCK, x, scratch, bias,
                           blocks + k * block_floats(&conv->shape), y);
    }
}

void winograd_forward(winograd_conv *conv, const float *x, const float *weights, const float *bias,
                      float *y, void *scratch)
{
    const nn_conv *s = &conv->shape;
    tiling t = tiling_forward(s);
    winograd_window window = {weights, s->in.channels * TAPS, TAPS,
                              1,       s->in.channels,        s->out.channels};
    convolve(conv, &t, &window, x, bias, y, scratch);
}

static void backward_input(winograd_conv *conv, const float *weights, const float *dy, float *dx,
                           float *scratch)
{
    const nn_conv *s = &conv->shape;
    tiling t = tiling_backward(s);
    winograd_window turned = {weights + TAPS - 1, TAPS,          s->in.channels * TAPS, -1,
                              s->out.channels,    s->in.channels};
    convolve(conv, &t, &turned, dy, NULL, dx, scratch);
}

/* ---- Pictures to weights ---- */

/* Tiles first..first+count-1 to the points: inputs (25, BLOCK, C), gradient (25, panels, BLOCK). */
static void take_pair(const winograd_conv *conv, const tiling *t, int64_t first, int64_t count,
                      const float *x, const float *dy, float *inputs, float *gradient)
{
    int64_t in = t->from.channels, out = t->to.channels;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        const float *pixels[POINTS];
        find_inputs(t, first + i, x, conv->zeros, pixels);
        winograd_take_inputs(pixels, in, inputs + i * in, BLOCK * in);
        find_gradient(t, first + i, dy, conv->zeros, pixels);
        winograd_take_gradient(pixels, out, count * PANEL, gradient + i * PANEL, BLOCK * out);
    }
}

static void backward_weights(winograd_conv *conv, const float *x, const float *dy, float *d_weights,
                             float *sums)
{
    const nn_conv *s = &conv->shape;
    tiling t = tiling_forward(s);
    int64_t in = s->in.channels, out = s->out.channels;
    float *inputs = sums + weight_floats(s), *gradient = inputs + POINTS * BLOCK * in;
    for (int64_t first = 0; first < t.count; first += BLOCK) {
        int64_t count = t.count - first < BLOCK ? t.count - first : BLOCK;
        take_pair(conv, &t, first, count, x, dy, inputs, gradient);
#pragma omp parallel for schedule(static)
        for (int p = 0; p < POINTS; p++)
            winograd_multiply((winograd_matrix){inputs + p * BLOCK * in, 1, in},
                              gradient + p * BLOCK * out, in, count, out, first > 0,
                              sums + p * in * out);
    }
#pragma omp parallel for schedule(static)
    for (int64_t input = 0; input < in; input++)
        winograd_give_weights(sums, in, out, input, d_weights);
}

void winograd_backward(winograd_conv *conv, const float *x, const float *weights, const float *dy,
                       float *dx, float *d_weights, void *scratch)
{
    if (dx != NULL)
        backward_input(conv, weights, dy, dx, scratch);
    backward_weights(conv, x, dy, d_weights, scratch);
}
