/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

/*
 * MobileNetV2 (Sandler et al. 2018) for any width multiplier and resolution: inverted residuals,
 * 1280 features (more for multipliers over 1). Padding and epsilon are TensorFlow's, whose weights
 * then fit. The first stride is 2 for inputs of 96 pixels and more, else 1.
 */

static int conv(nn_builder *b, int x, int64_t channels, int kernel, int stride, bool relu6)
{
    nn_build_conv_options options = {
        .outputs = channels, .kernel = kernel, .stride = stride, .padding = NN_BUILD_SAME};
    return zoo_norm_relu6(b, nn_build_conv(b, x, options), relu6);
}

static int inverted_residual(nn_builder *b, int x, int expansion, int64_t channels, int stride)
{
    int64_t from = nn_build_shape(b, x).dims[1];
    int y = expansion != 1 ? conv(b, x, from * expansion, 1, 1, true) : x;
    y = nn_build_depthwise(b, y, 3, stride, NN_BUILD_SAME, false);
    y = conv(b, zoo_norm_relu6(b, y, true), channels, 1, 1, false);
    return stride == 1 && from == channels ? nn_build_add(b, y, x) : y;
}

zoo_ends zoo_mobilenet_v2(nn_builder *b, int x, const zoo_options *options)
{
    static const struct {
        int expansion, channels, count, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    float width = options->width_multiplier;
    x = conv(b, x, zoo_scaled_channels(32, width), 3, zoo_first_stride(options), true);
    for (size_t s = 0; s < sizeof stages / sizeof *stages; s++)
        for (int i = 0; i < stages[s].count; i++)
            x = inverted_residual(b, x, stages[s].expansion,
                                  zoo_scaled_channels(stages[s].channels, width),
                                  i == 0 ? stages[s].stride : 1);
    x = conv(b, x, zoo_scaled_channels(1280, width > 1 ? width : 1), 1, 1, true);
    return zoo_classify(b, zoo_pooled(b, x), 0.2f, options->classes);
}
