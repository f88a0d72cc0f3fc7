/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The ways to compute a convolution, and the choice among them. Whoever includes this defines
 * way_of.
 */

#include "nn/simd/conv.inc.h"
#include "nn/simd/dense.inc.h"
#include "nn/simd/depthwise.inc.h"
#include "nn/simd/winograd.inc.h"

typedef struct conv_way {
    size_t (*packed_floats)(const nn_conv *conv);
    size_t (*scratch_bytes)(const nn_conv *conv);
    void (*pack)(const nn_conv *conv, const float *weights, const float *bias, float *packed);
    /* y: numbers, or floats where conv->writes_floats. */
    void (*run)(const nn_conv *conv, nn_part part, const number *x, const number *residual, void *y,
                void *scratch);
} conv_way;

static const conv_way depthwise_way = {depthwise_packed_floats, depthwise_scratch_bytes,
                                       pack_depthwise, run_depthwise};
static const conv_way winograd_way = {winograd_packed_floats, winograd_scratch_bytes, pack_winograd,
                                      run_winograd};
static const conv_way dense_way = {dense_packed_floats, dense_scratch_bytes, pack_dense, run_dense};

static const conv_way *way_of(const nn_conv *conv);

static const conv_way *way_by_channels(const nn_conv *conv)
{
    if (is_depthwise(conv))
        return &depthwise_way;
    return winograd_side(conv) != 0 ? &winograd_way : &dense_way;
}

static bool applies_activation(const nn_conv *conv)
{
    nn_activation_kind kind = conv->activation.kind;
    return kind == NN_ACTIVATION_NONE || kind == NN_ACTIVATION_RELU || kind == NN_ACTIVATION_CLIP ||
           kind == NN_ACTIVATION_LEAKY_RELU;
}

static size_t conv_packed_floats(const nn_conv *conv)
{
    return way_of(conv)->packed_floats(conv);
}

static size_t conv_scratch_bytes(const nn_conv *conv)
{
    return way_of(conv)->scratch_bytes(conv);
}

static void conv_pack(const nn_conv *conv, const float *weights, const float *bias, float *packed)
{
    way_of(conv)->pack(conv, weights, bias, packed);
}

static void run_conv(const nn_conv *conv, nn_part part, const number *x, const number *residual,
                     void *y, void *scratch)
{
    way_of(conv)->run(conv, part, x, residual, y, scratch);
}
