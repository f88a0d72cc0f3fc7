/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolution of bytes as a product of pixels and panels of weights, four numbers of a pixel at a
 * time. The numbers under one row of a window lie side by side: such a row is one run of the
 * product, filled up to a four with what follows, whose weights are 0. A picture that is padded, or
 * whose channels do not come in fours, is first copied with a border of zero points.
 *
 * Packed weights, panel after panel of output channels: multipliers (width floats), biases (width
 * floats), then for each run and four of it QUAD_BYTES for each vector of outputs. The zero point
 * of x is in the biases: sum of (x - z) w = sum of x w - z sum of w.
 */

#define BLOCK_TILES  8
#define BLOCK_PIXELS (BLOCK_TILES * BYTE_ROWS)

/* How the window comes apart: into runs of `length` bytes. */
typedef struct byte_runs {
    int rows, columns; /* runs in the window: one a row, or with dilation one a tap */
    int64_t length;
} byte_runs;

INLINE byte_runs runs_of(const nn_byte_conv *conv)
{
    const nn_window *w = &conv->window;
    bool whole_rows = w->dilation[1] == 1;
    return (byte_runs){w->kernel[0], whole_rows ? 1 : w->kernel[1],
                       conv->in.channels * (whole_rows ? w->kernel[1] : 1)};
}

INLINE int64_t run_count(const nn_byte_conv *conv)
{
    byte_runs runs = runs_of(conv);
    return (int64_t)runs.rows * runs.columns;
}

INLINE int64_t run_quads(const nn_byte_conv *conv)
{
    return (runs_of(conv).length + 3) / 4;
}

INLINE int vectors_of_panel(int64_t left)
{
    return left > LANES ? 2 : 1;
}

INLINE size_t panel_bytes(const nn_byte_conv *conv, int vectors)
{
    size_t quads = (size_t)(run_count(conv) * run_quads(conv));
    return (size_t)vectors * (2 * LANES * sizeof(float) + quads * QUAD_BYTES);
}

static size_t dense_packed_bytes(const nn_byte_conv *conv)
{
    size_t total = 0;
    for (int64_t left = conv->out.channels; left > 0; left -= PANEL)
        total += panel_bytes(conv, vectors_of_panel(left));
    return total;
}

/* The weight of byte `at` of a run; 0 beyond the last. */
static int8_t weight_at(const nn_byte_conv *conv, const int8_t *weights, int64_t output, int run,
                        int64_t at)
{
    byte_runs runs = runs_of(conv);
    int64_t channels = conv->in.channels, taps = tap_count(conv);
    if (output >= conv->out.channels || at >= runs.length)
        return 0;
    int64_t tap = runs.columns == 1 ? run * conv->window.kernel[1] + at / channels : run;
    return weights[(output * channels + at % channels) * taps + tap];
}

/* Multiplier and bias of an output, in steps of it; those beyond the last are 0. */
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
    double steps = (double)steps_of(conv);
    *multiplier = (float)(step * steps);
    *shift =
        (float)((from - conv->x.zero_point * (double)sum * step) * steps + (double)zero_of(conv));
}

/* The weights of LANES outputs for four bytes of a run. */
static void pack_four(const nn_byte_conv *conv, const int8_t *weights, int64_t first, int run,
                      int64_t at, uint8_t *to)
{
    int8_t four[LANES][4];
    for (int i = 0; i < LANES; i++)
        for (int k = 0; k < 4; k++)
            four[i][k] = weight_at(conv, weights, first + i, run, at + k);
    pack_quad(four, to);
}

static void pack_dense(const nn_byte_conv *conv, const int8_t *weights, const float *scales,
                       const float *bias, void *packed)
{
    uint8_t *to = packed;
    for (int64_t first = 0; first < conv->out.channels; first += PANEL) {
        int vectors = vectors_of_panel(conv->out.channels - first);
        float *numbers = (float *)(void *)to;
        for (int i = 0; i < vectors * LANES; i++)
            pack_numbers(conv, weights, scales, bias, first + i, &numbers[i],
                         &numbers[vectors * LANES + i]);
        to += (size_t)vectors * 2 * LANES * sizeof(float);
        for (int run = 0; run < run_count(conv); run++)
            for (int64_t q = 0; q < run_quads(conv); q++)
                for (int v = 0; v < vectors; v++, to += QUAD_BYTES)
                    pack_four(conv, weights, first + v * LANES, run, 4 * q, to);
    }
}

/* ---- A tile ---- */

typedef struct byte_tile {
    const uint8_t *const *pixels; /* (BYTE_ROWS): where the first run begins */
    const int64_t *offsets;       /* (runs): where each run begins, from the first one on */
    int64_t runs, quads;
    const uint8_t *panel;
    const byte_finish *finish;
    bool all_outputs;        /* of a pixel are made, the last ones first */
    const uint8_t *residual; /* of the first output, or NULL */
    void *y;
    int64_t stride;  /* outputs of a pixel */
    int64_t columns; /* outputs from the panel's first on, which may be more than it has */
    int rows;        /* pixels, 1..BYTE_ROWS; all of BYTE_ROWS can be read */
} byte_tile;

/* Rounds sums that are whole vectors and all rows of a tile, with nothing else to do. */
INLINE void round_tile(const byte_tile *tile, int rows, int vectors, sums (*kept)[2])
{
    const float *numbers = (const float *)(const void *)tile->panel;
    int low = tile->finish->low_byte, high = tile->finish->high_byte;
    UNROLL
    for (int v = 0; v < vectors; v++) {
        reals multiplier = load_reals(numbers + v * LANES);
        reals bias = load_reals(numbers + (vectors + v) * LANES);
        UNROLL
        for (int r = 0; r < rows; r++)
            store_bytes((uint8_t *)tile->y + r * tile->stride + v * LANES,
                        __builtin_convertvector(kept[r][v], reals) * multiplier + bias, low, high);
    }
}

/*
 * Sums of a tile to `totals`; true: they are written as they must be already. rows and vectors are
 * constants where this is called, so that the sums stay in registers.
 */
INLINE bool multiply_tile(const byte_tile *tile, int rows, int vectors, sums (*totals)[2])
{
    const uint8_t *weights = tile->panel + (size_t)vectors * 2 * LANES * sizeof(float);
    sums kept[BYTE_ROWS][2] = {{{0}}};
    for (int64_t run = 0; run < tile->runs; run++) {
        const uint8_t *pixels[BYTE_ROWS];
        UNROLL
        for (int r = 0; r < rows; r++)
            pixels[r] = tile->pixels[r] + tile->offsets[run];
        for (int64_t q = 0; q < tile->quads; q++) {
            UNROLL
            for (int r = 0; r < rows; r++) {
                quad four = spread(pixels[r] + 4 * q);
                UNROLL
                for (int v = 0; v < vectors; v++)
                    kept[r][v] = dot4(kept[r][v], four, weights + v * QUAD_BYTES);
            }
            weights += (size_t)vectors * QUAD_BYTES;
        }
    }
    if (tile->rows == rows && tile->columns >= vectors * LANES &&
        is_plain(tile->finish, tile->residual)) {
        round_tile(tile, rows, vectors, kept);
        return true;
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            totals[r][v] = kept[r][v];
    }
    return false;
}

/* Rows of a tile that can be written as whole vectors: whole_pixels; what is written too much must
 * not be a residual that is still to be read. */
INLINE int64_t rows_to_write_whole(const byte_tile *tile, int64_t left)
{
    if (left >= LANES)
        return tile->rows;
    bool spoils = !tile->all_outputs || tile->residual == tile->y;
    return spoils ? 0 : whole_pixels(tile->rows, left, tile->stride);
}

static void finish_tile(const byte_tile *tile, int vectors, sums (*totals)[2])
{
    const byte_finish finish = *tile->finish;
    bool plain = is_plain(&finish, tile->residual);
    for (int v = vectors - 1; v >= 0; v--) {
        const float *numbers = (const float *)(const void *)tile->panel;
        reals multiplier = load_reals(numbers + v * LANES);
        reals bias = load_reals(numbers + (vectors + v) * LANES);
        int64_t left = tile->columns - v * LANES, whole = rows_to_write_whole(tile, left);
        for (int r = 0; r < tile->rows; r++) {
            int64_t at = r * tile->stride + v * LANES;
            reals x = __builtin_convertvector(totals[r][v], reals) * multiplier + bias;
            const uint8_t *residual = tile->residual != NULL ? tile->residual + at : NULL;
            void *to = output_at(&finish, tile->y, at);
            if (r >= whole)
                finish_some(&finish, x, residual, to, left);
            else if (plain)
                store_bytes(to, x, finish.low_byte, finish.high_byte);
            else
                finish_vector(&finish, x, residual, to);
        }
    }
}

/* The lowest tile that holds the rows. */
INLINE void multiply_rows(const byte_tile *tile, int vectors)
{
    sums totals[BYTE_ROWS][2];
    bool written;
    if (tile->rows > BYTE_ROWS * 2 / 3)
        written = multiply_tile(tile, BYTE_ROWS, vectors, totals);
    else if (tile->rows > BYTE_ROWS / 3)
        written = multiply_tile(tile, BYTE_ROWS * 2 / 3, vectors, totals);
    else if (tile->rows > 1)
        written = multiply_tile(tile, BYTE_ROWS / 3, vectors, totals);
    else
        written = multiply_tile(tile, 1, vectors, totals);
    if (!written)
        finish_tile(tile, vectors, totals);
}

static void multiply(const byte_tile *tile, int vectors)
{
    if (vectors == 2)
        multiply_rows(tile, 2);
    else
        multiply_rows(tile, 1);
}

/* ---- A picture ---- */

/* Bytes of pictures (height, width, channels), as the runs read them. */
typedef struct byte_pictures {
    const uint8_t *first;
    int64_t height, width;
} byte_pictures;

INLINE bool is_copied(const nn_byte_conv *conv)
{
    const nn_window *w = &conv->window;
    return conv->in.channels % 4 != 0 ||
           w->pad_before[0] + w->pad_before[1] + w->pad_after[0] + w->pad_after[1] != 0;
}

INLINE byte_pictures padded_size(const nn_byte_conv *conv)
{
    const nn_window *w = &conv->window;
    return (byte_pictures){NULL, conv->in.height + w->pad_before[0] + w->pad_after[0],
                           conv->in.width + w->pad_before[1] + w->pad_after[1]};
}

/* With room for what a run reads beyond the last picture. */
static size_t copy_bytes(const nn_byte_conv *conv)
{
    byte_pictures size = padded_size(conv);
    return (size_t)(conv->in.batch * size.height * size.width * conv->in.channels) + 4;
}

/* Scratch: the pointers of a block, the offsets of runs, the copy. */
static size_t pointer_bytes(const nn_byte_conv *conv)
{
    return BLOCK_PIXELS * sizeof(const uint8_t *) + (size_t)run_count(conv) * sizeof(int64_t);
}

static size_t dense_scratch_bytes(const nn_byte_conv *conv)
{
    return pointer_bytes(conv) + (is_copied(conv) ? copy_bytes(conv) : 0);
}

/* The rows of the padded pictures under a span of output pixels, one after another. */
static nn_span rows_under(const nn_byte_conv *conv, int64_t height, nn_span pixels)
{
    const nn_window *w = &conv->window;
    out_pixel first = locate(&conv->out, pixels.first), last = locate(&conv->out, pixels.end - 1);
    int64_t reach = (int64_t)(w->kernel[0] - 1) * w->dilation[0];
    return (nn_span){first.picture * height + first.row * w->stride[0],
                     last.picture * height + last.row * w->stride[0] + reach + 1};
}

/* Copies what the span of output pixels reads, each to its place. */
static byte_pictures copy_pictures(const nn_byte_conv *conv, const uint8_t *x, nn_span pixels,
                                   uint8_t *to)
{
    const nn_window *w = &conv->window;
    byte_pictures copy = padded_size(conv);
    int64_t channels = conv->in.channels, row_bytes = conv->in.width * channels;
    int64_t copied_bytes = copy.width * channels;
    nn_span rows = rows_under(conv, copy.height, pixels);
    copy.first = to;
    memset(to + rows.first * copied_bytes, conv->x.zero_point,
           (size_t)((rows.end - rows.first) * copied_bytes) + 4);
    for (int64_t i = rows.first; i < rows.end; i++) {
        int64_t row = i % copy.height - w->pad_before[0];
        if (row >= 0 && row < conv->in.height)
            memcpy(to + i * copied_bytes + w->pad_before[1] * channels,
                   x + (i / copy.height * conv->in.height + row) * row_bytes, (size_t)row_bytes);
    }
    return copy;
}

INLINE const uint8_t *first_run(const nn_byte_conv *conv, const byte_pictures *pictures,
                                out_pixel at)
{
    const nn_window *w = &conv->window;
    int64_t row = at.picture * pictures->height + at.row * w->stride[0];
    return pictures->first + (row * pictures->width + at.column * w->stride[1]) * conv->in.channels;
}

static void find_offsets(const nn_byte_conv *conv, const byte_pictures *pictures, int64_t *offsets)
{
    const nn_window *w = &conv->window;
    byte_runs runs = runs_of(conv);
    for (int ky = 0; ky < runs.rows; ky++)
        for (int kx = 0; kx < runs.columns; kx++)
            *offsets++ =
                (ky * w->dilation[0] * pictures->width + kx * w->dilation[1]) * conv->in.channels;
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

/* (tiles, BYTE_ROWS); a tile is filled up with its last pixel. */
static void point_at_block(const nn_byte_conv *conv, const byte_pictures *pictures, int64_t first,
                           int count, const uint8_t **pointers)
{
    out_pixel at = locate(&conv->out, first);
    int64_t step = conv->window.stride[1] * conv->in.channels;
    const uint8_t *pixel = first_run(conv, pictures, at);
    for (int t = 0; t < tiles_for(count); t++, pointers += BYTE_ROWS) {
        int rows = rows_of_tile(count, t);
        for (int r = 0; r < rows; r++) {
            pointers[r] = pixel;
            step_pixel(&conv->out, &at);
            pixel = at.column != 0 ? pixel + step : first_run(conv, pictures, at);
        }
        for (int r = rows; r < BYTE_ROWS; r++)
            pointers[r] = pointers[rows - 1];
    }
}

/*
 * A span of the outputs for a block of pixels, the last panel first, as whole_pixels wants it;
 * tile: what is the same for all of them.
 */
static void multiply_block(const nn_byte_conv *conv, byte_tile tile, const uint8_t *const *pointers,
                           const uint8_t *residual, void *y, nn_span outputs, int64_t first,
                           int count)
{
    for (int64_t panel = (outputs.end + PANEL - 1) / PANEL; panel-- > outputs.first / PANEL;) {
        int64_t output = panel * PANEL;
        int vectors = vectors_of_panel(conv->out.channels - output);
        int64_t offset = first * conv->out.channels + output;
        tile.panel = (const uint8_t *)conv->packed + (size_t)panel * panel_bytes(conv, 2);
        tile.columns = conv->out.channels - output;
        for (int t = 0; t < tiles_for(count); t++) {
            tile.rows = rows_of_tile(count, t);
            tile.pixels = pointers + t * BYTE_ROWS;
            tile.residual = residual != NULL ? residual + offset : NULL;
            tile.y = output_at(tile.finish, y, offset);
            multiply(&tile, vectors);
            offset += tile.rows * conv->out.channels;
        }
    }
}

static void run_dense(const nn_byte_conv *conv, nn_part part, const uint8_t *x,
                      const uint8_t *residual, void *y, void *scratch)
{
    nn_product_share share =
        nn_share_product(part, conv->out.batch * conv->out.height * conv->out.width, BYTE_ROWS,
                         conv->out.channels, PANEL, tap_count(conv));
    if (share.pixels.first >= share.pixels.end)
        return;
    const uint8_t **pointers = scratch;
    int64_t *offsets = (int64_t *)(void *)(pointers + BLOCK_PIXELS);
    byte_pictures pictures = {x, conv->in.height, conv->in.width};
    if (is_copied(conv))
        pictures = copy_pictures(conv, x, share.pixels, (uint8_t *)scratch + pointer_bytes(conv));
    find_offsets(conv, &pictures, offsets);
    byte_finish finish = finish_of(conv);
    byte_tile tile = {.offsets = offsets,
                      .runs = run_count(conv),
                      .quads = run_quads(conv),
                      .finish = &finish,
                      .all_outputs = share.outputs.end - share.outputs.first == conv->out.channels,
                      .stride = conv->out.channels};
    for (int64_t first = share.pixels.first; first < share.pixels.end; first += BLOCK_PIXELS) {
        int64_t left = share.pixels.end - first;
        int count = left < BLOCK_PIXELS ? (int)left : BLOCK_PIXELS;
        point_at_block(conv, &pictures, first, count, pointers);
        multiply_block(conv, tile, pointers, residual, y, share.outputs, first, count);
    }
}
