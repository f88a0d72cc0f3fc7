/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/simd/sets.h"

#define WIDE_FLOATS   4
#define NARROW_FLOATS 4
#define TILE_ROWS     4
#include "nn/simd/set.inc.h"

const nn_kernels nn_kernels_generic = KERNEL_TABLE("generic");
