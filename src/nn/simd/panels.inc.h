/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Products of pixels with a matrix of weights, panel by panel of output channels, tile by tile of
 * pixels: what every convolution but the depthwise one comes down to.
 *
 * Packed weights, panel after panel: the panel's biases, then its weights in the order tap, unit of
 * input channels, output channel; channels beyond the last are zero. A panel has two vectors of
 * output channels, the last one as few as it needs.
 */

#define TILE_UNITS 3 /* of pixels that lie `step` apart: unrolled */

typedef struct tile_args {
    /*
     * Where the pixels lie: (taps, TILE_ROWS), or (taps) with the next pixel `step` numbers on;
     * then TILE_ROWS of them can be read, whatever `rows` says.
     */
    const number *const *pixels;
    int64_t step;        /* or 0 */
    int64_t first;       /* number of a pixel that the products begin with */
    int64_t taps, units; /* units of a pixel's channels */
    const float *panel;
    void *y; /* first output of the tile: numbers, or */
    bool writes_floats;
    const number *residual; /* the same place, or NULL */
    size_t stride;          /* numbers from one output pixel to the next */
    int rows;               /* pixels of the tile, 1..TILE_ROWS */
    int columns;            /* output channels of the panel */
    nn_activation activation;
} tile_args;

/*
 * How many of the first rows can be written as whole vectors. Where a panel is wider than the
 * outputs, these must be all outputs of a pixel: what is too much then falls on the tile's next
 * pixels, which are written after it. A residual may lie there and must still be read.
 */
INLINE int whole_rows(const tile_args *args, int width)
{
    if (args->columns == width)
        return args->rows;
    if ((size_t)args->columns != args->stride || args->residual != NULL)
        return 0;
    int rows = args->rows - (width - 1) / args->columns;
    return rows > 0 ? rows : 0;
}

INLINE void *output_at(void *y, bool floats, size_t at)
{
    return (char *)y + at * (floats ? sizeof(float) : sizeof(number));
}

INLINE void write_one(void *y, bool floats, size_t at, float value)
{
    if (floats || UNIT == 1)
        ((float *)y)[at] = value;
    else
        ((number *)y)[at] = number_of(value);
}

/* Whether all rows can be written as whole vectors of rounded numbers, and nothing is added. */
INLINE bool writes_rounded(const tile_args *args, int width)
{
    return UNIT > 1 && !args->writes_floats && args->residual == NULL && args->columns == width;
}

/* The rows from `first` on, output by output. values: (rows, width) sums. */
static void finish_part(const tile_args *args, const float *values, int width, int first)
{
    for (int r = first; r < args->rows; r++) {
        size_t offset = (size_t)r * args->stride;
        for (int i = 0; i < args->columns; i++) {
            float value = values[r * width + i];
            if (args->residual != NULL)
                value += real_of(args->residual[offset + (size_t)i]);
            write_one(args->y, args->writes_floats, offset + (size_t)i,
                      activate_one(args->activation, value));
        }
    }
}

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

#define PANEL_OUTPUTS (2 * WIDE_FLOATS) /* of all panels but the last */

/* Output channels of the panel that begins with `left` channels still to come. */
INLINE int panel_width(int64_t left)
{
    if (left > WIDE_FLOATS)
        return 2 * WIDE_FLOATS;
    return left <= NARROW_FLOATS ? NARROW_FLOATS : WIDE_FLOATS;
}

/* Floats of the packed weights: `depth` units of products make one of `outputs`. */
static size_t panels_floats(int64_t outputs, int64_t depth)
{
    size_t floats = 0;
    for (int64_t left = outputs; left > 0;) {
        int width = panel_width(left);
        floats += (size_t)(depth + 1) * (size_t)width;
        left -= width;
    }
    return floats;
}

/* `count` pixels are shared evenly among as few tiles as they need. */
typedef struct tile_counts {
    int tiles, rows, longer; /* the first `longer` tiles have a row more than `rows` */
} tile_counts;

INLINE tile_counts count_tiles(int count)
{
    int tiles = (count + TILE_ROWS - 1) / TILE_ROWS;
    return (tile_counts){tiles, count / tiles, count % tiles};
}

INLINE int tile_rows(const tile_counts *counts, int tile)
{
    return counts->rows + (tile < counts->longer);
}

/*
 * A span of the `outputs`, whole panels of them, for `count` pixels. args: those of output
 * 0 of the first tile, which it changes; the pointers of the next one lie taps x TILE_ROWS further,
 * or those of all are `step` numbers apart. packed: all panels.
 */
static void run_panels(tile_args *args, const float *packed, int64_t outputs, nn_span span,
                       int count)
{
    const number *const *pixels = args->pixels;
    const number *residual = args->residual;
    void *y = args->y;
    tile_counts counts = count_tiles(count);
    packed += (args->taps * args->units + 1) * span.first;
    for (int64_t first = span.first; first < span.end;) {
        int64_t left = outputs - first;
        int width = panel_width(left);
        args->panel = packed;
        args->columns = left < width ? (int)left : width;
        size_t offset = (size_t)first;
        for (int t = 0; t < counts.tiles; t++) {
            args->pixels = pixels + t * args->taps * TILE_ROWS;
            args->rows = tile_rows(&counts, t);
            args->y = output_at(y, args->writes_floats, offset);
            args->residual = residual != NULL ? residual + offset : NULL;
            run_tile(args, width);
            offset += (size_t)args->rows * args->stride;
        }
        packed += (size_t)(args->taps * args->units + 1) * (size_t)width;
        first += width;
    }
}
