/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Neighbouring windows side by side in vectors, by the compiler's vector types, so that one source
 * serves every instruction set. The file that includes this is one instruction set: it defines
 * LANES                 windows in a vector of 32-bit numbers
 *   LOW_LANES, HIGH_LANES the numbers of the lanes  of its two halves
 *   VECTORS               how many vectors go side by side, at most CASCADE_READ_BEYOND / LANES
 */

#include "detect/cascade_kernels.h"

#include <math.h>

typedef int32_t ints __attribute__((vector_size(LANES * 4)));
typedef int32_t ints_unaligned __attribute__((vector_size(LANES * 4), aligned(4)));
typedef uint32_t words __attribute__((vector_size(LANES * 4)));
typedef uint32_t words_unaligned __attribute__((vector_size(LANES * 4), aligned(4)));
typedef float floats __attribute__((vector_size(LANES * 4)));
typedef float floats_unaligned __attribute__((vector_size(LANES * 4), aligned(4)));
typedef float half_floats __attribute__((vector_size(LANES * 2)));
typedef double half_doubles __attribute__((vector_size(LANES * 4)));

typedef double half_doubles_unaligned __attribute__((vector_size(LANES * 4), aligned(8)));

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define INLINE static inline __attribute__((always_inline))

#include "detect/simd/tables.inc.h"
#include "detect/simd/windows.inc.h"
