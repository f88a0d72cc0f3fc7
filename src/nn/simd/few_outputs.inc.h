/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolution to so few output channels that they fill half a vector: two pairs of input channels
 * at once, one for the even lanes and one for the odd ones, whose sums are added at the end. Pixels
 * of a tile lie in one row, so that each tap has one pointer for all of them.
 *
 * Packed weights: the biases, in a whole vector, then a vector for each tap and four input
 * channels: both pairs of the first output, those of the second and so on.
 */

#define TAKEN 4 /* numbers that one product takes of a pixel */

static bool makes_few_outputs(const nn_conv *conv)
{
    return conv->group == 1 && conv->out.channels <= NARROW_FLOATS &&
           conv->in.channels % TAKEN == 0 && conv->out.width >= TILE_ROWS;
}

static size_t few_packed_floats(const nn_conv *conv)
{
    return (size_t)((1 + tap_count(conv) * (conv->in.channels / TAKEN)) * WIDE_FLOATS);
}

/* Scratch: a pointer for each tap, a pixel of zeros. */
static size_t few_scratch_bytes(const nn_conv *conv)
{
    return (size_t)tap_count(conv) * sizeof(const number *) +
           (size_t)conv->in.channels * sizeof(number);
}

static void pack_few(const nn_conv *conv, const float *weights, const float *bias, float *packed)
{
    int64_t taps = tap_count(conv), channels = conv->in.channels;
    for (int i = 0; i < WIDE_FLOATS; i++)
        *packed++ = bias != NULL && i < conv->out.channels ? bias[i] : 0;
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t c = 0; c < channels; c += TAKEN)
            for (int i = 0; i < WIDE_FLOATS; i++) {
                int64_t output = i / 2, channel = c + i % 2 * UNIT;
                *packed++ =
                    output < conv->out.channels
                        ? packed_unit(weights + (output * channels + channel) * taps + tap, taps)
                        : 0;
            }
}

/* Numbers, or floats, of the first `count` lanes. */
INLINE void write_few(void *y, bool floats, int64_t count, narrow value)
{
    __mmask8 mask = (__mmask8)((1U << count) - 1);
    if (count == NARROW_FLOATS)
        narrow_write(y, floats, 0, value);
    else if (floats)
        _mm256_mask_storeu_ps(y, mask, (__m256)value);
    else
        _mm_mask_storeu_epi16(y, mask, (__m128i)_mm256_cvtneps_pbh((__m256)value));
}

INLINE narrow load_few(const number *from, int64_t count)
{
    __m128i bits = _mm_maskz_loadu_epi16((__mmask8)((1U << count) - 1), from);
    return (narrow)_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16);
}

/* The sum of the even lanes and that of the odd ones of each output. */
INLINE narrow fold(wide sum)
{
    __m256i even = _mm512_cvtepi64_epi32((__m512i)sum);
    __m256i odd = _mm512_cvtepi64_epi32(_mm512_srli_epi64((__m512i)sum, 32));
    return (narrow)even + (narrow)odd;
}

/* What lies under the windows of neighbouring pixels. */
typedef struct few_windows {
    const number **runs;   /* numbers of the first pixel's window that lie one after another */
    int64_t count, length; /* of the runs: rows of the window, or taps */
    int64_t step;          /* numbers to the next pixel's */
} few_windows;

/* pixels: a constant where this is called. */
INLINE void few_tile(const nn_conv *conv, const few_windows *from, int pixels,
                     const number *residual, void *y)
{
    wide sums[TILE_ROWS];
    const float *weights = conv->packed + WIDE_FLOATS;
    int64_t outputs = conv->out.channels, length = from->length, step = from->step;
    UNROLL
    for (int p = 0; p < pixels; p++)
        sums[p] = (wide){0};
    for (int64_t run = 0; run < from->count; run++) {
        const number *x = from->runs[run];
        for (int64_t i = 0; i < length; i += TAKEN, x += TAKEN, weights += WIDE_FLOATS) {
            wide_integers w = wide_load_pairs(weights);
            UNROLL
            for (int p = 0; p < pixels; p++) {
                int64_t both;
                memcpy(&both, x + p * step, sizeof both);
                sums[p] = wide_dot(sums[p], w, _mm512_set1_epi64(both));
            }
        }
    }
    narrow bias = narrow_load(conv->packed);
    UNROLL
    for (int p = 0; p < pixels; p++) {
        narrow sum = bias + fold(sums[p]);
        if (residual != NULL)
            sum += load_few(residual + p * outputs, outputs);
        write_few(output_at(y, conv->writes_floats, (size_t)(p * outputs)), conv->writes_floats,
                  outputs, narrow_activate(conv->activation, sum));
    }
}

/* Where a tap reads for an output pixel; zeros in the padding. */
INLINE const number *few_tap(const nn_conv *conv, const number *x, const number *zeros,
                             out_pixel at, int ky, int kx)
{
    const nn_window *w = &conv->window;
    int64_t row = at.row * w->stride[0] - w->pad_before[0] + (int64_t)ky * w->dilation[0];
    int64_t column = at.column * w->stride[1] - w->pad_before[1] + (int64_t)kx * w->dilation[1];
    if (row < 0 || row >= conv->in.height || column < 0 || column >= conv->in.width)
        return zeros;
    return x + ((at.picture * conv->in.height + row) * conv->in.width + column) * conv->in.channels;
}

/* The taps of one output pixel, those of the padding in zeros. */
static void point_at_each_tap(const nn_conv *conv, const number *x, const number *zeros,
                              out_pixel at, few_windows *to)
{
    to->count = 0;
    to->length = conv->in.channels;
    for (int ky = 0; ky < conv->window.kernel[0]; ky++)
        for (int kx = 0; kx < conv->window.kernel[1]; kx++)
            to->runs[to->count++] = few_tap(conv, x, zeros, at, ky, kx);
}

/* The rows of a window inside the picture, or its taps where they lie apart. */
static void point_at_rows_inside(const nn_conv *conv, const number *x, out_pixel at,
                                 few_windows *to)
{
    if (conv->window.dilation[1] != 1) {
        point_at_each_tap(conv, x, NULL, at, to);
        return;
    }
    to->count = conv->window.kernel[0];
    to->length = conv->window.kernel[1] * conv->in.channels;
    for (int ky = 0; ky < conv->window.kernel[0]; ky++)
        to->runs[ky] = few_tap(conv, x, NULL, at, ky, 0);
}

/*
 * `count` neighbouring pixels whose windows lie inside the picture; from: that of the first one,
 * which is moved. The last tile may make some pixels again, unless it would add to them.
 */
static void few_run(const nn_conv *conv, few_windows *from, int64_t count, const number *residual,
                    void *y)
{
    int64_t outputs = conv->out.channels;
    for (int64_t at = 0, next; at < count; at = next) {
        bool whole = at + TILE_ROWS <= count;
        const number *added = residual != NULL ? residual + at * outputs : NULL;
        void *to = output_at(y, conv->writes_floats, (size_t)(at * outputs));
        if (whole)
            few_tile(conv, from, TILE_ROWS, added, to);
        else
            few_tile(conv, from, 1, added, to);
        next = at + (whole ? TILE_ROWS : 1);
        if (residual == NULL && whole && next < count && next + TILE_ROWS > count)
            next = count - TILE_ROWS;
        for (int64_t run = 0; run < from->count; run++)
            from->runs[run] += (next - at) * from->step;
    }
}

/* A row of one picture. residual, y: its first output. */
static void few_row(const nn_conv *conv, const number *x, out_pixel at, const number *residual,
                    void *y, void *scratch)
{
    few_windows from = {.runs = scratch, .step = conv->window.stride[1] * conv->in.channels};
    const number *zeros = (const number *)(from.runs + tap_count(conv));
    int64_t outputs = conv->out.channels;
    tap_range rows = taps_inside(&conv->window, 0, at.row, conv->in.height);
    bool all_rows = rows.end - rows.first == conv->window.kernel[0];
    for (int64_t count; at.column < conv->out.width; at.column += count) {
        const number *added = residual != NULL ? residual + at.column * outputs : NULL;
        void *to = output_at(y, conv->writes_floats, (size_t)(at.column * outputs));
        count = all_rows ? windows_inside(&conv->window, conv->in.width, conv->out.width, at.column)
                         : 0;
        if (count > 0)
            point_at_rows_inside(conv, x, at, &from);
        else
            point_at_each_tap(conv, x, zeros, at, &from);
        count = count > 0 ? count : 1;
        few_run(conv, &from, count, added, to);
    }
}

static void run_few(const nn_conv *conv, nn_part part, const number *x, const number *residual,
                    void *y, void *scratch)
{
    int64_t row_out = conv->out.width * conv->out.channels;
    nn_span rows = nn_share(part, conv->out.batch * conv->out.height, 1);
    memset((const number **)scratch + tap_count(conv), 0,
           (size_t)conv->in.channels * sizeof(number));
    for (int64_t i = rows.first; i < rows.end; i++)
        few_row(conv, x, (out_pixel){i / conv->out.height, i % conv->out.height, 0},
                residual != NULL ? residual + i * row_out : NULL,
                output_at(y, conv->writes_floats, (size_t)(i * row_out)), scratch);
}
