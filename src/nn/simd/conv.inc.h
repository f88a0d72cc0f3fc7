/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolution as a matrix product without copies (Dukhan 2019, "The Indirect Convolution
 * Algorithm"): for a block of output pixels, a table of pointers to the input pixels under each tap
 * of the window; then panel by panel of output channels, tile by tile of pixels.
 *
 * Packed weights, group after group, panel after panel: the panel's biases, then its weights in the
 * order tap, input channel, output channel; channels beyond the last are zero. A panel has two
 * vectors of output channels, the last one of a group as few as it needs.
 */

typedef struct tile_args {
    const float *const *pixels; /* (taps, TILE_ROWS) */
    int64_t taps, channels;
    const float *panel;
    float *y;              /* first output of the tile */
    const float *residual; /* the same place, or NULL */
    size_t stride;         /* floats from one output pixel to the next */
    int rows;              /* pixels of the tile, 1..TILE_ROWS */
    int columns;           /* output channels of the panel */
    nn_activation activation;
} tile_args;

#define NAME(x)       wide_##x
#define VECTOR        wide
#define VECTOR_FLOATS WIDE_FLOATS
#include "nn/simd/tile.inc.h"
#undef NAME
#undef VECTOR
#undef VECTOR_FLOATS

#define NAME(x)       narrow_##x
#define VECTOR        narrow
#define VECTOR_FLOATS NARROW_FLOATS
#if NARROW_FLOATS != WIDE_FLOATS
#include "nn/simd/tile.inc.h"
#endif
#undef NAME
#undef VECTOR
#undef VECTOR_FLOATS

#define BLOCK_TILES     8 /* tiles whose pointers are made at once */
#define BLOCK_PIXELS    (BLOCK_TILES * TILE_ROWS)
#define GATHER_CHANNELS 4 /* up to so many input channels, windows are copied side by side */

INLINE int64_t channels_in_group(const nn_conv *conv)
{
    return conv->in.channels / conv->group;
}

INLINE int64_t outputs_in_group(const nn_conv *conv)
{
    return conv->out.channels / conv->group;
}

INLINE int64_t tap_count(const nn_conv *conv)
{
    return (int64_t)conv->window.kernel[0] * conv->window.kernel[1];
}

/* Output channels of the panel that begins with `left` channels still to come. */
INLINE int panel_width(int64_t left)
{
    if (left > WIDE_FLOATS)
        return 2 * WIDE_FLOATS;
    return left <= NARROW_FLOATS ? NARROW_FLOATS : WIDE_FLOATS;
}

static size_t group_packed_floats(const nn_conv *conv)
{
    size_t depth = (size_t)(tap_count(conv) * channels_in_group(conv)) + 1;
    size_t floats = 0;
    for (int64_t left = outputs_in_group(conv); left > 0;) {
        int width = panel_width(left);
        floats += depth * (size_t)width;
        left -= width;
    }
    return floats;
}

static size_t dense_packed_floats(const nn_conv *conv)
{
    return group_packed_floats(conv) * (size_t)conv->group;
}

static void pack_panel(const nn_conv *conv, const float *weights, const float *bias, int64_t first,
                       int width, int64_t end, float *packed)
{
    int64_t taps = tap_count(conv), channels = channels_in_group(conv);
    for (int i = 0; i < width; i++)
        *packed++ = bias != NULL && first + i < end ? bias[first + i] : 0;
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t c = 0; c < channels; c++)
            for (int i = 0; i < width; i++)
                *packed++ =
                    first + i < end ? weights[((first + i) * channels + c) * taps + tap] : 0;
}

static void pack_dense(const nn_conv *conv, const float *weights, const float *bias, float *packed)
{
    int64_t outputs = outputs_in_group(conv);
    size_t depth = (size_t)(tap_count(conv) * channels_in_group(conv)) + 1;
    for (int64_t g = 0; g < conv->group; g++) {
        int64_t end = (g + 1) * outputs;
        for (int64_t first = g * outputs; first < end;) {
            int width = panel_width(end - first);
            pack_panel(conv, weights, bias, first, width, end, packed);
            packed += depth * (size_t)width;
            first += width;
        }
    }
}

INLINE bool is_pointwise(const nn_conv *conv)
{
    const nn_window *w = &conv->window;
    return tap_count(conv) == 1 && w->stride[0] == 1 && w->stride[1] == 1 &&
           w->pad_before[0] + w->pad_before[1] + w->pad_after[0] + w->pad_after[1] == 0;
}

INLINE bool gathers(const nn_conv *conv)
{
    return !is_pointwise(conv) && channels_in_group(conv) <= GATHER_CHANNELS;
}

/* Scratch: the pointers of a block, a pixel of zeros, and the windows when they are gathered. */
static size_t pointer_bytes(const nn_conv *conv)
{
    return (size_t)(gathers(conv) ? 1 : tap_count(conv)) * BLOCK_PIXELS * sizeof(const float *);
}

static size_t dense_scratch_bytes(const nn_conv *conv)
{
    size_t depth = (size_t)(tap_count(conv) * channels_in_group(conv));
    size_t gathered = gathers(conv) ? depth * BLOCK_PIXELS * sizeof(float) : 0;
    return pointer_bytes(conv) + (size_t)conv->in.channels * sizeof(float) + gathered;
}

typedef struct out_pixel {
    int64_t picture, row, column;
} out_pixel;

static out_pixel locate(const nn_conv *conv, int64_t index)
{
    int64_t plane = conv->out.height * conv->out.width;
    int64_t rest = index % plane;
    return (out_pixel){index / plane, rest / conv->out.width, rest % conv->out.width};
}

INLINE void step_pixel(const nn_conv *conv, out_pixel *at)
{
    if (++at->column < conv->out.width)
        return;
    at->column = 0;
    if (++at->row < conv->out.height)
        return;
    at->row = 0;
    at->picture++;
}

/* Where a tap reads for an output pixel; NULL in the padding. */
INLINE const float *tap_pixel(const nn_conv *conv, const float *x, out_pixel at, int ky, int kx)
{
    const nn_window *w = &conv->window;
    int64_t row = at.row * w->stride[0] - w->pad_before[0] + (int64_t)ky * w->dilation[0];
    int64_t column = at.column * w->stride[1] - w->pad_before[1] + (int64_t)kx * w->dilation[1];
    if (row < 0 || row >= conv->in.height || column < 0 || column >= conv->in.width)
        return NULL;
    return x + ((at.picture * conv->in.height + row) * conv->in.width + column) * conv->in.channels;
}

/* Fills (tiles, taps, TILE_ROWS) pointers; the last tile is filled up with its last pixel. */
static void point_at_taps(const nn_conv *conv, const float *x, const float *zeros, int64_t first,
                          int count, const float **pointers)
{
    int64_t taps = tap_count(conv);
    out_pixel at = locate(conv, first);
    int whole = (count + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
    for (int p = 0; p < whole; p++) {
        const float **column = pointers + (p / TILE_ROWS) * taps * TILE_ROWS + p % TILE_ROWS;
        for (int ky = 0; ky < conv->window.kernel[0]; ky++)
            for (int kx = 0; kx < conv->window.kernel[1]; kx++) {
                const float *pixel = tap_pixel(conv, x, at, ky, kx);
                *column = pixel != NULL ? pixel : zeros;
                column += TILE_ROWS;
            }
        if (p < count - 1)
            step_pixel(conv, &at);
    }
}

static void point_at_pixels(const nn_conv *conv, const float *x, int64_t first, int count,
                            const float **pointers)
{
    int whole = (count + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
    for (int p = 0; p < whole; p++)
        pointers[p] = x + (first + (p < count ? p : count - 1)) * conv->in.channels;
}

/* Copies the window of one output pixel into a row; the padding is zeros. */
static float *gather_window(const nn_conv *conv, const float *x, out_pixel at, float *to)
{
    const nn_window *w = &conv->window;
    int64_t channels = channels_in_group(conv);
    int64_t first = at.column * w->stride[1] - w->pad_before[1];
    int64_t last = first + (int64_t)(w->kernel[1] - 1) * w->dilation[1];
    /* Neighbours that lie side by side are copied together. */
    bool whole_rows =
        conv->group == 1 && w->dilation[1] == 1 && first >= 0 && last < conv->in.width;
    int64_t row_floats = w->kernel[1] * channels;
    for (int ky = 0; ky < w->kernel[0]; ky++) {
        const float *row = whole_rows ? tap_pixel(conv, x, at, ky, 0) : NULL;
        for (int64_t i = 0; row != NULL && i < row_floats; i++)
            to[i] = row[i];
        for (int kx = 0; row == NULL && kx < w->kernel[1]; kx++) {
            const float *pixel = tap_pixel(conv, x, at, ky, kx);
            for (int64_t c = 0; c < channels; c++)
                to[kx * channels + c] = pixel != NULL ? pixel[c] : 0;
        }
        to += row_floats;
    }
    return to;
}

/* A row for each window, so that few channels make one long product. */
static void gather_windows(const nn_conv *conv, const float *x, int64_t first, int count,
                           float *windows, const float **pointers)
{
    out_pixel at = locate(conv, first);
    float *to = windows;
    int whole = (count + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
    for (int p = 0; p < count; p++) {
        pointers[p] = to;
        to = gather_window(conv, x, at, to);
        step_pixel(conv, &at);
    }
    for (int p = count; p < whole; p++)
        pointers[p] = pointers[count - 1];
}

INLINE void run_tile(const tile_args *args, int width)
{
    if (width == 2 * WIDE_FLOATS)
        wide_tile_any(args, 2);
    else if (width == WIDE_FLOATS)
        wide_tile_any(args, 1);
#if NARROW_FLOATS != WIDE_FLOATS
    else
        narrow_tile_any(args, 1);
#endif
}

/* All output channels of one group for one block of pixels. */
static void run_block(const nn_conv *conv, tile_args args, const float *packed, int64_t count)
{
    float *y = args.y;
    const float *residual = args.residual;
    const float *const *pointers = args.pixels;
    size_t depth = (size_t)(args.taps * args.channels) + 1;
    for (int64_t first = 0; first < outputs_in_group(conv);) {
        int64_t left = outputs_in_group(conv) - first;
        int width = panel_width(left);
        args.panel = packed;
        args.columns = left < width ? (int)left : width;
        for (int64_t p = 0; p < count; p += TILE_ROWS) {
            args.pixels = pointers + p * args.taps;
            args.rows = count - p < TILE_ROWS ? (int)(count - p) : TILE_ROWS;
            args.y = y + (size_t)p * args.stride + first;
            args.residual = residual != NULL ? residual + (size_t)p * args.stride + first : NULL;
            run_tile(&args, width);
        }
        packed += depth * (size_t)width;
        first += width;
    }
}

static void run_dense(const nn_conv *conv, const float *x, const float *residual, float *y,
                      void *scratch)
{
    const float **pointers = scratch;
    float *zeros = (float *)((char *)scratch + pointer_bytes(conv));
    float *windows = zeros + conv->in.channels;
    memset(zeros, 0, (size_t)conv->in.channels * sizeof *zeros);
    bool gather = gathers(conv), pointwise = is_pointwise(conv);
    int64_t total = conv->out.batch * conv->out.height * conv->out.width;
    size_t group_floats = group_packed_floats(conv);
    int64_t depth = tap_count(conv) * channels_in_group(conv);
    for (int64_t first = 0; first < total; first += BLOCK_PIXELS) {
        int count = total - first < BLOCK_PIXELS ? (int)(total - first) : BLOCK_PIXELS;
        for (int g = 0; g < conv->group; g++) {
            const float *from = x + g * channels_in_group(conv);
            if (pointwise)
                point_at_pixels(conv, from, first, count, pointers);
            else if (gather)
                gather_windows(conv, from, first, count, windows, pointers);
            else
                point_at_taps(conv, from, zeros, first, count, pointers);
            size_t offset = (size_t)(first * conv->out.channels + g * outputs_in_group(conv));
            tile_args args = {.pixels = pointers,
                              .taps = gather ? 1 : tap_count(conv),
                              .channels = gather ? depth : channels_in_group(conv),
                              .y = y + offset,
                              .residual = residual != NULL ? residual + offset : NULL,
                              .stride = (size_t)conv->out.channels,
                              .activation = conv->activation};
            run_block(conv, args, conv->packed + (size_t)g * group_floats, count);
        }
    }
}
