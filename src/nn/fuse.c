/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct fuser {
    nn_plan *plan;
    plan_links links;
    mien_error *error;
} fuser;

void plan_find_links(const nn_plan *plan, plan_links *links)
{
    for (size_t v = 0; v < plan->value_count; v++) {
        links->producer[v] = -1;
        links->uses[v] = 0;
    }
    for (size_t n = 0; n < plan->node_count; n++) {
        const plan_node *node = &plan->nodes[n];
        if (node->removed)
            continue;
        links->producer[node->output] = (int)n;
        for (int i = 0; i < node->input_count; i++)
            if (node->inputs[i] >= 0)
                links->uses[node->inputs[i]]++;
        if (node->residual >= 0)
            links->uses[node->residual]++;
    }
    for (size_t o = 0; o < plan->graph->output_count; o++)
        links->uses[plan->outputs[o]]++;
}

mien_status plan_make_links(const nn_plan *plan, size_t room, plan_links *links, mien_error *error)
{
    *links = (plan_links){memory_zeroed(room, sizeof *links->producer),
                          memory_zeroed(room, sizeof *links->uses)};
    if (links->producer == NULL || links->uses == NULL)
        return error_no_memory(error, "a plan", room * sizeof *links->uses);
    plan_find_links(plan, links);
    return MIEN_OK;
}

void plan_free_links(plan_links *links)
{
    free(links->producer);
    free(links->uses);
}

/* Everything that read value `from` reads `to`; the node that made it is gone. */
static void rename_value(fuser *f, int from, int to)
{
    nn_plan *plan = f->plan;
    for (size_t n = 0; n < plan->node_count; n++)
        for (int i = 0; i < plan->nodes[n].input_count; i++)
            if (plan->nodes[n].inputs[i] == from)
                plan->nodes[n].inputs[i] = to;
    for (size_t o = 0; o < plan->graph->output_count; o++)
        if (plan->outputs[o] == from)
            plan->outputs[o] = to;
    f->links.uses[to] += f->links.uses[from] - 1;
    f->links.uses[from] = 0;
}

/* The node that makes a value which nothing else reads, or NULL. */
static plan_node *sole_producer(const fuser *f, int value)
{
    if (value < 0 || f->links.producer[value] < 0 || f->links.uses[value] != 1)
        return NULL;
    return &f->plan->nodes[f->links.producer[value]];
}

static bool passes_through(const nn_plan *plan, const plan_node *node)
{
    return node->op == &nn_op_identity || node->op == &nn_op_dropout ||
           (node->op == &nn_op_cast && plan->values[node->inputs[0]].tensor.type == NN_FLOAT);
}

static bool constants(const nn_plan *plan, const plan_node *node, int first)
{
    for (int i = first; i < node->input_count; i++)
        if (node->inputs[i] >= 0 && plan->values[node->inputs[i]].tensor.data == NULL)
            return false;
    return true;
}

/* A constant that may be written to: the value itself where the plan owns it and nothing else reads
 * it, else a copy. */
static mien_status writable_constant(fuser *f, int value, const char *node, int *writable)
{
    *writable = value;
    const nn_tensor content = f->plan->values[value].tensor;
    if (f->plan->values[value].owns_data && f->links.uses[value] <= 1)
        return MIEN_OK;
    size_t bytes = (size_t)nn_elements(&content.shape) * sizeof(float);
    mien_status status = plan_charge(f->plan, bytes, f->error);
    if (status != MIEN_OK)
        return status;
    *writable = plan_add_constant(f->plan, content.shape);
    if (*writable < 0)
        return error_no_memory(f->error, node, bytes);
    memcpy(f->plan->values[*writable].tensor.data, content.data, bytes);
    return MIEN_OK;
}

/* Conv then BatchNormalization: factor = scale / sqrt(variance + epsilon) goes into the weights,
 * (bias - mean) factor + shift is the new bias. */
static mien_status fold_batch_norm(fuser *f, plan_node *conv, plan_node *norm)
{
    nn_plan *plan = f->plan;
    nn_shape weight_shape = plan->values[conv->inputs[1]].tensor.shape;
    int64_t channels = weight_shape.dims[0], each = nn_product(&weight_shape, 1, 4);
    size_t bias_bytes = (size_t)channels * sizeof(float);
    int weights;
    mien_status status = writable_constant(f, conv->inputs[1], norm->node->name, &weights);
    if (status == MIEN_OK)
        status = plan_charge(plan, bias_bytes, f->error);
    if (status != MIEN_OK)
        return status;
    int *inputs = memory_zeroed(3, sizeof *inputs);
    int bias = plan_add_constant(plan, (nn_shape){1, {channels}});
    if (inputs == NULL || bias < 0) {
        free(inputs);
        return error_no_memory(f->error, norm->node->name, bias_bytes);
    }
    bool has_bias = conv->input_count > 2 && conv->inputs[2] >= 0;
    const float *old_bias = has_bias ? plan->values[conv->inputs[2]].tensor.data : NULL;
    const float *norm_data[4]; /* scale, shift, mean, variance: (channels) */
    for (int i = 0; i < 4; i++)
        norm_data[i] = plan->values[norm->inputs[1 + i]].tensor.data;
    float *new_weights = plan->values[weights].tensor.data;
    float *new_bias = plan->values[bias].tensor.data;
    for (int64_t c = 0; c < channels; c++) {
        double factor = norm_data[0][c] / sqrt((double)norm_data[3][c] + norm->params.norm.epsilon);
        for (int64_t i = 0; i < each; i++)
            new_weights[c * each + i] = (float)(new_weights[c * each + i] * factor);
        double from = old_bias != NULL ? old_bias[c] : 0;
        new_bias[c] = (float)((from - norm_data[2][c]) * factor + norm_data[1][c]);
    }
    inputs[0] = conv->inputs[0];
    inputs[1] = weights;
    inputs[2] = bias;
    free(conv->inputs);
    conv->inputs = inputs;
    conv->input_count = 3;
    return MIEN_OK;
}

/* The node behind `first` disappears; `first` makes its output. */
static void absorb(fuser *f, plan_node *first, plan_node *second)
{
    second->removed = true;
    first->output = second->output;
    f->links.producer[first->output] = (int)(first - f->plan->nodes);
}

static mien_status try_batch_norm(fuser *f, plan_node *norm)
{
    plan_node *conv = sole_producer(f, norm->inputs[0]);
    if (conv == NULL || conv->op != &nn_op_conv || conv->residual >= 0 ||
        conv->activation.kind != NN_ACTIVATION_NONE || !constants(f->plan, conv, 1) ||
        !constants(f->plan, norm, 1))
        return MIEN_OK;
    mien_status status = fold_batch_norm(f, conv, norm);
    if (status == MIEN_OK)
        absorb(f, conv, norm);
    return status;
}

/*
 * Add of a convolution and something else: the convolution adds it while it writes. It moves to the
 * place of the Add, where both inputs exist; nothing in between reads its output.
 */
static void try_residual(fuser *f, plan_node *add)
{
    bool swapped;
    if (plan_binary(f->plan, add, &swapped) != PLAN_BINARY_SAME || add->inputs[0] == add->inputs[1])
        return;
    int best = -1;
    for (int i = 0; i < 2; i++) {
        const plan_node *conv = sole_producer(f, add->inputs[i]);
        nn_conv form;
        bool fits = conv != NULL && conv->op == &nn_op_conv && conv->residual < 0 &&
                    conv->activation.kind == NN_ACTIVATION_NONE &&
                    f->plan->values[add->inputs[1 - i]].tensor.data == NULL &&
                    plan_conv_form(f->plan, conv, &form);
        if (fits &&
            (best < 0 || f->links.producer[add->inputs[i]] > f->links.producer[add->inputs[best]]))
            best = i;
    }
    if (best < 0)
        return;
    plan_node *conv = sole_producer(f, add->inputs[best]);
    int residual = add->inputs[1 - best];
    int output = add->output;
    int *add_inputs = add->inputs;
    *add = *conv;
    add->residual = residual;
    add->output = output;
    conv->inputs = add_inputs; /* each node keeps an array to free */
    conv->input_count = 2;
    conv->removed = true;
    f->links.producer[output] = (int)(add - f->plan->nodes);
}

/* Which activations a node's kernel can apply while it writes. */
static bool takes_activation(const nn_plan *plan, const plan_node *node, nn_activation_kind kind)
{
    if (node->activation.kind != NN_ACTIVATION_NONE)
        return false;
    nn_conv conv;
    bool swapped;
    if (node->op == &nn_op_conv || node->op == &nn_op_gemm || node->op == &nn_op_matmul)
        return plan_conv_form(plan, node, &conv) &&
               (kind == NN_ACTIVATION_RELU || kind == NN_ACTIVATION_CLIP ||
                kind == NN_ACTIVATION_LEAKY_RELU);
    if (node->op == &nn_op_batch_norm)
        return plan_norm_is_constant(plan, node);
    if (node->op == &nn_op_add || node->op == &nn_op_sub || node->op == &nn_op_mul ||
        node->op == &nn_op_div)
        return plan_binary(plan, node, &swapped) != PLAN_BINARY_GENERAL;
    return false;
}

static void try_activation(fuser *f, plan_node *node, nn_activation activation)
{
    plan_node *first = sole_producer(f, node->inputs[0]);
    if (first == NULL || !takes_activation(f->plan, first, activation.kind))
        return;
    first->activation = activation;
    absorb(f, first, node);
}

static mien_status fuse_node(fuser *f, plan_node *node)
{
    nn_activation activation;
    if (passes_through(f->plan, node)) {
        node->removed = true;
        rename_value(f, node->output, node->inputs[0]);
    } else if (node->op == &nn_op_batch_norm) {
        return try_batch_norm(f, node);
    } else if (node->op == &nn_op_add) {
        try_residual(f, node);
    } else if (plan_activation(node, &activation)) {
        try_activation(f, node, activation);
    }
    return MIEN_OK;
}

mien_status plan_fuse(nn_plan *plan, mien_error *error)
{
    /* Folding adds two constants for each BatchNormalization. */
    size_t room = plan->value_count + 2 * plan->node_count;
    fuser f = {.plan = plan, .error = error};
    mien_status status = plan_make_links(plan, room, &f.links, error);
    for (size_t n = 0; status == MIEN_OK && n < plan->node_count; n++)
        if (!plan->nodes[n].removed)
            status = fuse_node(&f, &plan->nodes[n]);
    plan_free_links(&f.links);
    return status;
}
