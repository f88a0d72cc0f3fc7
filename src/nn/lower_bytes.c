/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/lower.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <stdlib.h>
#include <string.h>

/* ---- Steps ---- */

static void run_byte_conv(const nn_step *step, nn_part part, const nn_tensor *inputs,
                          nn_tensor *output, void *scratch)
{
    const uint8_t *residual = step->input_count > 1 ? inputs[1].data : NULL;
    step->byte_kernels->conv(&step->u.byte_conv, part, inputs[0].data, residual, output->data,
                             scratch);
}

static void run_byte_pool(const nn_step *step, nn_part part, const nn_tensor *inputs,
                          nn_tensor *output, void *scratch)
{
    (void)scratch;
    step->byte_kernels->max_pool(&step->u.pool, part, inputs[0].data, output->data);
}

static void run_quantize(const nn_step *step, nn_part part, const nn_tensor *inputs,
                         nn_tensor *output, void *scratch)
{
    (void)scratch;
    nn_span span = nn_share(part, nn_elements(&output->shape), LOWER_NUMBERS);
    step->byte_kernels->quantize((const float *)inputs[0].data + span.first, span.end - span.first,
                                 step->u.quantization, (uint8_t *)output->data + span.first);
}

static void run_dequantize(const nn_step *step, nn_part part, const nn_tensor *inputs,
                           nn_tensor *output, void *scratch)
{
    (void)scratch;
    nn_span span = nn_share(part, nn_elements(&output->shape), LOWER_NUMBERS);
    step->byte_kernels->dequantize((const uint8_t *)inputs[0].data + span.first,
                                   span.end - span.first, step->u.quantization,
                                   (float *)output->data + span.first);
}

/* The kernels: not NULL where a node was made one on bytes. */
static nn_step *byte_step(lowerer *l, const plan_node *node, step_run run, const int *inputs,
                          int count)
{
    nn_step *step = lower_step(l, node->op->name, run, inputs, count, node->output);
    if (step != NULL)
        step->byte_kernels = nn_byte_kernels_with(l->plan->kernels);
    return step;
}

/* ---- Convolutions ---- */

/* Scales of the outputs: one for each. */
static void fill_scales(const nn_tensor *from, int64_t outputs, float *scales)
{
    bool single = nn_elements(&from->shape) == 1;
    for (int64_t m = 0; m < outputs; m++)
        scales[m] = ((const float *)from->data)[single ? 0 : m];
}

/* From (inner, outputs) to (outputs, inner). */
static void turn_weights(const int8_t *from, int64_t inner, int64_t outputs, int8_t *to)
{
    for (int64_t m = 0; m < outputs; m++)
        for (int64_t k = 0; k < inner; k++)
            to[m * inner + k] = from[k * outputs + m];
}

static mien_status pack(lowerer *l, const plan_node *node, nn_byte_conv *conv)
{
    const nn_plan *plan = l->plan;
    const nn_byte_kernels *kernels = nn_byte_kernels_with(plan->kernels);
    const nn_tensor *weights = &plan->values[node->bytes.weights].tensor;
    int64_t outputs = conv->out.channels;
    bool has_bias = node->op != &nn_op_matmul && node->input_count > 2 && node->inputs[2] >= 0;
    void *packed;
    mien_status status =
        plan_add_buffer(l->plan, kernels->conv_packed_bytes(conv), &packed, l->error);
    if (status != MIEN_OK)
        return status;
    conv->packed = packed;
    float *scales = memory_zeroed((size_t)outputs, sizeof *scales);
    int8_t *turned = memory_zeroed((size_t)nn_elements(&weights->shape), 1);
    if (scales == NULL || turned == NULL) {
        status = lower_no_memory(l);
        goto cleanup;
    }
    fill_scales(&plan->values[node->bytes.scales].tensor, outputs, scales);
    if (node->bytes.by_column)
        turn_weights(weights->data, conv->in.channels, outputs, turned);
    kernels->conv_pack(conv, node->bytes.by_column ? turned : weights->data, scales,
                       has_bias ? plan->values[node->inputs[2]].tensor.data : NULL, packed);
cleanup:
    free(scales);
    free(turned);
    return status;
}

static mien_status lower_byte_conv(lowerer *l, const plan_node *node)
{
    bool picture = node->op == &nn_op_conv;
    int inputs[2];
    nn_byte_conv conv;
    plan_byte_conv_form(l->plan, node, &conv);
    mien_status status = lower_in_layout(l, node->inputs[0], picture, &inputs[0]);
    if (status == MIEN_OK && node->residual >= 0)
        status = lower_in_layout(l, node->residual, true, &inputs[1]);
    if (status == MIEN_OK)
        status = pack(l, node, &conv);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = picture;
    nn_step *step = byte_step(l, node, run_byte_conv, inputs, node->residual >= 0 ? 2 : 1);
    if (step == NULL)
        return lower_no_memory(l);
    step->u.byte_conv = conv;
    step->nanoseconds = lower_product_time(
        &conv.in, &conv.out, (int64_t)conv.window.kernel[0] * conv.window.kernel[1], conv.group, 3);
    step->scratch_bytes = step->byte_kernels->conv_scratch_bytes(&conv);
    return MIEN_OK;
}

/* ---- Pooling, and to bytes and back ---- */

static mien_status lower_byte_pool(lowerer *l, const plan_node *node)
{
    int input;
    mien_status status = lower_in_layout(l, node->inputs[0], true, &input);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = true;
    nn_step *step = byte_step(l, node, run_byte_pool, &input, 1);
    if (step == NULL)
        return lower_no_memory(l);
    step->u.pool = (nn_pool){.in = plan_extent(lower_shape_of(l, input)),
                             .out = plan_extent(lower_shape_of(l, node->output)),
                             .window = node->params.pool.window,
                             .maximum = true};
    step->nanoseconds = lower_pool_time(&step->u.pool);
    return MIEN_OK;
}

/* Pictures of bytes lie with the channels last, so that nothing has to turn them. */
static mien_status lower_conversion(lowerer *l, const plan_node *node, nn_quantization q)
{
    bool to_bytes = node->op == &nn_op_quantize;
    int input = node->inputs[0];
    mien_status status = MIEN_OK;
    if (to_bytes && lower_shape_of(l, input)->rank == 4)
        status = lower_in_layout(l, input, true, &input);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = l->plan->values[input].channels_last;
    nn_step *step = byte_step(l, node, to_bytes ? run_quantize : run_dequantize, &input, 1);
    if (step == NULL)
        return lower_no_memory(l);
    step->u.quantization = q;
    step->nanoseconds = lower_pass_time(nn_elements(lower_shape_of(l, input)));
    return MIEN_OK;
}

mien_status lower_bytes(lowerer *l, const plan_node *node, bool *done)
{
    nn_quantization q;
    *done = true;
    if (node->bytes.kind == PLAN_BYTE_CONV)
        return lower_byte_conv(l, node);
    if (node->bytes.kind == PLAN_BYTE_MAX_POOL)
        return lower_byte_pool(l, node);
    if ((node->op == &nn_op_quantize || node->op == &nn_op_dequantize) &&
        nn_byte_kernels_with(l->plan->kernels) != NULL && plan_quantization(l->plan, node, &q))
        return lower_conversion(l, node, q);
    *done = false;
    return MIEN_OK;
}
