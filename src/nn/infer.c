/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int plan_add_value(nn_plan *plan, nn_tensor tensor)
{
    void *values = plan->values;
    if (!memory_grow(&values, plan->value_count, &plan->value_capacity, sizeof *plan->values))
        return -1;
    plan->values = values;
    plan->values[plan->value_count] = (plan_value){.tensor = tensor,
                                                   .same_as = -1,
                                                   .twin = -1,
                                                   .rounded = -1,
                                                   .first_step = -1,
                                                   .last_step = -1};
    return (int)plan->value_count++;
}

int plan_add_constant(nn_plan *plan, nn_shape shape)
{
    size_t bytes = (size_t)nn_elements(&shape) * sizeof(float);
    nn_tensor tensor = {NN_FLOAT, shape, memory_aligned(bytes)};
    if (tensor.data == NULL)
        return -1;
    int index = plan_add_value(plan, tensor);
    if (index < 0)
        free(tensor.data);
    else
        plan->values[index].owns_data = true;
    return index;
}

mien_status plan_charge(nn_plan *plan, size_t bytes, mien_error *error)
{
    if (bytes > plan->max_bytes || plan->constant_bytes > plan->max_bytes - bytes)
        return error_set(error, MIEN_LIMIT,
                         "the network needs more than %zu bytes for its constants",
                         plan->max_bytes);
    plan->constant_bytes += bytes;
    return MIEN_OK;
}

mien_status plan_add_buffer(nn_plan *plan, size_t bytes, void **buffer, mien_error *error)
{
    void *buffers = plan->buffers;
    mien_status status = plan_charge(plan, bytes, error);
    if (status != MIEN_OK)
        return status;
    if (!memory_grow(&buffers, plan->buffer_count, &plan->buffer_capacity, sizeof *plan->buffers))
        return error_no_memory(error, "a plan", sizeof *plan->buffers);
    plan->buffers = buffers;
    *buffer = memory_aligned(bytes);
    if (*buffer == NULL)
        return error_no_memory(error, "a plan", bytes);
    plan->buffers[plan->buffer_count++] = *buffer;
    return MIEN_OK;
}

/* Copies the graph's values; the constants stay the graph's. */
static mien_status copy_values(nn_plan *plan, mien_error *error)
{
    for (size_t v = 0; v < plan->graph->value_count; v++)
        if (plan_add_value(plan, plan->graph->values[v].tensor) < 0)
            return error_no_memory(error, "a plan", sizeof(plan_value));
    return MIEN_OK;
}

/* Whether a dimension of an input may be what is wanted. A file says which size of picture it was
 * made for; (N, C, H, W) of another size goes as far as the operators allow. */
static bool dimension_fits(const nn_shape *given, const nn_shape *wanted, int dimension)
{
    bool of_picture = given->rank == 4 && dimension >= 2;
    return of_picture || given->dims[dimension] == NN_UNKNOWN_DIM ||
           given->dims[dimension] == wanted->dims[dimension];
}

/* The shape asked for, checked against what the file says. */
static mien_status settle_input(nn_plan *plan, int value, const nn_shape *wanted, mien_error *error)
{
    const nn_value *input = &plan->graph->values[value];
    const nn_shape *given = &input->tensor.shape;
    nn_shape *shape = &plan->values[value].tensor.shape;
    char given_text[NN_SHAPE_TEXT_SIZE], wanted_text[NN_SHAPE_TEXT_SIZE];
    if (given->rank == NN_UNKNOWN_RANK && wanted == NULL)
        return error_set(error, MIEN_SHAPE, "input '%s' has no shape: one must be given",
                         input->name);
    if (wanted != NULL)
        *shape = *wanted;
    bool fits = given->rank == NN_UNKNOWN_RANK || shape->rank == given->rank;
    for (int i = 0; fits && i < shape->rank; i++) {
        if (wanted == NULL && shape->dims[i] == NN_UNKNOWN_DIM)
            shape->dims[i] = 1;
        if (given->rank != NN_UNKNOWN_RANK)
            fits = dimension_fits(given, shape, i);
    }
    int64_t elements;
    if (!fits || !nn_shape_elements(shape, &elements) || elements == 0)
        return error_set(error, MIEN_SHAPE, "input '%s' takes %s, not %s", input->name,
                         nn_shape_text(given, given_text), nn_shape_text(shape, wanted_text));
    return MIEN_OK;
}

static int64_t multiply_adds(const plan_node *node, const nn_tensor *inputs,
                             const nn_tensor *output)
{
    int64_t outputs = nn_elements(&output->shape);
    if (node->op == &nn_op_conv)
        return outputs * nn_product(&inputs[1].shape, 1, 4);
    if (node->op == &nn_op_gemm)
        return outputs * inputs[0].shape.dims[node->params.gemm.transpose_a ? 0 : 1];
    if (node->op == &nn_op_matmul)
        return outputs * inputs[0].shape.dims[inputs[0].shape.rank - 1];
    return 0;
}

/* The inputs of a node as an array of tensors; an input left out has an unknown rank. */
static void collect_inputs(const nn_plan *plan, const nn_node *node, nn_tensor *inputs)
{
    for (int i = 0; i < node->input_count; i++) {
        inputs[i] = (nn_tensor){.shape.rank = NN_UNKNOWN_RANK};
        if (node->inputs[i] >= 0)
            inputs[i] = plan->values[node->inputs[i]].tensor;
    }
}

static bool all_constant(const nn_tensor *inputs, int count)
{
    for (int i = 0; i < count; i++)
        if (inputs[i].data == NULL && inputs[i].shape.rank != NN_UNKNOWN_RANK)
            return false;
    return true;
}

/* A constant of the graph that the node hands on as it is: float16 weights of a file stand behind
 * such a Cast. */
static bool hands_on(const nn_plan *plan, const plan_node *node, const nn_tensor *inputs)
{
    bool same = node->op == &nn_op_identity || node->op == &nn_op_cast;
    return same && inputs[0].type == plan->values[node->output].tensor.type &&
           inputs[0].data != NULL && !plan->values[node->inputs[0]].owns_data;
}

/* Runs the node now: its output becomes a constant of the plan. */
static mien_status compute_constant(nn_plan *plan, const plan_node *node, const nn_tensor *inputs,
                                    mien_error *error)
{
    plan_value *value = &plan->values[node->output];
    size_t bytes = (size_t)nn_elements(&value->tensor.shape) * nn_type_size(value->tensor.type);
    if (hands_on(plan, node, inputs)) {
        value->tensor.data = inputs[0].data;
        return MIEN_OK;
    }
    mien_status status = plan_charge(plan, bytes, error);
    if (status != MIEN_OK)
        return status;
    value->tensor.data = memory_aligned(bytes);
    if (value->tensor.data == NULL)
        return error_no_memory(error, node->node->name, bytes);
    value->owns_data = true;
    node->op->run(&node->params, inputs, node->input_count, &value->tensor);
    return MIEN_OK;
}

static mien_status check_types(const nn_plan *plan, const plan_node *node, const nn_tensor *inputs,
                               mien_error *error)
{
    const nn_tensor *output = &plan->values[node->output].tensor;
    bool ints = output->type == NN_INT || (node->input_count > 0 && inputs[0].type == NN_INT);
    if (ints && !node->op->takes_ints)
        return error_set(error, MIEN_UNSUPPORTED, "%s '%s' on integers is not supported",
                         node->op->name, node->node->name);
    int64_t elements = -1; /* stays so when there are too many */
    char text[NN_SHAPE_TEXT_SIZE];
    if (!node->op->takes_ints && nn_elements(&inputs[0].shape) == 0)
        return error_set(error, MIEN_SHAPE, "%s '%s' reads an empty tensor", node->op->name,
                         node->node->name);
    if (!nn_shape_elements(&output->shape, &elements) || elements == 0)
        return error_set(error, elements == 0 ? MIEN_SHAPE : MIEN_LIMIT,
                         "%s '%s' makes a tensor of shape %s, which is empty or too large",
                         node->op->name, node->node->name, nn_shape_text(&output->shape, text));
    return MIEN_OK;
}

/* Bytes only where the operator reads them: their functions take anything else for floats. */
static mien_status check_bytes(const nn_node *node, const nn_tensor *inputs, mien_error *error)
{
    for (int i = 0; i < node->input_count; i++)
        if (nn_type_is_byte(inputs[i].type) && !node->op->takes_bytes)
            return error_set(error, MIEN_UNSUPPORTED,
                             "%s '%s' on 8-bit numbers is not supported; DequantizeLinear must "
                             "come before it",
                             node->op->name, node->name);
    return MIEN_OK;
}

static mien_status infer_node(nn_plan *plan, size_t index, nn_tensor *inputs, mien_error *error)
{
    const nn_node *source = &plan->graph->nodes[index];
    plan_node *node = &plan->nodes[index];
    *node = (plan_node){.op = source->op,
                        .node = source,
                        .input_count = source->input_count,
                        .output = source->outputs[0],
                        .residual = -1};
    node->inputs = memory_zeroed((size_t)source->input_count, sizeof *node->inputs);
    if (node->inputs == NULL)
        return error_no_memory(error, source->name, (uint64_t)source->input_count * sizeof(int));
    memcpy(node->inputs, source->inputs, (size_t)source->input_count * sizeof *node->inputs);
    collect_inputs(plan, source, inputs);
    nn_tensor output = {.shape.rank = 0};
    nn_shaping shaping = {.node = source,
                          .opset = plan->graph->opset,
                          .inputs = inputs,
                          .input_count = source->input_count,
                          .outputs = &output,
                          .output_count = 1,
                          .params = &node->params,
                          .error = error};
    mien_status status = check_bytes(source, inputs, error);
    if (status == MIEN_OK)
        status = source->op->shape(&shaping);
    if (status != MIEN_OK)
        return status;
    plan->values[node->output].tensor = output;
    status = check_types(plan, node, inputs, error);
    if (status != MIEN_OK)
        return status;
    plan->multiply_adds[index] = multiply_adds(node, inputs, &output);
    bool constant = all_constant(inputs, source->input_count) || source->op->needs_no_data;
    if (constant && source->op->takes_ints) {
        node->removed = true;
        return compute_constant(plan, node, inputs, error);
    }
    if (output.type == NN_INT)
        return error_set(error, MIEN_UNSUPPORTED,
                         "%s '%s' computes integers from the picture, which is not supported",
                         source->op->name, source->name);
    return MIEN_OK;
}

static int most_inputs(const nn_graph *graph)
{
    int most = 1;
    for (size_t n = 0; n < graph->node_count; n++)
        if (graph->nodes[n].input_count > most)
            most = graph->nodes[n].input_count;
    return most;
}

mien_status plan_infer(nn_plan *plan, const nn_shape *input_shapes, mien_error *error)
{
    const nn_graph *graph = plan->graph;
    mien_status status = copy_values(plan, error);
    for (size_t i = 0; status == MIEN_OK && i < graph->input_count; i++)
        status = settle_input(plan, graph->inputs[i],
                              input_shapes != NULL ? &input_shapes[i] : NULL, error);
    if (status != MIEN_OK)
        return status;
    nn_tensor *inputs = memory_zeroed((size_t)most_inputs(graph), sizeof *inputs);
    plan->nodes = memory_zeroed(graph->node_count, sizeof *plan->nodes);
    plan->multiply_adds = memory_zeroed(graph->node_count, sizeof *plan->multiply_adds);
    if (inputs == NULL || plan->nodes == NULL || plan->multiply_adds == NULL) {
        free(inputs);
        return error_no_memory(error, "a plan", graph->node_count * sizeof *plan->nodes);
    }
    for (size_t n = 0; status == MIEN_OK && n < graph->node_count; n++) {
        plan->node_count = n + 1;
        status = infer_node(plan, n, inputs, error);
    }
    free(inputs);
    for (size_t o = 0; status == MIEN_OK && o < graph->output_count; o++) {
        const nn_tensor *tensor = &plan->values[graph->outputs[o]].tensor;
        if (tensor->type != NN_FLOAT)
            status = error_set(error, MIEN_UNSUPPORTED, "output '%s' is not of type float32",
                               graph->values[graph->outputs[o]].name);
    }
    return status;
}
