/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Vectors by the compiler's vector types, so that one source serves every instruction set. The file
 * that includes this (and the other .inc.h files) is one instruction set: it defines
 *   WIDE_FLOATS   floats of the machine's vector
 *   NARROW_FLOATS floats of a smaller one for few channels, or the same
 *   TILE_ROWS     pixels that the convolution works on at once
 *   NATIVE_MAXIMUM where it has wide_maximum and narrow_maximum: a where a > b, otherwise b
 */

#include "nn/kernels.h"

#include <math.h>
#include <string.h>

typedef float wide __attribute__((vector_size(WIDE_FLOATS * 4)));
typedef float wide_unaligned __attribute__((vector_size(WIDE_FLOATS * 4), aligned(4)));
typedef int32_t wide_mask __attribute__((vector_size(WIDE_FLOATS * 4)));

typedef float narrow __attribute__((vector_size(NARROW_FLOATS * 4)));
typedef float narrow_unaligned __attribute__((vector_size(NARROW_FLOATS * 4), aligned(4)));
typedef int32_t narrow_mask __attribute__((vector_size(NARROW_FLOATS * 4)));

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define INLINE static inline __attribute__((always_inline))

/*
 * e^x = scale (1 + rest) for x <= 0: a power of two and a polynomial, both within a unit in the
 * last place. Below -87 the result stays what it is there, 1.6e-38; NaN stays NaN. Without branches
 * and calls, so that compilers make vectors of the loops around it.
 */
typedef struct exp_parts {
    float scale, rest;
} exp_parts;

INLINE exp_parts exp_split(float x)
{
    const float rounder = 12582912; /* 1.5 * 2^23: what is added to it becomes a whole number */
    float clamped = x < -87 ? -87 : x;
    float shifted = clamped * 1.44269504f + rounder, n = shifted - rounder;
    float r = (clamped - n * 0.693145752f) - n * 1.42860677e-6f; /* n ln 2, in two parts */
    float sum = 1.0f / 5040;
    sum = sum * r + 1.0f / 720;
    sum = sum * r + 1.0f / 120;
    sum = sum * r + 1.0f / 24;
    sum = sum * r + 1.0f / 6;
    sum = sum * r + 0.5f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3F800000; /* the lowest bits of `shifted` are n: 2^n */
    exp_parts parts = {.rest = sum * r * r + r};
    memcpy(&parts.scale, &bits, sizeof bits);
    return parts;
}

/* e^x and e^x - 1 for x <= 0. */
INLINE float exp_negative(float x)
{
    exp_parts parts = exp_split(x);
    return parts.scale * parts.rest + parts.scale;
}

INLINE float expm1_negative(float x)
{
    exp_parts parts = exp_split(x);
    return parts.scale * parts.rest + (parts.scale - 1);
}

/* One number through any activation: what the loops over single numbers use. */
INLINE float activate_one(nn_activation activation, float x)
{
    switch (activation.kind) {
    case NN_ACTIVATION_NONE:
        return x;
    case NN_ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case NN_ACTIVATION_CLIP: {
        float raised = x < activation.alpha ? activation.alpha : x;
        return raised > activation.beta ? activation.beta : raised;
    }
    case NN_ACTIVATION_LEAKY_RELU:
        return x >= 0 ? x : x * activation.alpha;
    case NN_ACTIVATION_ELU:
        return x >= 0 ? x : activation.alpha * expm1_negative(x);
    case NN_ACTIVATION_SIGMOID: {
        float e = exp_negative(-fabsf(x));
        return (x >= 0 ? 1 : e) / (1 + e);
    }
    case NN_ACTIVATION_HARD_SIGMOID: {
        float y = activation.alpha * x + activation.beta;
        return y < 0 ? 0 : y > 1 ? 1 : y;
    }
    case NN_ACTIVATION_HARD_SWISH: {
        float gate = x * (1.0f / 6) + 0.5f;
        return x * (gate < 0 ? 0 : gate > 1 ? 1 : gate);
    }
    case NN_ACTIVATION_TANH: {
        float e = expm1_negative(-2 * fabsf(x));
        return copysignf(e / (2 + e), x);
    }
    }
    return x;
}
