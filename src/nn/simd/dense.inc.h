/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolution as a matrix product without copies (Dukhan 2019, "The Indirect Convolution
 * Algorithm"): for a block of output pixels, a table of pointers to the input pixels under each tap
 * of the window; then panel by panel of output channels, tile by tile of pixels.
 *
 * Packed weights: the panels of panels.inc.h, group after group.
 */

#define BLOCK_TILES  8 /* tiles whose pointers are made at once */
#define BLOCK_PIXELS (BLOCK_TILES * TILE_ROWS)

static size_t group_packed_floats(const nn_conv *conv)
{
    return panels_floats(outputs_in_group(conv), tap_count(conv) * units_in_group(conv));
}

static size_t dense_packed_floats(const nn_conv *conv)
{
    return group_packed_floats(conv) * (size_t)conv->group;
}

static void pack_dense(const nn_conv *conv, const float *weights, const float *bias, float *packed)
{
    int64_t outputs = outputs_in_group(conv), taps = tap_count(conv);
    int64_t channels = channels_in_group(conv);
    for (int64_t g = 0; g < conv->group; g++)
        packed =
            pack_panels(weights + g * outputs * channels * taps,
                        bias != NULL ? bias + g * outputs : NULL, outputs, channels, taps, packed);
}

/* Each output pixel is made of one input pixel. */
INLINE bool takes_pixels(const nn_conv *conv)
{
    const nn_window *w = &conv->window;
    return tap_count(conv) == 1 &&
           w->pad_before[0] + w->pad_before[1] + w->pad_after[0] + w->pad_after[1] == 0;
}

/* And the other way round. */
INLINE bool is_pointwise(const nn_conv *conv)
{
    return takes_pixels(conv) && conv->window.stride[0] == 1 && conv->window.stride[1] == 1;
}

/* Scratch: the pointers of a block, a pixel of zeros. */
static size_t pointer_bytes(const nn_conv *conv)
{
    return (size_t)tap_count(conv) * BLOCK_PIXELS * sizeof(const number *);
}

static size_t dense_scratch_bytes(const nn_conv *conv)
{
    return pointer_bytes(conv) + (size_t)conv->in.channels * sizeof(number);
}

/* The taps of one output pixel, TILE_ROWS pointers apart; zeros in the padding. */
INLINE void point_at_window(const nn_conv *conv, const number *x, const number *zeros, out_pixel at,
                            const number **pointers)
{
    const nn_window *w = &conv->window;
    int64_t height = conv->in.height, width = conv->in.width, channels = conv->in.channels;
    int64_t top = at.row * w->stride[0] - w->pad_before[0];
    int64_t left = at.column * w->stride[1] - w->pad_before[1];
    const number *corner = x + ((at.picture * height + top) * width + left) * channels;
    bool inside = top >= 0 && left >= 0 &&
                  top + (int64_t)(w->kernel[0] - 1) * w->dilation[0] < height &&
                  left + (int64_t)(w->kernel[1] - 1) * w->dilation[1] < width;
    for (int ky = 0; ky < w->kernel[0]; ky++) {
        int64_t down = (int64_t)ky * w->dilation[0];
        for (int kx = 0; kx < w->kernel[1]; kx++, pointers += TILE_ROWS) {
            int64_t along = (int64_t)kx * w->dilation[1];
            bool there = inside || (top + down >= 0 && top + down < height && left + along >= 0 &&
                                    left + along < width);
            *pointers = there ? corner + (down * width + along) * channels : zeros;
        }
    }
}

/* Fills (tiles, taps, TILE_ROWS) pointers; a tile is filled up with its last pixel. */
static void point_at_taps(const nn_conv *conv, const number *x, const number *zeros, int64_t first,
                          int count, const number **pointers)
{
    out_pixel at = locate(&conv->out, first);
    tile_counts counts = count_tiles(count);
    for (int t = 0; t < counts.tiles; t++) {
        for (int r = 0; r < TILE_ROWS; r++) {
            point_at_window(conv, x, zeros, at, pointers + r);
            if (r < tile_rows(&counts, t) - 1)
                step_pixel(&conv->out, &at);
        }
        step_pixel(&conv->out, &at);
        pointers += tap_count(conv) * TILE_ROWS;
    }
}

/* The same where takes_pixels. */
static void point_at_pixels(const nn_conv *conv, const number *x, int64_t first, int count,
                            const number **pointers)
{
    const int *stride = conv->window.stride;
    int64_t width = conv->in.width, channels = conv->in.channels;
    out_pixel at = locate(&conv->out, first);
    const number *pixel = NULL;
    tile_counts counts = count_tiles(count);
    for (int t = 0; t < counts.tiles; t++, pointers += TILE_ROWS) {
        int rows = tile_rows(&counts, t);
        for (int r = 0; r < rows; r++, step_pixel(&conv->out, &at)) {
            int64_t row = at.picture * conv->in.height + at.row * stride[0];
            if (pixel == NULL || at.column == 0)
                pixel = x + (row * width + at.column * stride[1]) * channels;
            pointers[r] = pixel;
            pixel += stride[1] * channels;
        }
        for (int r = rows; r < TILE_ROWS; r++)
            pointers[r] = pointers[rows - 1];
    }
}

static nn_product_share dense_share(const nn_conv *conv, nn_part part)
{
    int64_t pixels = conv->out.batch * conv->out.height * conv->out.width;
    if (conv->group == 1)
        return nn_share_product(part, pixels, TILE_ROWS, conv->out.channels, PANEL_OUTPUTS,
                                tap_count(conv));
    return (nn_product_share){nn_share(part, pixels, TILE_ROWS), {0, outputs_in_group(conv)}};
}

/* Those of a block: of the first one where is_pointwise, from which the others are moved on. */
static void point_at_block(const nn_conv *conv, const number *x, const number *zeros, int64_t first,
                           int count, const number **pointers)
{
    if (is_pointwise(conv))
        point_at_rows(x, conv->in.channels, count, pointers);
    else if (takes_pixels(conv))
        point_at_pixels(conv, x, first, count, pointers);
    else
        point_at_taps(conv, x, zeros, first, count, pointers);
}

static void run_dense(const nn_conv *conv, nn_part part, const number *x, const number *residual,
                      void *y, void *scratch)
{
    const number **pointers = scratch;
    number *zeros = (number *)((char *)scratch + pointer_bytes(conv));
    memset(zeros, 0, (size_t)conv->in.channels * sizeof *zeros);
    nn_product_share share = dense_share(conv, part);
    size_t group_floats = group_packed_floats(conv);
    bool moves = is_pointwise(conv);
    int pointed = 0; /* pixels of the last pointers */
    for (int64_t first = share.pixels.first; first < share.pixels.end; first += BLOCK_PIXELS) {
        int64_t left = share.pixels.end - first;
        int count = left < BLOCK_PIXELS ? (int)left : BLOCK_PIXELS;
        if (!moves || count != pointed)
            point_at_block(conv, x, zeros, first, count, pointers);
        pointed = count;
        for (int g = 0; g < conv->group; g++) {
            int64_t offset = first * conv->out.channels + g * outputs_in_group(conv);
            int64_t moved = moves ? first * conv->in.channels : 0;
            tile_args args = {.pixels = pointers,
                              .first = moved + g * channels_in_group(conv),
                              .taps = tap_count(conv),
                              .units = units_in_group(conv),
                              .y = output_at(y, conv->writes_floats, (size_t)offset),
                              .writes_floats = conv->writes_floats,
                              .residual = residual != NULL ? residual + offset : NULL,
                              .stride = (size_t)conv->out.channels,
                              .activation = conv->activation};
            run_panels(&args, conv->packed + (size_t)g * group_floats, outputs_in_group(conv),
                       share.outputs, count);
        }
    }
}
