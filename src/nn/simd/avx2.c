/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/simd/sets.h"

#include <immintrin.h>

static inline __m256 wide_maximum(__m256 a, __m256 b)
{
    return _mm256_max_ps(a, b);
}

#define NATIVE_MAXIMUM
#define WIDE_FLOATS   8
#define NARROW_FLOATS 8
#define TILE_ROWS     6
#include "nn/simd/set.inc.h"

const nn_kernels nn_kernels_avx2 = KERNEL_TABLE("avx2");
