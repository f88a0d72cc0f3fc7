/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

/* Operators of two inputs with NumPy's broadcasting; Add, Sub, Mul and Div also on integers, for
 * shapes that are computed. PRelu broadcasts its slope to X only. */

static mien_status shape_binary(nn_shaping *shaping)
{
    const nn_tensor *a = &shaping->inputs[0], *b = &shaping->inputs[1];
    char a_text[NN_SHAPE_TEXT_SIZE], b_text[NN_SHAPE_TEXT_SIZE];
    if (a->type != b->type)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "its inputs have different types");
    if (!nn_broadcast(&a->shape, &b->shape, &shaping->outputs[0].shape))
        return nn_shape_fail(shaping, MIEN_SHAPE, "shapes %s and %s do not fit",
                             nn_shape_text(&a->shape, a_text), nn_shape_text(&b->shape, b_text));
    shaping->outputs[0].type = a->type;
    return MIEN_OK;
}

static mien_status shape_prelu(nn_shaping *shaping)
{
    mien_status status = shape_binary(shaping);
    if (status == MIEN_OK && !nn_shape_equal(&shaping->outputs[0].shape, &shaping->inputs[0].shape))
        return nn_shape_fail(shaping, MIEN_SHAPE, "the slope is larger than the input");
    return status;
}

typedef enum binary_kind { ADD, SUBTRACT, MULTIPLY, DIVIDE, PRELU } binary_kind;

static float of_floats(binary_kind kind, float a, float b)
{
    switch (kind) {
    case ADD:
        return a + b;
    case SUBTRACT:
        return a - b;
    case MULTIPLY:
        return a * b;
    case DIVIDE:
        return a / b;
    case PRELU:
        return a >= 0 ? a : a * b;
    }
    return 0;
}

/* Wraps around instead of overflowing; a division by zero gives zero. */
static int64_t of_ints(binary_kind kind, int64_t a, int64_t b)
{
    switch (kind) {
    case ADD:
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case SUBTRACT:
        return (int64_t)((uint64_t)a - (uint64_t)b);
    case MULTIPLY:
        return (int64_t)((uint64_t)a * (uint64_t)b);
    case DIVIDE:
        return b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
    case PRELU:
        return 0;
    }
    return 0;
}

static void run_binary(binary_kind kind, const nn_tensor *inputs, nn_tensor *outputs)
{
    const nn_shape *shape = &outputs[0].shape;
    int64_t strides[2][NN_MAX_RANK];
    for (int i = 0; i < 2; i++)
        nn_broadcast_strides(&inputs[i].shape, shape, strides[i]);
    int64_t index[NN_MAX_RANK] = {0};
    int64_t at = 0;
    do {
        int64_t offset[2] = {0, 0};
        for (int d = 0; d < shape->rank; d++) {
            offset[0] += index[d] * strides[0][d];
            offset[1] += index[d] * strides[1][d];
        }
        if (outputs[0].type == NN_FLOAT) {
            const float *a = inputs[0].data, *b = inputs[1].data;
            ((float *)outputs[0].data)[at++] = of_floats(kind, a[offset[0]], b[offset[1]]);
        } else {
            const int64_t *a = inputs[0].data, *b = inputs[1].data;
            ((int64_t *)outputs[0].data)[at++] = of_ints(kind, a[offset[0]], b[offset[1]]);
        }
    } while (nn_next_index(shape, index));
}

static void run_add(const nn_params *params, const nn_tensor *inputs, int input_count,
                    nn_tensor *outputs)
{
    (void)params;
    (void)input_count;
    run_binary(ADD, inputs, outputs);
}

static void run_sub(const nn_params *params, const nn_tensor *inputs, int input_count,
                    nn_tensor *outputs)
{
    (void)params;
    (void)input_count;
    run_binary(SUBTRACT, inputs, outputs);
}

static void run_mul(const nn_params *params, const nn_tensor *inputs, int input_count,
                    nn_tensor *outputs)
{
    (void)params;
    (void)input_count;
    run_binary(MULTIPLY, inputs, outputs);
}

static void run_div(const nn_params *params, const nn_tensor *inputs, int input_count,
                    nn_tensor *outputs)
{
    (void)params;
    (void)input_count;
    run_binary(DIVIDE, inputs, outputs);
}

static void run_prelu(const nn_params *params, const nn_tensor *inputs, int input_count,
                      nn_tensor *outputs)
{
    (void)params;
    (void)input_count;
    run_binary(PRELU, inputs, outputs);
}

const nn_op nn_op_add = {.name = "Add",
                         .min_inputs = 2,
                         .max_inputs = 2,
                         .takes_ints = true,
                         .shape = shape_binary,
                         .run = run_add};
const nn_op nn_op_sub = {.name = "Sub",
                         .min_inputs = 2,
                         .max_inputs = 2,
                         .takes_ints = true,
                         .shape = shape_binary,
                         .run = run_sub};
const nn_op nn_op_mul = {.name = "Mul",
                         .min_inputs = 2,
                         .max_inputs = 2,
                         .takes_ints = true,
                         .shape = shape_binary,
                         .run = run_mul};
const nn_op nn_op_div = {.name = "Div",
                         .min_inputs = 2,
                         .max_inputs = 2,
                         .takes_ints = true,
                         .shape = shape_binary,
                         .run = run_div};
const nn_op nn_op_prelu = {.name = "PRelu",
                           .min_inputs = 2,
                           .max_inputs = 2,
                           .takes_ints = false,
                           .shape = shape_prelu,
                           .run = run_prelu};
