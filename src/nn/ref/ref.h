/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_REF_REF_H
#define NN_REF_REF_H

/* The operators, each defined in a file of this folder. Semantics: https://onnx.ai/onnx/operators/
 */

#include "nn/op.h"

extern const nn_op nn_op_add;
extern const nn_op nn_op_average_pool;
extern const nn_op nn_op_batch_norm;
extern const nn_op nn_op_cast;
extern const nn_op nn_op_clip;
extern const nn_op nn_op_concat;
extern const nn_op nn_op_conv;
extern const nn_op nn_op_dequantize;
extern const nn_op nn_op_div;
extern const nn_op nn_op_dropout;
extern const nn_op nn_op_elu;
extern const nn_op nn_op_flatten;
extern const nn_op nn_op_gather;
extern const nn_op nn_op_gemm;
extern const nn_op nn_op_global_average_pool;
extern const nn_op nn_op_hard_sigmoid;
extern const nn_op nn_op_hard_swish;
extern const nn_op nn_op_identity;
extern const nn_op nn_op_leaky_relu;
extern const nn_op nn_op_matmul;
extern const nn_op nn_op_max_pool;
extern const nn_op nn_op_mul;
extern const nn_op nn_op_pad;
extern const nn_op nn_op_prelu;
extern const nn_op nn_op_qlinear_conv;
extern const nn_op nn_op_qlinear_matmul;
extern const nn_op nn_op_quantize;
extern const nn_op nn_op_reduce_mean;
extern const nn_op nn_op_relu;
extern const nn_op nn_op_reshape;
extern const nn_op nn_op_resize;
extern const nn_op nn_op_shape_of;
extern const nn_op nn_op_sigmoid;
extern const nn_op nn_op_slice;
extern const nn_op nn_op_softmax;
extern const nn_op nn_op_squeeze;
extern const nn_op nn_op_sub;
extern const nn_op nn_op_tanh;
extern const nn_op nn_op_transpose;
extern const nn_op nn_op_unsqueeze;

/* ---- Helpers of the operators' files (common.c) ---- */

/* Fails with "<op> '<node>': <what>". */
mien_status nn_shape_fail(const nn_shaping *shaping, mien_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The input exists and is not left out. */
bool nn_has_input(const nn_shaping *shaping, int index);

/* Sets the output to the type and shape of input 0. */
mien_status nn_shape_as_input(nn_shaping *shaping);

/* Fails unless input `index` has this rank. */
mien_status nn_require_rank(const nn_shaping *shaping, int index, int rank);

/* Fails unless the inputs first..end-1 that are there hold floats. */
mien_status nn_require_floats(const nn_shaping *shaping, int first, int end);

/* Turns an axis that may be negative into 0..rank-1. */
mien_status nn_resolve_axis(const nn_shaping *shaping, int64_t axis, int rank, int *resolved);

/*
 * The integers of a constant input or, where the node has no such input, of an attribute (older
 * opsets). They stay the graph's. *values is NULL and *count 0 when there is neither.
 * MIEN_UNSUPPORTED when the input is not constant. input: -1 for "attribute only".
 */
mien_status nn_constant_ints(const nn_shaping *shaping, int input, const char *attribute,
                             const int64_t **values, size_t *count);

/*
 * Reads kernel_shape, strides, dilations, pads and auto_pad, and computes the rows and columns of
 * the output for an input of size (rows, columns).
 * kernel: the size that the weights have, or NULL.
 */
mien_status nn_shape_window(const nn_shaping *shaping, const int64_t *kernel,
                            const int64_t input[2], bool ceil_mode, nn_window *window,
                            int64_t output[2]);

/* NumPy's broadcasting of two shapes. false when they do not fit. */
bool nn_broadcast(const nn_shape *a, const nn_shape *b, nn_shape *out);

/* Strides, in elements, for reading `shape` as if it were broadcast to `wide`; 0 repeats. */
void nn_broadcast_strides(const nn_shape *shape, const nn_shape *wide,
                          int64_t strides[NN_MAX_RANK]);

/* Advances a row-major index over a shape. false after the last element. */
bool nn_next_index(const nn_shape *shape, int64_t index[NN_MAX_RANK]);

/* Elements of a shape that nn_shape_elements accepted. */
int64_t nn_elements(const nn_shape *shape);

/* Element i of a tensor of integers. */
int64_t nn_int_at(const nn_tensor *tensor, int64_t i);

/* Product of the dimensions first..end-1. */
int64_t nn_product(const nn_shape *shape, int first, int end);

/* Resize, mode nearest: the place along the axis that output `at` copies; in, out: its sizes. */
int64_t nn_resize_nearest(const nn_params *params, int axis, int64_t at, int64_t in, int64_t out);

#endif
