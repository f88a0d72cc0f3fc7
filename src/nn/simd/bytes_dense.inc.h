/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolution of bytes as a product of pixels and panels of weights, four input channels at a time.
 * Where the channels come in fours, a table of pointers leads to the pixels under each tap; else
 * each window is copied to a row of its own, filled up to a four.
 *
 * Packed weights, panel after panel of output channels: multipliers (width floats), biases (width
 * floats), then for each tap and four input channels QUAD_BYTES for each vector of outputs. The
 * zero point of x is in the biases: sum of (x - z) w = sum of x w - z sum of w.
 */

#define BLOCK_TILES  8
#define BLOCK_PIXELS (BLOCK_TILES * BYTE_ROWS)

INLINE bool copies_windows(const nn_byte_conv *conv)
{
    return conv->in.channels % 4 != 0;
}

/* Taps and fours of channels as the product sees them. */
INLINE int64_t product_taps(const nn_byte_conv *conv)
{
    return copies_windows(conv) ? 1 : tap_count(conv);
}

INLINE int64_t product_quads(const nn_byte_conv *conv)
{
    int64_t depth = conv->in.channels * (copies_windows(conv) ? tap_count(conv) : 1);
    return (depth + 3) / 4;
}

INLINE int vectors_of_panel(int64_t left)
{
    return left > LANES ? 2 : 1;
}

INLINE size_t panel_bytes(const nn_byte_conv *conv, int vectors)
{
    size_t quads = (size_t)(product_taps(conv) * product_quads(conv));
    return (size_t)vectors * (2 * LANES * sizeof(float) + quads * QUAD_BYTES);
}

static size_t dense_packed_bytes(const nn_byte_conv *conv)
{
    size_t total = 0;
    for (int64_t left = conv->out.channels; left > 0; left -= PANEL)
        total += panel_bytes(conv, vectors_of_panel(left));
    return total;
}

/* Weight `depth` (0.. in the order tap, channel) of an output; 0 beyond the last. */
static int8_t weight_at(const nn_byte_conv *conv, const int8_t *weights, int64_t output,
                        int64_t depth)
{
    int64_t channels = conv->in.channels, taps = tap_count(conv);
    if (output >= conv->out.channels || depth >= taps * channels)
        return 0;
    return weights[(output * channels + depth % channels) * taps + depth / channels];
}

/* Multiplier and bias of an output; those beyond the last are 0. */
static void pack_numbers(const nn_byte_conv *conv, const int8_t *weights, const float *scales,
                         const float *bias, int64_t output, float *multiplier, float *shift)
{
    *multiplier = *shift = 0;
    if (output >= conv->out.channels)
        return;
    int64_t each = conv->in.channels / conv->group * tap_count(conv), sum = 0;
    for (int64_t k = 0; k < each; k++)
        sum += weights[output * each + k];
    double step = (double)conv->x.scale * (double)scales[output];
    double from = bias != NULL ? (double)bias[output] : 0;
    *multiplier = (float)step;
    *shift = (float)(from - conv->x.zero_point * (double)sum * step);
}

static void pack_dense(const nn_byte_conv *conv, const int8_t *weights, const float *scales,
                       const float *bias, void *packed)
{
    uint8_t *to = packed;
    int64_t quads = product_taps(conv) * product_quads(conv);
    for (int64_t first = 0; first < conv->out.channels; first += PANEL) {
        int vectors = vectors_of_panel(conv->out.channels - first);
        float *numbers = (float *)(void *)to;
        for (int i = 0; i < vectors * LANES; i++)
            pack_numbers(conv, weights, scales, bias, first + i, &numbers[i],
                         &numbers[vectors * LANES + i]);
        to += (size_t)vectors * 2 * LANES * sizeof(float);
        for (int64_t q = 0; q < quads; q++)
            for (int v = 0; v < vectors; v++, to += QUAD_BYTES) {
                int8_t four[LANES][4];
                for (int i = 0; i < LANES; i++)
                    for (int k = 0; k < 4; k++)
                        four[i][k] = weight_at(conv, weights, first + v * LANES + i, 4 * q + k);
                pack_quad(four, to);
            }
    }
}

/* ---- A tile ---- */

typedef struct byte_tile {
    const uint8_t *const *pixels; /* (taps, BYTE_ROWS) */
    int64_t taps, quads;
    const uint8_t *panel;
    const byte_finish *finish;
    const uint8_t *residual; /* of the first output, or NULL */
    void *y;
    int64_t stride;  /* outputs of a pixel */
    int64_t columns; /* outputs from the panel's first on, which may be more than it has */
    int rows;        /* pixels, 1..BYTE_ROWS; all of BYTE_ROWS can be read */
} byte_tile;

/* rows and vectors are constants where this is called, so that the sums stay in registers. */
INLINE void multiply_tile(const byte_tile *tile, int rows, int vectors)
{
    sums totals[BYTE_ROWS][2] = {{{0}}};
    const float *numbers = (const float *)(const void *)tile->panel;
    const uint8_t *weights = tile->panel + (size_t)vectors * 2 * LANES * sizeof(float);
    for (int64_t tap = 0; tap < tile->taps; tap++) {
        const uint8_t *pixels[BYTE_ROWS];
        UNROLL
        for (int r = 0; r < rows; r++)
            pixels[r] = tile->pixels[tap * BYTE_ROWS + r];
        for (int64_t q = 0; q < tile->quads; q++) {
            UNROLL
            for (int r = 0; r < rows; r++) {
                quad four = spread(pixels[r] + 4 * q);
                UNROLL
                for (int v = 0; v < vectors; v++)
                    totals[r][v] = dot4(totals[r][v], four, weights + v * QUAD_BYTES);
            }
            weights += (size_t)vectors * QUAD_BYTES;
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            int64_t at = r * tile->stride + v * LANES;
            reals x = __builtin_convertvector(totals[r][v], reals);
            x = x * load_reals(numbers + v * LANES) + load_reals(numbers + (vectors + v) * LANES);
            if (r < tile->rows)
                finish_some(tile->finish, x, tile->residual != NULL ? tile->residual + at : NULL,
                            output_at(tile->finish, tile->y, at), tile->columns - v * LANES);
        }
    }
}

/* The lowest tile that holds the rows. */
INLINE void multiply_rows(const byte_tile *tile, int vectors)
{
    if (tile->rows > BYTE_ROWS * 2 / 3)
        multiply_tile(tile, BYTE_ROWS, vectors);
    else if (tile->rows > BYTE_ROWS / 3)
        multiply_tile(tile, BYTE_ROWS * 2 / 3, vectors);
    else if (tile->rows > 1)
        multiply_tile(tile, BYTE_ROWS / 3, vectors);
    else
        multiply_tile(tile, 1, vectors);
}

static void multiply(const byte_tile *tile, int vectors)
{
    if (vectors == 2)
        multiply_rows(tile, 2);
    else
        multiply_rows(tile, 1);
}

/* ---- A block of pixels ---- */

typedef struct dense_scratch {
    const uint8_t **pointers; /* (tiles, taps, BYTE_ROWS) */
    uint8_t *outside;         /* a pixel of zero points */
    uint8_t *windows;         /* (BLOCK_PIXELS, quads * 4), where windows are copied */
} dense_scratch;

static size_t pointer_bytes(const nn_byte_conv *conv)
{
    return (size_t)product_taps(conv) * BLOCK_PIXELS * sizeof(const uint8_t *);
}

static size_t dense_scratch_bytes(const nn_byte_conv *conv)
{
    size_t pixel = round_up((size_t)conv->in.channels + 4, 64);
    return pointer_bytes(conv) + pixel +
           (copies_windows(conv) ? (size_t)product_quads(conv) * 4 * BLOCK_PIXELS : 0);
}

static dense_scratch divide_scratch(const nn_byte_conv *conv, void *memory)
{
    uint8_t *outside = (uint8_t *)memory + pointer_bytes(conv);
    memset(outside, conv->x.zero_point, (size_t)conv->in.channels + 4);
    return (dense_scratch){memory, outside, outside + round_up((size_t)conv->in.channels + 4, 64)};
}

typedef struct byte_place {
    int64_t picture, row, column; /* of an output pixel */
} byte_place;

INLINE byte_place place_of(const nn_extent *out, int64_t index)
{
    int64_t plane = out->height * out->width, rest = index % plane;
    return (byte_place){index / plane, rest / out->width, rest % out->width};
}

INLINE void step_place(const nn_extent *out, byte_place *at)
{
    if (++at->column < out->width)
        return;
    at->column = 0;
    if (++at->row < out->height)
        return;
    at->row = 0;
    at->picture++;
}

/* Where a tap reads for an output pixel; `outside` beyond the picture. */
INLINE const uint8_t *tap_pixel(const nn_byte_conv *conv, const uint8_t *x, const uint8_t *outside,
                                byte_place at, int ky, int kx)
{
    const nn_window *w = &conv->window;
    int64_t row = at.row * w->stride[0] - w->pad_before[0] + (int64_t)ky * w->dilation[0];
    int64_t column = at.column * w->stride[1] - w->pad_before[1] + (int64_t)kx * w->dilation[1];
    if (row < 0 || row >= conv->in.height || column < 0 || column >= conv->in.width)
        return outside;
    return x + ((at.picture * conv->in.height + row) * conv->in.width + column) * conv->in.channels;
}

/* Copies the pixels under the window, one after the other. */
static void copy_window(const nn_byte_conv *conv, const uint8_t *x, const uint8_t *outside,
                        byte_place at, uint8_t *to)
{
    int64_t channels = conv->in.channels;
    for (int ky = 0; ky < conv->window.kernel[0]; ky++)
        for (int kx = 0; kx < conv->window.kernel[1]; kx++) {
            const uint8_t *from = tap_pixel(conv, x, outside, at, ky, kx);
            for (int64_t c = 0; c < channels; c++)
                *to++ = from[c];
        }
}

/* The pointers of one pixel: row `r` of a tile's (taps, BYTE_ROWS). */
static void point_at_pixel(const nn_byte_conv *conv, const uint8_t *x, const dense_scratch *scratch,
                           byte_place at, int64_t index, const uint8_t **pointers)
{
    if (copies_windows(conv)) {
        uint8_t *window = scratch->windows + index * product_quads(conv) * 4;
        copy_window(conv, x, scratch->outside, at, window);
        *pointers = window;
        return;
    }
    for (int ky = 0; ky < conv->window.kernel[0]; ky++)
        for (int kx = 0; kx < conv->window.kernel[1]; kx++, pointers += BYTE_ROWS)
            *pointers = tap_pixel(conv, x, scratch->outside, at, ky, kx);
}

/* `count` pixels are shared evenly among as few tiles as they need. */
INLINE int tiles_for(int count)
{
    return (count + BYTE_ROWS - 1) / BYTE_ROWS;
}

INLINE int rows_of_tile(int count, int tile)
{
    return count / tiles_for(count) + (tile < count % tiles_for(count));
}

/* A tile is filled up with its last pixel. */
static void point_at_block(const nn_byte_conv *conv, const uint8_t *x, const dense_scratch *scratch,
                           int64_t first, int count)
{
    byte_place at = place_of(&conv->out, first);
    const uint8_t **pointers = scratch->pointers;
    int64_t index = 0, taps = product_taps(conv);
    for (int t = 0; t < tiles_for(count); t++, pointers += taps * BYTE_ROWS) {
        int rows = rows_of_tile(count, t);
        for (int r = 0; r < rows; r++) {
            point_at_pixel(conv, x, scratch, at, index++, pointers + r);
            step_place(&conv->out, &at);
        }
        for (int64_t tap = 0; tap < taps; tap++)
            for (int r = rows; r < BYTE_ROWS; r++)
                pointers[tap * BYTE_ROWS + r] = pointers[tap * BYTE_ROWS + rows - 1];
    }
}

static void run_dense(const nn_byte_conv *conv, const uint8_t *x, const uint8_t *residual, void *y,
                      void *memory)
{
    dense_scratch scratch = divide_scratch(conv, memory);
    byte_finish finish = finish_of(conv);
    int64_t total = conv->out.batch * conv->out.height * conv->out.width;
    byte_tile tile = {.taps = product_taps(conv),
                      .quads = product_quads(conv),
                      .finish = &finish,
                      .stride = conv->out.channels};
    for (int64_t first = 0; first < total; first += BLOCK_PIXELS) {
        int count = total - first < BLOCK_PIXELS ? (int)(total - first) : BLOCK_PIXELS;
        point_at_block(conv, x, &scratch, first, count);
        tile.panel = conv->packed;
        for (int64_t output = 0; output < conv->out.channels; output += PANEL) {
            int vectors = vectors_of_panel(conv->out.channels - output);
            int64_t offset = first * conv->out.channels + output;
            tile.columns = conv->out.channels - output;
            for (int t = 0; t < tiles_for(count); t++) {
                tile.rows = rows_of_tile(count, t);
                tile.pixels = scratch.pointers + t * tile.taps * BYTE_ROWS;
                tile.residual = residual != NULL ? residual + offset : NULL;
                tile.y = output_at(&finish, y, offset);
                multiply(&tile, vectors);
                offset += tile.rows * conv->out.channels;
            }
            tile.panel += panel_bytes(conv, vectors);
        }
    }
}
