/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_BF16_KERNELS_H
#define NN_BF16_KERNELS_H

/*
 * Kernels on BF16 numbers: floats without their lower 16 bits. Pictures have the channels last;
 * products of two BF16 numbers are summed in float, bias, residual and activation are applied in
 * float.
 *
 * Weights, and what is written, are rounded to the nearest BF16 number, ties to even: by at most
 * 2^-8 of their size, so that for a sum of K products of size m the result differs from that of
 * the float kernels by at most about K * m * 2^-7, and the rounding of what is written; commonly by
 * the root of K in place of K. 3x3 convolutions that take Winograd's way round the transformed
 * numbers too, which are up to some ten times as large as what they are made of: there it is some
 * five times as much (m being the product of the largest number and the largest weight). Numbers
 * below 2^-126 count as 0; an infinite one may make NaN of what is beside it. Functions are
 * pure and thread-safe; they allocate nothing.
 */

#include "nn/kernels.h"

typedef uint16_t nn_bf16; /* the bits */

typedef struct nn_bf16_kernels {
    /* As those of nn_kernels. A dense convolution needs an even number of channels in a group, or
     * to be one that reads floats. */
    bool (*conv_supported)(const nn_conv *conv);
    /* Whether conv reads x in floats, of either layout, and rounds them: a network's first layer.
     */
    bool (*conv_reads_floats)(const nn_conv *conv);
    size_t (*conv_packed_floats)(const nn_conv *conv);
    size_t (*conv_scratch_bytes)(const nn_conv *conv);
    void (*conv_pack)(const nn_conv *conv, const float *weights, const float *bias, float *packed);
    /*
     * y = activation(conv(x) + bias + residual); x: nn_bf16, or floats where conv_reads_floats.
     * residual: in the shape of y, or NULL. y: nn_bf16, which may be the residual itself, or floats
     * where conv->writes_floats.
     */
    void (*conv)(const nn_conv *conv, nn_part part, const void *x, const nn_bf16 *residual, void *y,
                 void *scratch);

    void (*pool)(const nn_pool *pool, nn_part part, const nn_bf16 *x, nn_bf16 *y);

    /* As those of nn_kernels; x, residual and y as conv's. */
    bool (*conv_has_rows)(const nn_conv *conv);
    void (*conv_row)(const nn_conv *conv, int64_t row, const void *const *x,
                     const nn_bf16 *residual, void *y, void *scratch);
    void (*pool_row)(const nn_pool *pool, int64_t row, const nn_bf16 *x, int64_t pitch, nn_bf16 *y);

    void (*from_floats)(const float *x, int64_t count, nn_bf16 *y);
    void (*to_floats)(const nn_bf16 *x, int64_t count, float *y);
} nn_bf16_kernels;

/* Those that go with a set of kernels. NULL: this CPU, or the set, has none. */
const nn_bf16_kernels *nn_bf16_kernels_with(const nn_kernels *kernels);

#endif
