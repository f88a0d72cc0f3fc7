/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Depthwise convolution: each channel by itself. Three ways: 3x3 windows slide along a row, vectors
 * along the channels; where the channels fill no vectors, vectors run over a row's numbers, pixels
 * and channels alike; every other window takes four pixels at once, vectors along the channels.
 *
 * Packed weights: biases, then weights (taps), each in a line of depthwise_pitch() numbers that
 * repeats the channels to its end.
 */

#define DEPTHWISE_PIXELS 4

/* One channel to one channel counts too, where vectors can run along a row. */
INLINE bool is_depthwise(const nn_conv *conv)
{
    bool single = conv->window.stride[1] == 1 && tap_count(conv) > 1;
    return conv->group == conv->in.channels && conv->out.channels == conv->in.channels &&
           (conv->group > 1 || single);
}

/* Vectors along a row of numbers: a vector that begins at any channel finds its weights. */
INLINE bool is_flat(const nn_conv *conv)
{
    return conv->window.stride[1] == 1 && conv->in.channels % NARROW_FLOATS != 0;
}

INLINE int64_t depthwise_pitch(const nn_conv *conv)
{
    return conv->in.channels + (is_flat(conv) ? WIDE_FLOATS : 0);
}

static size_t depthwise_packed_floats(const nn_conv *conv)
{
    return (size_t)((tap_count(conv) + 1) * depthwise_pitch(conv));
}

static size_t depthwise_scratch_bytes(const nn_conv *conv)
{
    (void)conv;
    return 0;
}

/* The taps of one axis that fall inside the picture: first..end-1. */
typedef struct tap_range {
    int first, end;
} tap_range;

INLINE tap_range taps_inside(const nn_window *window, int axis, int64_t at, int64_t size)
{
    int64_t start = at * window->stride[axis] - window->pad_before[axis];
    int64_t end = start + (int64_t)(window->kernel[axis] - 1) * window->dilation[axis];
    tap_range range = {0, window->kernel[axis]};
    if (start >= 0 && end < size)
        return range;
    while (range.first < range.end && start + (int64_t)range.first * window->dilation[axis] < 0)
        range.first++;
    while (range.end > range.first &&
           start + (int64_t)(range.end - 1) * window->dilation[axis] >= size)
        range.end--;
    return range;
}

/* One run of output pixels in a row that see the same taps. */
typedef struct depthwise_run {
    const nn_conv *conv;
    const number *x; /* input under tap (0, 0) of the first pixel; it may lie outside */
    const number *residual;
    void *y;
    tap_range rows, columns;
} depthwise_run;

#define NAME(x) wide_##x
#define VECTOR  wide
#include "nn/simd/depthwise_lanes.inc.h"
#undef NAME
#undef VECTOR

#if NARROW_FLOATS != WIDE_FLOATS
#define NAME(x) narrow_##x
#define VECTOR  narrow
#include "nn/simd/depthwise_lanes.inc.h"
#undef NAME
#undef VECTOR
#endif

/* The channels that fill no vector. */
static void depthwise_rest(const depthwise_run *run, int64_t c, int pixels)
{
    const nn_conv *conv = run->conv;
    int64_t channels = conv->in.channels, pitch = depthwise_pitch(conv);
    for (; c < channels; c++)
        for (int p = 0; p < pixels; p++) {
            float sum = conv->packed[c];
            for (int ky = run->rows.first; ky < run->rows.end; ky++)
                for (int kx = run->columns.first; kx < run->columns.end; kx++)
                    sum +=
                        conv->packed[(1 + (int64_t)ky * conv->window.kernel[1] + kx) * pitch + c] *
                        real_of(run->x[((int64_t)ky * conv->window.dilation[0] * conv->in.width +
                                        p * conv->window.stride[1] +
                                        (int64_t)kx * conv->window.dilation[1]) *
                                           channels +
                                       c]);
            if (run->residual != NULL)
                sum += real_of(run->residual[p * channels + c]);
            write_one(run->y, conv->writes_floats, (size_t)(p * channels + c),
                      activate_one(conv->activation, sum));
        }
}

INLINE void depthwise_pixels(const depthwise_run *run, int pixels)
{
    int64_t channels = run->conv->in.channels, c = 0;
    for (; c + WIDE_FLOATS <= channels; c += WIDE_FLOATS)
        wide_depthwise(run, c, pixels);
#if NARROW_FLOATS != WIDE_FLOATS
    for (; c + NARROW_FLOATS <= channels; c += NARROW_FLOATS)
        narrow_depthwise(run, c, pixels);
#endif
    depthwise_rest(run, c, pixels);
}

/* ---- Along the numbers of a row ---- */

/* The sum of a vector that begins with channel `phase`. width: a constant where this is called. */
INLINE wide flat_sum(const depthwise_run *run, const number *x, int64_t phase, int width)
{
    const nn_conv *conv = run->conv;
    int64_t pitch = depthwise_pitch(conv),
            tap_numbers = conv->window.dilation[1] * conv->in.channels;
    int64_t row_numbers = conv->window.dilation[0] * conv->in.width * conv->in.channels;
    wide sum = wide_load(conv->packed + phase);
    for (int ky = run->rows.first; ky < run->rows.end; ky++) {
        const float *weights = conv->packed + (1 + ky * width) * pitch + phase;
        for (int kx = 0; kx < width; kx++)
            sum += wide_load(weights + kx * pitch) *
                   wide_load_numbers(x + ky * row_numbers + kx * tap_numbers);
    }
    return sum;
}

/* The vector that begins with number i of the run. */
INLINE void flat_vector(const depthwise_run *run, int64_t i, int64_t phase)
{
    int width = run->conv->window.kernel[1];
    wide sum =
        width == 3 ? flat_sum(run, run->x + i, phase, 3) : flat_sum(run, run->x + i, phase, width);
    if (run->residual != NULL)
        sum += wide_load_numbers(run->residual + i);
    wide_write(run->y, run->conv->writes_floats, (size_t)i,
               wide_activate(run->conv->activation, sum));
}

/* `count` numbers of one or more neighbouring pixels that see all columns of the window. */
static void flat_run(const depthwise_run *run, int64_t count)
{
    int64_t channels = run->conv->in.channels, step = WIDE_FLOATS % channels, phase = 0, i = 0;
    for (; i + WIDE_FLOATS <= count; i += WIDE_FLOATS) {
        flat_vector(run, i, phase);
        phase += phase + step < channels ? step : step - channels;
    }
    if (count >= WIDE_FLOATS && run->residual == NULL) { /* the last vector may overlap */
        if (i < count)
            flat_vector(run, count - WIDE_FLOATS, (count - WIDE_FLOATS) % channels);
        return;
    }
    depthwise_run last = *run;
    int64_t pixel = i / channels * channels;
    last.x += pixel;
    last.y = output_at(last.y, last.conv->writes_floats, (size_t)pixel);
    last.residual = last.residual != NULL ? last.residual + pixel : NULL;
    for (int64_t c = i - pixel; pixel < count; pixel += channels, c = 0) {
        depthwise_rest(&last, c, 1);
        last.x += channels;
        last.y = output_at(last.y, last.conv->writes_floats, (size_t)channels);
        last.residual = last.residual != NULL ? last.residual + channels : NULL;
    }
}

/* Outputs from `column` on whose window lies inside the input's columns; 0 when its own does not.
 */
static int64_t windows_inside(const nn_window *w, int64_t in_width, int64_t out_width,
                              int64_t column)
{
    int64_t left = column * w->stride[1] - w->pad_before[1];
    int64_t room = in_width - 1 - left - (int64_t)(w->kernel[1] - 1) * w->dilation[1];
    if (left < 0 || room < 0)
        return 0;
    int64_t fit = room / w->stride[1] + 1, all = out_width - column;
    return fit < all ? fit : all;
}

static void depthwise_row(const nn_conv *conv, const number *x, const number *residual, void *y,
                          int64_t row)
{
    const nn_window *w = &conv->window;
    int64_t channels = conv->in.channels;
    int64_t top = row * w->stride[0] - w->pad_before[0];
    tap_range rows = taps_inside(w, 0, row, conv->in.height);
    for (int64_t column = 0, step; column < conv->out.width; column += step) {
        int64_t left = column * w->stride[1] - w->pad_before[1];
        depthwise_run run = {.conv = conv,
                             .x = x + (top * conv->in.width + left) * channels,
                             .residual = residual != NULL ? residual + column * channels : NULL,
                             .y = output_at(y, conv->writes_floats, (size_t)(column * channels)),
                             .rows = rows,
                             .columns = taps_inside(w, 1, column, conv->in.width)};
        int64_t inside = windows_inside(w, conv->in.width, conv->out.width, column);
        step = 1;
        if (inside > 0 && is_flat(conv)) {
            step = inside;
            flat_run(&run, inside * channels);
        } else if (inside >= DEPTHWISE_PIXELS) {
            step = DEPTHWISE_PIXELS;
            depthwise_pixels(&run, DEPTHWISE_PIXELS);
        } else {
            depthwise_pixels(&run, 1);
        }
    }
}

/* ---- 3x3, sliding ---- */

typedef struct slide_row {
    const number *x[3]; /* the input rows under the window, those inside the picture */
    const float *bias, *weights;
    const number *residual;
    void *y;
    bool writes_floats;
    int rows; /* of x */
    int64_t channels;
    int64_t middle;  /* column of the input under the middle of the first output's window */
    int64_t whole;   /* outputs whose window ends inside the picture */
    int64_t outputs; /* `whole`, or one more */
    nn_activation activation;
} slide_row;

#define NAME(x) wide_##x
#define VECTOR  wide
#include "nn/simd/depthwise_vector.inc.h"

#include "nn/simd/depthwise_slide.inc.h"
#undef NAME
#undef VECTOR

#if NARROW_FLOATS != WIDE_FLOATS
#define NAME(x) narrow_##x
#define VECTOR  narrow
#include "nn/simd/depthwise_vector.inc.h"

#include "nn/simd/depthwise_slide.inc.h"
#undef NAME
#undef VECTOR
#endif

#if UNIT == 2
#define NAME(x) wide_##x
#define VECTOR  wide
#define PAIRS   wide_integers
#include "nn/simd/depthwise_pairs.inc.h"
#undef NAME
#undef VECTOR
#undef PAIRS

#define NAME(x) narrow_##x
#define VECTOR  narrow
#define PAIRS   narrow_integers
#include "nn/simd/depthwise_pairs.inc.h"
#undef NAME
#undef VECTOR
#undef PAIRS
#endif

/* The middle of each window lies inside the picture. */
static bool slides(const nn_conv *conv)
{
    const nn_window *w = &conv->window;
    const int64_t in[2] = {conv->in.height, conv->in.width};
    const int64_t out[2] = {conv->out.height, conv->out.width};
    for (int i = 0; i < 2; i++)
        if (w->kernel[i] != 3 || w->dilation[i] != 1 || w->pad_before[i] > 1 ||
            (out[i] - 1) * w->stride[i] - w->pad_before[i] + 1 >= in[i])
            return false;
    return w->stride[1] <= 2 && conv->in.channels % NARROW_FLOATS == 0;
}

#if UNIT == 2
/* Some channels of a line of the packed numbers as depthwise_pairs.inc.h reads them. */
static void pack_pairs_of(float *line, int channels, bool weights)
{
    float plain[2 * WIDE_FLOATS];
    memcpy(plain, line, (size_t)channels * sizeof *plain);
    for (int i = 0; i < channels; i++) {
        const float pair[UNIT] = {plain[i], 0};
        int high = i % 8 / 4, place = i / 8 * 4 + i % 4;
        line[high * channels / 2 + place] = weights ? packed_unit(pair, 1) : plain[i];
    }
}

static void pack_pairs(float *line, int64_t channels, bool weights)
{
    for (; channels >= 2 * WIDE_FLOATS; channels -= 2 * WIDE_FLOATS, line += 2 * WIDE_FLOATS)
        pack_pairs_of(line, 2 * WIDE_FLOATS, weights);
    if (channels >= 2 * NARROW_FLOATS)
        pack_pairs_of(line, 2 * NARROW_FLOATS, weights);
}
#endif

static void pack_depthwise(const nn_conv *conv, const float *weights, const float *bias,
                           float *packed)
{
    int64_t taps = tap_count(conv), channels = conv->in.channels, pitch = depthwise_pitch(conv);
#if UNIT == 2
    float *line = packed;
#endif
    for (int64_t i = 0; i < pitch; i++)
        *packed++ = bias != NULL ? bias[i % channels] : 0;
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t i = 0; i < pitch; i++)
            *packed++ = weights[i % channels * taps + tap];
#if UNIT == 2
    if (slides(conv))
        for (int64_t i = 0; i <= taps; i++)
            pack_pairs(line + i * pitch, channels, i > 0);
#endif
}

/* Output row `at` of a picture, but for x. */
INLINE slide_row slide_row_at(const nn_conv *conv, tap_range rows, const number *residual, void *y)
{
    const nn_window *w = &conv->window;
    int64_t channels = conv->in.channels;
    int64_t ends_inside = (conv->in.width - 3 + w->pad_before[1] + w->stride[1]) / w->stride[1];
    return (slide_row){.bias = conv->packed,
                       .weights = conv->packed + (1 + 3 * rows.first) * channels,
                       .residual = residual,
                       .y = y,
                       .writes_floats = conv->writes_floats,
                       .rows = rows.end - rows.first,
                       .channels = channels,
                       .middle = 1 - w->pad_before[1],
                       .whole = ends_inside < conv->out.width ? ends_inside : conv->out.width,
                       .outputs = conv->out.width,
                       .activation = conv->activation};
}

static void slide_along(const slide_row *row, int stride)
{
    int64_t c = 0;
#if UNIT == 2
    for (; c + 2 * WIDE_FLOATS <= row->channels; c += 2 * WIDE_FLOATS)
        wide_pair_slide_any(row, c, stride);
    for (; c + 2 * NARROW_FLOATS <= row->channels; c += 2 * NARROW_FLOATS)
        narrow_pair_slide_any(row, c, stride);
#endif
    for (; c + WIDE_FLOATS <= row->channels; c += WIDE_FLOATS)
        wide_slide_any(row, c, stride);
#if NARROW_FLOATS != WIDE_FLOATS
    for (; c < row->channels; c += NARROW_FLOATS)
        narrow_slide_any(row, c, stride);
#endif
}

/* x: the input rows under the window of output row `at`, those inside the picture. */
static void slide_over_rows(const nn_conv *conv, int64_t at, const number *const *x,
                            const number *residual, void *y)
{
    slide_row row =
        slide_row_at(conv, taps_inside(&conv->window, 0, at, conv->in.height), residual, y);
    for (int i = 0; i < row.rows; i++)
        row.x[i] = x[i];
    slide_along(&row, conv->window.stride[1]);
}

static void slide_over_picture(const nn_conv *conv, int64_t at, const number *x,
                               const number *residual, void *y)
{
    const nn_window *w = &conv->window;
    tap_range rows = taps_inside(w, 0, at, conv->in.height);
    slide_row row = slide_row_at(conv, rows, residual, y);
    int64_t top = at * w->stride[0] - w->pad_before[0] + rows.first;
    for (int i = 0; i < row.rows; i++)
        row.x[i] = x + (top + i) * conv->in.width * conv->in.channels;
    slide_along(&row, w->stride[1]);
}

static void run_depthwise(const nn_conv *conv, nn_part part, const number *x,
                          const number *residual, void *y, void *scratch)
{
    (void)scratch;
    int64_t picture_in = conv->in.height * conv->in.width * conv->in.channels;
    int64_t row_out = conv->out.width * conv->out.channels;
    nn_span rows = nn_share(part, conv->out.batch * conv->out.height, 1);
    bool slide = slides(conv);
    for (int64_t i = rows.first; i < rows.end; i++) {
        const number *picture = x + i / conv->out.height * picture_in;
        const number *added = residual != NULL ? residual + i * row_out : NULL;
        void *to = output_at(y, conv->writes_floats, (size_t)(i * row_out));
        if (slide)
            slide_over_picture(conv, i % conv->out.height, picture, added, to);
        else
            depthwise_row(conv, picture, added, to, i % conv->out.height);
    }
}
