/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/op.h"

#include "nn/ref/ref.h"

#include <string.h>

static const nn_op *const ops[] = {
    &nn_op_add,
    &nn_op_average_pool,
    &nn_op_batch_norm,
    &nn_op_cast,
    &nn_op_clip,
    &nn_op_concat,
    &nn_op_conv,
    &nn_op_dequantize,
    &nn_op_div,
    &nn_op_dropout,
    &nn_op_elu,
    &nn_op_flatten,
    &nn_op_gather,
    &nn_op_gemm,
    &nn_op_global_average_pool,
    &nn_op_hard_sigmoid,
    &nn_op_hard_swish,
    &nn_op_identity,
    &nn_op_leaky_relu,
    &nn_op_matmul,
    &nn_op_max_pool,
    &nn_op_mul,
    &nn_op_pad,
    &nn_op_prelu,
    &nn_op_qlinear_conv,
    &nn_op_qlinear_matmul,
    &nn_op_quantize,
    &nn_op_reduce_mean,
    &nn_op_relu,
    &nn_op_reshape,
    &nn_op_resize,
    &nn_op_shape_of,
    &nn_op_sigmoid,
    &nn_op_slice,
    &nn_op_softmax,
    &nn_op_squeeze,
    &nn_op_sub,
    &nn_op_tanh,
    &nn_op_transpose,
    &nn_op_unsqueeze,
};

const nn_op *nn_op_at(size_t index)
{
    return index < sizeof ops / sizeof *ops ? ops[index] : NULL;
}

const nn_op *nn_op_find(const char *name)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i]->name, name) == 0)
            return ops[i];
    return NULL;
}
