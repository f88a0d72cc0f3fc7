/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Depthwise convolution of bytes. A row of outputs is made in two passes for each LANES channels:
 * the rows of input under the window are laid so that the numbers of one column and
 * channel lie side by side in fours ("columns"), then each output adds dot4 of the columns under
 * it. So every input is rearranged once for a row of outputs, whatever the stride. A window of
 * three rows leaves one of the four free: without a stride downwards it is the next row's, and the
 * same columns serve two rows of outputs.
 *
 * Packed: multipliers and biases (channels, filled up to LANES each), then for each LANES channels,
 * row of outputs that the columns serve, four rows of the window and column of it QUAD_BYTES of
 * weights.
 */

INLINE bool is_depthwise(const nn_byte_conv *conv)
{
    return conv->group > 1 && conv->group == conv->in.channels &&
           conv->out.channels == conv->in.channels;
}

/* Fours of rows that the window has. */
INLINE int row_quads(const nn_byte_conv *conv)
{
    return (conv->window.kernel[0] + 3) / 4;
}

/* Rows of outputs that the same columns serve. */
INLINE int rows_together(const nn_byte_conv *conv)
{
    const nn_window *w = &conv->window;
    return w->kernel[0] == 3 && w->stride[0] == 1 && w->dilation[0] == 1 ? 2 : 1;
}

/* Bytes of weights of LANES channels for one of these rows. */
INLINE size_t line_weight_bytes(const nn_byte_conv *conv)
{
    return (size_t)row_quads(conv) * (size_t)conv->window.kernel[1] * QUAD_BYTES;
}

INLINE int64_t padded_channels(const nn_byte_conv *conv)
{
    return (int64_t)round_up((size_t)conv->in.channels, LANES);
}

/* Columns of input that a row of outputs reads. */
INLINE int64_t columns_read(const nn_byte_conv *conv)
{
    const nn_window *w = &conv->window;
    return (conv->out.width - 1) * w->stride[1] + (int64_t)(w->kernel[1] - 1) * w->dilation[1] + 1;
}

static size_t depthwise_packed_bytes(const nn_byte_conv *conv)
{
    size_t channels = (size_t)padded_channels(conv);
    return channels * 2 * sizeof(float) +
           channels / LANES * (size_t)rows_together(conv) * line_weight_bytes(conv);
}

static size_t depthwise_scratch_bytes(const nn_byte_conv *conv)
{
    return (size_t)(columns_read(conv) * row_quads(conv)) * LANES * 4 +
           round_up((size_t)conv->in.channels + LANES, 64);
}

/* The weights of LANES channels for four rows of the window, from row `first_row` (or before it)
 * on. */
static void pack_column(const nn_byte_conv *conv, const int8_t *weights, int64_t first,
                        int first_row, int column, uint8_t *to)
{
    int8_t four[LANES][4] = {{0}};
    int columns = conv->window.kernel[1];
    for (int i = 0; i < LANES && first + i < conv->in.channels; i++)
        for (int k = 0; k < 4; k++)
            if (first_row + k >= 0 && first_row + k < conv->window.kernel[0])
                four[i][k] =
                    weights[(first + i) * tap_count(conv) + (first_row + k) * columns + column];
    pack_quad(four, to);
}

static void pack_depthwise(const nn_byte_conv *conv, const int8_t *weights, const float *scales,
                           const float *bias, void *packed)
{
    int64_t channels = padded_channels(conv);
    float *numbers = packed;
    for (int64_t c = 0; c < channels; c++)
        pack_numbers(conv, weights, scales, bias, c, &numbers[c], &numbers[channels + c]);
    uint8_t *to = (uint8_t *)(numbers + 2 * channels);
    for (int64_t first = 0; first < channels; first += LANES)
        for (int row = 0; row < rows_together(conv); row++)
            for (int q = 0; q < row_quads(conv); q++)
                for (int kx = 0; kx < conv->window.kernel[1]; kx++, to += QUAD_BYTES)
                    pack_column(conv, weights, first, 4 * q - row, kx, to);
}

/* The rows of input under one row of outputs; a row beyond the picture is NULL. */
typedef struct depthwise_rows {
    const uint8_t *rows[4];
    const uint8_t *outside; /* LANES and more zero points */
    const uint8_t *end;     /* of the picture */
    int64_t width, channels;
    int64_t first; /* column of the input under the first column that is read */
} depthwise_rows;

/* Where the numbers of one column begin; outside the picture: zero points. */
INLINE const uint8_t *column_of(const depthwise_rows *from, int row, int64_t column, int64_t c)
{
    bool inside = column >= 0 && column < from->width && from->rows[row] != NULL;
    return inside ? from->rows[row] + column * from->channels + c : from->outside;
}

/* One column of fewer channels than LANES. */
static void lay_part(const depthwise_rows *from, int64_t column, int64_t c, uint8_t *to)
{
    uint8_t part[4][LANES] = {{0}};
    const uint8_t *four[4];
    int64_t left = from->channels - c < LANES ? from->channels - c : LANES;
    for (int k = 0; k < 4; k++) {
        memcpy(part[k], column_of(from, k, column, c), (size_t)left);
        four[k] = part[k];
    }
    interleave(four, to);
}

/* Columns first..end-1 inside the picture; LANES bytes can be read from each. */
static void lay_inside(const depthwise_rows *from, int64_t first, int64_t end, int64_t c,
                       uint8_t *to)
{
    const uint8_t *four[4];
    int64_t steps[4];
    for (int k = 0; k < 4; k++) {
        four[k] = column_of(from, k, first, c);
        steps[k] = from->rows[k] != NULL ? from->channels : 0;
    }
    for (int64_t column = first; column < end; column++, to += 4 * LANES) {
        interleave(four, to);
        for (int k = 0; k < 4; k++)
            four[k] += steps[k];
    }
}

/* Columns from whose channel c on LANES bytes of the picture follow, in each of the rows. */
static int64_t columns_with_more(const depthwise_rows *from, int64_t c)
{
    int64_t least = from->width;
    for (int k = 0; k < 4; k++) {
        if (from->rows[k] == NULL)
            continue;
        int64_t bytes = from->end - from->rows[k] - c - LANES;
        int64_t columns = bytes < 0 ? 0 : bytes / from->channels + 1;
        least = columns < least ? columns : least;
    }
    return least;
}

/* Lays `columns` columns of LANES channels from c on: (columns, LANES, 4) bytes. What lies where
 * there are no channels any more does not matter. */
static void lay_columns(const depthwise_rows *from, int64_t columns, int64_t c, uint8_t *to)
{
    int64_t first = from->first < 0 ? 0 : from->first, end = from->first + columns;
    int64_t most = columns_with_more(from, c);
    if (end > most)
        end = most;
    if (end < first)
        end = first;
    lay_inside(from, first, end, c, to + (first - from->first) * 4 * LANES);
    for (int64_t i = 0; i < columns; i++) {
        int64_t column = from->first + i;
        if (column < first || column >= end)
            lay_part(from, column, c, to + i * 4 * LANES);
    }
}

/* One row of outputs for LANES channels. columns: (quads of rows) x (columns, LANES, 4). */
typedef struct depthwise_line {
    const nn_byte_conv *conv;
    const byte_finish *finish;
    const uint8_t *columns;
    int64_t columns_step; /* bytes from one four of rows to the next */
    const uint8_t *weights;
    const float *multipliers, *biases;
    const uint8_t *residual; /* of the first output, or NULL */
    void *y;
    int64_t left; /* channels */
} depthwise_line;

/*
 * Outputs first..end-1. plain: nothing to do but to round, and whole vectors to write.
 * kernel_columns, quads and plain are constants where this is called.
 */
INLINE void run_line(const depthwise_line *line, int kernel_columns, int quads, bool plain,
                     int64_t first, int64_t end)
{
    const nn_byte_conv *conv = line->conv;
    const byte_finish finish = *line->finish;
    reals multiplier = load_reals(line->multipliers), bias = load_reals(line->biases);
    int64_t dilation = conv->window.dilation[1] * 4 * LANES;
    const uint8_t *columns = line->columns + first * conv->window.stride[1] * 4 * LANES;
    int64_t at = first * conv->out.channels;
    for (int64_t x = first; x < end; x++, at += conv->out.channels) {
        sums total = {0};
        for (int q = 0; q < quads; q++)
            for (int kx = 0; kx < kernel_columns; kx++)
                total = dot4(total, load_quads(columns + q * line->columns_step + kx * dilation),
                             line->weights + (q * kernel_columns + kx) * QUAD_BYTES);
        columns += conv->window.stride[1] * 4 * LANES;
        reals sum = __builtin_convertvector(total, reals) * multiplier + bias;
        if (plain)
            store_bytes((uint8_t *)line->y + at, sum, finish.low_byte, finish.high_byte);
        else
            finish_some(&finish, sum, line->residual != NULL ? line->residual + at : NULL,
                        output_at(&finish, line->y, at), line->left);
    }
}

static void run_whole_line(const depthwise_line *line)
{
    const nn_byte_conv *conv = line->conv;
    int quads = row_quads(conv);
    int64_t width = conv->out.width, whole = 0;
    if (is_plain(line->finish, line->residual))
        whole = whole_pixels(width, line->left, conv->out.channels);
    if (quads == 1 && conv->window.kernel[1] == 3)
        run_line(line, 3, 1, true, 0, whole);
    else
        run_line(line, conv->window.kernel[1], quads, true, 0, whole);
    run_line(line, conv->window.kernel[1], quads, false, whole, width);
}

/* `count` rows of outputs, of which `line` is the first. input_rows: (input_count). */
static void depthwise_channels(depthwise_line *line, int count, depthwise_rows *rows,
                               const uint8_t *const *input_rows, int input_count, int64_t c,
                               uint8_t *scratch)
{
    const nn_byte_conv *conv = line->conv;
    int64_t columns = columns_read(conv), outputs = conv->out.width * conv->out.channels;
    for (int q = 0; q < row_quads(conv); q++) {
        for (int k = 0; k < 4; k++)
            rows->rows[k] = 4 * q + k < input_count ? input_rows[4 * q + k] : NULL;
        lay_columns(rows, columns, c, scratch + q * columns * 4 * LANES);
    }
    line->columns = scratch;
    line->columns_step = columns * 4 * LANES;
    for (int row = 0; row < count; row++) {
        run_whole_line(line);
        line->weights += line_weight_bytes(conv);
        line->y = output_at(line->finish, line->y, outputs);
        line->residual = line->residual != NULL ? line->residual + outputs : NULL;
    }
}

/* `count` rows of outputs of one picture, at most rows_together. */
static void depthwise_some_rows(const nn_byte_conv *conv, const byte_finish *finish,
                                const uint8_t *x, const uint8_t *residual, void *y, int64_t row,
                                int count, uint8_t *scratch, const uint8_t *outside)
{
    const nn_window *w = &conv->window;
    int64_t channels = padded_channels(conv), each = conv->in.channels;
    const uint8_t *input_rows[MOST_ROWS + 1];
    int input_count = w->kernel[0] + count - 1;
    for (int ky = 0; ky < input_count; ky++) {
        int64_t from = row * w->stride[0] - w->pad_before[0] + (int64_t)ky * w->dilation[0];
        input_rows[ky] =
            from >= 0 && from < conv->in.height ? x + from * conv->in.width * each : NULL;
    }
    depthwise_rows rows = {.outside = outside,
                           .end = x + conv->in.height * conv->in.width * each,
                           .width = conv->in.width,
                           .channels = each,
                           .first = -w->pad_before[1]};
    const float *numbers = conv->packed;
    const uint8_t *weights = (const uint8_t *)(numbers + 2 * channels);
    size_t each_weights = (size_t)rows_together(conv) * line_weight_bytes(conv);
    for (int64_t c = channels - LANES; c >= 0; c -= LANES) { /* as whole_pixels wants it */
        depthwise_line line = {.conv = conv,
                               .finish = finish,
                               .weights = weights + (size_t)(c / LANES) * each_weights,
                               .multipliers = numbers + c,
                               .biases = numbers + channels + c,
                               .residual = residual != NULL ? residual + c : NULL,
                               .y = output_at(finish, y, c),
                               .left = each - c};
        depthwise_channels(&line, count, &rows, input_rows, input_count, c, scratch);
    }
}

static void run_depthwise(const nn_byte_conv *conv, nn_part part, const uint8_t *x,
                          const uint8_t *residual, void *y, void *memory)
{
    byte_finish finish = finish_of(conv);
    size_t columns = (size_t)(columns_read(conv) * row_quads(conv)) * LANES * 4;
    uint8_t *outside = (uint8_t *)memory + columns;
    memset(outside, conv->x.zero_point, (size_t)conv->in.channels + LANES);
    int64_t picture = conv->in.height * conv->in.width * conv->in.channels;
    int64_t row_outputs = conv->out.width * conv->out.channels;
    nn_span rows = nn_share(part, conv->out.batch * conv->out.height, 1);
    int count;
    for (int64_t i = rows.first; i < rows.end; i += count) {
        int64_t at = i * row_outputs, row = i % conv->out.height;
        bool two = rows_together(conv) == 2 && row + 1 < conv->out.height && i + 1 < rows.end;
        count = two ? 2 : 1;
        depthwise_some_rows(conv, &finish, x + i / conv->out.height * picture,
                            residual != NULL ? residual + at : NULL, output_at(&finish, y, at), row,
                            count, memory, outside);
    }
}
