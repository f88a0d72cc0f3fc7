/* SPDX-License-Identifier: Apache-2.0 */

/* The onednn backend's tables. */

#include "train/host.h"
#include "train/onednn/onednn.h"

#include "base/error.h"
#include "base/memory.h"

#include <omp.h>
#include <stdlib.h>

int onednn_threads(void)
{
    int threads = omp_get_max_threads();
    return threads < TRAIN_MAX_THREADS ? threads : TRAIN_MAX_THREADS;
}

struct train_conv {
    nn_conv shape;
    dense_conv *dense; /* one of the four */
    narrow_conv *narrow;
    winograd_conv *winograd;
    pieces_conv *pieces;
};

static void conv_free(train_conv *conv)
{
    if (conv == NULL)
        return;
    dense_conv_free(conv->dense);
    narrow_free(conv->narrow);
    winograd_free(conv->winograd);
    pieces_free(conv->pieces);
    free(conv);
}

/* In BF16 where asked for and where oneDNN is good at it. */
static mien_status create_dense(train_conv *conv, bool needs_input_gradient, bool bf16,
                                mien_error *error)
{
    mien_status status = MIEN_UNSUPPORTED;
    if (bf16)
        status = dense_conv_create(&conv->shape, needs_input_gradient, true, &conv->dense, error);
    if (status == MIEN_UNSUPPORTED)
        status = dense_conv_create(&conv->shape, needs_input_gradient, false, &conv->dense, error);
    return status;
}

static mien_status create(const nn_conv *shape, bool needs_input_gradient, bool bf16,
                          train_conv **out, mien_error *error)
{
    *out = NULL;
    train_conv *conv = memory_zeroed(1, sizeof *conv);
    if (conv == NULL)
        return error_no_memory(error, "a convolution", sizeof *conv);
    conv->shape = *shape;
    mien_status status = MIEN_OK;
    if (pieces_takes(shape) && !(bf16 && shape->group == 1))
        status = pieces_create(shape, &conv->pieces, error);
    else if (!bf16 && narrow_takes(shape, needs_input_gradient))
        status = narrow_create(shape, &conv->narrow, error);
    else if (!bf16 && winograd_takes(shape))
        status = winograd_create(shape, &conv->winograd, error);
    else
        status = create_dense(conv, needs_input_gradient, bf16, error);
    if (status != MIEN_OK) {
        conv_free(conv);
        return status;
    }
    *out = conv;
    return MIEN_OK;
}

static mien_status conv_create(train_device *device, const nn_conv *shape,
                               bool needs_input_gradient, train_conv **out, mien_error *error)
{
    (void)device;
    return create(shape, needs_input_gradient, false, out, error);
}

static mien_status conv_create_bf16(train_device *device, const nn_conv *shape,
                                    bool needs_input_gradient, train_conv **out, mien_error *error)
{
    (void)device;
    return create(shape, needs_input_gradient, true, out, error);
}

static size_t conv_scratch(const train_conv *conv)
{
    return conv->dense != NULL      ? dense_conv_scratch(conv->dense)
           : conv->winograd != NULL ? winograd_scratch(conv->winograd)
           : conv->pieces != NULL   ? pieces_scratch(conv->pieces)
                                    : 0;
}

static void conv_forward(train_conv *conv, const float *x, const float *weights, const float *bias,
                         float *y, void *scratch)
{
    if (conv->dense != NULL)
        dense_conv_forward(conv->dense, x, weights, bias, y, scratch);
    else if (conv->narrow != NULL)
        narrow_forward(conv->narrow, x, weights, bias, y);
    else if (conv->winograd != NULL)
        winograd_forward(conv->winograd, x, weights, bias, y, scratch);
    else
        pieces_forward(conv->pieces, NULL, x, weights, bias, y, NULL, scratch);
}

static void conv_backward(train_conv *conv, const float *x, const float *weights, const float *dy,
                          float *dx, float *d_weights, float *d_bias, void *scratch)
{
    const nn_extent *out = &conv->shape.out;
    if (conv->dense != NULL) {
        dense_conv_backward(conv->dense, x, weights, dy, dx, d_weights, scratch);
    } else if (conv->narrow != NULL) {
        narrow_backward(conv->narrow, x, weights, dy, dx, d_weights);
    } else if (conv->winograd != NULL) {
        winograd_backward(conv->winograd, x, weights, dy, dx, d_weights, scratch);
    } else {
        pieces_backward(conv->pieces, NULL, x, weights, NULL, NULL, dy, dx, d_weights, scratch);
    }
    if (d_bias != NULL)
        sum_rows(dy, out->batch * out->height * out->width, out->channels, d_bias);
}

static bool joins(const train_conv *conv)
{
    return conv->pieces != NULL;
}

static void joined_forward(train_conv *conv, const train_joined_norm *before, const float *x,
                           const float *weights, const float *bias, float *y,
                           const train_joined_norm *after, void *scratch)
{
    pieces_forward(conv->pieces, before, x, weights, bias, y, after, scratch);
}

static void joined_backward(train_conv *conv, const train_joined_norm *before, const float *x,
                            const float *weights, const train_joined_norm *after, const float *y,
                            const float *dy, float *dx, float *d_weights, void *scratch)
{
    pieces_backward(conv->pieces, before, x, weights, after, y, dy, dx, d_weights, scratch);
}

static const train_joining joining = {.takes = joins,
                                      .batch_map = channels_norm_batch_map,
                                      .running_map = channels_norm_running_map,
                                      .conv_forward = joined_forward,
                                      .conv_backward = joined_backward};

static bool takes_bf16(const train_conv *conv)
{
    return conv->dense != NULL && dense_conv_is_bf16(conv->dense);
}

static void conv_forward_bf16(train_conv *conv, const train_bf16 *x, const float *weights,
                              const float *bias, float *y, void *scratch)
{
    dense_conv_forward(conv->dense, x, weights, bias, y, scratch);
}

static void conv_backward_bf16(train_conv *conv, const train_bf16 *x, const float *weights,
                               const train_bf16 *dy, float *dx, float *d_weights, void *scratch)
{
    dense_conv_backward(conv->dense, x, weights, dy, dx, d_weights, scratch);
}

static const train_rounding rounding = {.available = bf16_available,
                                        .enter = bf16_enter,
                                        .leave = bf16_leave,
                                        .takes = takes_bf16,
                                        .round = bf16_round,
                                        .round_gradient = bf16_round_gradient,
                                        .conv_forward = conv_forward_bf16,
                                        .conv_backward = conv_backward_bf16};

/* What both tables have in common. */
#define ONEDNN_TABLE                                                                               \
    .name = "onednn", .channels_last = true, .joining = &joining, .memory = &train_host_memory,    \
    .elements = &train_host_elements_last, .updates = &train_host_updates, .conv_free = conv_free, \
    .conv_scratch = conv_scratch, .conv_forward = conv_forward, .conv_backward = conv_backward,    \
    .dense_forward = dense_forward, .dense_backward = dense_backward,                              \
    .norm_forward = channels_norm_forward, .norm_again = channels_norm_again,                      \
    .norm_running = channels_norm_running, .norm_backward = channels_norm_backward,                \
    .pool_forward = channels_pool_forward, .pool_backward = channels_pool_backward,                \
    .global_average_forward = channels_global_average_forward,                                     \
    .global_average_backward = channels_global_average_backward,                                   \
    .scale_channels_forward = channels_scale_forward,                                              \
    .scale_channels_backward = channels_scale_backward, .join_channels = channels_join,            \
    .split_channels = channels_split

const train_backend train_backend_onednn = {ONEDNN_TABLE, .bf16 = &train_backend_onednn_bf16,
                                            .conv_create = conv_create};

const train_backend train_backend_onednn_bf16 = {ONEDNN_TABLE, .rounding = &rounding,
                                                 .conv_create = conv_create_bf16};
