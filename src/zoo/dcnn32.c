/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

/*
 * A small network for five expressions on 32x32 pictures: two convolutions with max-pooling, two
 * dense layers.
 */
zoo_ends zoo_dcnn32(nn_builder *b, int x, const zoo_options *options)
{
    x = zoo_conv_relu(b, x, 32, 5, NN_BUILD_SAME);
    x = nn_build_max_pool(b, x, 2, 2, NN_BUILD_VALID);
    x = zoo_conv_relu(b, x, 64, 5, NN_BUILD_SAME);
    x = nn_build_max_pool(b, x, 2, 2, NN_BUILD_VALID);
    x = nn_build_relu(b, nn_build_dense(b, nn_build_flatten(b, x), 256));
    return zoo_classify(b, x, 0.5f, options->classes);
}
