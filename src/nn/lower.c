/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/lower.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <stdlib.h>
#include <string.h>

/*
 * Each plan node becomes a step. Values of rank 4 may lie with the channels last; a value that is
 * needed in the other layout gets a twin and a step that transposes it, once.
 */

mien_status lower_no_memory(const lowerer *l)
{
    return error_no_memory(l->error, "a plan", sizeof(nn_step));
}

const nn_shape *lower_shape_of(const lowerer *l, int value)
{
    return &l->plan->values[value].tensor.shape;
}

/* Both layouts of (N, C, H, W) are the same sequence of numbers. */
static bool layouts_agree(const nn_shape *shape)
{
    return shape->dims[1] == 1 || shape->dims[2] * shape->dims[3] == 1;
}

void lower_release(lowerer *l, int value)
{
    if (value < 0 || --l->links.uses[value] > 0 || !l->plan->values[value].owns_data)
        return;
    free(l->plan->values[value].tensor.data);
    l->plan->values[value].tensor.data = NULL;
    l->plan->values[value].owns_data = false;
}

/* ---- Steps ---- */

static void run_reference(const nn_step *step, nn_part part, const nn_tensor *inputs,
                          nn_tensor *output, void *scratch)
{
    (void)part;
    (void)scratch;
    step->op->run(&step->u.params, inputs, step->input_count, output);
}

static void run_layout(const nn_step *step, nn_part part, const nn_tensor *inputs,
                       nn_tensor *output, void *scratch)
{
    (void)scratch;
    step->kernels->transpose(part, inputs[0].data, step->u.transpose.planes, step->u.transpose.rows,
                             step->u.transpose.columns, output->data);
}

nn_step *lower_step(lowerer *l, const char *name, step_run run, const int *inputs, int input_count,
                    int output)
{
    nn_plan *plan = l->plan;
    void *steps = plan->steps;
    if (!memory_grow(&steps, plan->step_count, &plan->step_capacity, sizeof *plan->steps))
        return NULL;
    plan->steps = steps;
    int *copy = memory_zeroed((size_t)input_count, sizeof *copy);
    if (copy == NULL)
        return NULL;
    memcpy(copy, inputs, (size_t)input_count * sizeof *copy);
    nn_step *step = &plan->steps[plan->step_count++];
    *step = (nn_step){.name = name,
                      .run = run,
                      .kernels = plan->kernels,
                      .inputs = copy,
                      .input_count = input_count,
                      .output = output};
    return step;
}

/* ---- How long steps take ---- */

/* Measured on one core of 117 GFLOP/s: 50 products in a nanosecond, 40 where each channel has its
 * own; outputs are made eight at a time. */
int64_t lower_product_time(const nn_extent *in, const nn_extent *out, int64_t taps, int group,
                           int speed)
{
    int64_t pixels = out->batch * out->height * out->width, channels = out->channels;
    int64_t made = group > 1 ? channels : (channels + 7) / 8 * 8;
    int64_t products = pixels * made * taps * (in->channels / group);
    return products / ((group > 1 ? 40 : 50) * speed) + lower_pass_time(pixels * channels);
}

int64_t lower_pass_time(int64_t count)
{
    return count / 8; /* from and to the second cache */
}

int64_t lower_pool_time(const nn_pool *pool)
{
    const nn_extent *out = &pool->out;
    int64_t taps = (int64_t)pool->window.kernel[0] * pool->window.kernel[1];
    return lower_pass_time(out->batch * out->height * out->width * out->channels) * taps;
}

/* ---- Layouts ---- */

static mien_status transpose_value(lowerer *l, int value, int twin)
{
    const nn_shape *shape = lower_shape_of(l, value);
    bool to_last = l->plan->values[twin].channels_last;
    int64_t pixels = shape->dims[2] * shape->dims[3], channels = shape->dims[1];
    int64_t planes = shape->dims[0];
    int64_t rows = to_last ? channels : pixels, columns = to_last ? pixels : channels;
    if (l->plan->values[value].tensor.data != NULL) { /* a constant: now */
        l->plan->kernels->transpose(nn_whole(), l->plan->values[value].tensor.data, planes, rows,
                                    columns, l->plan->values[twin].tensor.data);
        return MIEN_OK;
    }
    nn_step *step = lower_step(l, to_last ? "to channels last" : "to channels first", run_layout,
                               &value, 1, twin);
    if (step == NULL)
        return lower_no_memory(l);
    step->nanoseconds = lower_pass_time(planes * rows * columns);
    step->u.transpose.planes = planes;
    step->u.transpose.rows = rows;
    step->u.transpose.columns = columns;
    return MIEN_OK;
}

bool lower_is_constant(const lowerer *l, int value)
{
    return l->plan->values[value].tensor.data != NULL;
}

mien_status lower_in_layout(lowerer *l, int value, bool channels_last, int *result)
{
    *result = value;
    nn_plan *plan = l->plan;
    nn_shape shape = *lower_shape_of(l, value);
    if (shape.rank != 4 || plan->values[value].channels_last == channels_last)
        return MIEN_OK;
    *result = plan->values[value].twin;
    if (*result >= 0)
        return MIEN_OK;
    if (nn_type_is_byte(plan->values[value].tensor.type))
        return error_set(l->error, MIEN_UNSUPPORTED,
                         "8-bit pictures are read in another layout than they are made in");
    int twin;
    bool moves = !layouts_agree(&shape);
    if (!moves) {
        twin = plan_add_value(plan, plan->values[value].tensor);
        if (twin >= 0)
            plan->values[twin].same_as = value;
    } else if (plan->values[value].tensor.data != NULL) {
        mien_status status =
            plan_charge(plan, (size_t)nn_elements(&shape) * sizeof(float), l->error);
        if (status != MIEN_OK)
            return status;
        twin = plan_add_constant(plan, shape);
    } else {
        twin = plan_add_value(plan, (nn_tensor){NN_FLOAT, shape, NULL});
    }
    if (twin < 0)
        return lower_no_memory(l);
    plan->values[twin].channels_last = channels_last;
    plan->values[twin].twin = value;
    plan->values[value].twin = twin;
    *result = twin;
    return moves ? transpose_value(l, value, twin) : MIEN_OK;
}

/* ---- BF16 ---- */

static void run_rounding(const nn_step *step, nn_part part, const nn_tensor *inputs,
                         nn_tensor *output, void *scratch)
{
    (void)scratch;
    nn_span span = nn_share(part, nn_elements(&output->shape), LOWER_NUMBERS);
    step->bf16_kernels->from_floats((const float *)inputs[0].data + span.first,
                                    span.end - span.first, (nn_bf16 *)output->data + span.first);
}

mien_status lower_in_bf16(lowerer *l, int value, int *result)
{
    nn_plan *plan = l->plan;
    *result = value;
    if (plan->values[value].tensor.type == NN_BFLOAT16)
        return MIEN_OK;
    *result = plan->values[value].rounded;
    if (*result >= 0)
        return MIEN_OK;
    int rounded =
        plan_add_value(plan, (nn_tensor){NN_BFLOAT16, plan->values[value].tensor.shape, NULL});
    nn_step *step =
        rounded >= 0 ? lower_step(l, "to BF16", run_rounding, &value, 1, rounded) : NULL;
    if (step == NULL)
        return lower_no_memory(l);
    step->bf16_kernels = plan->bf16;
    step->nanoseconds = lower_pass_time(nn_elements(lower_shape_of(l, value)));
    plan->values[rounded].channels_last = plan->values[value].channels_last;
    plan->values[value].rounded = rounded;
    *result = rounded;
    return MIEN_OK;
}

/* ---- The same numbers in another shape ---- */

static bool is_reshape(const lowerer *l, const plan_node *node)
{
    return node->op == &nn_op_reshape || node->op == &nn_op_flatten || node->op == &nn_op_squeeze ||
           node->op == &nn_op_unsqueeze || node->op == &nn_op_identity ||
           node->op == &nn_op_dropout ||
           (node->op == &nn_op_cast && l->plan->values[node->inputs[0]].tensor.type == NN_FLOAT);
}

/* Transposing (N, C, H, W) that lies channels last to (N, H, W, C), or back, moves nothing. */
static bool is_free_transpose(const lowerer *l, const plan_node *node, bool *makes_last)
{
    static const int to_last[4] = {0, 2, 3, 1}, to_first[4] = {0, 3, 1, 2};
    if (node->op != &nn_op_transpose || lower_shape_of(l, node->inputs[0])->rank != 4)
        return false;
    const int *order = node->params.transpose.order;
    const plan_value *input = &l->plan->values[node->inputs[0]];
    *makes_last = !input->channels_last;
    return memcmp(order, input->channels_last ? to_last : to_first, sizeof to_last) == 0;
}

static void alias(lowerer *l, int output, int input, bool channels_last)
{
    plan_value *value = &l->plan->values[output];
    value->same_as = input;
    value->channels_last = channels_last;
    value->tensor.data = l->plan->values[input].tensor.data;
}

static mien_status lower_reshape(lowerer *l, const plan_node *node)
{
    int input;
    mien_status status = lower_in_layout(l, node->inputs[0], false, &input);
    if (status == MIEN_OK)
        alias(l, node->output, input, false);
    return status;
}

/* ---- To 8-bit numbers and back, one scale for all: in the layout that is there ---- */

static bool is_plain_quantization(const lowerer *l, const plan_node *node)
{
    return (node->op == &nn_op_quantize || node->op == &nn_op_dequantize) &&
           nn_elements(lower_shape_of(l, node->inputs[1])) == 1;
}

static mien_status lower_quantization(lowerer *l, const plan_node *node)
{
    l->plan->values[node->output].channels_last = l->plan->values[node->inputs[0]].channels_last;
    nn_step *step =
        lower_step(l, node->op->name, run_reference, node->inputs, node->input_count, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->op = node->op;
    step->u.params = node->params;
    return MIEN_OK;
}

/* ---- Some channels of a picture ---- */

static inline void take_channels(const float *x, int64_t channels, int64_t pixels, int64_t count,
                                 float *y)
{
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < count; c++)
            y[p * count + c] = x[p * channels + c];
}

static void run_channel_slice(const nn_step *step, nn_part part, const nn_tensor *inputs,
                              nn_tensor *output, void *scratch)
{
    (void)scratch;
    nn_span pixels = nn_share(part, step->u.slice.pixels, LOWER_NUMBERS);
    int64_t channels = step->u.slice.channels, made = pixels.end - pixels.first;
    int64_t count = nn_elements(&output->shape) / step->u.slice.pixels;
    const float *x = (const float *)inputs[0].data + pixels.first * channels + step->u.slice.first;
    float *y = (float *)output->data + pixels.first * count;
    if (count == 1) /* constants make plain loops of it */
        take_channels(x, channels, made, 1, y);
    else if (count == 4)
        take_channels(x, channels, made, 4, y);
    else
        take_channels(x, channels, made, count, y);
}

/* One or more neighbouring channels, and all of each. */
static bool is_channel_slice(const lowerer *l, const plan_node *node)
{
    if (node->op != &nn_op_slice || lower_shape_of(l, node->output)->rank != 4 ||
        l->plan->values[node->output].tensor.type != NN_FLOAT ||
        !l->plan->values[node->inputs[0]].channels_last)
        return false;
    const int64_t *in = lower_shape_of(l, node->inputs[0])->dims;
    const int64_t *out = lower_shape_of(l, node->output)->dims;
    const int64_t *steps = node->params.slice.steps;
    return in[0] == out[0] && in[2] == out[2] && in[3] == out[3] && steps[0] == 1 &&
           steps[1] == 1 && steps[2] == 1 && steps[3] == 1;
}

static mien_status lower_channel_slice(lowerer *l, const plan_node *node)
{
    const nn_shape *in = lower_shape_of(l, node->inputs[0]);
    nn_step *step = lower_step(l, node->op->name, run_channel_slice, node->inputs, 1, node->output);
    if (step == NULL)
        return lower_no_memory(l);
    step->u.slice.pixels = in->dims[0] * in->dims[2] * in->dims[3];
    step->u.slice.channels = in->dims[1];
    step->u.slice.first = node->params.slice.starts[1];
    step->nanoseconds = lower_pass_time(nn_elements(lower_shape_of(l, node->output)));
    l->plan->values[node->output].channels_last = true;
    return MIEN_OK;
}

/* ---- Everything else: the reference operator ---- */

/* Joining along the channels, which lie last. */
static bool is_channel_concat(const lowerer *l, const plan_node *node)
{
    return node->op == &nn_op_concat && lower_shape_of(l, node->output)->rank == 4 &&
           node->params.axis.axis == 1;
}

static mien_status lower_reference(lowerer *l, const plan_node *node)
{
    bool concat = l->plan->kernels != NULL && is_channel_concat(l, node);
    nn_step *step = NULL;
    int *inputs = memory_zeroed((size_t)node->input_count, sizeof *inputs);
    mien_status status = inputs != NULL ? MIEN_OK : lower_no_memory(l);
    for (int i = 0; status == MIEN_OK && i < node->input_count; i++) {
        inputs[i] = node->inputs[i];
        if (inputs[i] >= 0)
            status = lower_in_layout(l, node->inputs[i], concat, &inputs[i]);
    }
    if (status == MIEN_OK) {
        step =
            lower_step(l, node->op->name, run_reference, inputs, node->input_count, node->output);
        status = step != NULL ? MIEN_OK : lower_no_memory(l);
    }
    free(inputs);
    if (status != MIEN_OK)
        return status;
    step->op = node->op;
    step->u.params = node->params;
    l->plan->values[node->output].channels_last = concat;
    if (concat)
        step->u.params.axis.axis = 3;
    return MIEN_OK;
}

static mien_status lower_fast(lowerer *l, const plan_node *node)
{
    bool makes_last, done;
    mien_status status = lower_bytes(l, node, &done);
    if (status == MIEN_OK && !done)
        status = lower_windowed(l, node, &done);
    if (status == MIEN_OK && !done)
        status = lower_elementwise(l, node, &done);
    if (status == MIEN_OK && !done)
        status = lower_resize(l, node, &done);
    if (status != MIEN_OK || done)
        return status;
    if (is_reshape(l, node))
        return lower_reshape(l, node);
    if (is_plain_quantization(l, node))
        return lower_quantization(l, node);
    if (is_channel_slice(l, node))
        return lower_channel_slice(l, node);
    if (is_free_transpose(l, node, &makes_last)) {
        alias(l, node->output, node->inputs[0], makes_last);
        return MIEN_OK;
    }
    return lower_reference(l, node);
}

mien_status plan_lower(nn_plan *plan, mien_error *error)
{
    lowerer l = {.plan = plan, .error = error};
    mien_status status = plan_make_links(plan, plan->value_count, &l.links, error);
    for (size_t n = 0; status == MIEN_OK && n < plan->node_count; n++) {
        if (plan->nodes[n].removed)
            continue;
        if (plan->kernels != NULL)
            status = lower_fast(&l, &plan->nodes[n]);
        else
            status = lower_reference(&l, &plan->nodes[n]);
    }
    for (size_t o = 0; status == MIEN_OK && o < plan->graph->output_count; o++)
        status = lower_in_layout(&l, plan->outputs[o], false, &plan->outputs[o]);
    plan_free_links(&l.links);
    return status;
}
