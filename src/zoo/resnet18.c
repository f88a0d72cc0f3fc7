/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

/*
 * ResNet-18 (He et al. 2016) sized for 48x48: its first convolution is 3x3 without a stride; the
 * 3x3 max-pooling with a stride of 2 follows it as published.
 */
zoo_ends zoo_resnet18(nn_builder *b, int x, const zoo_options *options)
{
    x = zoo_conv_norm_relu(b, x, 64, 3, 1);
    x = nn_build_max_pool(b, x, 3, 2, NN_BUILD_SAME);
    for (int channels = 64; channels <= 512; channels *= 2) {
        x = zoo_residual_block(b, x, channels, channels == 64 ? 1 : 2);
        x = zoo_residual_block(b, x, channels, 1);
    }
    return zoo_classify(b, zoo_pooled(b, x), 0, options->classes);
}
