/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

/*
 * Three convolutions and no dense layer: 1x1 convolutions to the classes, averaged over the
 * picture. features: the mean of what they read, which gives the same logits.
 */
zoo_ends zoo_fcn(nn_builder *b, int x, const zoo_options *options)
{
    static const int channels[] = {32, 64, 128};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        x = zoo_conv_norm_relu(b, x, channels[i], 3, 1);
        x = nn_build_max_pool(b, x, 2, 2, NN_BUILD_VALID);
    }
    nn_build_conv_options last = {.outputs = options->classes, .kernel = 1, .bias = true};
    return (zoo_ends){.features = zoo_pooled(b, x),
                      .logits = zoo_pooled(b, nn_build_conv(b, x, last))};
}
