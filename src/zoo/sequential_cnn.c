/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

/*
 * A plain chain of four convolutions and a dense layer, 2,345,607 parameters for one channel of
 * 48x48 and seven classes.
 */
zoo_ends zoo_sequential_cnn(nn_builder *b, int x, const zoo_options *options)
{
    x = zoo_conv_relu(b, x, 32, 3, NN_BUILD_VALID);
    x = zoo_conv_relu(b, x, 64, 3, NN_BUILD_VALID);
    x = nn_build_max_pool(b, x, 2, 2, NN_BUILD_VALID);
    x = nn_build_dropout(b, x, 0.25f);
    x = zoo_conv_relu(b, x, 128, 3, NN_BUILD_VALID);
    x = nn_build_max_pool(b, x, 2, 2, NN_BUILD_VALID);
    x = zoo_conv_relu(b, x, 128, 3, NN_BUILD_VALID);
    x = nn_build_max_pool(b, x, 2, 2, NN_BUILD_VALID);
    x = nn_build_dropout(b, x, 0.25f);
    x = nn_build_relu(b, nn_build_dense(b, nn_build_flatten(b, x), 1024));
    return zoo_classify(b, x, 0.5f, options->classes);
}
