/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/simd/sets.h"

#define WIDE_FLOATS   16
#define NARROW_FLOATS 8
#define TILE_ROWS     8
#include "nn/simd/set.inc.h"

const nn_kernels nn_kernels_avx512 = KERNEL_TABLE("avx512");
