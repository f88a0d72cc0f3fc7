/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_ONEDNN_LANES_H
#define TRAIN_ONEDNN_LANES_H

/*
 * Eight floats side by side, for kernels that keep their sums in registers. Functions that take
 * them are to be LANES_INLINE, into one that is VECTORISED. Private to this folder.
 */

#include "train/vectorised.h"

#include <stdint.h>

#define LANES 8

/* At any float's address. */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

/* As wide: what compares give, -1 where they hold, else 0. */
typedef int32_t lane_words __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef uint8_t lane_bytes __attribute__((vector_size(LANES), aligned(1), may_alias));

#define LANES_INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define LANES_UNROLL _Pragma("unroll")
#else
#define LANES_UNROLL _Pragma("GCC unroll 16")
#endif

#endif
