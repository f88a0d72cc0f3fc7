/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <stdlib.h>

/*
 * Which nodes of a BF16 plan work on BF16 numbers, and which values are stored as such:
 *   convolutions and products that have a kernel and enough work; a first layer of few channels
 *   reads floats, all others BF16;
 *   depthwise convolutions beside one of these;
 *   pooling between these.
 * A value is stored in BF16 where all that read it take BF16; where only some do, it is float, and
 * a step converts it for these.
 */

#define FEW_CHANNELS   4     /* of a group, which fill too little of a product */
#define LEAST_PRODUCTS 32768 /* of a convolution that pays for conversions */

typedef struct chooser {
    nn_plan *plan;
    plan_links links;
    int *bf16_uses; /* by value: how often nodes that work on BF16 numbers read it */
} chooser;

static bool is_depthwise(const nn_conv *conv)
{
    return conv->group > 1 && conv->group == conv->in.channels &&
           conv->out.channels == conv->in.channels;
}

static bool is_product(const plan_node *node)
{
    return node->op == &nn_op_conv || node->op == &nn_op_gemm || node->op == &nn_op_matmul;
}

/* Whether there is a BF16 kernel for the node; *conv: its form. */
static bool conv_form(const nn_plan *plan, const plan_node *node, nn_conv *conv)
{
    int rank = plan->values[node->inputs[0]].tensor.shape.rank;
    return is_product(node) && node->bytes.kind == PLAN_NO_BYTES &&
           (node->op == &nn_op_conv || rank != 4) && plan_conv_form(plan, node, conv) &&
           plan->bf16->conv_supported(conv);
}

static bool pays(const nn_conv *conv, bool reads_floats)
{
    int64_t taps = (int64_t)conv->window.kernel[0] * conv->window.kernel[1];
    int64_t channels = conv->in.channels / conv->group;
    int64_t outputs = conv->out.batch * conv->out.height * conv->out.width * conv->out.channels;
    return (reads_floats || channels > FEW_CHANNELS) && outputs * channels * taps >= LEAST_PRODUCTS;
}

static bool made_in_bf16(const chooser *c, int value)
{
    int producer = value >= 0 ? c->links.producer[value] : -1;
    return producer >= 0 && c->plan->nodes[producer].bf16;
}

static bool taken_in_bf16(const chooser *c, int value)
{
    return c->bf16_uses[value] == c->links.uses[value];
}

static void choose(chooser *c, plan_node *node, bool reads_floats)
{
    node->bf16 = true;
    c->bf16_uses[node->inputs[0]] += !reads_floats;
    if (node->residual >= 0)
        c->bf16_uses[node->residual]++;
}

static void choose_dense(chooser *c, plan_node *node)
{
    nn_conv conv;
    if (!conv_form(c->plan, node, &conv) || is_depthwise(&conv))
        return;
    bool reads_floats = c->plan->bf16->conv_reads_floats(&conv);
    if (pays(&conv, reads_floats))
        choose(c, node, reads_floats);
}

static void choose_depthwise(chooser *c, plan_node *node)
{
    nn_conv conv;
    if (conv_form(c->plan, node, &conv) && is_depthwise(&conv) &&
        (made_in_bf16(c, node->inputs[0]) || c->bf16_uses[node->output] > 0))
        choose(c, node, false);
}

static void choose_pool(chooser *c, plan_node *node)
{
    if (node->bytes.kind == PLAN_NO_BYTES &&
        (node->op == &nn_op_max_pool || node->op == &nn_op_average_pool) &&
        made_in_bf16(c, node->inputs[0]) && taken_in_bf16(c, node->output))
        choose(c, node, false);
}

static void for_each_node(chooser *c, void (*visit)(chooser *, plan_node *))
{
    for (size_t n = 0; n < c->plan->node_count; n++)
        if (!c->plan->nodes[n].removed)
            visit(c, &c->plan->nodes[n]);
}

static void store_output(chooser *c, plan_node *node)
{
    if (node->bf16 && taken_in_bf16(c, node->output))
        c->plan->values[node->output].tensor.type = NN_BFLOAT16;
}

mien_status plan_choose_bf16(nn_plan *plan, mien_error *error)
{
    chooser c = {.plan = plan};
    mien_status status = plan_make_links(plan, plan->value_count, &c.links, error);
    c.bf16_uses = memory_zeroed(plan->value_count, sizeof *c.bf16_uses);
    if (status == MIEN_OK && c.bf16_uses == NULL)
        status = error_no_memory(error, "a plan", plan->value_count * sizeof *c.bf16_uses);
    if (status == MIEN_OK) {
        for_each_node(&c, choose_dense);
        for_each_node(&c, choose_depthwise);
        for_each_node(&c, choose_pool);
        for_each_node(&c, store_output);
    }
    plan_free_links(&c.links);
    free(c.bf16_uses);
    return status;
}
