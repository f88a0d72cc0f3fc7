/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H

/*
 * The fast twins of the operators: one table of functions for each instruction set, all compiled
 * from the sources in nn/simd. They work on pictures with the channels last, (N, H, W, C).
 *
 * Numerically they differ from the reference operators in that they add in float, in another order
 * and with fused multiply-adds: for a sum of K products of size m the difference is below about
 * K * m * 2^-23, and twice that for 3x3 convolutions, which may take Winograd's way, and for 1x1
 * convolutions from 256 channels on, which may take Strassen's (m being then the product of the
 * largest number and the largest weight). Elu, Sigmoid and Tanh are within a few
 * units in the last place. Functions are pure and thread-safe; they allocate nothing. Those that
 * take a part do that share of their work; the others can be called for a range of rows.
 */

#include "nn/op.h"
#include "nn/part.h"

typedef enum nn_activation_kind {
    NN_ACTIVATION_NONE,
    NN_ACTIVATION_RELU,
    NN_ACTIVATION_CLIP,       /* alpha..beta */
    NN_ACTIVATION_LEAKY_RELU, /* slope alpha below zero */
    NN_ACTIVATION_ELU,        /* alpha (e^x - 1) below zero */
    NN_ACTIVATION_SIGMOID,
    NN_ACTIVATION_HARD_SIGMOID, /* alpha x + beta, 0..1 */
    NN_ACTIVATION_HARD_SWISH,
    NN_ACTIVATION_TANH
} nn_activation_kind;

typedef struct nn_activation {
    nn_activation_kind kind;
    float alpha, beta;
} nn_activation;

/* A picture's size, channels last. */
typedef struct nn_extent {
    int64_t batch, height, width, channels;
} nn_extent;

/* A convolution or, with a window of 1, a product with a constant matrix. */
typedef struct nn_conv {
    nn_extent in, out;
    nn_window window;
    int group;
    bool planar;              /* x lies (N, C, H, W); only where conv_takes_planar */
    bool writes_floats;       /* BF16 kernels: y holds floats */
    nn_activation activation; /* after bias and residual: NONE, RELU, CLIP or LEAKY_RELU */
    const float *packed;      /* what conv_pack wrote, at a 64-byte boundary */
} nn_conv;

/* Max or average pooling. */
typedef struct nn_pool {
    nn_extent in, out;
    nn_window window;
    bool maximum;
    bool count_padding;
} nn_pool;

typedef enum nn_binary { NN_ADD, NN_SUBTRACT, NN_MULTIPLY, NN_DIVIDE } nn_binary;

typedef struct nn_kernels {
    const char *name; /* "avx512", "avx2" or "generic" (128-bit vectors) */
    int vector_floats;

    /* Whether this set has a kernel for the convolution at all. */
    bool (*conv_supported)(const nn_conv *conv);
    /* Whether conv can read x with the channels first: a network's first layer. */
    bool (*conv_takes_planar)(const nn_conv *conv);
    /* Floats that conv_pack writes, and bytes of scratch that conv needs. */
    size_t (*conv_packed_floats)(const nn_conv *conv);
    size_t (*conv_scratch_bytes)(const nn_conv *conv);
    /* weights: (M, C/group, kH, kW); bias: (M) or NULL. */
    void (*conv_pack)(const nn_conv *conv, const float *weights, const float *bias, float *packed);
    /* y = activation(conv(x) + bias + residual); residual: like y, or NULL; it may be y itself. */
    void (*conv)(const nn_conv *conv, nn_part part, const float *x, const float *residual, float *y,
                 void *scratch);

    void (*pool)(const nn_pool *pool, nn_part part, const float *x, float *y);

    /* Whether conv_row can make the rows of the convolution one by one. */
    bool (*conv_has_rows)(const nn_conv *conv);
    /*
     * The same numbers as conv: row `row` of one picture, 0..out.height-1. x: where the rows of the
     * input under the window lie, those inside the picture; of a planar picture those of its first
     * plane. residual: the same row, or NULL. scratch: as conv's.
     */
    void (*conv_row)(const nn_conv *conv, int64_t row, const float *const *x, const float *residual,
                     float *y, void *scratch);
    /* x: the first row under the window inside the picture; pitch: floats to the next. */
    void (*pool_row)(const nn_pool *pool, int64_t row, const float *x, int64_t pitch, float *y);

    /* (N, H, W, C) -> (N, C) */
    void (*global_average)(const nn_extent *in, const float *x, float *y);

    /* y = activation(x scale[c] + shift[c]) for `rows` rows of `channels`; y may be x. */
    void (*scale_shift)(const float *x, const float *scale, const float *shift, int64_t rows,
                        int64_t channels, nn_activation activation, float *y);
    /* y = activation(x), `count` values; y may be x. */
    void (*activate)(nn_activation activation, const float *x, int64_t count, float *y);
    /* y = x >= 0 ? x : slope[c] x */
    void (*prelu)(const float *x, const float *slope, int64_t rows, int64_t channels, float *y);
    /* y = activation(a op b), `count` values; y may be a or b. */
    void (*binary)(nn_binary kind, const float *a, const float *b, int64_t count,
                   nn_activation activation, float *y);
    /* The same with b of (channels) repeated for each of `rows` rows; swapped: b op a. */
    void (*binary_channels)(nn_binary kind, bool swapped, const float *a, const float *b,
                            int64_t rows, int64_t channels, nn_activation activation, float *y);

    /* (planes, rows, columns) -> (planes, columns, rows): between channels first and last. */
    void (*transpose)(nn_part part, const float *x, int64_t planes, int64_t rows, int64_t columns,
                      float *y);
} nn_kernels;

/*
 * The best set that this CPU runs, or the one of that name. NULL: there is no such set here.
 * "reference" is no set: it is what a plan uses without kernels.
 */
const nn_kernels *nn_kernels_best(void);
const nn_kernels *nn_kernels_find(const char *name);

/* Walks the sets that this CPU runs, best first; NULL after the last. */
const nn_kernels *nn_kernels_at(size_t index);

#endif
