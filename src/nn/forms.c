/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "nn/ref/ref.h"

#include <string.h>

static bool is_constant(const nn_plan *plan, int value)
{
    return plan->values[value].tensor.data != NULL;
}

nn_extent plan_extent(const nn_shape *shape)
{
    return (nn_extent){shape->dims[0], shape->dims[2], shape->dims[3], shape->dims[1]};
}

/* A product of `rows` rows with a constant matrix, as a convolution with a window of 1. */
static void set_product(nn_conv *conv, int64_t rows, int64_t inner, int64_t columns)
{
    conv->in = (nn_extent){1, 1, rows, inner};
    conv->out = (nn_extent){1, 1, rows, columns};
    conv->group = 1;
    conv->window = (nn_window){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
}

/* What Gemm adds must be one number per column (or one for all). */
static bool adds_bias(const nn_plan *plan, const plan_node *node, int64_t columns)
{
    if (node->input_count < 3 || node->inputs[2] < 0)
        return true;
    if (!is_constant(plan, node->inputs[2]))
        return false;
    const nn_shape *shape = &plan->values[node->inputs[2]].tensor.shape;
    int64_t elements = nn_elements(shape);
    return elements == columns && (shape->rank == 0 || shape->dims[shape->rank - 1] == columns);
}

static bool gemm_form(const nn_plan *plan, const plan_node *node, nn_conv *conv)
{
    const nn_shape *a = &plan->values[node->inputs[0]].tensor.shape;
    const nn_shape *out = &plan->values[node->output].tensor.shape;
    if (node->params.gemm.transpose_a || !is_constant(plan, node->inputs[1]) ||
        !adds_bias(plan, node, out->dims[1]))
        return false;
    set_product(conv, out->dims[0], a->dims[1], out->dims[1]);
    return true;
}

static bool matmul_form(const nn_plan *plan, const plan_node *node, nn_conv *conv)
{
    const nn_shape *a = &plan->values[node->inputs[0]].tensor.shape;
    const nn_shape *b = &plan->values[node->inputs[1]].tensor.shape;
    if (b->rank != 2 || !is_constant(plan, node->inputs[1]))
        return false;
    set_product(conv, nn_product(a, 0, a->rank - 1), b->dims[0], b->dims[1]);
    return true;
}

static bool convolution_form(const nn_plan *plan, const plan_node *node, nn_conv *conv)
{
    bool has_bias = node->input_count > 2 && node->inputs[2] >= 0;
    if (!is_constant(plan, node->inputs[1]) || (has_bias && !is_constant(plan, node->inputs[2])))
        return false;
    conv->in = plan_extent(&plan->values[node->inputs[0]].tensor.shape);
    conv->out = plan_extent(&plan->values[node->output].tensor.shape);
    conv->window = node->params.conv.window;
    conv->group = node->params.conv.group;
    return true;
}

bool plan_conv_form(const nn_plan *plan, const plan_node *node, nn_conv *conv)
{
    *conv = (nn_conv){.activation = node->activation};
    bool fits = false;
    if (node->op == &nn_op_conv)
        fits = convolution_form(plan, node, conv);
    else if (node->op == &nn_op_gemm)
        fits = gemm_form(plan, node, conv);
    else if (node->op == &nn_op_matmul)
        fits = matmul_form(plan, node, conv);
    return fits && plan->kernels->conv_supported(conv);
}

/* (C, 1, 1), (1, C, 1, 1) or (N, C, 1, 1) beside (N, C, H, W). */
static bool is_per_channel(const nn_shape *large, const nn_shape *small)
{
    if (large->rank != 4 || small->rank < 3 || small->rank > 4)
        return false;
    const int64_t *dims = small->dims + small->rank - 3;
    int64_t batch = small->rank == 4 ? small->dims[0] : 1;
    return dims[0] == large->dims[1] && dims[1] == 1 && dims[2] == 1 &&
           (batch == 1 || batch == large->dims[0]);
}

/* The smaller shape without its leading ones is how the larger one ends. */
static bool is_trailing(const nn_shape *large, const nn_shape *small)
{
    int first = 0;
    while (first < small->rank && small->dims[first] == 1)
        first++;
    int count = small->rank - first;
    return count <= large->rank && small->rank <= large->rank &&
           memcmp(small->dims + first, large->dims + large->rank - count,
                  (size_t)count * sizeof *small->dims) == 0;
}

plan_binary_form plan_binary(const nn_plan *plan, const plan_node *node, bool *swapped)
{
    const nn_shape *out = &plan->values[node->output].tensor.shape;
    const nn_shape *a = &plan->values[node->inputs[0]].tensor.shape;
    const nn_shape *b = &plan->values[node->inputs[1]].tensor.shape;
    *swapped = false;
    if (nn_shape_equal(a, b))
        return PLAN_BINARY_SAME;
    *swapped = !nn_shape_equal(a, out);
    const nn_shape *large = *swapped ? b : a, *small = *swapped ? a : b;
    if (!nn_shape_equal(large, out))
        return PLAN_BINARY_GENERAL;
    if (is_per_channel(large, small))
        return PLAN_BINARY_CHANNELS;
    return is_trailing(large, small) ? PLAN_BINARY_TRAILING : PLAN_BINARY_GENERAL;
}

bool plan_activation(const plan_node *node, nn_activation *activation)
{
    static const struct {
        const nn_op *op;
        nn_activation_kind kind;
    } kinds[] = {
        {&nn_op_relu, NN_ACTIVATION_RELU},
        {&nn_op_clip, NN_ACTIVATION_CLIP},
        {&nn_op_leaky_relu, NN_ACTIVATION_LEAKY_RELU},
        {&nn_op_elu, NN_ACTIVATION_ELU},
        {&nn_op_sigmoid, NN_ACTIVATION_SIGMOID},
        {&nn_op_hard_sigmoid, NN_ACTIVATION_HARD_SIGMOID},
        {&nn_op_hard_swish, NN_ACTIVATION_HARD_SWISH},
        {&nn_op_tanh, NN_ACTIVATION_TANH},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].op == node->op) {
            *activation = (nn_activation){kinds[i].kind, node->params.activation.alpha,
                                          node->params.activation.beta};
            return true;
        }
    return false;
}

bool plan_norm_is_constant(const nn_plan *plan, const plan_node *node)
{
    int rank = plan->values[node->inputs[0]].tensor.shape.rank;
    for (int i = 1; i < 5; i++)
        if (!is_constant(plan, node->inputs[i]))
            return false;
    return rank == 4 || rank == 2;
}
