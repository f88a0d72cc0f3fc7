/* SPDX-License-Identifier: Apache-2.0 */

/* All kernels of one instruction set, and what the table needs to point at. */

#include "nn/simd/vector.inc.h"

#include "nn/simd/conv.inc.h"
#include "nn/simd/depthwise.inc.h"
#include "nn/simd/elementwise.inc.h"
#include "nn/simd/pool.inc.h"

static bool conv_supported(const nn_conv *conv)
{
    nn_activation_kind kind = conv->activation.kind;
    return kind == NN_ACTIVATION_NONE || kind == NN_ACTIVATION_RELU || kind == NN_ACTIVATION_CLIP ||
           kind == NN_ACTIVATION_LEAKY_RELU;
}

static size_t conv_packed_floats(const nn_conv *conv)
{
    if (is_depthwise(conv))
        return (size_t)((tap_count(conv) + 1) * conv->in.channels);
    return dense_packed_floats(conv);
}

static size_t conv_scratch_bytes(const nn_conv *conv)
{
    return is_depthwise(conv) ? 0 : dense_scratch_bytes(conv);
}

static void conv_pack(const nn_conv *conv, const float *weights, const float *bias, float *packed)
{
    if (is_depthwise(conv))
        pack_depthwise(conv, weights, bias, packed);
    else
        pack_dense(conv, weights, bias, packed);
}

static void run_conv(const nn_conv *conv, const float *x, const float *residual, float *y,
                     void *scratch)
{
    if (is_depthwise(conv))
        run_depthwise(conv, x, residual, y);
    else
        run_dense(conv, x, residual, y, scratch);
}

#define KERNEL_TABLE(set_name)                                                                     \
    {                                                                                              \
        .name = set_name, .vector_floats = WIDE_FLOATS, .conv_supported = conv_supported,          \
        .conv_packed_floats = conv_packed_floats, .conv_scratch_bytes = conv_scratch_bytes,        \
        .conv_pack = conv_pack, .conv = run_conv, .pool = run_pool,                                \
        .global_average = run_global_average, .scale_shift = run_scale_shift,                      \
        .activate = run_activate, .prelu = run_prelu, .binary = run_binary,                        \
        .binary_channels = run_binary_channels, .transpose = run_transpose                         \
    }
