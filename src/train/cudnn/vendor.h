/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_CUDNN_VENDOR_H
#define TRAIN_CUDNN_VENDOR_H

/*
 * Dense convolutions and products, in no vendor's types: convolution.c has the first by cuDNN's
 * graphs, product.c the second by cuBLASLt; the tests have plain ones. All arrays are the device's.
 * What fails while it runs fails the device.
 */

#include "train/cudnn/device.h"

typedef struct vendor_conv vendor_conv;

/*
 * x, y: (N, H, W, C); weights: (M, kH, kW, C/group). bf16: these and their gradients are
 * train_bf16, else float, of which products may drop the digits that TF32 does not have. Sums are
 * float. Failure: *out is NULL; MIEN_UNSUPPORTED (there is no way to compute this shape, or
 * none that gives the same bits each time), MIEN_OUT_OF_MEMORY.
 */
mien_status vendor_conv_create(train_device *device, const nn_conv *conv, bool needs_input_gradient,
                               bool bf16, vendor_conv **out, mien_error *error);
void vendor_conv_free(vendor_conv *conv);
size_t vendor_conv_scratch(const vendor_conv *conv); /* bytes that its runs need */
void vendor_conv_forward(vendor_conv *conv, const void *x, const void *weights, void *y,
                         void *scratch);
void vendor_conv_backward_input(vendor_conv *conv, const void *weights, const void *dy, void *dx,
                                void *scratch);
void vendor_conv_backward_weights(vendor_conv *conv, const void *x, const void *dy, void *d_weights,
                                  void *scratch);

/* y (rows, columns) = a b. a: (rows, inner), or (inner, rows) to be transposed; b: (inner,
 * columns), or (columns, inner) to be transposed. Row-major. */
typedef struct vendor_product_shape {
    int64_t rows, columns, inner;
    bool transpose_a, transpose_b;
} vendor_product_shape;
void vendor_product(train_device *device, const vendor_product_shape *shape, const float *a,
                    const float *b, float *y);

#endif
