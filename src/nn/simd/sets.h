/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SIMD_SETS_H
#define NN_SIMD_SETS_H

/* The tables that this build holds; nn/kernels.c chooses among them. */

#include "nn/bf16_kernels.h"
#include "nn/byte_kernels.h"

#if defined(__x86_64__)
extern const nn_kernels nn_kernels_avx512;         /* AVX-512 F, VL, BW, DQ and FMA */
extern const nn_kernels nn_kernels_avx2;           /* AVX2 and FMA */
extern const nn_byte_kernels nn_byte_kernels_vnni; /* the former and AVX-512 VNNI */
extern const nn_byte_kernels nn_byte_kernels_avx2;
extern const nn_bf16_kernels nn_bf16_kernels_avx512; /* AVX-512 as above and AVX-512 BF16 */
#endif
extern const nn_kernels nn_kernels_generic; /* 128-bit vectors: SSE2, NEON, WebAssembly SIMD */

#endif
