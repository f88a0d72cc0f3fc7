/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/lower.h"

#include "base/memory.h"
#include "nn/ref/ref.h"

#include <math.h>

/* What works on each number by itself, or with a number of its channel. */

/* The rows of the step that a part works on. */
static nn_span share_rows(const nn_step *step, nn_part part)
{
    return nn_share(part, step->u.binary.rows, LOWER_NUMBERS);
}

static float *at(const nn_tensor *tensor, int64_t index)
{
    return (float *)tensor->data + index;
}

static void run_scale_shift(const nn_step *step, nn_part part, const nn_tensor *inputs,
                            nn_tensor *output, void *scratch)
{
    (void)scratch;
    nn_span rows = share_rows(step, part);
    int64_t channels = step->u.binary.channels, first = rows.first * channels;
    step->kernels->scale_shift(at(&inputs[0], first), inputs[1].data, inputs[2].data,
                               rows.end - rows.first, channels, step->activation,
                               at(output, first));
}

static void run_activate(const nn_step *step, nn_part part, const nn_tensor *inputs,
                         nn_tensor *output, void *scratch)
{
    (void)scratch;
    nn_span span = share_rows(step, part);
    step->kernels->activate(step->activation, at(&inputs[0], span.first), span.end - span.first,
                            at(output, span.first));
}

static void run_prelu(const nn_step *step, nn_part part, const nn_tensor *inputs, nn_tensor *output,
                      void *scratch)
{
    (void)scratch;
    nn_span rows = share_rows(step, part);
    int64_t channels = step->u.binary.channels, first = rows.first * channels;
    step->kernels->prelu(at(&inputs[0], first), inputs[1].data, rows.end - rows.first, channels,
                         at(output, first));
}

static void run_binary(const nn_step *step, nn_part part, const nn_tensor *inputs,
                       nn_tensor *output, void *scratch)
{
    (void)scratch;
    nn_span span = share_rows(step, part);
    step->kernels->binary(step->u.binary.kind, at(&inputs[0], span.first),
                          at(&inputs[1], span.first), span.end - span.first, step->activation,
                          at(output, span.first));
}

/* Input 0 is the larger one. Its pictures share the numbers of input 1, or each has its own. */
static void run_binary_channels(const nn_step *step, nn_part part, const nn_tensor *inputs,
                                nn_tensor *output, void *scratch)
{
    (void)scratch;
    nn_span rows = share_rows(step, part);
    int64_t channels = step->u.binary.channels, each = step->u.binary.rows * channels;
    int64_t pictures = nn_elements(&output->shape) / each;
    bool own = nn_elements(&inputs[1].shape) == pictures * channels;
    for (int64_t n = 0; n < pictures; n++) {
        int64_t first = n * each + rows.first * channels;
        step->kernels->binary_channels(
            step->u.binary.kind, step->u.binary.swapped, at(&inputs[0], first),
            at(&inputs[1], own ? n * channels : 0), rows.end - rows.first, channels,
            step->activation, at(output, first));
    }
}

/* BatchNormalization with constants, on (N, C, H, W) or (N, C): y = x scale + shift. */
static mien_status lower_batch_norm(lowerer *l, const plan_node *node)
{
    nn_plan *plan = l->plan;
    nn_shape shape = *lower_shape_of(l, node->inputs[0]);
    int64_t channels = shape.dims[1];
    int inputs[3];
    mien_status status = lower_in_layout(l, node->inputs[0], true, &inputs[0]);
    if (status != MIEN_OK)
        return status;
    inputs[1] = plan_add_constant(plan, (nn_shape){1, {channels}});
    inputs[2] = inputs[1] >= 0 ? plan_add_constant(plan, (nn_shape){1, {channels}}) : -1;
    if (inputs[2] < 0)
        return lower_no_memory(l);
    const float *norm[4];
    for (int i = 0; i < 4; i++)
        norm[i] = plan->values[node->inputs[1 + i]].tensor.data;
    float *scale = plan->values[inputs[1]].tensor.data;
    float *shift = plan->values[inputs[2]].tensor.data;
    for (int64_t c = 0; c < channels; c++) {
        double factor = norm[0][c] / sqrt((double)norm[3][c] + node->params.norm.epsilon);
        scale[c] = (float)factor;
        shift[c] = (float)(norm[1][c] - norm[2][c] * factor);
    }
    plan->values[node->output].channels_last = shape.rank == 4;
    nn_step *step = lower_step(l, node->op->name, run_scale_shift, inputs, 3, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->in_place = true;
    step->activation = node->activation;
    step->u.binary.rows = nn_elements(&shape) / channels;
    step->u.binary.channels = channels;
    step->nanoseconds = lower_pass_time(nn_elements(&shape));
    return MIEN_OK;
}

static mien_status lower_activation(lowerer *l, const plan_node *node, nn_activation activation)
{
    int input = node->inputs[0];
    l->plan->values[node->output].channels_last = l->plan->values[input].channels_last;
    nn_step *step = lower_step(l, node->op->name, run_activate, &input, 1, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->in_place = true;
    step->activation = activation;
    step->u.binary.rows = nn_elements(lower_shape_of(l, input));
    step->nanoseconds = lower_pass_time(step->u.binary.rows);
    return MIEN_OK;
}

static mien_status lower_prelu(lowerer *l, const plan_node *node)
{
    const nn_shape *shape = lower_shape_of(l, node->inputs[0]);
    int64_t channels = shape->rank == 4 ? shape->dims[1] : shape->dims[shape->rank - 1];
    int64_t rows = nn_elements(shape) / channels;
    int inputs[2] = {0, node->inputs[1]};
    mien_status status = lower_in_layout(l, node->inputs[0], true, &inputs[0]);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = l->plan->values[inputs[0]].channels_last;
    nn_step *step = lower_step(l, node->op->name, run_prelu, inputs, 2, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->in_place = true;
    step->u.binary.rows = rows;
    step->u.binary.channels = channels;
    step->nanoseconds = lower_pass_time(rows * channels);
    return MIEN_OK;
}

static nn_binary binary_kind(const nn_op *op)
{
    return op == &nn_op_add   ? NN_ADD
           : op == &nn_op_sub ? NN_SUBTRACT
           : op == &nn_op_mul ? NN_MULTIPLY
                              : NN_DIVIDE;
}

static mien_status lower_binary_same(lowerer *l, const plan_node *node)
{
    int inputs[2] = {node->inputs[0], node->inputs[1]};
    bool last = l->plan->values[inputs[lower_is_constant(l, inputs[0]) ? 1 : 0]].channels_last;
    mien_status status = lower_in_layout(l, node->inputs[0], last, &inputs[0]);
    if (status == MIEN_OK)
        status = lower_in_layout(l, node->inputs[1], last, &inputs[1]);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = last;
    nn_step *step = lower_step(l, node->op->name, run_binary, inputs, 2, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->in_place = true;
    step->activation = node->activation;
    step->u.binary.kind = binary_kind(node->op);
    step->u.binary.rows = nn_elements(lower_shape_of(l, node->output));
    step->nanoseconds = lower_pass_time(step->u.binary.rows);
    return MIEN_OK;
}

static mien_status lower_binary_repeated(lowerer *l, const plan_node *node, plan_binary_form form,
                                         bool swapped)
{
    int large = node->inputs[swapped ? 1 : 0];
    int inputs[2] = {large, node->inputs[swapped ? 0 : 1]};
    bool last = form == PLAN_BINARY_CHANNELS;
    mien_status status = lower_in_layout(l, large, last, &inputs[0]);
    if (status == MIEN_OK) /* the small one is row-major; (.., C, 1, 1) reads the same either way */
        status = lower_in_layout(l, inputs[1], false, &inputs[1]);
    if (status != MIEN_OK)
        return status;
    const nn_shape *shape = lower_shape_of(l, large), *small = lower_shape_of(l, inputs[1]);
    l->plan->values[node->output].channels_last = last;
    nn_step *step = lower_step(l, node->op->name, run_binary_channels, inputs, 2, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->in_place = true;
    step->activation = node->activation;
    step->u.binary.kind = binary_kind(node->op);
    step->u.binary.swapped = swapped;
    step->u.binary.channels = last ? shape->dims[1] : nn_elements(small);
    step->u.binary.rows =
        last ? shape->dims[2] * shape->dims[3] : nn_elements(shape) / step->u.binary.channels;
    step->nanoseconds = lower_pass_time(nn_elements(shape));
    return MIEN_OK;
}

/* One slope per channel, which lies last in the kernel's layout. */
static bool slope_is_simple(const lowerer *l, const plan_node *node)
{
    const nn_shape *x = lower_shape_of(l, node->inputs[0]);
    const nn_shape *slope = lower_shape_of(l, node->inputs[1]);
    if (x->rank == 4)
        return slope->rank >= 3 && slope->rank <= 4 &&
               nn_elements(slope) == slope->dims[slope->rank - 3] &&
               nn_elements(slope) == x->dims[1];
    return x->rank == 2 && slope->rank > 0 && nn_elements(slope) == x->dims[1] &&
           slope->dims[slope->rank - 1] == x->dims[1];
}

static bool is_arithmetic(const plan_node *node)
{
    return node->op == &nn_op_add || node->op == &nn_op_sub || node->op == &nn_op_mul ||
           node->op == &nn_op_div;
}

mien_status lower_elementwise(lowerer *l, const plan_node *node, bool *done)
{
    nn_activation activation;
    bool swapped;
    *done = true;
    if (node->op == &nn_op_batch_norm && plan_norm_is_constant(l->plan, node))
        return lower_batch_norm(l, node);
    if (plan_activation(node, &activation))
        return lower_activation(l, node, activation);
    if (node->op == &nn_op_prelu && slope_is_simple(l, node))
        return lower_prelu(l, node);
    if (is_arithmetic(node)) {
        plan_binary_form form = plan_binary(l->plan, node, &swapped);
        if (form == PLAN_BINARY_SAME)
            return lower_binary_same(l, node);
        if (form != PLAN_BINARY_GENERAL)
            return lower_binary_repeated(l, node, form, swapped);
    }
    *done = false;
    return MIEN_OK;
}
