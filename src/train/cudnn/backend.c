/* SPDX-License-Identifier: Apache-2.0 */

/* The cudnn backend's tables. */

#include "train/cudnn/cudnn.h"

/* What they have in common. */
#define CUDNN_TABLE                                                                                \
    .name = "cudnn", .channels_last = true, .memory = &device_memory, .elements = &cudnn_elements, \
    .updates = &cudnn_updates, .conv_free = cudnn_conv_free, .conv_scratch = cudnn_conv_scratch,   \
    .conv_forward = cudnn_conv_forward, .conv_backward = cudnn_conv_backward,                      \
    .dense_forward = cudnn_dense_forward, .dense_backward = cudnn_dense_backward,                  \
    .norm_forward = cudnn_norm_forward, .norm_again = cudnn_norm_again,                            \
    .norm_running = cudnn_norm_running, .norm_backward = cudnn_norm_backward,                      \
    .pool_forward = cudnn_pool_forward, .pool_backward = cudnn_pool_backward,                      \
    .global_average_forward = cudnn_global_average_forward,                                        \
    .global_average_backward = cudnn_global_average_backward,                                      \
    .scale_channels_forward = cudnn_scale_channels_forward,                                        \
    .scale_channels_backward = cudnn_scale_channels_backward,                                      \
    .join_channels = cudnn_join_channels, .split_channels = cudnn_split_channels

const train_backend train_backend_cudnn = {CUDNN_TABLE, .bf16 = &train_backend_cudnn_bf16,
                                           .conv_create = cudnn_conv_create};

const train_backend train_backend_cudnn_bf16 = {CUDNN_TABLE, .rounding = &cudnn_rounding,
                                                .conv_create = cudnn_conv_create_bf16};
