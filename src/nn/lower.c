/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Each plan node becomes a step. Values of rank 4 may lie with the channels last; a value that is
 * needed in the other layout gets a twin and a step that transposes it, once.
 */

typedef struct lowerer {
    nn_plan *plan;
    mien_error *error;
} lowerer;

static mien_status no_memory(const lowerer *l)
{
    return error_no_memory(l->error, "a plan", sizeof(nn_step));
}

static const nn_shape *shape_of(const lowerer *l, int value)
{
    return &l->plan->values[value].tensor.shape;
}

/* Both layouts of (N, C, H, W) are the same sequence of numbers. */
static bool layouts_agree(const nn_shape *shape)
{
    return shape->dims[1] == 1 || shape->dims[2] * shape->dims[3] == 1;
}

/* ---- Steps ---- */

static void run_reference(const nn_step *step, const nn_tensor *inputs, nn_tensor *output,
                          void *scratch)
{
    (void)scratch;
    step->op->run(&step->u.params, inputs, step->input_count, output);
}

static void run_conv(const nn_step *step, const nn_tensor *inputs, nn_tensor *output, void *scratch)
{
    const float *residual = step->input_count > 1 ? inputs[1].data : NULL;
    step->kernels->conv(&step->u.conv, inputs[0].data, residual, output->data, scratch);
}

static void run_pool(const nn_step *step, const nn_tensor *inputs, nn_tensor *output, void *scratch)
{
    (void)scratch;
    step->kernels->pool(&step->u.pool, inputs[0].data, output->data);
}

static void run_global_average(const nn_step *step, const nn_tensor *inputs, nn_tensor *output,
                               void *scratch)
{
    (void)scratch;
    step->kernels->global_average(&step->u.extent, inputs[0].data, output->data);
}

static void run_scale_shift(const nn_step *step, const nn_tensor *inputs, nn_tensor *output,
                            void *scratch)
{
    (void)scratch;
    step->kernels->scale_shift(inputs[0].data, inputs[1].data, inputs[2].data, step->u.binary.rows,
                               step->u.binary.channels, step->activation, output->data);
}

static void run_activate(const nn_step *step, const nn_tensor *inputs, nn_tensor *output,
                         void *scratch)
{
    (void)scratch;
    step->kernels->activate(step->activation, inputs[0].data, step->u.binary.rows, output->data);
}

static void run_prelu(const nn_step *step, const nn_tensor *inputs, nn_tensor *output,
                      void *scratch)
{
    (void)scratch;
    step->kernels->prelu(inputs[0].data, inputs[1].data, step->u.binary.rows,
                         step->u.binary.channels, output->data);
}

static void run_binary(const nn_step *step, const nn_tensor *inputs, nn_tensor *output,
                       void *scratch)
{
    (void)scratch;
    step->kernels->binary(step->u.binary.kind, inputs[0].data, inputs[1].data, step->u.binary.rows,
                          step->activation, output->data);
}

/* Input 0 is the larger one. Its pictures share the numbers of input 1, or each has its own. */
static void run_binary_channels(const nn_step *step, const nn_tensor *inputs, nn_tensor *output,
                                void *scratch)
{
    (void)scratch;
    int64_t each = step->u.binary.rows * step->u.binary.channels;
    int64_t pictures = nn_elements(&output->shape) / each;
    bool own = nn_elements(&inputs[1].shape) == pictures * step->u.binary.channels;
    const float *a = inputs[0].data, *b = inputs[1].data;
    float *y = output->data;
    for (int64_t n = 0; n < pictures; n++)
        step->kernels->binary_channels(step->u.binary.kind, step->u.binary.swapped, a + n * each,
                                       b + (own ? n * step->u.binary.channels : 0),
                                       step->u.binary.rows, step->u.binary.channels,
                                       step->activation, y + n * each);
}

static void run_layout(const nn_step *step, const nn_tensor *inputs, nn_tensor *output,
                       void *scratch)
{
    (void)scratch;
    step->kernels->transpose(inputs[0].data, step->u.transpose.planes, step->u.transpose.rows,
                             step->u.transpose.columns, output->data);
}

/* Adds a step with a copy of the inputs. NULL when out of memory. */
static nn_step *add_step(lowerer *l, const char *name, step_run run, const int *inputs,
                         int input_count, int output)
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

/* ---- Layouts ---- */

static mien_status transpose_value(lowerer *l, int value, int twin)
{
    const nn_shape *shape = shape_of(l, value);
    bool to_last = l->plan->values[twin].channels_last;
    int64_t pixels = shape->dims[2] * shape->dims[3], channels = shape->dims[1];
    int64_t planes = shape->dims[0];
    int64_t rows = to_last ? channels : pixels, columns = to_last ? pixels : channels;
    if (l->plan->values[value].tensor.data != NULL) { /* a constant: now */
        l->plan->kernels->transpose(l->plan->values[value].tensor.data, planes, rows, columns,
                                    l->plan->values[twin].tensor.data);
        return MIEN_OK;
    }
    nn_step *step = add_step(l, to_last ? "to channels last" : "to channels first", run_layout,
                             &value, 1, twin);
    if (step == NULL)
        return no_memory(l);
    step->u.transpose.planes = planes;
    step->u.transpose.rows = rows;
    step->u.transpose.columns = columns;
    return MIEN_OK;
}

/* *result: the value, or its twin, in the wanted layout. */
static mien_status in_layout(lowerer *l, int value, bool channels_last, int *result)
{
    *result = value;
    nn_plan *plan = l->plan;
    nn_shape shape = *shape_of(l, value);
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
        return no_memory(l);
    plan->values[twin].channels_last = channels_last;
    plan->values[twin].twin = value;
    plan->values[value].twin = twin;
    *result = twin;
    return moves ? transpose_value(l, value, twin) : MIEN_OK;
}

static bool is_constant(const lowerer *l, int value)
{
    return l->plan->values[value].tensor.data != NULL;
}

/* ---- Convolutions ---- */

static mien_status add_buffer(lowerer *l, size_t floats, float **buffer)
{
    nn_plan *plan = l->plan;
    void *buffers = plan->buffers;
    mien_status status = plan_charge(plan, floats * sizeof(float), l->error);
    if (status != MIEN_OK)
        return status;
    if (!memory_grow(&buffers, plan->buffer_count, &plan->buffer_capacity, sizeof *plan->buffers))
        return no_memory(l);
    plan->buffers = buffers;
    *buffer = memory_aligned(floats * sizeof(float));
    if (*buffer == NULL)
        return no_memory(l);
    plan->buffers[plan->buffer_count++] = *buffer;
    return MIEN_OK;
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

static mien_status pack(lowerer *l, const plan_node *node, nn_conv *conv)
{
    const nn_kernels *kernels = l->plan->kernels;
    float *packed;
    mien_status status = add_buffer(l, kernels->conv_packed_floats(conv), &packed);
    if (status != MIEN_OK)
        return status;
    conv->packed = packed;
    if (node->op == &nn_op_conv) {
        bool has_bias = node->input_count > 2 && node->inputs[2] >= 0;
        kernels->conv_pack(conv, l->plan->values[node->inputs[1]].tensor.data,
                           has_bias ? l->plan->values[node->inputs[2]].tensor.data : NULL, packed);
        return MIEN_OK;
    }
    float *weights = product_weights(l, node, conv);
    float *bias = product_bias(l, node, conv);
    if (weights != NULL && bias != NULL)
        kernels->conv_pack(conv, weights, bias, packed);
    bool done = weights != NULL && bias != NULL;
    free(weights);
    free(bias);
    return done ? MIEN_OK : no_memory(l);
}

static mien_status lower_conv(lowerer *l, const plan_node *node, nn_conv *conv)
{
    bool picture = node->op == &nn_op_conv;
    const plan_value *x = &l->plan->values[node->inputs[0]];
    conv->planar =
        picture && !x->channels_last && x->twin < 0 && l->plan->kernels->conv_takes_planar(conv);
    int inputs[2];
    mien_status status = in_layout(l, node->inputs[0], picture && !conv->planar, &inputs[0]);
    if (status == MIEN_OK && node->residual >= 0)
        status = in_layout(l, node->residual, true, &inputs[1]);
    if (status == MIEN_OK)
        status = pack(l, node, conv);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = picture;
    nn_step *step =
        add_step(l, node->op->name, run_conv, inputs, node->residual >= 0 ? 2 : 1, node->output);
    if (step == NULL)
        return no_memory(l);
    step->u.conv = *conv;
    step->scratch_bytes = l->plan->kernels->conv_scratch_bytes(conv);
    return MIEN_OK;
}

/* ---- Pooling ---- */

static nn_extent extent_of(const nn_shape *shape)
{
    return (nn_extent){shape->dims[0], shape->dims[2], shape->dims[3], shape->dims[1]};
}

static mien_status lower_pool(lowerer *l, const plan_node *node)
{
    int input;
    mien_status status = in_layout(l, node->inputs[0], true, &input);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = true;
    nn_step *step = add_step(l, node->op->name, run_pool, &input, 1, node->output);
    if (step == NULL)
        return no_memory(l);
    step->u.pool = (nn_pool){.in = extent_of(shape_of(l, input)),
                             .out = extent_of(shape_of(l, node->output)),
                             .window = node->params.pool.window,
                             .maximum = node->op == &nn_op_max_pool,
                             .count_padding = node->params.pool.count_padding};
    return MIEN_OK;
}

/* The mean over height and width of (N, C, H, W). */
static bool is_global_average(const lowerer *l, const plan_node *node)
{
    if (node->op != &nn_op_global_average_pool && node->op != &nn_op_reduce_mean)
        return false;
    const bool *axes = node->params.reduce.axes;
    return shape_of(l, node->inputs[0])->rank == 4 && !axes[0] && !axes[1] && axes[2] && axes[3];
}

static mien_status lower_global_average(lowerer *l, const plan_node *node)
{
    int input;
    mien_status status = in_layout(l, node->inputs[0], true, &input);
    if (status != MIEN_OK)
        return status;
    nn_step *step = add_step(l, node->op->name, run_global_average, &input, 1, node->output);
    if (step == NULL)
        return no_memory(l);
    step->u.extent = extent_of(shape_of(l, input));
    return MIEN_OK;
}

/* ---- Element by element ---- */

/* BatchNormalization with constants, on (N, C, H, W) or (N, C): y = x scale + shift. */
static mien_status lower_batch_norm(lowerer *l, const plan_node *node)
{
    nn_plan *plan = l->plan;
    nn_shape shape = *shape_of(l, node->inputs[0]);
    int64_t channels = shape.dims[1];
    int inputs[3];
    mien_status status = in_layout(l, node->inputs[0], true, &inputs[0]);
    if (status != MIEN_OK)
        return status;
    inputs[1] = plan_add_constant(plan, (nn_shape){1, {channels}});
    inputs[2] = inputs[1] >= 0 ? plan_add_constant(plan, (nn_shape){1, {channels}}) : -1;
    if (inputs[2] < 0)
        return no_memory(l);
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
    nn_step *step = add_step(l, node->op->name, run_scale_shift, inputs, 3, node->output);
    if (step == NULL)
        return no_memory(l);
    step->in_place = true;
    step->activation = node->activation;
    step->u.binary.rows = nn_elements(&shape) / channels;
    step->u.binary.channels = channels;
    return MIEN_OK;
}

static mien_status lower_activation(lowerer *l, const plan_node *node, nn_activation activation)
{
    int input = node->inputs[0];
    l->plan->values[node->output].channels_last = l->plan->values[input].channels_last;
    nn_step *step = add_step(l, node->op->name, run_activate, &input, 1, node->output);
    if (step == NULL)
        return no_memory(l);
    step->in_place = true;
    step->activation = activation;
    step->u.binary.rows = nn_elements(shape_of(l, input));
    return MIEN_OK;
}

static mien_status lower_prelu(lowerer *l, const plan_node *node)
{
    const nn_shape *shape = shape_of(l, node->inputs[0]);
    int64_t channels = shape->rank == 4 ? shape->dims[1] : shape->dims[shape->rank - 1];
    int64_t rows = nn_elements(shape) / channels;
    int inputs[2] = {0, node->inputs[1]};
    mien_status status = in_layout(l, node->inputs[0], true, &inputs[0]);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = l->plan->values[inputs[0]].channels_last;
    nn_step *step = add_step(l, node->op->name, run_prelu, inputs, 2, node->output);
    if (step == NULL)
        return no_memory(l);
    step->in_place = true;
    step->u.binary.rows = rows;
    step->u.binary.channels = channels;
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
    bool last = l->plan->values[inputs[is_constant(l, inputs[0]) ? 1 : 0]].channels_last;
    mien_status status = in_layout(l, node->inputs[0], last, &inputs[0]);
    if (status == MIEN_OK)
        status = in_layout(l, node->inputs[1], last, &inputs[1]);
    if (status != MIEN_OK)
        return status;
    l->plan->values[node->output].channels_last = last;
    nn_step *step = add_step(l, node->op->name, run_binary, inputs, 2, node->output);
    if (step == NULL)
        return no_memory(l);
    step->in_place = true;
    step->activation = node->activation;
    step->u.binary.kind = binary_kind(node->op);
    step->u.binary.rows = nn_elements(shape_of(l, node->output));
    return MIEN_OK;
}

static mien_status lower_binary_repeated(lowerer *l, const plan_node *node, plan_binary_form form,
                                         bool swapped)
{
    int large = node->inputs[swapped ? 1 : 0];
    int inputs[2] = {large, node->inputs[swapped ? 0 : 1]};
    bool last = form == PLAN_BINARY_CHANNELS;
    mien_status status = in_layout(l, large, last, &inputs[0]);
    if (status == MIEN_OK) /* the small one is row-major; (.., C, 1, 1) reads the same either way */
        status = in_layout(l, inputs[1], false, &inputs[1]);
    if (status != MIEN_OK)
        return status;
    const nn_shape *shape = shape_of(l, large), *small = shape_of(l, inputs[1]);
    l->plan->values[node->output].channels_last = last;
    nn_step *step = add_step(l, node->op->name, run_binary_channels, inputs, 2, node->output);
    if (step == NULL)
        return no_memory(l);
    step->in_place = true;
    step->activation = node->activation;
    step->u.binary.kind = binary_kind(node->op);
    step->u.binary.swapped = swapped;
    step->u.binary.channels = last ? shape->dims[1] : nn_elements(small);
    step->u.binary.rows =
        last ? shape->dims[2] * shape->dims[3] : nn_elements(shape) / step->u.binary.channels;
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
    if (node->op != &nn_op_transpose || shape_of(l, node->inputs[0])->rank != 4)
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
    mien_status status = in_layout(l, node->inputs[0], false, &input);
    if (status == MIEN_OK)
        alias(l, node->output, input, false);
    return status;
}

/* ---- To 8-bit numbers and back, one scale for all: in the layout that is there ---- */

static bool is_plain_quantization(const lowerer *l, const plan_node *node)
{
    return (node->op == &nn_op_quantize || node->op == &nn_op_dequantize) &&
           nn_elements(shape_of(l, node->inputs[1])) == 1;
}

static mien_status lower_quantization(lowerer *l, const plan_node *node)
{
    l->plan->values[node->output].channels_last = l->plan->values[node->inputs[0]].channels_last;
    nn_step *step =
        add_step(l, node->op->name, run_reference, node->inputs, node->input_count, node->output);
    if (step == NULL)
        return no_memory(l);
    step->op = node->op;
    step->u.params = node->params;
    return MIEN_OK;
}

/* ---- Everything else: the reference operator ---- */

/* Joining along the channels, which lie last. */
static bool is_channel_concat(const lowerer *l, const plan_node *node)
{
    return node->op == &nn_op_concat && shape_of(l, node->output)->rank == 4 &&
           node->params.axis.axis == 1;
}

/* Resizing without touching the channels: nearest works on any order of axes. */
static bool is_nearest_resize(const lowerer *l, const plan_node *node)
{
    return node->op == &nn_op_resize && !node->params.resize.linear &&
           shape_of(l, node->output)->rank == 4;
}

static mien_status lower_reference(lowerer *l, const plan_node *node)
{
    bool concat = l->plan->kernels != NULL && is_channel_concat(l, node);
    bool resize = l->plan->kernels != NULL && is_nearest_resize(l, node);
    nn_step *step = NULL;
    int *inputs = memory_zeroed((size_t)node->input_count, sizeof *inputs);
    mien_status status = inputs != NULL ? MIEN_OK : no_memory(l);
    for (int i = 0; status == MIEN_OK && i < node->input_count; i++) {
        inputs[i] = node->inputs[i];
        bool last = concat || (resize && i == 0);
        if (inputs[i] >= 0)
            status = in_layout(l, node->inputs[i], last, &inputs[i]);
    }
    if (status == MIEN_OK) {
        step = add_step(l, node->op->name, run_reference, inputs, node->input_count, node->output);
        status = step != NULL ? MIEN_OK : no_memory(l);
    }
    free(inputs);
    if (status != MIEN_OK)
        return status;
    step->op = node->op;
    step->u.params = node->params;
    l->plan->values[node->output].channels_last = concat || resize;
    if (concat)
        step->u.params.axis.axis = 3;
    if (resize) {
        const float *scales = node->params.resize.scales;
        const float moved[4] = {scales[0], scales[2], scales[3], scales[1]};
        memcpy(step->u.params.resize.scales, moved, sizeof moved);
    }
    return MIEN_OK;
}

/* One slope per channel, which lies last in the kernel's layout. */
static bool slope_is_simple(const lowerer *l, const plan_node *node)
{
    const nn_shape *x = shape_of(l, node->inputs[0]);
    const nn_shape *slope = shape_of(l, node->inputs[1]);
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

static mien_status lower_fast(lowerer *l, const plan_node *node)
{
    nn_conv conv;
    nn_activation activation;
    bool swapped, makes_last;
    if (plan_conv_form(l->plan, node, &conv))
        return lower_conv(l, node, &conv);
    if (node->op == &nn_op_max_pool || node->op == &nn_op_average_pool)
        return lower_pool(l, node);
    if (is_global_average(l, node))
        return lower_global_average(l, node);
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
    if (is_reshape(l, node))
        return lower_reshape(l, node);
    if (is_plain_quantization(l, node))
        return lower_quantization(l, node);
    if (is_free_transpose(l, node, &makes_last)) {
        alias(l, node->output, node->inputs[0], makes_last);
        return MIEN_OK;
    }
    return lower_reference(l, node);
}

mien_status plan_lower(nn_plan *plan, mien_error *error)
{
    lowerer l = {plan, error};
    mien_status status = MIEN_OK;
    for (size_t n = 0; status == MIEN_OK && n < plan->node_count; n++) {
        if (plan->nodes[n].removed)
            continue;
        if (plan->kernels != NULL)
            status = lower_fast(&l, &plan->nodes[n]);
        else
            status = lower_reference(&l, &plan->nodes[n]);
    }
    for (size_t o = 0; status == MIEN_OK && o < plan->graph->output_count; o++)
        status = in_layout(&l, plan->outputs[o], false, &plan->outputs[o]);
    return status;
}
