/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_BYTE_KERNELS_H
#define NN_BYTE_KERNELS_H

/*
 * Kernels on 8-bit numbers: pictures of uint8 with the channels last, weights of int8, sums in 32
 * bits. A number q stands for (q - zero_point) scale.
 *
 * Sums are exact. They become numbers of the output in float, where the reference operators go by
 * way of the dequantised numbers: what is rounded to a step differs from them by at most that step.
 * Functions are pure and thread-safe; they allocate nothing.
 */

#include "nn/kernels.h"

typedef struct nn_quantization {
    float scale;    /* over 0 */
    int zero_point; /* 0..255 */
} nn_quantization;

/* A convolution, depthwise or of one group, or with a window of 1 a product with a matrix. */
typedef struct nn_byte_conv {
    nn_extent in, out;
    nn_window window;
    int group;
    nn_activation activation; /* after bias and residual: NONE, RELU, CLIP or LEAKY_RELU */
    nn_quantization x;        /* of what is read */
    nn_quantization residual;
    nn_quantization y;  /* of what is written, unless */
    bool writes_floats; /* y holds floats */
    const void *packed; /* what conv_pack wrote, at a 64-byte boundary */
} nn_byte_conv;

typedef struct nn_byte_kernels {
    /* Whether there is a kernel for the convolution. */
    bool (*conv_supported)(const nn_byte_conv *conv);
    /* Bytes that conv_pack writes, and bytes of scratch that conv needs. */
    size_t (*conv_packed_bytes)(const nn_byte_conv *conv);
    size_t (*conv_scratch_bytes)(const nn_byte_conv *conv);
    /* weights: (M, C/group, kH, kW), of which each output has a scale: (M); bias: (M) or NULL. */
    void (*conv_pack)(const nn_byte_conv *conv, const int8_t *weights, const float *scales,
                      const float *bias, void *packed);
    /*
     * y = activation(conv(x) + bias + residual); residual: bytes in the shape of y, or NULL. y:
     * bytes or floats.
     */
    void (*conv)(const nn_byte_conv *conv, nn_part part, const uint8_t *x, const uint8_t *residual,
                 void *y, void *scratch);

    void (*max_pool)(const nn_pool *pool, nn_part part, const uint8_t *x, uint8_t *y);
    void (*quantize)(const float *x, int64_t count, nn_quantization to, uint8_t *y);
    void (*dequantize)(const uint8_t *x, int64_t count, nn_quantization from, float *y);
} nn_byte_kernels;

/* Those that go with a set of kernels. NULL: none here. */
const nn_byte_kernels *nn_byte_kernels_with(const nn_kernels *kernels);

#endif
