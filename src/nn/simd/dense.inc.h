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

INLINE bool is_pointwise(const nn_conv *conv)
{
    const nn_window *w = &conv->window;
    return tap_count(conv) == 1 && w->stride[0] == 1 && w->stride[1] == 1 &&
           w->pad_before[0] + w->pad_before[1] + w->pad_after[0] + w->pad_after[1] == 0;
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

/* Where a tap reads for an output pixel; zeros in the padding. */
INLINE const number *tap_pixel(const nn_conv *conv, const number *x, const number *zeros,
                               out_pixel at, int ky, int kx)
{
    const nn_window *w = &conv->window;
    int64_t row = at.row * w->stride[0] - w->pad_before[0] + (int64_t)ky * w->dilation[0];
    int64_t column = at.column * w->stride[1] - w->pad_before[1] + (int64_t)kx * w->dilation[1];
    if (row < 0 || row >= conv->in.height || column < 0 || column >= conv->in.width)
        return zeros;
    return x + ((at.picture * conv->in.height + row) * conv->in.width + column) * conv->in.channels;
}

/* Fills (tiles, taps, TILE_ROWS) pointers; a tile is filled up with its last pixel. */
static void point_at_taps(const nn_conv *conv, const number *x, const number *zeros, int64_t first,
                          int count, const number **pointers)
{
    out_pixel at = locate(&conv->out, first);
    for (int t = 0; t < tile_count(count); t++) {
        for (int r = 0; r < TILE_ROWS; r++) {
            const number **column = pointers + r;
            for (int ky = 0; ky < conv->window.kernel[0]; ky++)
                for (int kx = 0; kx < conv->window.kernel[1]; kx++, column += TILE_ROWS)
                    *column = tap_pixel(conv, x, zeros, at, ky, kx);
            if (r < tile_rows(count, t) - 1)
                step_pixel(&conv->out, &at);
        }
        step_pixel(&conv->out, &at);
        pointers += tap_count(conv) * TILE_ROWS;
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

static void run_dense(const nn_conv *conv, nn_part part, const number *x, const number *residual,
                      void *y, void *scratch)
{
    const number **pointers = scratch;
    number *zeros = (number *)((char *)scratch + pointer_bytes(conv));
    memset(zeros, 0, (size_t)conv->in.channels * sizeof *zeros);
    nn_product_share share = dense_share(conv, part);
    size_t group_floats = group_packed_floats(conv);
    for (int64_t first = share.pixels.first; first < share.pixels.end; first += BLOCK_PIXELS) {
        int64_t left = share.pixels.end - first;
        int count = left < BLOCK_PIXELS ? (int)left : BLOCK_PIXELS;
        for (int g = 0; g < conv->group; g++) {
            const number *from = x + g * channels_in_group(conv);
            if (is_pointwise(conv))
                point_at_rows(from + first * conv->in.channels, conv->in.channels, count, pointers);
            else
                point_at_taps(conv, from, zeros, first, count, pointers);
            int64_t offset = first * conv->out.channels + g * outputs_in_group(conv);
            tile_args args = {.pixels = pointers,
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
