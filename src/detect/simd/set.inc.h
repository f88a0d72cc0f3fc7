/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Neighbouring windows side by side in vectors, by the compiler's vector types, so that one source
 * serves every instruction set. The file that includes this is one instruction set: it defines
 *   LANES                      windows in a vector of 32-bit numbers
 *   PARTS                      vectors that their doubles take, 1 or 2
 *   VECTORS                    vectors side by side, at most CASCADE_READ_BEYOND / LANES
 *   LANE_SEQUENCE(first, step) LANES numbers of lanes, with commas between them
 */

#include "detect/cascade_kernels.h"

#include <math.h>
#include <string.h>

typedef int32_t ints __attribute__((vector_size(LANES * 4)));
typedef int32_t ints_unaligned __attribute__((vector_size(LANES * 4), aligned(4)));
typedef uint32_t words __attribute__((vector_size(LANES * 4)));
typedef uint32_t words_unaligned __attribute__((vector_size(LANES * 4), aligned(4)));

typedef float floats __attribute__((vector_size(LANES * 4)));
typedef float floats_unaligned __attribute__((vector_size(LANES * 4), aligned(4)));
typedef double doubles __attribute__((vector_size(LANES * 8)));
typedef int64_t part_longs __attribute__((vector_size(LANES * 8 / PARTS)));
typedef int32_t part_ints __attribute__((vector_size(LANES * 4 / PARTS)));
typedef double part __attribute__((vector_size(LANES * 8 / PARTS)));

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define INLINE static inline __attribute__((always_inline))

#include "detect/simd/resize.inc.h"
#include "detect/simd/tables.inc.h"
#include "detect/simd/windows.inc.h"
