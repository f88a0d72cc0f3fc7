/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/lower.h"

#include "base/memory.h"
#include "nn/ref/ref.h"

#include <stdlib.h>

/* Convolutions, products with constants, pooling. */

static void run_conv(const nn_step *step, nn_part part, const nn_tensor *inputs, nn_tensor *output,
                     void *scratch)
{
    const float *residual = step->input_count > 1 ? inputs[1].data : NULL;
    step->kernels->conv(&step->u.conv, part, inputs[0].data, residual, output->data, scratch);
}

static void run_bf16_conv(const nn_step *step, nn_part part, const nn_tensor *inputs,
                          nn_tensor *output, void *scratch)
{
    const nn_bf16 *residual = step->input_count > 1 ? inputs[1].data : NULL;
    step->bf16_kernels->conv(&step->u.conv, part, inputs[0].data, residual, output->data, scratch);
}

static void run_bf16_pool(const nn_step *step, nn_part part, const nn_tensor *inputs,
                          nn_tensor *output, void *scratch)
{
    (void)scratch;
    step->bf16_kernels->pool(&step->u.pool, part, inputs[0].data, output->data);
}

static void run_pool(const nn_step *step, nn_part part, const nn_tensor *inputs, nn_tensor *output,
                     void *scratch)
{
    (void)scratch;
    step->kernels->pool(&step->u.pool, part, inputs[0].data, output->data);
}

static void run_global_average(const nn_step *step, nn_part part, const nn_tensor *inputs,
                               nn_tensor *output, void *scratch)
{
    (void)part;
    (void)scratch;
    step->kernels->global_average(&step->u.extent, inputs[0].data, output->data);
}

/* ---- Convolutions ---- */

/* The value as a kernel reads it: its type of number and layout. */
static mien_status read_as(lowerer *l, int value, bool floats, bool channels_last, int *result)
{
    mien_status status = lower_in_layout(l, value, channels_last, result);
    if (status == MIEN_OK && !floats)
        status = lower_in_bf16(l, *result, result);
    return status;
}

/* The weights of a product as those of a convolution: (columns, inner), scaled. */
static float *product_weights(const lowerer *l, const plan_node *node, const nn_conv *conv)
{
    const nn_tensor *b = &l->plan->values[node->inputs[1]].tensor;
    bool gemm = node->op == &nn_op_gemm;
    bool transposed = gemm && node->params.gemm.transpose_b;
    float alpha = gemm ? node->params.gemm.alpha : 1;
    int64_t inner = conv->in.channels, columns = conv->out.channels;
    float *weights = memory_aligned((size_t)(inner * columns) * sizeof(float));
    for (int64_t m = 0; weights != NULL && m < columns; m++)
        for (int64_t k = 0; k < inner; k++)
            weights[m * inner + k] =
                alpha * ((const float *)b->data)[transposed ? m * inner + k : k * columns + m];
    return weights;
}

static float *product_bias(const lowerer *l, const plan_node *node, const nn_conv *conv)
{
    size_t columns = (size_t)conv->out.channels;
    float *bias = memory_zeroed(columns, sizeof *bias);
    if (bias == NULL || node->op != &nn_op_gemm || node->input_count < 3 || node->inputs[2] < 0)
        return bias;
    const float *from = l->plan->values[node->inputs[2]].tensor.data;
    for (size_t m = 0; m < columns; m++)
        bias[m] = node->params.gemm.beta * from[m];
    return bias;
}

static mien_status pack_weights(lowerer *l, const plan_node *node, nn_conv *conv)
{
    const nn_kernels *kernels = l->plan->kernels;
    const nn_bf16_kernels *bf16 = l->plan->bf16;
    void *packed;
    size_t floats = node->bf16 ? bf16->conv_packed_floats(conv) : kernels->conv_packed_floats(conv);
    size_t bytes = floats * sizeof(float);
    void (*conv_pack)(const nn_conv *, const float *, const float *, float *) =
        node->bf16 ? bf16->conv_pack : kernels->conv_pack;
    mien_status status = plan_add_buffer(l->plan, bytes, &packed, l->error);
    if (status != MIEN_OK)
        return status;
    conv->packed = packed;
    if (node->op == &nn_op_conv) {
        bool has_bias = node->input_count > 2 && node->inputs[2] >= 0;
        conv_pack(conv, l->plan->values[node->inputs[1]].tensor.data,
                  has_bias ? l->plan->values[node->inputs[2]].tensor.data : NULL, packed);
        return MIEN_OK;
    }
    float *weights = product_weights(l, node, conv);
    float *bias = product_bias(l, node, conv);
    if (weights != NULL && bias != NULL)
        conv_pack(conv, weights, bias, packed);
    bool done = weights != NULL && bias != NULL;
    free(weights);
    free(bias);
    return done ? MIEN_OK : lower_no_memory(l);
}

static mien_status pack(lowerer *l, const plan_node *node, nn_conv *conv)
{
    mien_status status = pack_weights(l, node, conv);
    for (int i = 1; status == MIEN_OK && i < node->input_count; i++)
        lower_release(l, node->inputs[i]);
    return status;
}

static bool has_rows(const lowerer *l, const plan_node *node, const nn_conv *conv)
{
    return node->bf16 ? l->plan->bf16->conv_has_rows(conv) : l->plan->kernels->conv_has_rows(conv);
}

static mien_status lower_conv(lowerer *l, const plan_node *node, nn_conv *conv)
{
    bool picture = node->op == &nn_op_conv;
    const plan_value *x = &l->plan->values[node->inputs[0]];
    bool floats = !node->bf16 || l->plan->bf16->conv_reads_floats(conv);
    bool takes_planar = node->bf16 ? floats : l->plan->kernels->conv_takes_planar(conv);
    conv->planar = picture && !x->channels_last && x->twin < 0 && takes_planar;
    conv->writes_floats = l->plan->values[node->output].tensor.type == NN_FLOAT;
    int inputs[2];
    mien_status status = read_as(l, node->inputs[0], floats, picture && !conv->planar, &inputs[0]);
    if (status == MIEN_OK && node->residual >= 0)
        status = read_as(l, node->residual, !node->bf16, true, &inputs[1]);
    if (status == MIEN_OK)
        status = pack(l, node, conv);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = picture;
    nn_step *step = lower_step(l, node->op->name, node->bf16 ? run_bf16_conv : run_conv, inputs,
                               node->residual >= 0 ? 2 : 1, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->u.conv = *conv;
    step->bf16_kernels = node->bf16 ? l->plan->bf16 : NULL;
    if (picture && has_rows(l, node, conv))
        step->rows = STEP_CONV_ROWS;
    step->nanoseconds = lower_product_time(&conv->in, &conv->out,
                                           (int64_t)conv->window.kernel[0] * conv->window.kernel[1],
                                           conv->group, node->bf16 ? 2 : 1);
    step->scratch_bytes = node->bf16 ? l->plan->bf16->conv_scratch_bytes(conv)
                                     : l->plan->kernels->conv_scratch_bytes(conv);
    return MIEN_OK;
}

/* ---- Pooling ---- */

static mien_status lower_pool(lowerer *l, const plan_node *node)
{
    int input;
    mien_status status = read_as(l, node->inputs[0], !node->bf16, true, &input);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = true;
    nn_step *step = lower_step(l, node->op->name, node->bf16 ? run_bf16_pool : run_pool, &input, 1,
                               node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->bf16_kernels = node->bf16 ? l->plan->bf16 : NULL;
    step->u.pool = (nn_pool){.in = plan_extent(lower_shape_of(l, input)),
                             .out = plan_extent(lower_shape_of(l, node->output)),
                             .window = node->params.pool.window,
                             .maximum = node->op == &nn_op_max_pool,
                             .count_padding = node->params.pool.count_padding};
    step->nanoseconds = lower_pool_time(&step->u.pool);
    step->rows = STEP_POOL_ROWS;
    return MIEN_OK;
}

/* The mean over height and width of (N, C, H, W). */
static bool is_global_average(const lowerer *l, const plan_node *node)
{
    if (node->op != &nn_op_global_average_pool && node->op != &nn_op_reduce_mean)
        return false;
    const bool *axes = node->params.reduce.axes;
    return lower_shape_of(l, node->inputs[0])->rank == 4 && !axes[0] && !axes[1] && axes[2] &&
           axes[3];
}

static mien_status lower_global_average(lowerer *l, const plan_node *node)
{
    int input;
    mien_status status = lower_in_layout(l, node->inputs[0], true, &input);
    if (status != MIEN_OK)
        return status;
    nn_step *step = lower_step(l, node->op->name, run_global_average, &input, 1, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->u.extent = plan_extent(lower_shape_of(l, input));
    return MIEN_OK;
}

mien_status lower_windowed(lowerer *l, const plan_node *node, bool *done)
{
    nn_conv conv;
    *done = true;
    if (plan_conv_form(l->plan, node, &conv))
        return lower_conv(l, node, &conv);
    if (node->op == &nn_op_max_pool || node->op == &nn_op_average_pool)
        return lower_pool(l, node);
    if (is_global_average(l, node))
        return lower_global_average(l, node);
    *done = false;
    return MIEN_OK;
}
