/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/simd/sets.h"

#include <immintrin.h>

#define WIDE_FLOATS   16
#define NARROW_FLOATS 8
#define TILE_ROWS     8

#include "nn/simd/vector.inc.h"

/* ---- Numbers of 16 bits, of which a product takes two ---- */

#define UNIT 2

typedef nn_bf16 number;
typedef int32_t unit;

INLINE float real_of(number x)
{
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE number number_of(float x)
{
    __m128i rounded = (__m128i)_mm_cvtneps_pbh(_mm_set_ss(x));
    return (number)_mm_extract_epi16(rounded, 0);
}

INLINE unit load_unit(const number *from)
{
    unit pair;
    memcpy(&pair, from, sizeof pair);
    return pair;
}

/* A unit of weights, `step` floats apart, as a float of the packed ones. */
INLINE float packed_unit(const float *weights, int64_t step)
{
    const number pair[UNIT] = {number_of(weights[0]), number_of(weights[step])};
    float packed;
    memcpy(&packed, pair, sizeof packed);
    return packed;
}

INLINE wide wide_load_numbers(const number *from)
{
    __m512i bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)from));
    return (wide)_mm512_slli_epi32(bits, 16);
}

INLINE void wide_store_numbers(number *to, wide value)
{
    _mm256_storeu_si256((void *)to, (__m256i)_mm512_cvtneps_pbh((__m512)value));
}

INLINE void wide_store_two(number *to, wide first, wide second)
{
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first));
}

INLINE wide wide_multiply_add(wide sum, wide weights, unit x)
{
    return (wide)_mm512_dpbf16_ps((__m512)sum, (__m512bh)weights, (__m512bh)_mm512_set1_epi32(x));
}

INLINE narrow narrow_load_numbers(const number *from)
{
    __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)from));
    return (narrow)_mm256_slli_epi32(bits, 16);
}

INLINE void narrow_store_numbers(number *to, narrow value)
{
    _mm_storeu_si128((void *)to, (__m128i)_mm256_cvtneps_pbh((__m256)value));
}

INLINE void narrow_store_two(number *to, narrow first, narrow second)
{
    _mm256_storeu_si256((void *)to, (__m256i)_mm256_cvtne2ps_pbh((__m256)second, (__m256)first));
}

INLINE narrow narrow_multiply_add(narrow sum, narrow weights, unit x)
{
    return (narrow)_mm256_dpbf16_ps((__m256)sum, (__m256bh)weights, (__m256bh)_mm256_set1_epi32(x));
}

/* ---- Pairs of numbers ---- */

typedef __m512i wide_integers;
typedef __m256i narrow_integers;

INLINE wide_integers wide_load_pairs(const void *from)
{
    return _mm512_loadu_si512(from);
}

INLINE void wide_store_pairs(void *to, wide_integers bits)
{
    _mm512_storeu_si512(to, bits);
}

INLINE wide_integers wide_fill(short bits)
{
    return _mm512_set1_epi16(bits);
}

/* All bits but the sign of each negative number of 16 bits. */
INLINE wide_integers wide_magnitudes_of_negative(wide_integers bits)
{
    return _mm512_srli_epi16(_mm512_srai_epi16(bits, 15), 1);
}

INLINE wide_integers wide_larger_integers(wide_integers a, wide_integers b)
{
    return _mm512_max_epi16(a, b);
}

/* Numbers of a and b side by side: the low or high four of every eight. */
INLINE wide_integers wide_unpack_low(wide_integers a, wide_integers b)
{
    return _mm512_unpacklo_epi16(a, b);
}

INLINE wide_integers wide_unpack_high(wide_integers a, wide_integers b)
{
    return _mm512_unpackhi_epi16(a, b);
}

/* Pairs of the low halves. */
INLINE wide_integers wide_join_halves(wide_integers a, wide_integers b)
{
    return _mm512_or_si512(a, _mm512_slli_epi32(b, 16));
}

INLINE wide wide_between(wide low, wide high, wide x)
{
    return (wide)_mm512_min_ps((__m512)high, _mm512_max_ps((__m512)low, (__m512)x));
}

INLINE wide wide_dot(wide sum, wide_integers a, wide_integers b)
{
    return (wide)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}

/* What unpacking took apart, in order again. */
INLINE void wide_store_unpacked(number *to, wide low, wide high)
{
    const __m512i order = _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0);
    __m512i numbers = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi64(order, numbers));
}

INLINE void wide_store_unpacked_floats(float *to, wide low, wide high)
{
    const __m512i first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    const __m512i second = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    _mm512_storeu_pd(to, _mm512_permutex2var_pd((__m512d)low, first, (__m512d)high));
    _mm512_storeu_pd(to + WIDE_FLOATS, _mm512_permutex2var_pd((__m512d)low, second, (__m512d)high));
}

INLINE narrow_integers narrow_load_pairs(const void *from)
{
    return _mm256_loadu_si256(from);
}

INLINE void narrow_store_pairs(void *to, narrow_integers bits)
{
    _mm256_storeu_si256(to, bits);
}

INLINE narrow_integers narrow_fill(short bits)
{
    return _mm256_set1_epi16(bits);
}

INLINE narrow_integers narrow_magnitudes_of_negative(narrow_integers bits)
{
    return _mm256_srli_epi16(_mm256_srai_epi16(bits, 15), 1);
}

INLINE narrow_integers narrow_larger_integers(narrow_integers a, narrow_integers b)
{
    return _mm256_max_epi16(a, b);
}

INLINE narrow_integers narrow_unpack_low(narrow_integers a, narrow_integers b)
{
    return _mm256_unpacklo_epi16(a, b);
}

INLINE narrow_integers narrow_unpack_high(narrow_integers a, narrow_integers b)
{
    return _mm256_unpackhi_epi16(a, b);
}

INLINE narrow_integers narrow_join_halves(narrow_integers a, narrow_integers b)
{
    return _mm256_or_si256(a, _mm256_slli_epi32(b, 16));
}

INLINE narrow narrow_between(narrow low, narrow high, narrow x)
{
    return (narrow)_mm256_min_ps((__m256)high, _mm256_max_ps((__m256)low, (__m256)x));
}

INLINE narrow narrow_dot(narrow sum, narrow_integers a, narrow_integers b)
{
    return (narrow)_mm256_dpbf16_ps((__m256)sum, (__m256bh)a, (__m256bh)b);
}

INLINE void narrow_store_unpacked(number *to, narrow low, narrow high)
{
    __m256i numbers = (__m256i)_mm256_cvtne2ps_pbh((__m256)high, (__m256)low);
    _mm256_storeu_si256((void *)to, _mm256_permute4x64_epi64(numbers, 0xD8));
}

INLINE void narrow_store_unpacked_floats(float *to, narrow low, narrow high)
{
    _mm256_storeu_ps(to, _mm256_permute2f128_ps((__m256)low, (__m256)high, 0x20));
    _mm256_storeu_ps(to + NARROW_FLOATS, _mm256_permute2f128_ps((__m256)low, (__m256)high, 0x31));
}

/* ---- Kernels ---- */

#include "nn/simd/panels.inc.h"

#include "nn/simd/ways.inc.h"

#include "nn/simd/few_outputs.inc.h"
#include "nn/simd/pool.inc.h"
#include "nn/simd/staged_pairs.inc.h"

static const conv_way staged_way = {staged_packed_floats, staged_scratch_bytes, pack_staged,
                                    run_staged};

static const conv_way few_way = {few_packed_floats, few_scratch_bytes, pack_few, run_few};

static const conv_way *way_of(const nn_conv *conv)
{
    if (is_depthwise(conv))
        return &depthwise_way;
    if (is_staged(conv))
        return &staged_way;
    return makes_few_outputs(conv) ? &few_way : way_by_channels(conv);
}

static bool conv_supported(const nn_conv *conv)
{
    return applies_activation(conv) &&
           (is_depthwise(conv) || is_staged(conv) || channels_in_group(conv) % UNIT == 0);
}

static bool conv_reads_floats(const nn_conv *conv)
{
    return way_of(conv) == &staged_way;
}

static void run_pairs_conv(const nn_conv *conv, nn_part part, const void *x,
                           const nn_bf16 *residual, void *y, void *scratch)
{
    run_conv(conv, part, x, residual, y, scratch);
}

/* ---- Rows one by one ---- */

static bool conv_has_rows(const nn_conv *conv)
{
    const conv_way *way = way_of(conv);
    bool product = (way == &dense_way || way == &few_way) && is_pointwise(conv);
    return product || way == &staged_way || (way == &depthwise_way && slides(conv));
}

/* A row of a 1x1 convolution: what run_dense does, without asking what falls to the part. */
static void product_row(const nn_conv *conv, const number *x, const number *residual, void *y,
                        const number **pointers)
{
    int64_t in = conv->in.channels, out = conv->out.channels;
    tile_args args = {.taps = 1,
                      .units = in / UNIT,
                      .writes_floats = conv->writes_floats,
                      .stride = (size_t)out,
                      .activation = conv->activation};
    for (int64_t first = 0; first < conv->out.width; first += BLOCK_PIXELS) {
        int64_t left = conv->out.width - first;
        int count = left < BLOCK_PIXELS ? (int)left : BLOCK_PIXELS;
        point_at_rows(x + first * in, in, count, pointers);
        args.pixels = pointers;
        args.y = output_at(y, conv->writes_floats, (size_t)(first * out));
        args.residual = residual != NULL ? residual + first * out : NULL;
        run_panels(&args, conv->packed, out, (nn_span){0, out}, count);
    }
}

static void run_conv_row(const nn_conv *conv, int64_t row, const void *const *x,
                         const nn_bf16 *residual, void *y, void *scratch)
{
    const conv_way *way = way_of(conv);
    if (way == &staged_way) {
        staged_row(conv, row, x, residual, y, scratch);
    } else if (way == &depthwise_way) {
        tap_range inside = taps_inside(&conv->window, 0, row, conv->in.height);
        const number *rows[3];
        for (int i = 0; i < inside.end - inside.first; i++)
            rows[i] = x[i];
        slide_over_rows(conv, row, rows, residual, y);
    } else if (way == &dense_way && conv->group == 1) {
        product_row(conv, x[0], residual, y, scratch);
    } else {
        nn_conv line = *conv;
        line.in.batch = line.in.height = line.out.batch = line.out.height = 1;
        way->run(&line, nn_whole(), x[0], residual, y, scratch);
    }
}

static void from_floats(const float *x, int64_t count, nn_bf16 *y)
{
    int64_t i = 0;
    for (; i + WIDE_FLOATS <= count; i += WIDE_FLOATS)
        wide_store_numbers(y + i, wide_load(x + i));
    for (; i < count; i++)
        y[i] = number_of(x[i]);
}

static void to_floats(const nn_bf16 *x, int64_t count, float *y)
{
    int64_t i = 0;
    for (; i + WIDE_FLOATS <= count; i += WIDE_FLOATS)
        wide_store(y + i, wide_load_numbers(x + i));
    for (; i < count; i++)
        y[i] = real_of(x[i]);
}

const nn_bf16_kernels nn_bf16_kernels_avx512 = {.conv_supported = conv_supported,
                                                .conv_reads_floats = conv_reads_floats,
                                                .conv_packed_floats = conv_packed_floats,
                                                .conv_scratch_bytes = conv_scratch_bytes,
                                                .conv_pack = conv_pack,
                                                .conv = run_pairs_conv,
                                                .pool = run_pool,
                                                .conv_has_rows = conv_has_rows,
                                                .conv_row = run_conv_row,
                                                .pool_row = pool_row,
                                                .from_floats = from_floats,
                                                .to_floats = to_floats};
