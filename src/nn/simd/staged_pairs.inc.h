/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolution of a few input channels that lie in floats, such as a network's first: the rows under
 * the window of an output row, channel by channel, are rounded and copied two by two, number beside
 * number, between zeros for the padding. A product of a pair takes one tap of both rows, and the
 * products run along such a double row.
 *
 * Packed weights: the panels of panels.inc.h, a panel's weights in the order double row, tap,
 * output channel.
 */

#define STAGED_CHANNELS 4  /* most input channels */
#define STAGED_LINES    64 /* most rows under a window, those of all channels */

static bool is_staged(const nn_conv *conv)
{
    return conv->group == 1 && conv->in.channels <= STAGED_CHANNELS && tap_count(conv) > 1 &&
           conv->window.dilation[1] == 1 &&
           conv->in.channels * conv->window.kernel[0] <= STAGED_LINES;
}

INLINE int64_t line_count(const nn_conv *conv)
{
    return conv->in.channels * conv->window.kernel[0];
}

INLINE int64_t line_pairs(const nn_conv *conv)
{
    return (line_count(conv) + 1) / 2;
}

/* ---- Layout of a double row: padding up to a whole vector, the numbers, padding ---- */

INLINE int64_t whole_vectors(int64_t pairs)
{
    return (pairs + WIDE_FLOATS - 1) / WIDE_FLOATS * WIDE_FLOATS;
}

INLINE int64_t staged_lead(const nn_conv *conv)
{
    return whole_vectors(conv->window.pad_before[1]);
}

/* Where the first window begins. */
INLINE int64_t staged_start(const nn_conv *conv)
{
    return staged_lead(conv) - conv->window.pad_before[1];
}

/* Pairs from one double row to the next: all that is copied, and all that whole tiles read. */
INLINE int64_t staged_pitch(const nn_conv *conv)
{
    int64_t tiles = (conv->out.width + TILE_ROWS - 1) / TILE_ROWS;
    int64_t read = staged_start(conv) + (tiles * TILE_ROWS - 1) * conv->window.stride[1] +
                   conv->window.kernel[1];
    int64_t copied = staged_lead(conv) + conv->in.width;
    return whole_vectors(read > copied ? read : copied);
}

static size_t staged_packed_floats(const nn_conv *conv)
{
    return panels_floats(conv->out.channels, line_pairs(conv) * conv->window.kernel[1]);
}

static size_t staged_scratch_bytes(const nn_conv *conv)
{
    return (size_t)(line_pairs(conv) * staged_pitch(conv) * UNIT) * sizeof(number);
}

/* The weights of tap `tap` of two rows, of which the last may be alone. */
INLINE float packed_line_pair(const nn_conv *conv, const float *weights, int64_t pair, int tap)
{
    int64_t taps = conv->window.kernel[1], line = pair * UNIT;
    const float both[UNIT] = {weights[line * taps + tap],
                              line + 1 < line_count(conv) ? weights[(line + 1) * taps + tap] : 0};
    return packed_unit(both, 1);
}

static void pack_staged(const nn_conv *conv, const float *weights, const float *bias, float *packed)
{
    int64_t outputs = conv->out.channels, depth = line_count(conv) * conv->window.kernel[1];
    for (int64_t first = 0; first < outputs;) {
        int width = panel_width(outputs - first);
        int64_t used = outputs - first < width ? outputs - first : width;
        for (int i = 0; i < width; i++)
            *packed++ = bias != NULL && i < used ? bias[first + i] : 0;
        for (int64_t pair = 0; pair < line_pairs(conv); pair++)
            for (int tap = 0; tap < conv->window.kernel[1]; tap++)
                for (int i = 0; i < width; i++)
                    *packed++ =
                        i < used ? packed_line_pair(conv, weights + (first + i) * depth, pair, tap)
                                 : 0;
        first += width;
    }
}

/* ---- Copies ---- */

/* Rounds numbers of two rows, side by side. */
INLINE void store_two_rows(number *to, wide even, wide odd)
{
    const __m512i side_by_side =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i apart = (__m512i)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(side_by_side, apart));
}

/* Up to a vector of `left` numbers, `step` apart, zeros behind them. from: NULL for zeros alone. */
INLINE wide load_apart(const float *from, int64_t step, int64_t left)
{
    __mmask16 mask = left < WIDE_FLOATS ? (__mmask16)((1U << left) - 1) : 0xFFFF;
    if (from == NULL)
        return (wide){0};
    if (step == 1)
        return (wide)_mm512_maskz_loadu_ps(mask, from);
    __m512i places = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    places = _mm512_mullo_epi32(places, _mm512_set1_epi32((int)step));
    return (wide)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, places, from, sizeof *from);
}

/* Two rows of one channel each, or of none, between the zeros of the padding. */
static void stage_pair(const nn_conv *conv, const float *even, const float *odd, number *to)
{
    int64_t step = conv->planar ? 1 : conv->in.channels, lead = staged_lead(conv);
    int64_t copied = lead + whole_vectors(conv->in.width);
    memset(to, 0, (size_t)(lead * UNIT) * sizeof *to);
    for (int64_t i = 0; i < conv->in.width; i += WIDE_FLOATS) {
        int64_t left = conv->in.width - i;
        store_two_rows(to + (lead + i) * UNIT,
                       load_apart(even != NULL ? even + i * step : NULL, step, left),
                       load_apart(odd != NULL ? odd + i * step : NULL, step, left));
    }
    memset(to + copied * UNIT, 0, (size_t)((staged_pitch(conv) - copied) * UNIT) * sizeof *to);
}

/*
 * All that output row `row` needs. x: the input rows under the window, those inside the picture; of
 * a planar one those of its first plane.
 */
static void stage_row(const nn_conv *conv, const void *const *x, int64_t row, number *scratch)
{
    const float *lines[STAGED_LINES + 1];
    int64_t plane = conv->planar ? conv->in.height * conv->in.width : 1;
    int64_t count = line_pairs(conv), pitch = staged_pitch(conv) * UNIT;
    tap_range inside = taps_inside(&conv->window, 0, row, conv->in.height);
    for (int64_t i = 0; i < count * UNIT; i++)
        lines[i] = NULL;
    for (int64_t c = 0; c < conv->in.channels; c++)
        for (int ky = inside.first; ky < inside.end; ky++)
            lines[c * conv->window.kernel[0] + ky] =
                (const float *)x[ky - inside.first] + c * plane;
    for (int64_t pair = 0; pair < count; pair++)
        stage_pair(conv, lines[pair * UNIT], lines[pair * UNIT + 1], scratch + pair * pitch);
}

/* ---- Products ---- */

/* All outputs for one tile. args: those of its first pixel, panel and all. */
INLINE void run_staged_tile(tile_args *args, int64_t outputs)
{
    size_t depth = (size_t)(args->taps * args->units + 1);
    for (int64_t left = outputs; left > 0;) {
        int width = panel_width(left);
        args->columns = left < width ? (int)left : width;
        run_tile(args, width);
        args->panel += depth * (size_t)width;
        args->y = output_at(args->y, args->writes_floats, (size_t)width);
        args->residual = args->residual != NULL ? args->residual + width : NULL;
        left -= width;
    }
}

/* Where the rows begin that a planar picture's next output row adds to those of row `row`, in its
 * first plane. NULL: not all of them are there, or the picture is not planar. */
static const float *row_behind(const nn_conv *conv, int64_t row, const void *const *x)
{
    const nn_window *w = &conv->window;
    tap_range inside = taps_inside(w, 0, row, conv->in.height);
    int64_t bottom = row * w->stride[0] - w->pad_before[0] + w->kernel[0] - 1;
    if (!conv->planar || w->dilation[0] != 1 || inside.end < w->kernel[0] ||
        inside.first == inside.end || bottom + w->stride[0] >= conv->in.height)
        return NULL;
    return (const float *)x[inside.end - inside.first - 1] + conv->in.width;
}

/* Has the numbers from `column` on of these rows brought to the cache. */
INLINE void fetch_ahead(const nn_conv *conv, const float *row, int64_t column)
{
    int64_t plane = conv->in.height * conv->in.width;
    int stride = conv->window.stride[0];
    for (int64_t c = 0; c < conv->in.channels; c++)
        for (int i = 0; i < stride; i++)
            __builtin_prefetch(row + c * plane + i * conv->in.width + column);
}

/* Row `row` of a picture. x: as in stage_row. */
static void staged_row(const nn_conv *conv, int64_t row, const void *const *x,
                       const number *residual, void *y, void *scratch)
{
    const number *pointers[(STAGED_LINES + 1) / UNIT];
    int64_t pairs = line_pairs(conv), pitch = staged_pitch(conv) * UNIT;
    const number *start = (const number *)scratch + staged_start(conv) * UNIT;
    tile_args args = {.pixels = pointers,
                      .step = conv->window.stride[1] * UNIT,
                      .taps = pairs,
                      .units = conv->window.kernel[1],
                      .writes_floats = conv->writes_floats,
                      .stride = (size_t)conv->out.channels,
                      .activation = conv->activation};
    stage_row(conv, x, row, scratch);
    const float *behind = row_behind(conv, row, x);
    for (int64_t column = 0; column < conv->out.width; column += TILE_ROWS) {
        int64_t left = conv->out.width - column, offset = column * conv->out.channels;
        const number *from = start + column * args.step;
        for (int64_t pair = 0; pair < pairs; pair++)
            pointers[pair] = from + pair * pitch;
        if (behind != NULL && column * conv->window.stride[1] < conv->in.width)
            fetch_ahead(conv, behind, column * conv->window.stride[1]);
        args.rows = left < TILE_ROWS ? (int)left : TILE_ROWS;
        args.panel = conv->packed;
        args.y = output_at(y, conv->writes_floats, (size_t)offset);
        args.residual = residual != NULL ? residual + offset : NULL;
        run_staged_tile(&args, conv->out.channels);
    }
}

static void run_staged(const nn_conv *conv, nn_part part, const number *numbers,
                       const number *residual, void *y, void *scratch)
{
    const float *x = (const float *)(const void *)numbers;
    const nn_window *w = &conv->window;
    int64_t step = conv->in.width * (conv->planar ? 1 : conv->in.channels);
    int64_t picture = conv->in.height * conv->in.width * conv->in.channels;
    int64_t row_out = conv->out.width * conv->out.channels;
    nn_span rows = nn_share(part, conv->out.batch * conv->out.height, 1);
    for (int64_t i = rows.first; i < rows.end; i++) {
        const void *lines[STAGED_LINES];
        int64_t row = i % conv->out.height, top = row * w->stride[0] - w->pad_before[0];
        tap_range inside = taps_inside(w, 0, row, conv->in.height);
        for (int ky = inside.first; ky < inside.end; ky++)
            lines[ky - inside.first] =
                x + i / conv->out.height * picture + (top + (int64_t)ky * w->dilation[0]) * step;
        staged_row(conv, row, lines, residual != NULL ? residual + i * row_out : NULL,
                   output_at(y, conv->writes_floats, (size_t)(i * row_out)), scratch);
    }
}
