/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Vectors by the compiler's vector types, so that one source serves every instruction set. The file
 * that includes this (and the other .inc.h files) is one instruction set: it defines
 *   WIDE_FLOATS   floats of the machine's vector
 *   NARROW_FLOATS floats of a smaller one for few channels, or the same
 *   TILE_ROWS     pixels that the convolution works on at once
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
        return x >= 0 ? x : activation.alpha * expm1f(x);
    case NN_ACTIVATION_SIGMOID:
        return 1 / (1 + expf(-x));
    case NN_ACTIVATION_HARD_SIGMOID: {
        float y = activation.alpha * x + activation.beta;
        return y < 0 ? 0 : y > 1 ? 1 : y;
    }
    case NN_ACTIVATION_HARD_SWISH: {
        float gate = x * (1.0f / 6) + 0.5f;
        return x * (gate < 0 ? 0 : gate > 1 ? 1 : gate);
    }
    case NN_ACTIVATION_TANH:
        return tanhf(x);
    }
    return x;
}
