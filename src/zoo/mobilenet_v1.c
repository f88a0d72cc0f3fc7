/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

/*
 * MobileNetV1 (Howard et al. 2017) for any width multiplier and resolution. Padding and epsilon are
 * TensorFlow's, whose weights then fit. The first stride is 2 for inputs of 96 pixels and more,
 * else 1.
 */

static int conv(nn_builder *b, int x, int64_t channels, int kernel, int stride)
{
    nn_build_conv_options options = {
        .outputs = channels, .kernel = kernel, .stride = stride, .padding = NN_BUILD_SAME};
    return zoo_norm_relu6(b, nn_build_conv(b, x, options), true);
}

zoo_ends zoo_mobilenet_v1(nn_builder *b, int x, const zoo_options *options)
{
    static const struct {
        int channels, stride;
    } layers[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                  {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
    float width = options->width_multiplier;
    x = conv(b, x, zoo_scaled_channels(32, width), 3, zoo_first_stride(options));
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        x = nn_build_depthwise(b, x, 3, layers[i].stride, NN_BUILD_SAME, false);
        x = zoo_norm_relu6(b, x, true);
        x = conv(b, x, zoo_scaled_channels(layers[i].channels, width), 1, 1);
    }
    return zoo_classify(b, zoo_pooled(b, x), 0.001f, options->classes);
}
