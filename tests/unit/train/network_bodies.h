/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TRAIN_NETWORK_BODIES_H
#define TESTS_TRAIN_NETWORK_BODIES_H

/*
 * One body for each kind of layer and each way they join. Each begins with a convolution with bias,
 * so that the gradient that reaches the input of what is tested shows in the gradients of
 * that convolution.
 */

#include "network_support.h"

static int first(nn_builder *b, int x, int channels)
{
    nn_build_conv_options options = {.outputs = channels, .kernel = 1, .bias = true};
    return nn_build_conv(b, x, options);
}

static int body_conv_stride(nn_builder *b, int x, int channels)
{
    nn_build_conv_options options = {
        .outputs = channels + 3, .kernel = 3, .stride = 2, .padding = NN_BUILD_SAME, .bias = true};
    return nn_build_conv(b, first(b, x, channels), options);
}

static int body_conv_even(nn_builder *b, int x, int channels)
{
    nn_build_conv_options options = {
        .outputs = 2 * channels, .kernel = 4, .padding = NN_BUILD_SAME};
    return nn_build_conv(b, first(b, x, channels), options);
}

static int body_conv_relu(nn_builder *b, int x, int channels)
{
    nn_build_conv_options options = {.outputs = channels, .kernel = 3, .bias = true};
    return nn_build_relu(b, nn_build_conv(b, first(b, x, channels), options));
}

static int body_conv_groups(nn_builder *b, int x, int channels)
{
    nn_build_conv_options wide = {.outputs = 3 * channels, .kernel = 1};
    nn_build_conv_options options = {.outputs = 2 * 3 * channels,
                                     .kernel = 3,
                                     .padding = NN_BUILD_SAME,
                                     .group = 3,
                                     .bias = true};
    return nn_build_conv(b, nn_build_conv(b, first(b, x, channels), wide), options);
}

static int body_depthwise(nn_builder *b, int x, int channels)
{
    x = nn_build_depthwise(b, first(b, x, channels + 1), 3, 1, NN_BUILD_SAME, true);
    return nn_build_depthwise(b, x, 5, 2, NN_BUILD_SAME, false);
}

static int body_dense(nn_builder *b, int x, int channels)
{
    x = nn_build_dense(b, nn_build_flatten(b, first(b, x, channels)), 5);
    return nn_build_dense(b, nn_build_clip(b, x, -0.6f, 0.8f), 4);
}

static int body_norm(nn_builder *b, int x, int channels)
{
    return nn_build_batch_norm(b, first(b, x, channels), 1e-3f);
}

static int body_norm_relu(nn_builder *b, int x, int channels)
{
    return nn_build_relu(b, body_norm(b, x, channels));
}

static int body_norm_clip(nn_builder *b, int x, int channels)
{
    return nn_build_clip(b, body_norm(b, x, channels), -0.4f, 0.9f);
}

static int body_norm_first(nn_builder *b, int x, int channels)
{
    (void)channels;
    return nn_build_batch_norm(b, x, 1e-5f);
}

static int pointwise(nn_builder *b, int x, int channels)
{
    nn_build_conv_options options = {.outputs = channels, .kernel = 1};
    return nn_build_conv(b, x, options);
}

/* Convolutions between batch norms, which a backend may join to them: each side by itself. */
static int body_norm_pointwise(nn_builder *b, int x, int channels)
{
    return pointwise(b, body_norm_clip(b, x, channels), channels + 2);
}

static int body_pointwise_norm(nn_builder *b, int x, int channels)
{
    x = pointwise(b, first(b, x, channels), channels + 1);
    return nn_build_relu(b, nn_build_batch_norm(b, x, 1e-3f));
}

static int body_norm_depthwise_norm(nn_builder *b, int x, int channels)
{
    x = nn_build_depthwise(b, body_norm_relu(b, x, channels), 3, 1, NN_BUILD_SAME, false);
    return nn_build_batch_norm(b, x, 1e-3f);
}

static int body_norm_depthwise_stride(nn_builder *b, int x, int channels)
{
    x = nn_build_depthwise(b, body_norm_clip(b, x, channels), 3, 2, NN_BUILD_SAME, false);
    return nn_build_relu(b, nn_build_batch_norm(b, x, 1e-3f));
}

/* Padding on one side alone, a window of 5x5, none at all. */
static int body_depthwise_norms(nn_builder *b, int x, int channels)
{
    x = nn_build_depthwise(b, body_norm_clip(b, x, channels), 5, 1, NN_BUILD_SAME, false);
    x = nn_build_depthwise(b, nn_build_batch_norm(b, x, 1e-3f), 2, 1, NN_BUILD_SAME, false);
    x = nn_build_depthwise(b, nn_build_batch_norm(b, x, 1e-3f), 3, 1, NN_BUILD_VALID, false);
    return nn_build_batch_norm(b, x, 1e-3f);
}

/* A batch norm with two readers is kept. Without a clip, whose bends finite differences would meet
 * here. */
static int body_inverted_residual(nn_builder *b, int x, int channels)
{
    x = body_norm(b, x, channels);
    int y = nn_build_batch_norm(b, pointwise(b, x, channels + 8), 1e-3f);
    y = nn_build_depthwise(b, y, 3, 1, NN_BUILD_SAME, false);
    return nn_build_add(b, pointwise(b, nn_build_batch_norm(b, y, 1e-3f), channels), x);
}

/* The sum's inputs have other readers, too: gradients come together. */
static int body_add(nn_builder *b, int x, int channels)
{
    int a = first(b, x, channels), c = first(b, a, channels);
    return nn_build_add(b, nn_build_add(b, a, c), nn_build_add(b, a, a));
}

static int body_add_relu(nn_builder *b, int x, int channels)
{
    int a = nn_build_relu(b, first(b, x, channels));
    int c = nn_build_batch_norm(b, first(b, a, channels), 1e-3f);
    return nn_build_relu(b, nn_build_add(b, c, a));
}

static int body_multiply(nn_builder *b, int x, int channels)
{
    int a = first(b, x, channels), c = first(b, a, channels);
    return nn_build_multiply(b, nn_build_multiply(b, a, c), nn_build_multiply(b, a, a));
}

/* Squeeze and excitation (Hu et al. 2018). */
static int body_squeeze(nn_builder *b, int x, int channels)
{
    x = first(b, x, channels);
    int squeezed = nn_build_relu(b, first(b, nn_build_global_average(b, x), 2));
    return nn_build_multiply(b, x, nn_build_hard_sigmoid(b, first(b, squeezed, channels)));
}

/* The same with a factor that is read again. */
static int body_squeeze_twice(nn_builder *b, int x, int channels)
{
    x = first(b, x, channels);
    int factor = nn_build_hard_sigmoid(b, nn_build_global_average(b, x));
    int y = nn_build_multiply(b, nn_build_multiply(b, x, factor), factor);
    return nn_build_flatten(b, nn_build_add(b, nn_build_global_average(b, y), factor));
}

static int body_max_pool(nn_builder *b, int x, int channels)
{
    return nn_build_max_pool(b, first(b, x, channels), 3, 2, NN_BUILD_SAME);
}

static int body_average_pool(nn_builder *b, int x, int channels)
{
    x = nn_build_average_pool(b, first(b, x, channels), 3, 2, NN_BUILD_SAME);
    return nn_build_average_pool(b, x, 2, 1, NN_BUILD_VALID);
}

static int body_global_average(nn_builder *b, int x, int channels)
{
    return nn_build_global_average(b, first(b, x, channels));
}

static int body_concat(nn_builder *b, int x, int channels)
{
    int a = first(b, x, channels), c = nn_build_relu(b, first(b, a, channels + 2));
    const int parts[] = {a, c, first(b, c, 1), a};
    return nn_build_concat(b, parts, 4);
}

/* Behind Flatten, so that both backends drop the same numbers. */
static int body_dropout(nn_builder *b, int x, int channels)
{
    return nn_build_dropout(b, nn_build_flatten(b, first(b, x, channels)), 0.3f);
}

/* Activations that stand alone, each with several readers or behind a layer that cannot hide it. */
static int body_activations(nn_builder *b, int x, int channels)
{
    x = nn_build_average_pool(b, first(b, x, channels), 2, 1, NN_BUILD_VALID);
    int relu = nn_build_relu(b, x), clip = nn_build_clip(b, x, -0.3f, 0.4f);
    int swish = nn_build_hard_swish(b, x), sigmoid = nn_build_hard_sigmoid(b, x);
    const int parts[] = {relu, clip, swish, sigmoid, x};
    return nn_build_concat(b, parts, 5);
}

static const struct named_body {
    const char *name;
    network_body body;
} bodies[] = {{"convolution with strides", body_conv_stride},
              {"convolution with an even window", body_conv_even},
              {"convolution and ReLU", body_conv_relu},
              {"convolution in groups", body_conv_groups},
              {"depthwise convolution", body_depthwise},
              {"dense", body_dense},
              {"batch norm", body_norm},
              {"batch norm and ReLU", body_norm_relu},
              {"batch norm and Clip", body_norm_clip},
              {"batch norm of the input", body_norm_first},
              {"batch norm and 1x1", body_norm_pointwise},
              {"1x1 and batch norm", body_pointwise_norm},
              {"depthwise between batch norms", body_norm_depthwise_norm},
              {"depthwise with strides between batch norms", body_norm_depthwise_stride},
              {"depthwise windows between batch norms", body_depthwise_norms},
              {"inverted residual", body_inverted_residual},
              {"add", body_add},
              {"add and ReLU", body_add_relu},
              {"multiply", body_multiply},
              {"squeeze and excitation", body_squeeze},
              {"factor read twice", body_squeeze_twice},
              {"max pool", body_max_pool},
              {"average pool", body_average_pool},
              {"global average", body_global_average},
              {"concat", body_concat},
              {"dropout", body_dropout},
              {"activations", body_activations}};

enum { BODIES = sizeof bodies / sizeof *bodies };

#endif
