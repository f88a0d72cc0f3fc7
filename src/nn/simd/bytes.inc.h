/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Kernels on 8-bit numbers. The file that includes this is one instruction set; it defines
 *   LANES       32-bit sums of a vector
 *   BYTE_ROWS   pixels that a tile has at most
 *   quad        four numbers of a pixel as dot4 wants them
 *   spread      four bytes of a pixel to a quad
 *   dot4        adds four products to each sum; `weights`: 64 bytes that pack_quad wrote
 *   pack_quad   (LANES, 4) weights as dot4 wants them
 *   sums, reals vectors of LANES int32 and float; reals_unaligned: as they lie in memory
 *   load_bytes  LANES bytes as reals
 *   store_bytes reals, rounded to even and kept in low..high, as LANES bytes; NaN gives low, and
 *               so may what is 2^31 and more
 *   interleave  LANES bytes from each of four places: (LANES, 4)
 */

#include "nn/byte_kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define MOST_ROWS  16 /* of a depthwise window */
#define QUAD_BYTES 64 /* of the weights for one vector of sums */
#define PANEL      (2 * LANES)

INLINE int64_t tap_count(const nn_byte_conv *conv)
{
    return (int64_t)conv->window.kernel[0] * conv->window.kernel[1];
}

INLINE size_t round_up(size_t count, size_t multiple)
{
    return (count + multiple - 1) / multiple * multiple;
}

/* ---- From sums to outputs ---- */

INLINE reals load_reals(const float *from)
{
    return *(const reals_unaligned *)from;
}

INLINE reals select_reals(sums mask, reals yes, reals no)
{
    return (reals)(((sums)yes & mask) | ((sums)no & ~mask));
}

/*
 * How sums become outputs; the same for all of a convolution. All in steps of the output: a number
 * of it is zero + number / scale (floats: itself). Activations change nothing of this but where 0
 * is.
 */
typedef struct byte_finish {
    float residual_scale, residual_shift; /* of a byte of the residual */
    bool leaks;
    float slope, zero;
    float low, high; /* of the activation */
    int low_byte, high_byte;
    bool writes_floats;
} byte_finish;

INLINE float steps_of(const nn_byte_conv *conv)
{
    return conv->writes_floats ? 1 : 1 / conv->y.scale;
}

INLINE float zero_of(const nn_byte_conv *conv)
{
    return conv->writes_floats ? 0 : (float)conv->y.zero_point;
}

static int byte_of(float number)
{
    return number < 0 ? 0 : number > 255 ? 255 : (int)lrintf(number);
}

static byte_finish finish_of(const nn_byte_conv *conv)
{
    const nn_activation *activation = &conv->activation;
    bool clips = activation->kind == NN_ACTIVATION_CLIP;
    float steps = steps_of(conv), zero = zero_of(conv);
    float residual = conv->residual.scale * steps;
    byte_finish f = {.residual_scale = residual,
                     .residual_shift = -(float)conv->residual.zero_point * residual,
                     .leaks = activation->kind == NN_ACTIVATION_LEAKY_RELU,
                     .slope = activation->alpha,
                     .zero = zero,
                     .low = -FLT_MAX,
                     .high = FLT_MAX,
                     .writes_floats = conv->writes_floats};
    if (clips || activation->kind == NN_ACTIVATION_RELU)
        f.low = (clips ? activation->alpha : 0) * steps + zero;
    if (clips)
        f.high = activation->beta * steps + zero;
    f.low_byte = byte_of(f.low);
    f.high_byte = byte_of(f.high);
    return f;
}

/* One vector of outputs. residual: bytes at the same place, or NULL; to: bytes or floats. */
INLINE void finish_vector(const byte_finish *f, reals x, const uint8_t *residual, void *to)
{
    if (residual != NULL)
        x += load_bytes(residual) * f->residual_scale + f->residual_shift;
    if (f->leaks)
        x = select_reals(x < f->zero, (x - f->zero) * f->slope + f->zero, x);
    if (!f->writes_floats) {
        store_bytes(to, x, f->low_byte, f->high_byte);
        return;
    }
    reals low = {0}, high = {0};
    low += f->low;
    high += f->high;
    x = select_reals(x < low, low, x);
    *(reals_unaligned *)to = select_reals(x > high, high, x);
}

/* Whether there is nothing to do but to round: most convolutions. */
INLINE bool is_plain(const byte_finish *f, const uint8_t *residual)
{
    return residual == NULL && !f->leaks && !f->writes_floats;
}

/*
 * How many of the first of `pixels` can be written as whole vectors. left: outputs still to come of
 * the `outputs` of a pixel. Where they are fewer than a vector has, what is too much falls on the
 * first outputs of the next pixels: these must be written after it.
 */
INLINE int64_t whole_pixels(int64_t pixels, int64_t left, int64_t outputs)
{
    int64_t spoiled = left < LANES ? (LANES - left + outputs - 1) / outputs : 0;
    return pixels > spoiled ? pixels - spoiled : 0;
}

/* The same for `count` outputs, fewer than a vector has. */
static void finish_part(const byte_finish *f, reals x, const uint8_t *residual, void *to, int count)
{
    uint8_t from[LANES] = {0};
    float out[LANES];
    if (residual != NULL)
        memcpy(from, residual, (size_t)count);
    finish_vector(f, x, residual != NULL ? from : NULL, out);
    memcpy(to, out, (size_t)count * (f->writes_floats ? sizeof(float) : 1));
}

INLINE void finish_some(const byte_finish *f, reals x, const uint8_t *residual, void *to,
                        int64_t left)
{
    if (left >= LANES)
        finish_vector(f, x, residual, to);
    else if (left > 0)
        finish_part(f, x, residual, to, (int)left);
}

INLINE void *output_at(const byte_finish *f, void *y, int64_t index)
{
    return (char *)y + (size_t)index * (f->writes_floats ? sizeof(float) : 1);
}

#include "nn/simd/out_pixel.inc.h"

#include "nn/simd/bytes_dense.inc.h"
#include "nn/simd/bytes_depthwise.inc.h"

/* ---- Which way ---- */

static bool byte_conv_supported(const nn_byte_conv *conv)
{
    nn_activation_kind kind = conv->activation.kind;
    return (conv->group == 1 || (is_depthwise(conv) && conv->window.kernel[0] <= MOST_ROWS)) &&
           (kind == NN_ACTIVATION_NONE || kind == NN_ACTIVATION_RELU ||
            kind == NN_ACTIVATION_CLIP || kind == NN_ACTIVATION_LEAKY_RELU);
}

static size_t byte_conv_packed_bytes(const nn_byte_conv *conv)
{
    return is_depthwise(conv) ? depthwise_packed_bytes(conv) : dense_packed_bytes(conv);
}

static size_t byte_conv_scratch_bytes(const nn_byte_conv *conv)
{
    return is_depthwise(conv) ? depthwise_scratch_bytes(conv) : dense_scratch_bytes(conv);
}

static void byte_conv_pack(const nn_byte_conv *conv, const int8_t *weights, const float *scales,
                           const float *bias, void *packed)
{
    if (is_depthwise(conv))
        pack_depthwise(conv, weights, scales, bias, packed);
    else
        pack_dense(conv, weights, scales, bias, packed);
}

static void byte_conv(const nn_byte_conv *conv, nn_part part, const uint8_t *x,
                      const uint8_t *residual, void *y, void *scratch)
{
    if (is_depthwise(conv))
        run_depthwise(conv, part, x, residual, y, scratch);
    else
        run_dense(conv, part, x, residual, y, scratch);
}

/* ---- Pooling and conversion ---- */

#define POOL_BYTES 16

typedef uint8_t pool_bytes __attribute__((vector_size(POOL_BYTES), aligned(1)));

/* The taps of a window along one axis that lie inside the picture, for output `at`. */
static nn_span taps_inside(const nn_window *w, int axis, int64_t at, int64_t size)
{
    int64_t from = at * w->stride[axis] - w->pad_before[axis], step = w->dilation[axis];
    nn_span taps = {0, w->kernel[axis]};
    while (taps.first < taps.end && from + taps.first * step < 0)
        taps.first++;
    while (taps.first < taps.end && from + (taps.end - 1) * step >= size)
        taps.end--;
    return taps;
}

/* What lies under one window: its first number inside the picture, and the way to the others. */
typedef struct pool_view {
    const uint8_t *first;
    int64_t rows, columns;
    int64_t row_step, column_step; /* bytes */
} pool_view;

static pool_view pool_view_of(const nn_pool *pool, const uint8_t *x, int64_t row, int64_t column)
{
    const nn_window *w = &pool->window;
    const nn_extent *in = &pool->in;
    nn_span down = taps_inside(w, 0, row, in->height);
    nn_span along = taps_inside(w, 1, column, in->width);
    int64_t top = row * w->stride[0] - w->pad_before[0] + down.first * w->dilation[0];
    int64_t left = column * w->stride[1] - w->pad_before[1] + along.first * w->dilation[1];
    return (pool_view){.first = x + (top * in->width + left) * in->channels,
                       .rows = down.end - down.first,
                       .columns = along.end - along.first,
                       .row_step = w->dilation[0] * in->width * in->channels,
                       .column_step = w->dilation[1] * in->channels};
}

/* The largest of channels c to c + POOL_BYTES - 1, or of channel c; 0 where nothing is inside. */
INLINE pool_bytes largest_bytes(const pool_view *view, int64_t c)
{
    pool_bytes largest = {0};
    for (int64_t i = 0; i < view->rows; i++)
        for (int64_t j = 0; j < view->columns; j++) {
            pool_bytes from =
                *(const pool_bytes *)(view->first + i * view->row_step + j * view->column_step + c);
            pool_bytes more = (pool_bytes)(from > largest);
            largest = (from & more) | (largest & ~more);
        }
    return largest;
}

static uint8_t largest_byte(const pool_view *view, int64_t c)
{
    uint8_t largest = 0;
    for (int64_t i = 0; i < view->rows; i++)
        for (int64_t j = 0; j < view->columns; j++) {
            uint8_t from = view->first[i * view->row_step + j * view->column_step + c];
            largest = from > largest ? from : largest;
        }
    return largest;
}

static void byte_pool_row(const nn_pool *pool, const uint8_t *x, int64_t row, uint8_t *y)
{
    int64_t channels = pool->in.channels;
    for (int64_t column = 0; column < pool->out.width; column++, y += channels) {
        pool_view view = pool_view_of(pool, x, row, column);
        int64_t c = 0;
        for (; c + POOL_BYTES <= channels; c += POOL_BYTES)
            *(pool_bytes *)(y + c) = largest_bytes(&view, c);
        for (; c < channels; c++)
            y[c] = largest_byte(&view, c);
    }
}

static void byte_max_pool(const nn_pool *pool, nn_part part, const uint8_t *x, uint8_t *y)
{
    const nn_extent *in = &pool->in, *out = &pool->out;
    int64_t picture = in->height * in->width * in->channels, row_bytes = out->width * in->channels;
    nn_span rows = nn_share(part, out->batch * out->height, 1);
    for (int64_t row = rows.first; row < rows.end; row++)
        byte_pool_row(pool, x + row / out->height * picture, row % out->height,
                      y + row * row_bytes);
}

/* Small enough for store_bytes; NaN stays NaN. */
INLINE reals in_steps(reals x, float per_step, float zero)
{
    reals most = {0}, steps = x * per_step + zero;
    most += 1 << 20;
    return select_reals(steps > most, most, steps);
}

static void byte_quantize(const float *x, int64_t count, nn_quantization to, uint8_t *y)
{
    float per_step = 1 / to.scale, zero = (float)to.zero_point;
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        store_bytes(y + i, in_steps(load_reals(x + i), per_step, zero), 0, 255);
    if (i < count) {
        float from[LANES] = {0};
        uint8_t out[LANES];
        memcpy(from, x + i, (size_t)(count - i) * sizeof *x);
        store_bytes(out, in_steps(load_reals(from), per_step, zero), 0, 255);
        memcpy(y + i, out, (size_t)(count - i));
    }
}

static void byte_dequantize(const uint8_t *x, int64_t count, nn_quantization from, float *y)
{
    float zero = (float)from.zero_point;
    for (int64_t i = 0; i < count; i++)
        y[i] = ((float)x[i] - zero) * from.scale;
}

#define BYTE_KERNEL_TABLE                                                                          \
    {                                                                                              \
        .conv_supported = byte_conv_supported, .conv_packed_bytes = byte_conv_packed_bytes,        \
        .conv_scratch_bytes = byte_conv_scratch_bytes, .conv_pack = byte_conv_pack,                \
        .conv = byte_conv, .max_pool = byte_max_pool, .quantize = byte_quantize,                   \
        .dequantize = byte_dequantize                                                              \
    }
