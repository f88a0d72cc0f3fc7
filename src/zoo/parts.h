/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZOO_PARTS_H
#define ZOO_PARTS_H

/* What architectures are put together from, and the list of them. Private to the room. */

#include "nn/build.h"
#include "zoo/zoo.h"

/* Where a network ends; values of the builder. */
typedef struct zoo_ends {
    int logits;   /* (N, classes) */
    int features; /* (N, dims) */
} zoo_ends;

/*
 * Builds everything between the picture x (N, channels, height, width) and the logits. options:
 * checked, every default filled in. Errors stay in the builder.
 */
typedef zoo_ends (*zoo_builder)(nn_builder *b, int x, const zoo_options *options);

zoo_ends zoo_dcnn32(nn_builder *b, int x, const zoo_options *options);
zoo_ends zoo_fcn(nn_builder *b, int x, const zoo_options *options);
zoo_ends zoo_mien(nn_builder *b, int x, const zoo_options *options);
zoo_ends zoo_mien_small(nn_builder *b, int x, const zoo_options *options);
zoo_ends zoo_mini_xception(nn_builder *b, int x, const zoo_options *options);
zoo_ends zoo_mobilenet_v1(nn_builder *b, int x, const zoo_options *options);
zoo_ends zoo_mobilenet_v2(nn_builder *b, int x, const zoo_options *options);
zoo_ends zoo_resnet18(nn_builder *b, int x, const zoo_options *options);
zoo_ends zoo_sequential_cnn(nn_builder *b, int x, const zoo_options *options);
zoo_ends zoo_vgg(nn_builder *b, int x, const zoo_options *options);

/* The epsilon of batch normalisation in Keras and TensorFlow, and in PyTorch. */
#define ZOO_EPSILON_KERAS   1e-3f
#define ZOO_EPSILON_PYTORCH 1e-5f

/* A convolution with bias, and ReLU. */
int zoo_conv_relu(nn_builder *b, int x, int64_t outputs, int kernel, nn_build_padding padding);

/* A convolution without bias, SAME, and batch normalisation with PyTorch's epsilon. */
int zoo_conv_norm(nn_builder *b, int x, int64_t outputs, int kernel, int stride);

/* The same and ReLU. */
int zoo_conv_norm_relu(nn_builder *b, int x, int64_t outputs, int kernel, int stride);

/* Two 3x3 convolutions beside a shortcut (He et al. 2016), a 1x1 one where the shape changes. */
int zoo_residual_block(nn_builder *b, int x, int64_t outputs, int stride);

/* The means of the channels: (N, C, H, W) -> (N, C). */
int zoo_pooled(nn_builder *b, int x);

/* A dense layer to the classes, after dropout (0: none). features: (N, dims). */
zoo_ends zoo_classify(nn_builder *b, int features, float dropout, int classes);

/*
 * MobileNets: `channels` times the multiplier as a multiple of 8, at most a tenth less than asked
 * for (the rule of their authors' code).
 */
int64_t zoo_scaled_channels(int channels, float multiplier);

/*
 * MobileNets: the stride of the first convolution. Built for 224 pixels, they halve the picture
 * five times; a picture of less than 96 pixels keeps its size at the first.
 */
int zoo_first_stride(const zoo_options *options);

/* MobileNets: batch normalisation and, where asked for, ReLU6. */
int zoo_norm_relu6(nn_builder *b, int x, bool relu6);

#endif
