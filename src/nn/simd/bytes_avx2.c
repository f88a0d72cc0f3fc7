/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/simd/sets.h"

#include <immintrin.h>
#include <string.h>

#define INLINE    static inline __attribute__((always_inline))
#define LANES     8
#define BYTE_ROWS 3

/*
 * AVX2 multiplies bytes in pairs whose sum saturates at 16 bits; so the four numbers are widened to
 * 16 bits, the even ones and the odd ones, as are the weights.
 */
typedef struct quad {
    __m256i even, odd;
} quad;

INLINE quad widen(__m256i four)
{
    __m256i low = _mm256_set1_epi16(255);
    return (quad){_mm256_and_si256(four, low), _mm256_srli_epi16(four, 8)};
}

INLINE quad spread(const uint8_t *four)
{
    int32_t bits;
    memcpy(&bits, four, sizeof bits);
    return widen(_mm256_set1_epi32(bits));
}

INLINE quad load_quads(const uint8_t *from)
{
    return widen(_mm256_loadu_si256((const void *)from));
}

typedef int32_t sums __attribute__((vector_size(32)));
typedef float reals __attribute__((vector_size(32)));
typedef float reals_unaligned __attribute__((vector_size(32), aligned(4)));

INLINE sums dot4(sums total, quad four, const uint8_t *weights)
{
    __m256i even = _mm256_madd_epi16(four.even, _mm256_load_si256((const void *)weights));
    __m256i odd = _mm256_madd_epi16(four.odd, _mm256_load_si256((const void *)(weights + 32)));
    return total + (sums)_mm256_add_epi32(even, odd);
}

static void pack_quad(int8_t four[LANES][4], uint8_t *to)
{
    int16_t wide[2][LANES][2];
    for (int i = 0; i < LANES; i++)
        for (int k = 0; k < 4; k++)
            wide[k % 2][i][k / 2] = four[i][k];
    memcpy(to, wide, sizeof wide);
}

/* 8 numbers from each of four places, one of each side by side: (8, 4) bytes. */
INLINE void interleave(const uint8_t *const four[4], uint8_t *to)
{
    __m128i a = _mm_loadl_epi64((const void *)four[0]), b = _mm_loadl_epi64((const void *)four[1]);
    __m128i c = _mm_loadl_epi64((const void *)four[2]), d = _mm_loadl_epi64((const void *)four[3]);
    __m128i ab = _mm_unpacklo_epi8(a, b), cd = _mm_unpacklo_epi8(c, d);
    _mm_storeu_si128((void *)to, _mm_unpacklo_epi16(ab, cd));
    _mm_storeu_si128((void *)(to + 16), _mm_unpackhi_epi16(ab, cd));
}

INLINE reals load_bytes(const uint8_t *from)
{
    __m128i bytes = _mm_loadl_epi64((const void *)from);
    return (reals)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
}

/* What is too large for 32 bits, and NaN, becomes their least number. */
INLINE void store_bytes(uint8_t *to, reals x, int low, int high)
{
    __m256i whole = _mm256_cvtps_epi32((__m256)x);
    whole = _mm256_max_epi32(whole, _mm256_set1_epi32(low));
    whole = _mm256_min_epi32(whole, _mm256_set1_epi32(high));
    __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((void *)to, _mm_packus_epi16(words, words));
}

#include "nn/simd/bytes.inc.h"

const nn_byte_kernels nn_byte_kernels_avx2 = BYTE_KERNEL_TABLE;
