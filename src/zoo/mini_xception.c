/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

/*
 * mini-Xception (Arriaga, Valdenegro-Toro and Ploeger 2017, "Real-time Convolutional Neural
 * Networks for Emotion and Gender Classification"): separable convolutions beside strided
 * shortcuts; the last convolution makes the classes, averaged over the picture.
 */

static int norm(nn_builder *b, int x)
{
    return nn_build_batch_norm(b, x, ZOO_EPSILON_KERAS);
}

static int first_conv(nn_builder *b, int x)
{
    nn_build_conv_options options = {.outputs = 8, .kernel = 3, .padding = NN_BUILD_VALID};
    return nn_build_relu(b, norm(b, nn_build_conv(b, x, options)));
}

static int separable(nn_builder *b, int x, int channels)
{
    x = nn_build_depthwise(b, x, 3, 1, NN_BUILD_SAME, false);
    return norm(b, nn_build_conv(b, x, (nn_build_conv_options){.outputs = channels, .kernel = 1}));
}

static int residual_module(nn_builder *b, int x, int channels)
{
    nn_build_conv_options strided = {
        .outputs = channels, .kernel = 1, .stride = 2, .padding = NN_BUILD_SAME};
    int shortcut = norm(b, nn_build_conv(b, x, strided));
    x = nn_build_relu(b, separable(b, x, channels));
    x = separable(b, x, channels);
    return nn_build_add(b, nn_build_max_pool(b, x, 3, 2, NN_BUILD_SAME), shortcut);
}

zoo_ends zoo_mini_xception(nn_builder *b, int x, const zoo_options *options)
{
    x = first_conv(b, first_conv(b, x));
    for (int channels = 16; channels <= 128; channels *= 2)
        x = residual_module(b, x, channels);
    nn_build_conv_options last = {
        .outputs = options->classes, .kernel = 3, .padding = NN_BUILD_SAME, .bias = true};
    return (zoo_ends){.features = zoo_pooled(b, x),
                      .logits = zoo_pooled(b, nn_build_conv(b, x, last))};
}
