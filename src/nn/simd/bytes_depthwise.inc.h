/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Depthwise convolution of bytes. A row of outputs is made in two passes for each LANES channels:
 * the rows of input under the window are laid so that the numbers of one column and
 * channel lie side by side in fours ("columns"), then each output adds dot4 of the columns under
 * it. So every input is rearranged once for a row of outputs, whatever the stride.
 *
 * Packed: multipliers and biases (channels, filled up to LANES each), then for each LANES channels,
 * four rows of the window and column of it QUAD_BYTES of weights.
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
    size_t columns = (size_t)row_quads(conv) * (size_t)conv->window.kernel[1];
    return channels * (2 * sizeof(float) + columns * QUAD_BYTES / LANES);
}

static size_t depthwise_scratch_bytes(const nn_byte_conv *conv)
{
    return (size_t)(columns_read(conv) * row_quads(conv)) * LANES * 4 +
           round_up((size_t)conv->in.channels + LANES, 64);
}

static void pack_depthwise(const nn_byte_conv *conv, const int8_t *weights, const float *scales,
                           const float *bias, void *packed)
{
    int64_t channels = padded_channels(conv), taps = tap_count(conv);
    int columns = conv->window.kernel[1];
    float *numbers = packed;
    for (int64_t c = 0; c < channels; c++)
        pack_numbers(conv, weights, scales, bias, c, &numbers[c], &numbers[channels + c]);
    uint8_t *to = (uint8_t *)(numbers + 2 * channels);
    for (int64_t first = 0; first < channels; first += LANES)
        for (int q = 0; q < row_quads(conv); q++)
            for (int kx = 0; kx < columns; kx++, to += QUAD_BYTES) {
                int8_t four[LANES][4] = {{0}};
                for (int i = 0; i < LANES && first + i < conv->in.channels; i++)
                    for (int k = 0; k < 4 && 4 * q + k < conv->window.kernel[0]; k++)
                        four[i][k] = weights[(first + i) * taps + (4 * q + k) * columns + kx];
                pack_quad(four, to);
            }
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

static void depthwise_channels(const nn_byte_conv *conv, depthwise_line *line, depthwise_rows *rows,
                               const uint8_t *const *input_rows, int64_t c, uint8_t *scratch)
{
    int quads = row_quads(conv), kernel_rows = conv->window.kernel[0];
    int64_t columns = columns_read(conv);
    for (int q = 0; q < quads; q++) {
        for (int k = 0; k < 4; k++)
            rows->rows[k] = 4 * q + k < kernel_rows ? input_rows[4 * q + k] : NULL;
        lay_columns(rows, columns, c, scratch + q * columns * 4 * LANES);
    }
    line->columns = scratch;
    line->columns_step = columns * 4 * LANES;
    int64_t width = conv->out.width, whole = 0;
    if (is_plain(line->finish, line->residual))
        whole = whole_pixels(width, line->left, conv->out.channels);
    if (quads == 1 && conv->window.kernel[1] == 3)
        run_line(line, 3, 1, true, 0, whole);
    else
        run_line(line, conv->window.kernel[1], quads, true, 0, whole);
    run_line(line, conv->window.kernel[1], quads, false, whole, width);
}

static void depthwise_row(const nn_byte_conv *conv, const byte_finish *finish, const uint8_t *x,
                          const uint8_t *residual, void *y, int64_t row, uint8_t *scratch,
                          const uint8_t *outside)
{
    const nn_window *w = &conv->window;
    int64_t channels = padded_channels(conv), each = conv->in.channels;
    const uint8_t *input_rows[MOST_ROWS];
    for (int ky = 0; ky < w->kernel[0]; ky++) {
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
    size_t each_weights = (size_t)row_quads(conv) * (size_t)w->kernel[1] * QUAD_BYTES;
    for (int64_t c = channels - LANES; c >= 0; c -= LANES) { /* as whole_pixels wants it */
        depthwise_line line = {.conv = conv,
                               .finish = finish,
                               .weights = weights + (size_t)(c / LANES) * each_weights,
                               .multipliers = numbers + c,
                               .biases = numbers + channels + c,
                               .residual = residual != NULL ? residual + c : NULL,
                               .y = output_at(finish, y, c),
                               .left = each - c};
        depthwise_channels(conv, &line, &rows, input_rows, c, scratch);
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
    for (int64_t i = rows.first; i < rows.end; i++) {
        int64_t at = i * row_outputs;
        depthwise_row(conv, &finish, x + i / conv->out.height * picture,
                      residual != NULL ? residual + at : NULL, output_at(&finish, y, at),
                      i % conv->out.height, memory, outside);
    }
}
