/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolution of a few input channels, such as a network's first: the products run along a row of
 * one channel, where each tap of the window is a number beside the one before. Such lines are there
 * in a planar picture; only tiles that see padding read a copy. Of any other picture the rows under
 * the window of an output row are copied, channel by channel, between zeros for the padding.
 *
 * Packed weights: the panels of panels.inc.h, group after group, a panel's weights in the order
 * input channel, tap, output channel.
 */

#define STAGED_CHANNELS 4  /* most input channels */
#define STAGED_TILES    8  /* most that a line has for copying it to pay */
#define STAGED_LINES    64 /* most lines under a window: channels x rows of it */

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

/* Lines under the windows of one output row, (channels, rows of the window). */
typedef struct staged_lines {
    const float *at[STAGED_LINES]; /* number `first` of each */
    int64_t first, end;            /* the numbers that are there, those of the padding counted */
} staged_lines;

INLINE int64_t line_count(const nn_conv *conv)
{
    return channels_in_group(conv) * conv->window.kernel[0];
}

/* Numbers from one pixel of a channel to the next. */
INLINE int64_t pixel_step(const nn_conv *conv)
{
    return conv->planar ? 1 : conv->in.channels;
}

/* Whether tiles read the picture itself where they can. */
INLINE bool reads_lines(const nn_conv *conv)
{
    return pixel_step(conv) == 1 && conv->out.width > STAGED_TILES * TILE_ROWS;
}

/* Numbers of a line that a tile reads. */
INLINE int64_t tile_reach(const nn_conv *conv)
{
    return (int64_t)(TILE_ROWS - 1) * conv->window.stride[1] + conv->window.kernel[1];
}

/* Numbers of a copied line: all that whole tiles read. */
INLINE int64_t staged_width(const nn_conv *conv)
{
    int64_t tiles = (conv->out.width + TILE_ROWS - 1) / TILE_ROWS;
    int64_t read = (tiles - 1) * TILE_ROWS * conv->window.stride[1] + tile_reach(conv);
    int64_t filled = conv->window.pad_before[1] + conv->in.width;
    return read > filled ? read : filled;
}

/* A line of zeros, then those of a tile; or all lines copied. */
static size_t staged_scratch_bytes(const nn_conv *conv)
{
    int64_t width = staged_width(conv), lines = line_count(conv);
    int64_t of_tile = width + lines * tile_reach(conv), copied = lines * width;
    return (size_t)(of_tile > copied ? of_tile : copied) * sizeof(float);
}

/* A channel of a row, between zeros that are there. */
static void stage_line(const nn_conv *conv, const float *from, float *to)
{
    int64_t step = pixel_step(conv);
    to += conv->window.pad_before[1];
    if (step == 1)
        memcpy(to, from, (size_t)conv->in.width * sizeof *to);
    else
        for (int64_t i = 0; i < conv->in.width; i++)
            to[i] = from[i * step];
}

/*
 * What output row `row` needs. x: the input rows under the window, those inside the picture; of a
 * planar one those of its first plane. scratch: zeros, but for what this wrote for other rows.
 */
static staged_lines stage_row(const nn_conv *conv, const float *const *x, int group, int64_t row,
                              float *scratch)
{
    int64_t channels = channels_in_group(conv), width = staged_width(conv);
    int64_t plane = conv->planar ? conv->in.height * conv->in.width : 1;
    int kernel = conv->window.kernel[0];
    tap_range inside = taps_inside(&conv->window, 0, row, conv->in.height);
    bool direct = reads_lines(conv);
    staged_lines lines = {.first = 0, .end = width};
    if (direct) {
        lines.first = conv->window.pad_before[1];
        lines.end = lines.first + conv->in.width;
    }
    const float **at = lines.at;
    for (int64_t c = 0; c < channels; c++)
        for (int ky = 0; ky < kernel; ky++, scratch += direct ? 0 : width) {
            bool there = ky >= inside.first && ky < inside.end;
            const float *from =
                there ? x[ky - inside.first] + (group * channels + c) * plane : scratch;
            *at++ = direct ? from : scratch;
            if (!direct && there)
                stage_line(conv, from, scratch);
            else if (!direct)
                memset(scratch, 0, (size_t)width * sizeof *scratch);
        }
    return lines;
}

/* What a tile reads from number `start` of each line on, (lines, reach), zeros where it is padding.
 */
static void copy_reach(const nn_conv *conv, const staged_lines *lines, int64_t start, float *edge)
{
    int64_t count = line_count(conv), reach = tile_reach(conv);
    for (int64_t i = 0; i < count; i++, edge += reach) {
        for (int64_t k = 0; k < reach; k++) {
            int64_t at = start + k;
            edge[k] = at >= lines->first && at < lines->end ? lines->at[i][at - lines->first] : 0;
        }
    }
}

/* All outputs of one group for one tile, from y and residual on. */
INLINE void run_staged_tile(tile_args *args, const float *packed, int64_t outputs, float *y,
                            const float *residual)
{
    args->panel = packed;
    for (int64_t first = 0; first < outputs;) {
        int64_t left = outputs - first;
        int width = panel_width(left);
        args->columns = left < width ? (int)left : width;
        args->y = y + first;
        args->residual = residual != NULL ? residual + first : NULL;
        run_tile(args, width);
        args->panel += (args->taps * args->units + 1) * width;
        first += width;
    }
}

/* All outputs of one group for one row. args: those of its first pixel; edge: (lines, reach). */
static void run_staged_row(const nn_conv *conv, tile_args *args, const float *packed,
                           const staged_lines *lines, float *edge)
{
    float *y = args->y;
    const float *residual = args->residual;
    const float *copied[STAGED_LINES];
    int64_t reach = tile_reach(conv), outputs = outputs_in_group(conv);
    for (int64_t i = 0; i < args->taps; i++)
        copied[i] = edge + i * reach;
    for (int64_t column = 0; column < conv->out.width; column += TILE_ROWS) {
        int64_t left = conv->out.width - column, start = column * args->step;
        bool sees_padding = start < lines->first || start + reach > lines->end;
        if (sees_padding)
            copy_reach(conv, lines, start, edge);
        args->pixels = sees_padding ? copied : lines->at;
        args->first = sees_padding ? 0 : start - lines->first;
        args->rows = left < TILE_ROWS ? (int)left : TILE_ROWS;
        size_t offset = (size_t)column * args->stride;
        run_staged_tile(args, packed, outputs, y + offset,
                        residual != NULL ? residual + offset : NULL);
    }
}

/* Row `row` of a picture. x, scratch: as in stage_row. */
static void staged_row(const nn_conv *conv, int64_t row, const float *const *x,
                       const float *residual, float *y, float *scratch)
{
    size_t group_floats = group_packed_floats(conv);
    for (int g = 0; g < conv->group; g++) {
        int64_t offset = g * outputs_in_group(conv);
        tile_args args = {.step = conv->window.stride[1],
                          .taps = line_count(conv),
                          .units = conv->window.kernel[1],
                          .y = y + offset,
                          .residual = residual != NULL ? residual + offset : NULL,
                          .stride = (size_t)conv->out.channels,
                          .activation = conv->activation};
        staged_lines lines = stage_row(conv, x, g, row, scratch);
        run_staged_row(conv, &args, conv->packed + (size_t)g * group_floats, &lines,
                       scratch + staged_width(conv));
    }
}

/* The same with any scratch. */
static void staged_row_alone(const nn_conv *conv, int64_t row, const float *const *x,
                             const float *residual, float *y, float *scratch)
{
    tap_range inside = taps_inside(&conv->window, 0, row, conv->in.height);
    if (!reads_lines(conv) || inside.end - inside.first < conv->window.kernel[0])
        memset(scratch, 0, staged_scratch_bytes(conv));
    staged_row(conv, row, x, residual, y, scratch);
}

static void run_staged(const nn_conv *conv, nn_part part, const float *x, const float *residual,
                       void *output, void *scratch)
{
    float *y = output;
    const nn_window *w = &conv->window;
    int64_t step = conv->in.width * (conv->planar ? 1 : conv->in.channels);
    int64_t picture = conv->in.height * conv->in.width * conv->in.channels;
    int64_t row_floats = conv->out.width * conv->out.channels;
    memset(scratch, 0, staged_scratch_bytes(conv));
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
