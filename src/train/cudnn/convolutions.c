/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolutions: those whose results each read one channel by kernels of our own, all others by
 * vendor.h; and products.
 */

#include "train/cudnn/cudnn.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

struct train_conv {
    train_device *device;
    nn_conv shape;
    bool bf16;
    vendor_conv *dense; /* NULL: depthwise */
};

/* ---- Making ---- */

static mien_status check_sizes(const nn_conv *s, mien_error *error)
{
    if (cudnn_count(&s->in) <= INT32_MAX && cudnn_count(&s->out) <= INT32_MAX)
        return MIEN_OK;
    return error_set(error, MIEN_LIMIT,
                     "a batch of %lld pictures of %lldx%lld with %lld channels has more than 2^31 "
                     "numbers: choose a smaller batch",
                     (long long)s->in.batch, (long long)s->in.width, (long long)s->in.height,
                     (long long)s->in.channels);
}

static mien_status create(train_device *device, const nn_conv *shape, bool needs_input_gradient,
                          bool bf16, train_conv **out, mien_error *error)
{
    *out = NULL;
    mien_status status = check_sizes(shape, error);
    if (status != MIEN_OK)
        return status;
    train_conv *conv = memory_zeroed(1, sizeof *conv);
    if (conv == NULL)
        return error_no_memory(error, "a convolution", sizeof *conv);
    bool depthwise = shape->group == shape->in.channels;
    *conv = (train_conv){.device = device, .shape = *shape, .bf16 = bf16 && !depthwise};
    if (!depthwise)
        status = vendor_conv_create(device, shape, needs_input_gradient, bf16, &conv->dense, error);
    if (status != MIEN_OK) {
        cudnn_conv_free(conv);
        return status;
    }
    *out = conv;
    return MIEN_OK;
}

mien_status cudnn_conv_create(train_device *device, const nn_conv *shape, bool needs_input_gradient,
                              train_conv **out, mien_error *error)
{
    return create(device, shape, needs_input_gradient, false, out, error);
}

mien_status cudnn_conv_create_bf16(train_device *device, const nn_conv *shape,
                                   bool needs_input_gradient, train_conv **out, mien_error *error)
{
    return create(device, shape, needs_input_gradient, true, out, error);
}

void cudnn_conv_free(train_conv *conv)
{
    if (conv == NULL)
        return;
    vendor_conv_free(conv->dense);
    free(conv);
}

/*
 * ---- Scratch: weights as vendor.h wants them; with BF16 the same rounded, and what comes of a
 * convolution before it is widened; what the vendor borrows ----
 */

static size_t aligned(size_t bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

static int64_t cells_of(const nn_conv *s)
{
    return (int64_t)s->window.kernel[0] * s->window.kernel[1];
}

static int64_t weight_count(const nn_conv *s)
{
    return s->out.channels * (s->in.channels / s->group) * cells_of(s);
}

/* Numbers of the largest of x, y and weights. */
static int64_t most_numbers(const nn_conv *s)
{
    int64_t in = cudnn_count(&s->in), out = cudnn_count(&s->out), most = in > out ? in : out;
    return weight_count(s) > most ? weight_count(s) : most;
}

typedef struct scratch_parts {
    float *weights;
    train_bf16 *rounded, *result; /* for BF16 */
    void *borrowed;
} scratch_parts;

/* Where the parts begin, in bytes. What is borrowed comes last. */
enum { WEIGHTS, ROUNDED, RESULT, BORROWED, PARTS };

static void part_offsets(const train_conv *conv, size_t offsets[PARTS])
{
    size_t weights = (size_t)weight_count(&conv->shape);
    size_t result = (size_t)most_numbers(&conv->shape), each = conv->bf16 ? sizeof(train_bf16) : 0;
    offsets[WEIGHTS] = 0;
    offsets[ROUNDED] = aligned(weights * sizeof(float));
    offsets[RESULT] = offsets[ROUNDED] + aligned(weights * each);
    offsets[BORROWED] = offsets[RESULT] + aligned(result * each);
}

static scratch_parts parts_of(const train_conv *conv, void *scratch)
{
    unsigned char *bytes = scratch;
    size_t offsets[PARTS];
    part_offsets(conv, offsets);
    return (scratch_parts){.weights = scratch,
                           .rounded = (train_bf16 *)(bytes + offsets[ROUNDED]),
                           .result = (train_bf16 *)(bytes + offsets[RESULT]),
                           .borrowed = bytes + offsets[BORROWED]};
}

size_t cudnn_conv_scratch(const train_conv *conv)
{
    size_t offsets[PARTS];
    if (conv->dense == NULL)
        return 0;
    part_offsets(conv, offsets);
    return offsets[BORROWED] + vendor_conv_scratch(conv->dense);
}

/* (M, C/group, kH, kW) -> (M, kH, kW, C/group), rounded where the convolution wants it. */
static const void *pack(const train_conv *conv, const float *weights, const scratch_parts *parts)
{
    const nn_conv *s = &conv->shape;
    cudnn_elements.transpose(conv->device, weights, s->out.channels, s->in.channels / s->group,
                             cells_of(s), parts->weights);
    if (!conv->bf16)
        return parts->weights;
    kernel_round_work round = {.x = parts->weights, .rounded = parts->rounded};
    kernel_round(conv->device, &round, weight_count(s));
    return parts->rounded;
}

/* Where a convolution writes what is to come to y, and bringing it there. */
static void *result_of(const train_conv *conv, const scratch_parts *parts, float *y)
{
    return conv->bf16 ? (void *)parts->result : (void *)y;
}

static void widen(const train_conv *conv, const scratch_parts *parts, int64_t count, float *y)
{
    kernel_widen_work work = {parts->result, y};
    if (conv->bf16)
        kernel_widen(conv->device, &work, count);
}

/* ---- Dense ---- */

static void add_bias(train_device *device, const float *bias, int64_t rows, int64_t channels,
                     float *y)
{
    kernel_add_bias_work work = {bias, y, (uint32_t)channels};
    if (bias != NULL)
        kernel_add_bias(device, &work, rows * channels);
}

static int64_t out_rows(const train_conv *conv)
{
    const nn_extent *out = &conv->shape.out;
    return out->batch * out->height * out->width;
}

/* x: as the convolution wants it. */
static void forward(train_conv *conv, const void *x, const float *weights, const float *bias,
                    float *y, void *scratch)
{
    scratch_parts parts = parts_of(conv, scratch);
    vendor_conv_forward(conv->dense, x, pack(conv, weights, &parts), result_of(conv, &parts, y),
                        parts.borrowed);
    widen(conv, &parts, cudnn_count(&conv->shape.out), y);
    add_bias(conv->device, bias, out_rows(conv), conv->shape.out.channels, y);
}

static void backward(train_conv *conv, const void *x, const float *weights, const void *dy,
                     float *dx, float *d_weights, void *scratch)
{
    const nn_conv *s = &conv->shape;
    scratch_parts parts = parts_of(conv, scratch);
    if (dx != NULL) {
        vendor_conv_backward_input(conv->dense, pack(conv, weights, &parts), dy,
                                   result_of(conv, &parts, dx), parts.borrowed);
        widen(conv, &parts, cudnn_count(&s->in), dx);
    }
    vendor_conv_backward_weights(conv->dense, x, dy, result_of(conv, &parts, parts.weights),
                                 parts.borrowed);
    widen(conv, &parts, weight_count(s), parts.weights);
    cudnn_elements.transpose(conv->device, parts.weights, s->out.channels, cells_of(s),
                             s->in.channels / s->group, d_weights);
}

/* ---- Depthwise ---- */

static void depthwise_forward(const train_conv *conv, const float *x, const float *weights,
                              const float *bias, float *y)
{
    const nn_conv *s = &conv->shape;
    kernel_depthwise_work work = {cudnn_window(&s->in, &s->out, &s->window), x, weights, bias, y};
    kernel_depthwise(conv->device, &work, cudnn_count(&s->out));
}

static void depthwise_backward(const train_conv *conv, const float *x, const float *weights,
                               const float *dy, float *dx, float *d_weights)
{
    const nn_conv *s = &conv->shape;
    kernel_window window = cudnn_window(&s->in, &s->out, &s->window);
    kernel_depthwise_input_work input = {window, weights, dy, dx};
    if (dx != NULL)
        kernel_depthwise_input(conv->device, &input, cudnn_count(&s->in));
    sums_plan plan = sums_of(conv->device, out_rows(conv), weight_count(s), d_weights);
    kernel_depthwise_weights_work work = {window, x, dy, sums_begin(&plan), plan.rows, plan.each};
    kernel_depthwise_weights(conv->device, &work, (int64_t)plan.parts * plan.width);
    sums_finish(&plan);
}

/* ---- The table's functions ---- */

void cudnn_conv_forward(train_conv *conv, const float *x, const float *weights, const float *bias,
                        float *y, void *scratch)
{
    if (conv->dense != NULL)
        forward(conv, x, weights, bias, y, scratch);
    else
        depthwise_forward(conv, x, weights, bias, y);
}

void cudnn_conv_backward(train_conv *conv, const float *x, const float *weights, const float *dy,
                         float *dx, float *d_weights, float *d_bias, void *scratch)
{
    if (conv->dense != NULL)
        backward(conv, x, weights, dy, dx, d_weights, scratch);
    else
        depthwise_backward(conv, x, weights, dy, dx, d_weights);
    if (d_bias != NULL)
        sums_of_rows(conv->device, dy, NULL, out_rows(conv), conv->shape.out.channels, d_bias);
}

void cudnn_dense_forward(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                         const float *x, const float *weights, const float *bias, float *y)
{
    vendor_product_shape shape = {
        .rows = rows, .columns = outputs, .inner = inner, .transpose_b = true};
    vendor_product(device, &shape, x, weights, y);
    add_bias(device, bias, rows, outputs, y);
}

void cudnn_dense_backward(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                          const float *x, const float *weights, const float *dy, float *dx,
                          float *d_weights, float *d_bias)
{
    vendor_product_shape to_x = {.rows = rows, .columns = inner, .inner = outputs};
    vendor_product_shape to_weights = {
        .rows = outputs, .columns = inner, .inner = rows, .transpose_a = true};
    if (dx != NULL)
        vendor_product(device, &to_x, dy, weights, dx);
    vendor_product(device, &to_weights, dy, x, d_weights);
    if (d_bias != NULL)
        sums_of_rows(device, dy, NULL, rows, outputs, d_bias);
}

/* ---- BF16 ---- */

static bool available(void)
{
    return true; /* whether the GPU can do it, only vendor_conv_create knows */
}

/* GPUs are not slowed down by denormals. */
static void enter(train_modes *modes)
{
    modes->threads = 0;
}

static void leave(const train_modes *modes)
{
    (void)modes;
}

static bool takes(const train_conv *conv)
{
    return conv->bf16;
}

static void round_numbers(train_device *device, const float *x, size_t count, train_bf16 *rounded)
{
    kernel_round(device, &(kernel_round_work){.x = x, .rounded = rounded}, (int64_t)count);
}

static void round_gradient(train_device *device, const float *y, const float *dy, int64_t rows,
                           int64_t channels, float *scratch, train_bf16 *rounded, float *d_bias)
{
    (void)scratch;
    kernel_round_work work = {.x = dy, .y = y, .rounded = rounded};
    kernel_round(device, &work, rows * channels);
    if (d_bias != NULL)
        sums_of_rows(device, dy, y, rows, channels, d_bias);
}

static void forward_bf16(train_conv *conv, const train_bf16 *x, const float *weights,
                         const float *bias, float *y, void *scratch)
{
    forward(conv, x, weights, bias, y, scratch);
}

static void backward_bf16(train_conv *conv, const train_bf16 *x, const float *weights,
                          const train_bf16 *dy, float *dx, float *d_weights, void *scratch)
{
    backward(conv, x, weights, dy, dx, d_weights, scratch);
}

const train_rounding cudnn_rounding = {.available = available,
                                       .enter = enter,
                                       .leave = leave,
                                       .takes = takes,
                                       .round = round_numbers,
                                       .round_gradient = round_gradient,
                                       .conv_forward = forward_bf16,
                                       .conv_backward = backward_bf16};
