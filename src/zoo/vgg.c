/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

/*
 * VGG (Simonyan and Zisserman 2015) sized for 48x48: ten convolutions with batch normalisation in
 * four steps, one dense layer of 256.
 */
zoo_ends zoo_vgg(nn_builder *b, int x, const zoo_options *options)
{
    static const struct {
        int channels, convolutions;
    } steps[] = {{64, 2}, {128, 2}, {256, 3}, {512, 3}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (int k = 0; k < steps[i].convolutions; k++)
            x = zoo_conv_norm_relu(b, x, steps[i].channels, 3, 1);
        x = nn_build_max_pool(b, x, 2, 2, NN_BUILD_VALID);
    }
    x = nn_build_dense(b, nn_build_flatten(b, x), 256);
    x = nn_build_relu(b, nn_build_batch_norm(b, x, ZOO_EPSILON_PYTORCH));
    return zoo_classify(b, x, 0.5f, options->classes);
}
