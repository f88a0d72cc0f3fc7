/* SPDX-License-Identifier: Apache-2.0 */

/* All kernels of one instruction set, and what the table needs to point at. */

#include "nn/simd/vector.inc.h"

#include "nn/simd/panels.inc.h"

#include "nn/simd/conv.inc.h"
#include "nn/simd/dense.inc.h"
#include "nn/simd/depthwise.inc.h"
#include "nn/simd/elementwise.inc.h"
#include "nn/simd/pool.inc.h"
#include "nn/simd/staged.inc.h"
#include "nn/simd/winograd.inc.h"

static bool conv_supported(const nn_conv *conv)
{
    nn_activation_kind kind = conv->activation.kind;
    return kind == NN_ACTIVATION_NONE || kind == NN_ACTIVATION_RELU || kind == NN_ACTIVATION_CLIP ||
           kind == NN_ACTIVATION_LEAKY_RELU;
}

typedef enum conv_way { DEPTHWISE, STAGED, WINOGRAD, DENSE } conv_way;

static conv_way way_of(const nn_conv *conv)
{
    if (is_depthwise(conv))
        return DEPTHWISE;
    if (is_staged(conv))
        return STAGED;
    return winograd_outputs(conv) != 0 ? WINOGRAD : DENSE;
}

static bool conv_takes_planar(const nn_conv *conv)
{
    return way_of(conv) == STAGED;
}

static size_t conv_packed_floats(const nn_conv *conv)
{
    switch (way_of(conv)) {
    case DEPTHWISE:
        return depthwise_packed_floats(conv);
    case WINOGRAD:
        return winograd_packed_floats(conv);
    default:
        return group_packed_floats(conv) * (size_t)conv->group;
    }
}

static size_t conv_scratch_bytes(const nn_conv *conv)
{
    switch (way_of(conv)) {
    case DEPTHWISE:
        return 0;
    case STAGED:
        return staged_scratch_bytes(conv);
    case WINOGRAD:
        return winograd_scratch_bytes(conv);
    default:
        return dense_scratch_bytes(conv);
    }
}

static void conv_pack(const nn_conv *conv, const float *weights, const float *bias, float *packed)
{
    switch (way_of(conv)) {
    case DEPTHWISE:
        pack_depthwise(conv, weights, bias, packed);
        break;
    case STAGED:
        pack_staged(conv, weights, bias, packed);
        break;
    case WINOGRAD:
        pack_winograd(conv, weights, bias, packed);
        break;
    default:
        pack_dense(conv, weights, bias, packed);
        break;
    }
}

static void run_conv(const nn_conv *conv, const float *x, const float *residual, float *y,
                     void *scratch)
{
    switch (way_of(conv)) {
    case DEPTHWISE:
        run_depthwise(conv, x, residual, y);
        break;
    case STAGED:
        run_staged(conv, x, residual, y, scratch);
        break;
    case WINOGRAD:
        run_winograd(conv, x, residual, y, scratch);
        break;
    default:
        run_dense(conv, x, residual, y, scratch);
        break;
    }
}

#define KERNEL_TABLE(set_name)                                                                     \
    {                                                                                              \
        .name = set_name, .vector_floats = WIDE_FLOATS, .conv_supported = conv_supported,          \
        .conv_takes_planar = conv_takes_planar, .conv_packed_floats = conv_packed_floats,          \
        .conv_scratch_bytes = conv_scratch_bytes, .conv_pack = conv_pack, .conv = run_conv,        \
        .pool = run_pool, .global_average = run_global_average, .scale_shift = run_scale_shift,    \
        .activate = run_activate, .prelu = run_prelu, .binary = run_binary,                        \
        .binary_channels = run_binary_channels, .transpose = run_transpose                         \
    }
