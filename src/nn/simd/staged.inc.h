/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolution of a few input channels, such as a network's first: the rows under the window of an
 * output row are copied, channel by channel, between zeros for the padding; then the products run
 * along a row, where each tap of the window is a number beside the one before.
 *
 * Packed weights: the panels of panels.inc.h, group after group, a panel's weights in the order
 * input channel, tap, output channel.
 */

#define STAGED_CHANNELS 4  /* most input channels */
#define STAGED_LINES    64 /* most rows copied at once: channels x rows of the window */

INLINE bool is_staged(const nn_conv *conv)
{
    return channels_in_group(conv) <= STAGED_CHANNELS && tap_count(conv) > 1 &&
           conv->window.dilation[1] == 1 &&
           channels_in_group(conv) * conv->window.kernel[0] <= STAGED_LINES;
}

static void pack_staged(const nn_conv *conv, const float *weights, const float *bias, float *packed)
{
    int64_t outputs = outputs_in_group(conv), depth = channels_in_group(conv) * tap_count(conv);
    for (int64_t g = 0; g < conv->group; g++)
        packed = pack_panels(weights + g * outputs * depth,
                             bias != NULL ? bias + g * outputs : NULL, outputs, depth, 1, packed);
}

/* Floats of a copied row: all that whole tiles read. */
INLINE int64_t staged_width(const nn_conv *conv)
{
    int64_t tiles = (conv->out.width + TILE_ROWS - 1) / TILE_ROWS;
    int64_t read = (tiles * TILE_ROWS - 1) * conv->window.stride[1] + conv->window.kernel[1];
    int64_t filled = conv->window.pad_before[1] + conv->in.width;
    return read > filled ? read : filled;
}

static size_t staged_scratch_bytes(const nn_conv *conv)
{
    return (size_t)(channels_in_group(conv) * conv->window.kernel[0] * staged_width(conv)) *
           sizeof(float);
}

/* A row between zeros. */
INLINE void stage_line(const nn_conv *conv, const float *from, int64_t step, float *to)
{
    int64_t before = conv->window.pad_before[1], filled = before + conv->in.width;
    memset(to, 0, (size_t)before * sizeof *to);
    if (step == 1)
        memcpy(to + before, from, (size_t)conv->in.width * sizeof *to);
    else
        for (int64_t i = 0; i < conv->in.width; i++)
            to[before + i] = from[i * step];
    memset(to + filled, 0, (size_t)(staged_width(conv) - filled) * sizeof *to);
}

/*
 * Copies what output row `row` needs: (channels, rows of the window, width). x: the input rows
 * under the window, those inside the picture; of a planar one those of its first plane.
 */
static void stage_rows(const nn_conv *conv, const float *const *x, int group, int64_t row,
                       float *staged)
{
    const nn_window *w = &conv->window;
    int64_t width = staged_width(conv), channels = channels_in_group(conv);
    int64_t plane = conv->in.height * conv->in.width;
    int64_t step = conv->planar ? 1 : conv->in.channels;
    tap_range inside = taps_inside(w, 0, row, conv->in.height);
    for (int64_t c = 0; c < channels; c++) {
        int64_t offset = (group * channels + c) * (conv->planar ? plane : 1);
        for (int ky = 0; ky < w->kernel[0]; ky++, staged += width) {
            if (ky >= inside.first && ky < inside.end)
                stage_line(conv, x[ky - inside.first] + offset, step, staged);
            else
                memset(staged, 0, (size_t)width * sizeof *staged);
        }
    }
}

/* All outputs of one group for one row. args: those of its first pixel. */
static void run_staged_row(const nn_conv *conv, tile_args args, const float *packed,
                           const float *staged)
{
    const float *lines[STAGED_LINES];
    int64_t outputs = outputs_in_group(conv);
    args.pixels = lines;
    for (int64_t column = 0; column < conv->out.width; column += TILE_ROWS) {
        int64_t left = conv->out.width - column;
        args.rows = left < TILE_ROWS ? (int)left : TILE_ROWS;
        for (int64_t i = 0; i < args.taps; i++)
            lines[i] = staged + i * staged_width(conv) + column * args.step;
        tile_args panel = args;
        panel.panel = packed;
        for (int64_t first = 0; first < outputs;) {
            int width = panel_width(outputs - first);
            panel.columns = outputs - first < width ? (int)(outputs - first) : width;
            run_tile(&panel, width);
            panel.panel += (args.taps * args.units + 1) * width;
            panel.y = (float *)panel.y + width;
            panel.residual = panel.residual != NULL ? panel.residual + width : NULL;
            first += width;
        }
        args.y = (float *)args.y + TILE_ROWS * args.stride;
        args.residual = args.residual != NULL ? args.residual + TILE_ROWS * args.stride : NULL;
    }
}

/* Row `row` of a picture. x: as in stage_rows. */
static void staged_row(const nn_conv *conv, int64_t row, const float *const *x,
                       const float *residual, float *y, float *staged)
{
    size_t group_floats = group_packed_floats(conv);
    for (int g = 0; g < conv->group; g++) {
        int64_t offset = g * outputs_in_group(conv);
        tile_args args = {.step = conv->window.stride[1],
                          .taps = channels_in_group(conv) * conv->window.kernel[0],
                          .units = conv->window.kernel[1],
                          .y = y + offset,
                          .residual = residual != NULL ? residual + offset : NULL,
                          .stride = (size_t)conv->out.channels,
                          .activation = conv->activation};
        stage_rows(conv, x, g, row, staged);
        run_staged_row(conv, args, conv->packed + (size_t)g * group_floats, staged);
    }
}

static void run_staged(const nn_conv *conv, nn_part part, const float *x, const float *residual,
                       void *output, void *scratch)
{
    float *y = output;
    const nn_window *w = &conv->window;
    int64_t step = conv->in.width * (conv->planar ? 1 : conv->in.channels);
    int64_t picture = conv->in.height * conv->in.width * conv->in.channels;
    int64_t row_floats = conv->out.width * conv->out.channels;
    nn_span rows = nn_share(part, conv->out.batch * conv->out.height, 1);
    for (int64_t i = rows.first; i < rows.end; i++) {
        const float *lines[STAGED_LINES];
        int64_t row = i % conv->out.height, top = row * w->stride[0] - w->pad_before[0];
        tap_range inside = taps_inside(w, 0, row, conv->in.height);
        for (int ky = inside.first; ky < inside.end; ky++)
            lines[ky - inside.first] =
                x + i / conv->out.height * picture + (top + (int64_t)ky * w->dilation[0]) * step;
        staged_row(conv, row, lines, residual != NULL ? residual + i * row_floats : NULL,
                   y + i * row_floats, scratch);
    }
}
