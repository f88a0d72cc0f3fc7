/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <stdlib.h>

/*
 * Nodes between DequantizeLinear and QuantizeLinear become nodes on bytes.
 *
 * DequantizeLinear, Conv (activation), QuantizeLinear is a convolution from bytes to bytes. With
 * DequantizeLinear, Add (activation), QuantizeLinear behind it, the convolution adds while it
 * writes; its sum is not rounded to a byte first, as the file would have it. DequantizeLinear,
 * MaxPool, QuantizeLinear with one scale is pooling of bytes.
 *
 * What reads a dequantised value otherwise keeps reading it.
 */

typedef struct byte_fuser {
    nn_plan *plan;
    plan_links links;
} byte_fuser;

static const nn_tensor *tensor_of(const byte_fuser *f, int value)
{
    return &f->plan->values[value].tensor;
}

/* The node that makes a value, if it is such a node, else NULL. */
static plan_node *dequantizer(const byte_fuser *f, int value, nn_quantization *q)
{
    int producer = value >= 0 ? f->links.producer[value] : -1;
    plan_node *node = producer >= 0 ? &f->plan->nodes[producer] : NULL;
    bool fits =
        node != NULL && node->op == &nn_op_dequantize && plan_quantization(f->plan, node, q);
    return fits ? node : NULL;
}

/* The QuantizeLinear that alone reads a value, else NULL. */
static plan_node *sole_quantizer(const byte_fuser *f, int value, nn_quantization *q)
{
    if (f->links.uses[value] != 1)
        return NULL;
    for (size_t n = 0; n < f->plan->node_count; n++) {
        plan_node *node = &f->plan->nodes[n];
        if (!node->removed && node->op == &nn_op_quantize && node->inputs[0] == value)
            return plan_quantization(f->plan, node, q) ? node : NULL;
    }
    return NULL;
}

static void update_links(byte_fuser *f)
{
    plan_find_links(f->plan, &f->links);
}

/* The node writes the bytes that `quantizer` would make of its output. */
static void take_quantizer(plan_node *node, plan_node *quantizer, nn_quantization q)
{
    node->bytes.y = q;
    node->bytes.writes_floats = false;
    node->output = quantizer->output;
    quantizer->removed = true;
}

/* ---- Weights ---- */

/* The node that makes constant weights of int8, which was run when shapes were inferred. */
static const plan_node *weight_dequantizer(const byte_fuser *f, int value)
{
    for (size_t n = 0; n < f->plan->node_count; n++) {
        const plan_node *node = &f->plan->nodes[n];
        if (node->output == value && node->op == &nn_op_dequantize)
            return tensor_of(f, node->inputs[0])->type == NN_INT8 ? node : NULL;
    }
    return NULL;
}

static bool zeros_alone(const byte_fuser *f, const plan_node *node)
{
    if (node->input_count < 3 || node->inputs[2] < 0)
        return true;
    const nn_tensor *zeros = tensor_of(f, node->inputs[2]);
    int64_t count = nn_elements(&zeros->shape);
    for (int64_t i = 0; i < count; i++)
        if (nn_int_at(zeros, i) != 0)
            return false;
    return true;
}

/* Weights with 0 as zero point and one scale, or one for each output. */
static bool read_weights(const byte_fuser *f, const plan_node *node, plan_bytes *bytes)
{
    const plan_node *maker = weight_dequantizer(f, node->inputs[1]);
    if (maker == NULL || tensor_of(f, maker->inputs[0])->data == NULL || !zeros_alone(f, maker))
        return false;
    bytes->weights = maker->inputs[0];
    bytes->scales = maker->inputs[1];
    bytes->by_column =
        node->op == &nn_op_matmul || (node->op == &nn_op_gemm && !node->params.gemm.transpose_b);
    return nn_elements(&tensor_of(f, bytes->scales)->shape) == 1 ||
           maker->params.quantize.axis == (bytes->by_column ? 1 : 0);
}

/* ---- Nodes ---- */

bool plan_quantization(const nn_plan *plan, const plan_node *node, nn_quantization *q)
{
    const nn_tensor *scale = &plan->values[node->inputs[1]].tensor;
    int bytes = node->op == &nn_op_quantize ? node->output : node->inputs[0];
    if (plan->values[bytes].tensor.type != NN_UINT8 || nn_elements(&scale->shape) != 1)
        return false;
    bool has_zero = node->input_count > 2 && node->inputs[2] >= 0;
    q->scale = *(const float *)scale->data;
    q->zero_point = has_zero ? (int)nn_int_at(&plan->values[node->inputs[2]].tensor, 0) : 0;
    return true;
}

bool plan_byte_conv_form(const nn_plan *plan, const plan_node *node, nn_byte_conv *conv)
{
    nn_conv form;
    if (!plan_conv_form(plan, node, &form) ||
        (node->op == &nn_op_gemm && (node->params.gemm.alpha != 1 || node->params.gemm.beta != 1)))
        return false;
    *conv = (nn_byte_conv){.in = form.in,
                           .out = form.out,
                           .window = form.window,
                           .group = form.group,
                           .activation = node->activation,
                           .x = node->bytes.x,
                           .residual = node->bytes.residual,
                           .y = node->bytes.y,
                           .writes_floats = node->bytes.writes_floats};
    return nn_byte_kernels_with(plan->kernels)->conv_supported(conv);
}

static bool is_product(const plan_node *node)
{
    return node->op == &nn_op_conv || node->op == &nn_op_gemm || node->op == &nn_op_matmul;
}

static void try_conv(byte_fuser *f, plan_node *node)
{
    plan_bytes bytes = {.kind = PLAN_BYTE_CONV, .writes_floats = true};
    nn_byte_conv form;
    plan_node *reads = dequantizer(f, node->inputs[0], &bytes.x);
    if (reads == NULL || node->residual >= 0 || !read_weights(f, node, &bytes) ||
        !plan_byte_conv_form(f->plan, node, &form))
        return;
    node->bytes = bytes;
    node->inputs[0] = reads->inputs[0];
    nn_quantization q;
    plan_node *quantizer = sole_quantizer(f, node->output, &q);
    if (quantizer != NULL)
        take_quantizer(node, quantizer, q);
    update_links(f);
}

/* The convolution whose bytes only this value's DequantizeLinear reads, which only the sum reads.
 */
static plan_node *conv_of_sum(const byte_fuser *f, int value)
{
    nn_quantization q;
    const plan_node *reads = dequantizer(f, value, &q);
    if (reads == NULL || f->links.uses[value] != 1 || f->links.uses[reads->inputs[0]] != 1 ||
        f->links.producer[reads->inputs[0]] < 0)
        return NULL;
    plan_node *conv = &f->plan->nodes[f->links.producer[reads->inputs[0]]];
    bool fits = conv->bytes.kind == PLAN_BYTE_CONV && conv->op == &nn_op_conv &&
                !conv->bytes.writes_floats && conv->residual < 0 &&
                conv->activation.kind == NN_ACTIVATION_NONE;
    return fits ? conv : NULL;
}

static bool conv_applies(nn_activation_kind kind)
{
    return kind == NN_ACTIVATION_NONE || kind == NN_ACTIVATION_RELU || kind == NN_ACTIVATION_CLIP ||
           kind == NN_ACTIVATION_LEAKY_RELU;
}

/* The convolution moves to the place of the sum, where both inputs exist. */
static void try_sum(byte_fuser *f, plan_node *add)
{
    bool swapped;
    nn_quantization q[2];
    if (plan_binary(f->plan, add, &swapped) != PLAN_BINARY_SAME ||
        add->inputs[0] == add->inputs[1] || !conv_applies(add->activation.kind))
        return;
    const plan_node *reads[2] = {dequantizer(f, add->inputs[0], &q[0]),
                                 dequantizer(f, add->inputs[1], &q[1])};
    if (reads[0] == NULL || reads[1] == NULL)
        return;
    int best = -1;
    for (int i = 0; i < 2; i++) {
        const plan_node *conv = conv_of_sum(f, add->inputs[i]);
        if (conv != NULL && (best < 0 || conv > conv_of_sum(f, add->inputs[best])))
            best = i;
    }
    if (best < 0)
        return;
    plan_node *conv = conv_of_sum(f, add->inputs[best]);
    plan_node sum = *conv;
    int *kept = add->inputs; /* each node keeps an array to free */
    sum.residual = reads[1 - best]->inputs[0];
    sum.bytes.residual = q[1 - best];
    sum.bytes.writes_floats = true;
    sum.activation = add->activation;
    sum.output = add->output;
    conv->inputs = kept;
    conv->input_count = 2;
    conv->removed = true;
    *add = sum;
    plan_node *quantizer = sole_quantizer(f, add->output, &q[0]);
    if (quantizer != NULL)
        take_quantizer(add, quantizer, q[0]);
    update_links(f);
}

static void try_max_pool(byte_fuser *f, plan_node *node)
{
    nn_quantization before, after;
    plan_node *reads = dequantizer(f, node->inputs[0], &before);
    plan_node *quantizer = sole_quantizer(f, node->output, &after);
    if (reads == NULL || quantizer == NULL || before.scale != after.scale ||
        before.zero_point != after.zero_point)
        return;
    node->bytes.kind = PLAN_BYTE_MAX_POOL;
    node->inputs[0] = reads->inputs[0];
    take_quantizer(node, quantizer, after);
    update_links(f);
}

/* What nothing reads any more. */
static void drop_dequantizers(byte_fuser *f)
{
    for (size_t n = 0; n < f->plan->node_count; n++) {
        plan_node *node = &f->plan->nodes[n];
        if (node->op == &nn_op_dequantize && f->links.uses[node->output] == 0)
            node->removed = true;
    }
}

mien_status plan_fuse_bytes(nn_plan *plan, mien_error *error)
{
    byte_fuser f = {.plan = plan};
    if (nn_byte_kernels_with(plan->kernels) == NULL)
        return MIEN_OK;
    mien_status status = plan_make_links(plan, plan->value_count, &f.links, error);
    for (size_t n = 0; status == MIEN_OK && n < plan->node_count; n++) {
        plan_node *node = &plan->nodes[n];
        if (node->removed)
            continue;
        if (is_product(node))
            try_conv(&f, node);
        else if (node->op == &nn_op_add)
            try_sum(&f, node);
        else if (node->op == &nn_op_max_pool)
            try_max_pool(&f, node);
    }
    if (status == MIEN_OK)
        drop_dequantizers(&f);
    plan_free_links(&f.links);
    return status;
}
