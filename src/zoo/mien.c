/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

/*
 * mien's own network: the best accuracy for its time on one CPU core.
 *
 * Time is what it spends, so it is made of what a CPU does at its peak: dense 3x3 convolutions of
 * 32 channels and more, no depthwise ones, which wait for memory. They form residual blocks (He et
 * al. 2016), two for each size of the map and one at 3x3: sixteen layers of moderate width, the
 * depth at which such networks give most for their multiply-adds (Zagoruyko and Komodakis 2016).
 * Each size costs about the same. Strided shortcuts take means first (He et al. 2019, "bag of
 * tricks"), so that no pixel is passed over; from 12x12 down channels are weighed by squeeze and
 * excitation (Hu et al. 2018), which costs next to nothing there. Batch normalisation and ReLU
 * vanish into the convolutions when the network is planned. mien_small is the same with two thirds
 * of the channels and half of the work.
 */

enum { SIZES = 4 };

static int excite(nn_builder *b, int x)
{
    int64_t channels = nn_build_shape(b, x).dims[1];
    nn_build_conv_options squeeze = {.outputs = channels / 4, .kernel = 1, .bias = true};
    nn_build_conv_options expand = {.outputs = channels, .kernel = 1, .bias = true};
    int gate = nn_build_conv(b, nn_build_global_average(b, x), squeeze);
    gate = nn_build_conv(b, nn_build_relu(b, gate), expand);
    return nn_build_multiply(b, x, nn_build_hard_sigmoid(b, gate));
}

/* With a stride of 2 when the block is the first of its size. */
static int block(nn_builder *b, int x, int64_t channels, bool first, bool excited)
{
    int shortcut = x;
    if (first) {
        shortcut = nn_build_average_pool(b, x, 2, 2, NN_BUILD_SAME);
        shortcut = zoo_conv_norm(b, shortcut, channels, 1, 1);
    }
    x = zoo_conv_norm_relu(b, x, channels, 3, first ? 2 : 1);
    x = zoo_conv_norm(b, x, channels, 3, 1);
    if (excited)
        x = excite(b, x);
    return nn_build_relu(b, nn_build_add(b, x, shortcut));
}

static zoo_ends of_channels(nn_builder *b, int x, const int channels[SIZES], int classes)
{
    static const int blocks[SIZES] = {2, 2, 2, 1};
    x = zoo_conv_norm_relu(b, x, 32, 3, 1);
    for (int size = 0; size < SIZES; size++)
        for (int i = 0; i < blocks[size]; i++)
            x = block(b, x, channels[size], i == 0, size > 0);
    return zoo_classify(b, zoo_pooled(b, x), 0.2f, classes);
}

zoo_ends zoo_mien(nn_builder *b, int x, const zoo_options *options)
{
    return of_channels(b, x, (const int[SIZES]){48, 96, 160, 320}, options->classes);
}

zoo_ends zoo_mien_small(nn_builder *b, int x, const zoo_options *options)
{
    return of_channels(b, x, (const int[SIZES]){32, 64, 128, 256}, options->classes);
}
