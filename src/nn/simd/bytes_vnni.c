/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/simd/sets.h"

#include <immintrin.h>
#include <string.h>

#define INLINE    static inline __attribute__((always_inline))
#define LANES     16
#define BYTE_ROWS 9

typedef __m512i quad; /* the four numbers in each lane, or four of its own for each */

INLINE quad spread(const uint8_t *four)
{
    int32_t bits;
    memcpy(&bits, four, sizeof bits);
    return _mm512_set1_epi32(bits);
}

INLINE quad load_quads(const uint8_t *from)
{
    return _mm512_loadu_si512(from);
}

typedef int32_t sums __attribute__((vector_size(64)));
typedef float reals __attribute__((vector_size(64)));
typedef float reals_unaligned __attribute__((vector_size(64), aligned(4)));

INLINE sums dot4(sums total, quad four, const uint8_t *weights)
{
    return (sums)_mm512_dpbusd_epi32((__m512i)total, four, _mm512_load_si512(weights));
}

static void pack_quad(int8_t four[LANES][4], uint8_t *to)
{
    memcpy(to, four, 64);
}

/* 16 numbers from each of four places, one of each side by side: (16, 4) bytes. */
INLINE void interleave(const uint8_t *const four[4], uint8_t *to)
{
    __m128i a = _mm_loadu_si128((const void *)four[0]), b = _mm_loadu_si128((const void *)four[1]);
    __m128i c = _mm_loadu_si128((const void *)four[2]), d = _mm_loadu_si128((const void *)four[3]);
    __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
    __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
    _mm_storeu_si128((void *)to, _mm_unpacklo_epi16(ab_low, cd_low));
    _mm_storeu_si128((void *)(to + 16), _mm_unpackhi_epi16(ab_low, cd_low));
    _mm_storeu_si128((void *)(to + 32), _mm_unpacklo_epi16(ab_high, cd_high));
    _mm_storeu_si128((void *)(to + 48), _mm_unpackhi_epi16(ab_high, cd_high));
}

INLINE reals load_bytes(const uint8_t *from)
{
    __m128i bytes = _mm_loadu_si128((const void *)from);
    return (reals)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}

/* What is too large for 32 bits, and NaN, becomes their least number. */
INLINE void store_bytes(uint8_t *to, reals x, int low, int high)
{
    __m512i whole = _mm512_cvtps_epi32((__m512)x);
    whole = _mm512_max_epi32(whole, _mm512_set1_epi32(low));
    whole = _mm512_min_epi32(whole, _mm512_set1_epi32(high));
    _mm_storeu_si128((void *)to, _mm512_cvtepi32_epi8(whole));
}

#include "nn/simd/bytes.inc.h"

const nn_byte_kernels nn_byte_kernels_vnni = BYTE_KERNEL_TABLE;
