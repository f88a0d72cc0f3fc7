/* SPDX-License-Identifier: Apache-2.0 */

/*
 * 3x3 convolutions with fewer products (Winograd 1980; Lavin and Gray 2016, "Fast Algorithms for
 * Convolutional Neural Networks"): tiles of 2x2 or 4x4 outputs, whose inputs of 4x4 or 6x6 pixels
 * are transformed; for each of the 16 or 36 places one product of all tiles with a matrix of
 * transformed weights; then the transform back. That makes 4 or 2.25 products of 9.
 *
 * With a stride of 2, along each axis even pixels meet the outer two weights and odd ones the
 * middle one: the former are a window of 2 with a stride of 1, whose 2 outputs take 3 products in
 * place of 4. An input of 5x5 pixels gives 2x2 outputs by 25 products in place of 36; places of odd
 * pixels share their weights. The side of the input tile tells the three forms apart.
 *
 * Packed weights: the biases (M), then for each place the panels of panels.inc.h, biases zero.
 */

/* The points of the larger transform beside 0 and infinity: +-NEAR and +-FAR, whose rounding errors
 * are smaller than those of the usual +-1 and +-2. */
#define NEAR 0.70710678f
#define FAR  1.41421356f

#define WINOGRAD_SIDE         6     /* of the larger input tile */
#define WINOGRAD_BLOCK_FLOATS 98304 /* of transformed numbers at once: they stay in the cache */
#define WINOGRAD_MOST_TILES   (8 * TILE_ROWS)

/* Of a tile, along each axis: outputs, pixels from tile to tile, and different lines of weights. */
INLINE int winograd_outputs(int side)
{
    return side == 6 ? 4 : 2;
}

INLINE int winograd_advance(int side)
{
    return side == 5 ? 4 : winograd_outputs(side);
}

INLINE int winograd_lines(int side)
{
    return side == 5 ? 4 : side;
}

/* Where the input pixels of a tile lie. */
typedef struct winograd_source {
    bool inside;          /* the picture, all of them: then at these distances from the first */
    const number *corner; /* the first */
    int64_t row_numbers, pixel_numbers;
    const number *pixels[WINOGRAD_SIDE * WINOGRAD_SIDE]; /* else: (side, side) */
} winograd_source;

/* Where a tile of outputs goes. */
typedef struct winograd_tile {
    const float *bias;
    const number *residual; /* the same place as y, or NULL */
    void *y;
    bool writes_floats;
    int64_t row_numbers, pixel_numbers;
    int rows, columns; /* outputs inside the picture */
    nn_activation activation;
} winograd_tile;

#define NAME(x) wide_##x
#define VECTOR  wide
#include "nn/simd/winograd_lanes.inc.h"
#undef NAME
#undef VECTOR

#if NARROW_FLOATS != WIDE_FLOATS
#define NAME(x) narrow_##x
#define VECTOR  narrow
#include "nn/simd/winograd_lanes.inc.h"
#undef NAME
#undef VECTOR
#endif

INLINE int64_t tiles_along(int64_t size, int outputs)
{
    return (size + outputs - 1) / outputs;
}

INLINE int64_t winograd_tiles(const nn_conv *conv, int side)
{
    int outputs = winograd_outputs(side);
    return conv->out.batch * tiles_along(conv->out.height, outputs) *
           tiles_along(conv->out.width, outputs);
}

/*
 * A guess at the time in products, the transforms and the weights' way from memory included: about
 * six products in float for a number transformed, four with a stride of 2, two for a weight loaded.
 */
static int64_t winograd_cost(const nn_conv *conv, int side)
{
    int64_t in = conv->in.channels, out = conv->out.channels;
    int64_t tiles = winograd_tiles(conv, side), lines = winograd_lines(side);
    int transform = side == 5 ? 4 : 6;
    return side * side * tiles * (in * out + transform * (in + out)) + 2 * lines * lines * in * out;
}

/* With a stride of 2 it saves too little of the fast products of BF16. */
static bool winograd_fits(const nn_conv *conv)
{
    const nn_window *w = &conv->window;
    return conv->group == 1 && w->kernel[0] == 3 && w->kernel[1] == 3 &&
           w->stride[0] <= (UNIT == 1 ? 2 : 1) && w->stride[1] == w->stride[0] &&
           w->dilation[0] == 1 && w->dilation[1] == 1 && conv->in.channels % NARROW_FLOATS == 0 &&
           conv->out.channels % NARROW_FLOATS == 0;
}

/* The form, or 0 where the plain way is as fast or the only one. */
static int winograd_side(const nn_conv *conv)
{
    if (!winograd_fits(conv))
        return 0;
    int64_t pixels = conv->out.batch * conv->out.height * conv->out.width;
    int64_t direct = 9 * (pixels + 2) * conv->in.channels * conv->out.channels;
    if (conv->window.stride[0] == 2)
        return winograd_cost(conv, 5) > direct / 10 * 9 ? 0 : 5;
    int side = winograd_cost(conv, 4) < winograd_cost(conv, 6) ? 4 : 6;
    return winograd_cost(conv, side) > direct / 10 * 8 ? 0 : side;
}

static size_t winograd_packed_floats(const nn_conv *conv)
{
    int lines = winograd_lines(winograd_side(conv));
    return (size_t)conv->out.channels +
           (size_t)(lines * lines) * panels_floats(conv->out.channels, conv->in.channels / UNIT);
}

/* Three weights of a line to those of the places along it. */
static void winograd_weights(int side, const double *g, int from_step, double *u, int to_step)
{
    double g0 = g[0], g1 = g[from_step], g2 = g[2 * from_step];
    u[0] = g0;
    if (side == 4) {
        u[to_step] = (g0 + g1 + g2) / 2;
        u[2 * to_step] = (g0 - g1 + g2) / 2;
        u[3 * to_step] = g2;
        return;
    }
    if (side == 5) {
        u[to_step] = g0 + g2;
        u[2 * to_step] = g2;
        u[3 * to_step] = g1;
        return;
    }
    u[to_step] = -(g0 + NEAR * g1 + g2 / 2) / 1.5;
    u[2 * to_step] = -(g0 - NEAR * g1 + g2 / 2) / 1.5;
    u[3 * to_step] = (g0 + FAR * g1 + 2 * g2) / 6;
    u[4 * to_step] = (g0 - FAR * g1 + 2 * g2) / 6;
    u[5 * to_step] = g2;
}

/* The window of one pair of channels to (lines, lines) weights. */
static void winograd_transform_window(int side, const float *window, float *places)
{
    int lines = winograd_lines(side);
    double g[9], columns[3 * WINOGRAD_SIDE], u[WINOGRAD_SIDE * WINOGRAD_SIDE];
    for (int i = 0; i < 9; i++)
        g[i] = window[i];
    for (int j = 0; j < 3; j++)
        winograd_weights(side, g + j, 3, columns + j, 3);
    for (int i = 0; i < lines; i++)
        winograd_weights(side, columns + 3 * i, 1, u + lines * i, 1);
    for (int place = 0; place < lines * lines; place++)
        places[place] = (float)u[place];
}

/* The windows of a unit of input channels with one output, `stride` floats between places. */
static void winograd_pack_unit(int side, const float *windows, float *to, size_t stride)
{
    enum { PLACES = WINOGRAD_SIDE * WINOGRAD_SIDE };
    float places[UNIT * PLACES];
    for (int c = 0; c < UNIT; c++)
        winograd_transform_window(side, windows + (size_t)9 * c, places + (size_t)PLACES * c);
    int lines = winograd_lines(side);
    for (int place = 0; place < lines * lines; place++)
        to[(size_t)place * stride] = packed_unit(places + place, PLACES);
}

static void pack_winograd(const nn_conv *conv, const float *weights, const float *bias,
                          float *packed)
{
    int side = winograd_side(conv);
    int64_t in = conv->in.channels, out = conv->out.channels, units = in / UNIT;
    size_t stride = panels_floats(out, units);
    memset(packed, 0, winograd_packed_floats(conv) * sizeof *packed);
    if (bias != NULL)
        memcpy(packed, bias, (size_t)out * sizeof *packed);
    packed += out;
    for (int64_t first = 0; first < out;) {
        int width = panel_width(out - first);
        for (int64_t c = 0; c < units; c++)
            for (int i = 0; i < width && first + i < out; i++)
                winograd_pack_unit(side, weights + ((first + i) * in + c * UNIT) * 9,
                                   packed + (1 + c) * width + i, stride);
        packed += (units + 1) * width;
        first += width;
    }
}

/*
 * Tiles that are worked on at once: as many as fit, but with few channels no more than pay for
 * loading the weights again; then they stay in the first cache.
 */
static int winograd_block(const nn_conv *conv, int side)
{
    int64_t places = side * side, channels = conv->in.channels + conv->out.channels;
    int64_t fit = WINOGRAD_BLOCK_FLOATS / (places * channels);
    int64_t block = (fit < channels ? fit : channels) / TILE_ROWS * TILE_ROWS;
    int64_t all = winograd_tiles(conv, side);
    block = block < TILE_ROWS ? TILE_ROWS : block;
    block = block > WINOGRAD_MOST_TILES ? WINOGRAD_MOST_TILES : block;
    return (int)(block < all ? block : all);
}

/* Scratch: pixel pointers of one place, zeros, transformed inputs, products. */
static size_t winograd_scratch_bytes(const nn_conv *conv)
{
    int side = winograd_side(conv);
    size_t places = (size_t)(side * side), tiles = (size_t)winograd_block(conv, side);
    size_t in = (size_t)conv->in.channels, out = (size_t)conv->out.channels;
    return WINOGRAD_MOST_TILES * sizeof(const number *) +
           (1 + places * tiles) * in * sizeof(number) + places * tiles * out * sizeof(float);
}

/* The input pixels of a tile; the padding is zeros. */
static void winograd_locate(const nn_conv *conv, int side, const number *x, out_pixel at,
                            const number *zeros, winograd_source *source)
{
    int advance = winograd_advance(side);
    int64_t top = at.row * advance - conv->window.pad_before[0];
    int64_t left = at.column * advance - conv->window.pad_before[1];
    int64_t width = conv->in.width, channels = conv->in.channels;
    source->row_numbers = width * channels;
    source->pixel_numbers = channels;
    source->corner = x + ((at.picture * conv->in.height + top) * width + left) * channels;
    source->inside = top >= 0 && left >= 0 && top + side <= conv->in.height && left + side <= width;
    if (source->inside)
        return;
    for (int i = 0; i < side; i++) {
        const number *line = source->corner + i * source->row_numbers;
        bool row_inside = top + i >= 0 && top + i < conv->in.height;
        for (int j = 0; j < side; j++) {
            bool there = row_inside && left + j >= 0 && left + j < width;
            source->pixels[i * side + j] = there ? line + j * channels : zeros;
        }
    }
}

static void winograd_read(const nn_conv *conv, int side, const winograd_source *source, number *to,
                          size_t stride)
{
    int64_t c = 0;
    for (; c + WIDE_FLOATS <= conv->in.channels; c += WIDE_FLOATS)
        wide_winograd_read(side, source, c, to, stride);
#if NARROW_FLOATS != WIDE_FLOATS
    for (; c < conv->in.channels; c += NARROW_FLOATS)
        narrow_winograd_read(side, source, c, to, stride);
#endif
}

/* A span of the channels, whole panels of them. */
static void winograd_write(nn_span channels, int side, const winograd_tile *tile, const float *from,
                           size_t stride)
{
    int64_t c = channels.first;
    for (; c + WIDE_FLOATS <= channels.end; c += WIDE_FLOATS)
        wide_winograd_write(side, tile, c, from, stride);
#if NARROW_FLOATS != WIDE_FLOATS
    for (; c < channels.end; c += NARROW_FLOATS)
        narrow_winograd_write(side, tile, c, from, stride);
#endif
}

static winograd_tile winograd_target(const nn_conv *conv, int side, out_pixel at,
                                     const number *residual, void *y)
{
    int outputs = winograd_outputs(side);
    int64_t row = at.row * outputs, column = at.column * outputs;
    int64_t rows = conv->out.height - row, columns = conv->out.width - column;
    int64_t pixel = (at.picture * conv->out.height + row) * conv->out.width + column;
    int64_t offset = pixel * conv->out.channels;
    return (winograd_tile){.bias = conv->packed,
                           .residual = residual != NULL ? residual + offset : NULL,
                           .y = output_at(y, conv->writes_floats, (size_t)offset),
                           .writes_floats = conv->writes_floats,
                           .row_numbers = conv->out.width * conv->out.channels,
                           .pixel_numbers = conv->out.channels,
                           .rows = rows < outputs ? (int)rows : outputs,
                           .columns = columns < outputs ? (int)columns : outputs,
                           .activation = conv->activation};
}

/* Which matrix of weights a place takes. */
INLINE int winograd_matrix(int side, int place)
{
    int lines = winograd_lines(side), row = place / side, column = place % side;
    return (row < lines ? row : lines - 1) * lines + (column < lines ? column : lines - 1);
}

/* One product for each place: (count, in channels) by (in channels, a span of out channels). */
static void winograd_multiply(const nn_conv *conv, int side, nn_span outputs,
                              const number *transformed, float *products, int block, int count,
                              const number **pointers)
{
    int64_t in = conv->in.channels, out = conv->out.channels;
    size_t place_floats = panels_floats(out, in / UNIT);
    tile_args args = {.taps = 1, .units = in / UNIT, .writes_floats = true, .stride = (size_t)out};
    point_at_rows(transformed, in, count, pointers);
    for (int place = 0; place < side * side; place++, args.first += block * in) {
        args.pixels = pointers;
        args.y = products + (int64_t)place * block * out;
        size_t matrix = (size_t)winograd_matrix(side, place);
        run_panels(&args, conv->packed + out + matrix * place_floats, out, outputs, count);
    }
}

static void run_winograd(const nn_conv *conv, nn_part part, const number *x, const number *residual,
                         void *y, void *scratch)
{
    int side = winograd_side(conv), outputs = winograd_outputs(side);
    int places = side * side, block = winograd_block(conv, side);
    int64_t in = conv->in.channels, out = conv->out.channels;
    nn_extent tiles = {conv->out.batch, tiles_along(conv->out.height, outputs),
                       tiles_along(conv->out.width, outputs), 1};
    const number **pointers = scratch;
    number *zeros = (number *)(pointers + WINOGRAD_MOST_TILES), *transformed = zeros + in;
    float *products = (float *)(void *)(transformed + (int64_t)places * block * in);
    memset(zeros, 0, (size_t)in * sizeof *zeros);
    nn_product_share share =
        nn_share_product(part, winograd_tiles(conv, side), TILE_ROWS, out, PANEL_OUTPUTS, 1);
    out_pixel reading = locate(&tiles, share.pixels.first), writing = reading;
    for (int64_t left = share.pixels.end - share.pixels.first; left > 0; left -= block) {
        int count = left < block ? (int)left : block;
        for (int t = 0; t < count; t++, step_pixel(&tiles, &reading)) {
            winograd_source source;
            winograd_locate(conv, side, x, reading, zeros, &source);
            winograd_read(conv, side, &source, transformed + t * in, (size_t)(block * in));
        }
        winograd_multiply(conv, side, share.outputs, transformed, products, block, count, pointers);
        for (int t = 0; t < count; t++, step_pixel(&tiles, &writing)) {
            winograd_tile tile = winograd_target(conv, side, writing, residual, y);
            winograd_write(share.outputs, side, &tile, products + t * out, (size_t)(block * out));
        }
    }
}
