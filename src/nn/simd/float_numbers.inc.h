/* SPDX-License-Identifier: Apache-2.0 */

/* Pictures and weights of floats, for the sources that work on other numbers too (bf16.c). */

#define UNIT 1 /* numbers that one product of a lane takes */

typedef float number;
typedef float unit;

INLINE float real_of(number x)
{
    return x;
}

INLINE number number_of(float x)
{
    return x;
}

INLINE unit load_unit(const number *from)
{
    return *from;
}

/* A unit of weights, `step` floats apart, as a float of the packed ones. */
INLINE float packed_unit(const float *weights, int64_t step)
{
    (void)step;
    return *weights;
}

#define NAME(x) wide_##x
#define VECTOR  wide
#include "nn/simd/float_lanes.inc.h"
#undef NAME
#undef VECTOR

#define NAME(x) narrow_##x
#define VECTOR  narrow
#include "nn/simd/float_lanes.inc.h"
#undef NAME
#undef VECTOR
