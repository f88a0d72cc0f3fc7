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

INLINE narrow narrow_multiply_add(narrow sum, narrow weights, unit x)
{
    return (narrow)_mm256_dpbf16_ps((__m256)sum, (__m256bh)weights, (__m256bh)_mm256_set1_epi32(x));
}

/* ---- Kernels ---- */

#include "nn/simd/panels.inc.h"

#include "nn/simd/ways.inc.h"

#include "nn/simd/pool.inc.h"

static const conv_way *way_of(const nn_conv *conv)
{
    return way_by_channels(conv);
}

static bool conv_supported(const nn_conv *conv)
{
    return applies_activation(conv) && (is_depthwise(conv) || channels_in_group(conv) % UNIT == 0);
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
                                                .conv_packed_floats = conv_packed_floats,
                                                .conv_scratch_bytes = conv_scratch_bytes,
                                                .conv_pack = conv_pack,
                                                .conv = run_conv,
                                                .pool = run_pool,
                                                .from_floats = from_floats,
                                                .to_floats = to_floats};
