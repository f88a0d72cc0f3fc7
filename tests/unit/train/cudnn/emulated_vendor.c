/* SPDX-License-Identifier: Apache-2.0 */

/* Convolutions and products as vendor.h says, one result after the other. */

#include "base/error.h"
#include "base/memory.h"
#include "train/cudnn/vendor.h"
#include "train/rules.h"

#include <stdlib.h>
#include <string.h>

struct vendor_conv {
    nn_conv shape;
    bool bf16;
};

mien_status vendor_conv_create(train_device *device, const nn_conv *conv, bool needs_input_gradient,
                               bool bf16, vendor_conv **out, mien_error *error)
{
    (void)device;
    (void)needs_input_gradient;
    *out = memory_zeroed(1, sizeof **out);
    if (*out == NULL)
        return error_no_memory(error, "a convolution", sizeof **out);
    **out = (vendor_conv){*conv, bf16};
    return MIEN_OK;
}

void vendor_conv_free(vendor_conv *conv)
{
    free(conv);
}

size_t vendor_conv_scratch(const vendor_conv *conv)
{
    (void)conv;
    return 4 * MEMORY_ALIGNMENT;
}

/* What a vendor does with the place that it asked for. */
static void spoil(void *scratch)
{
    memset(scratch, 0xff, 4 * MEMORY_ALIGNMENT);
}

/* The numbers as floats, a new array. */
static float *floats_of(const vendor_conv *conv, const void *numbers, size_t count)
{
    float *floats = malloc(count * sizeof *floats);
    if (floats == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        floats[i] =
            conv->bf16 ? rule_float(((const train_bf16 *)numbers)[i]) : ((const float *)numbers)[i];
    return floats;
}

/* Writes the sums as the convolution is to give them, and frees them. */
static void give(const vendor_conv *conv, float *sums, size_t count, void *numbers)
{
    for (size_t i = 0; i < count; i++)
        if (conv->bf16)
            ((train_bf16 *)numbers)[i] = rule_bf16(sums[i]);
        else
            ((float *)numbers)[i] = sums[i];
    free(sums);
}

static float *zeros_of(size_t count)
{
    float *zeros = calloc(count, sizeof *zeros);
    if (zeros == NULL)
        abort();
    return zeros;
}

static size_t count_of(const nn_extent *e)
{
    return (size_t)(e->batch * e->height * e->width * e->channels);
}

static size_t weights_of(const nn_conv *s)
{
    return (size_t)(s->out.channels * (s->in.channels / s->group) * s->window.kernel[0] *
                    s->window.kernel[1]);
}

/* For one output channel, the numbers of x, weights and y that a cell of the window joins. */
typedef struct joined {
    float *x, *weights, *y;
    int64_t depth; /* of x and weights */
} joined;

typedef void (*joined_visit)(const joined *j);

typedef struct arrays {
    float *x, *weights, *y;
} arrays;

static void visit_cell(const nn_conv *s, const arrays *a, int64_t pixel, int64_t cell,
                       joined_visit visit)
{
    const nn_window *w = &s->window;
    int64_t depth = s->in.channels / s->group, each = s->out.channels / s->group;
    int64_t cells = (int64_t)w->kernel[0] * w->kernel[1];
    int64_t n = pixel / (s->out.height * s->out.width);
    int64_t row = pixel / s->out.width % s->out.height * w->stride[0] - w->pad_before[0] +
                  cell / w->kernel[1] * w->dilation[0];
    int64_t column = pixel % s->out.width * w->stride[1] - w->pad_before[1] +
                     cell % w->kernel[1] * w->dilation[1];
    if (row < 0 || row >= s->in.height || column < 0 || column >= s->in.width)
        return;
    float *x = a->x + ((n * s->in.height + row) * s->in.width + column) * s->in.channels;
    for (int64_t m = 0; m < s->out.channels; m++)
        visit(&(joined){x + m / each * depth, a->weights + (m * cells + cell) * depth,
                        a->y + pixel * s->out.channels + m, depth});
}

static void for_each_cell(const nn_conv *s, const arrays *a, joined_visit visit)
{
    int64_t cells = (int64_t)s->window.kernel[0] * s->window.kernel[1];
    for (int64_t pixel = 0; pixel < s->out.batch * s->out.height * s->out.width; pixel++)
        for (int64_t cell = 0; cell < cells; cell++)
            visit_cell(s, a, pixel, cell, visit);
}

static void add_to_output(const joined *j)
{
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < j->depth; c++)
        sum += j->x[c] * j->weights[c];
    *j->y += sum;
}

static void add_to_input(const joined *j)
{
#pragma omp simd
    for (int64_t c = 0; c < j->depth; c++)
        j->x[c] += *j->y * j->weights[c];
}

static void add_to_weights(const joined *j)
{
#pragma omp simd
    for (int64_t c = 0; c < j->depth; c++)
        j->weights[c] += *j->y * j->x[c];
}

void vendor_conv_forward(vendor_conv *conv, const void *x, const void *weights, void *y,
                         void *scratch)
{
    const nn_conv *s = &conv->shape;
    size_t count = count_of(&s->out);
    arrays a = {floats_of(conv, x, count_of(&s->in)), floats_of(conv, weights, weights_of(s)),
                zeros_of(count)};
    spoil(scratch);
    for_each_cell(s, &a, add_to_output);
    give(conv, a.y, count, y);
    free(a.x);
    free(a.weights);
}

void vendor_conv_backward_input(vendor_conv *conv, const void *weights, const void *dy, void *dx,
                                void *scratch)
{
    const nn_conv *s = &conv->shape;
    size_t count = count_of(&s->in);
    arrays a = {zeros_of(count), floats_of(conv, weights, weights_of(s)),
                floats_of(conv, dy, count_of(&s->out))};
    spoil(scratch);
    for_each_cell(s, &a, add_to_input);
    give(conv, a.x, count, dx);
    free(a.weights);
    free(a.y);
}

void vendor_conv_backward_weights(vendor_conv *conv, const void *x, const void *dy, void *d_weights,
                                  void *scratch)
{
    const nn_conv *s = &conv->shape;
    size_t count = weights_of(s);
    arrays a = {floats_of(conv, x, count_of(&s->in)), zeros_of(count),
                floats_of(conv, dy, count_of(&s->out))};
    spoil(scratch);
    for_each_cell(s, &a, add_to_weights);
    give(conv, a.weights, count, d_weights);
    free(a.x);
    free(a.y);
}

void vendor_product(train_device *device, const vendor_product_shape *s, const float *a,
                    const float *b, float *y)
{
    (void)device;
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t c = 0; c < s->columns; c++) {
            double sum = 0;
            for (int64_t i = 0; i < s->inner; i++)
                sum += (double)a[s->transpose_a ? i * s->rows + r : r * s->inner + i] *
                       (double)b[s->transpose_b ? c * s->inner + i : i * s->columns + c];
            y[r * s->columns + c] = (float)sum;
        }
}
