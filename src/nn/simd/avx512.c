/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/simd/sets.h"

#include <immintrin.h>

static inline __m512 wide_maximum(__m512 a, __m512 b)
{
    return _mm512_max_ps(a, b);
}

static inline __m256 narrow_maximum(__m256 a, __m256 b)
{
    return _mm256_max_ps(a, b);
}

#define NATIVE_MAXIMUM
#define WIDE_FLOATS   16
#define NARROW_FLOATS 8
#define TILE_ROWS     8
#include "nn/simd/set.inc.h"

const nn_kernels nn_kernels_avx512 = KERNEL_TABLE("avx512");
