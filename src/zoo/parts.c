/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/parts.h"

int zoo_conv_relu(nn_builder *b, int x, int64_t outputs, int kernel, nn_build_padding padding)
{
    x = nn_build_conv(b, x,
                      (nn_build_conv_options){
                          .outputs = outputs, .kernel = kernel, .padding = padding, .bias = true});
    return nn_build_relu(b, x);
}

int zoo_conv_norm(nn_builder *b, int x, int64_t outputs, int kernel, int stride)
{
    x = nn_build_conv(
        b, x,
        (nn_build_conv_options){
            .outputs = outputs, .kernel = kernel, .stride = stride, .padding = NN_BUILD_SAME});
    return nn_build_batch_norm(b, x, ZOO_EPSILON_PYTORCH);
}

int zoo_conv_norm_relu(nn_builder *b, int x, int64_t outputs, int kernel, int stride)
{
    return nn_build_relu(b, zoo_conv_norm(b, x, outputs, kernel, stride));
}

int zoo_residual_block(nn_builder *b, int x, int64_t outputs, int stride)
{
    int shortcut = x;
    if (stride != 1 || nn_build_shape(b, x).dims[1] != outputs)
        shortcut = zoo_conv_norm(b, x, outputs, 1, stride);
    x = zoo_conv_norm_relu(b, x, outputs, 3, stride);
    x = zoo_conv_norm(b, x, outputs, 3, 1);
    return nn_build_relu(b, nn_build_add(b, x, shortcut));
}

int zoo_pooled(nn_builder *b, int x)
{
    return nn_build_flatten(b, nn_build_global_average(b, x));
}

zoo_ends zoo_classify(nn_builder *b, int features, float dropout, int classes)
{
    int x = dropout > 0 ? nn_build_dropout(b, features, dropout) : features;
    return (zoo_ends){.logits = nn_build_dense(b, x, classes), .features = features};
}

int64_t zoo_scaled_channels(int channels, float multiplier)
{
    float wanted = (float)channels * multiplier;
    int64_t rounded = (int64_t)(wanted + 4) / 8 * 8;
    if (rounded < 8)
        rounded = 8;
    return (float)rounded < 0.9f * wanted ? rounded + 8 : rounded;
}

int zoo_first_stride(const zoo_options *options)
{
    int shorter = options->height < options->width ? options->height : options->width;
    return shorter >= 96 ? 2 : 1;
}

int zoo_norm_relu6(nn_builder *b, int x, bool relu6)
{
    x = nn_build_batch_norm(b, x, ZOO_EPSILON_KERAS);
    return relu6 ? nn_build_clip(b, x, 0, 6) : x;
}
