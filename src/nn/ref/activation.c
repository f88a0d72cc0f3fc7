/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <math.h>

/* Functions of one number, with up to two parameters from attributes. */

static mien_status shape_plain(nn_shaping *shaping)
{
    return nn_shape_as_input(shaping);
}

static mien_status shape_with(nn_shaping *shaping, float alpha, float beta)
{
    shaping->params->activation.alpha = nn_node_float(shaping->node, "alpha", alpha);
    shaping->params->activation.beta = nn_node_float(shaping->node, "beta", beta);
    return nn_shape_as_input(shaping);
}

static mien_status shape_leaky_relu(nn_shaping *shaping)
{
    return shape_with(shaping, 0.01f, 0);
}

static mien_status shape_elu(nn_shaping *shaping)
{
    return shape_with(shaping, 1, 0);
}

static mien_status shape_hard_sigmoid(nn_shaping *shaping)
{
    return shape_with(shaping, 0.2f, 0.5f);
}

/* A bound of Clip: a constant input (opset 11 on) or an attribute. */
static mien_status read_bound(nn_shaping *shaping, int input, const char *attribute, float *bound)
{
    if (shaping->opset < 11) {
        *bound = nn_node_float(shaping->node, attribute, *bound);
        return MIEN_OK;
    }
    if (!nn_has_input(shaping, input))
        return MIEN_OK;
    const nn_tensor *tensor = &shaping->inputs[input];
    if (tensor->data == NULL || tensor->type != NN_FLOAT || nn_elements(&tensor->shape) != 1)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "its bound '%s' must be one constant",
                             attribute);
    *bound = *(const float *)tensor->data;
    return MIEN_OK;
}

static mien_status shape_clip(nn_shaping *shaping)
{
    float low = -INFINITY, high = INFINITY;
    mien_status status = read_bound(shaping, 1, "min", &low);
    if (status == MIEN_OK)
        status = read_bound(shaping, 2, "max", &high);
    shaping->params->activation.alpha = low;
    shaping->params->activation.beta = high;
    return status == MIEN_OK ? nn_shape_as_input(shaping) : status;
}

typedef float (*function_of_one)(const nn_params *params, float x);

static void map(const nn_params *params, const nn_tensor *in, nn_tensor *out,
                function_of_one function)
{
    const float *x = in->data;
    float *y = out->data;
    int64_t count = nn_elements(&in->shape);
    for (int64_t i = 0; i < count; i++)
        y[i] = function(params, x[i]);
}

static float relu(const nn_params *params, float x)
{
    (void)params;
    return x > 0 ? x : 0;
}

static float leaky_relu(const nn_params *params, float x)
{
    return x >= 0 ? x : params->activation.alpha * x;
}

static float elu(const nn_params *params, float x)
{
    return x >= 0 ? x : (float)(params->activation.alpha * expm1((double)x));
}

static float clip(const nn_params *params, float x)
{
    float low = params->activation.alpha, high = params->activation.beta;
    float raised = x < low ? low : x;
    return raised > high ? high : raised;
}

static float sigmoid(const nn_params *params, float x)
{
    (void)params;
    return (float)(1 / (1 + exp(-(double)x)));
}

static float hard_sigmoid(const nn_params *params, float x)
{
    float y = params->activation.alpha * x + params->activation.beta;
    return y < 0 ? 0 : y > 1 ? 1 : y;
}

static float hard_swish(const nn_params *params, float x)
{
    (void)params;
    float gate = x / 6 + 0.5f;
    return x * (gate < 0 ? 0 : gate > 1 ? 1 : gate);
}

static float hyperbolic_tangent(const nn_params *params, float x)
{
    (void)params;
    return (float)tanh((double)x);
}

static void run_relu(const nn_params *params, const nn_tensor *inputs, int input_count,
                     nn_tensor *outputs)
{
    (void)input_count;
    map(params, inputs, outputs, relu);
}

static void run_leaky_relu(const nn_params *params, const nn_tensor *inputs, int input_count,
                           nn_tensor *outputs)
{
    (void)input_count;
    map(params, inputs, outputs, leaky_relu);
}

static void run_elu(const nn_params *params, const nn_tensor *inputs, int input_count,
                    nn_tensor *outputs)
{
    (void)input_count;
    map(params, inputs, outputs, elu);
}

static void run_clip(const nn_params *params, const nn_tensor *inputs, int input_count,
                     nn_tensor *outputs)
{
    (void)input_count;
    map(params, inputs, outputs, clip);
}

static void run_sigmoid(const nn_params *params, const nn_tensor *inputs, int input_count,
                        nn_tensor *outputs)
{
    (void)input_count;
    map(params, inputs, outputs, sigmoid);
}

static void run_hard_sigmoid(const nn_params *params, const nn_tensor *inputs, int input_count,
                             nn_tensor *outputs)
{
    (void)input_count;
    map(params, inputs, outputs, hard_sigmoid);
}

static void run_hard_swish(const nn_params *params, const nn_tensor *inputs, int input_count,
                           nn_tensor *outputs)
{
    (void)input_count;
    map(params, inputs, outputs, hard_swish);
}

static void run_tanh(const nn_params *params, const nn_tensor *inputs, int input_count,
                     nn_tensor *outputs)
{
    (void)input_count;
    map(params, inputs, outputs, hyperbolic_tangent);
}

const nn_op nn_op_relu = {
    .name = "Relu", .min_inputs = 1, .max_inputs = 1, .shape = shape_plain, .run = run_relu};
const nn_op nn_op_leaky_relu = {.name = "LeakyRelu",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .shape = shape_leaky_relu,
                                .run = run_leaky_relu};
const nn_op nn_op_elu = {
    .name = "Elu", .min_inputs = 1, .max_inputs = 1, .shape = shape_elu, .run = run_elu};
const nn_op nn_op_clip = {
    .name = "Clip", .min_inputs = 1, .max_inputs = 3, .shape = shape_clip, .run = run_clip};
const nn_op nn_op_sigmoid = {
    .name = "Sigmoid", .min_inputs = 1, .max_inputs = 1, .shape = shape_plain, .run = run_sigmoid};
const nn_op nn_op_hard_sigmoid = {.name = "HardSigmoid",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .shape = shape_hard_sigmoid,
                                  .run = run_hard_sigmoid};
const nn_op nn_op_hard_swish = {.name = "HardSwish",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .shape = shape_plain,
                                .run = run_hard_swish};
const nn_op nn_op_tanh = {
    .name = "Tanh", .min_inputs = 1, .max_inputs = 1, .shape = shape_plain, .run = run_tanh};
