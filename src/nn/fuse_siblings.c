/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <stdlib.h>
#include <string.h>

/*
 * The heads of a detector: 1x1 convolutions of one picture to a few channels each, every one with a
 * depthwise convolution behind it. Too few channels fill no vector; such pairs become one pair of
 * all their channels, and slices of what it makes. No number changes.
 */

#define MOST_SIBLINGS 8
#define FEW_CHANNELS  16 /* the most of a pair that gains by company */
#define VECTOR        8  /* channels that a convolution makes whether they are wanted or not */

typedef struct sibling {
    int point, depth; /* nodes: the 1x1 convolution, and the depthwise one behind it */
} sibling;

typedef struct family {
    nn_plan *plan;
    plan_links links;
    sibling members[MOST_SIBLINGS];
    int count;
    int64_t channels; /* of all members */
    mien_error *error;
} family;

/* ---- Who belongs together ---- */

static int64_t channels_of(const nn_plan *plan, int node)
{
    return plan->values[plan->nodes[node].output].tensor.shape.dims[1];
}

static bool is_free_conv(const nn_plan *plan, const plan_node *node, nn_conv *conv)
{
    return !node->removed && node->op == &nn_op_conv && node->residual < 0 &&
           plan_conv_form(plan, node, conv);
}

static bool is_point(const nn_plan *plan, const plan_node *node)
{
    static const nn_window one = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    nn_conv conv;
    return is_free_conv(plan, node, &conv) && conv.group == 1 &&
           conv.out.channels <= FEW_CHANNELS && memcmp(&conv.window, &one, sizeof one) == 0;
}

static bool is_depth(const nn_plan *plan, const plan_node *node)
{
    nn_conv conv;
    return is_free_conv(plan, node, &conv) && conv.group == conv.in.channels &&
           conv.out.channels == conv.in.channels;
}

/* The depthwise convolution that alone reads what node `point` makes, or -1. */
static int depth_behind(const family *f, int point)
{
    int value = f->plan->nodes[point].output;
    if (f->links.uses[value] != 1)
        return -1;
    for (size_t n = (size_t)point + 1; n < f->plan->node_count; n++) {
        const plan_node *node = &f->plan->nodes[n];
        if (!node->removed && node->inputs[0] == value)
            return is_depth(f->plan, node) ? (int)n : -1;
    }
    return -1;
}

static bool same_activation(nn_activation a, nn_activation b)
{
    return a.kind == b.kind && a.alpha == b.alpha && a.beta == b.beta;
}

static bool are_siblings(const nn_plan *plan, sibling a, sibling b)
{
    const plan_node *nodes = plan->nodes;
    return nodes[a.point].inputs[0] == nodes[b.point].inputs[0] &&
           same_activation(nodes[a.point].activation, nodes[b.point].activation) &&
           same_activation(nodes[a.depth].activation, nodes[b.depth].activation) &&
           memcmp(&nodes[a.depth].params.conv.window, &nodes[b.depth].params.conv.window,
                  sizeof(nn_window)) == 0;
}

static int64_t whole_vectors(int64_t channels)
{
    return (channels + VECTOR - 1) / VECTOR * VECTOR;
}

/* Finds node `first` and its siblings. false: they are better off alone. */
static bool gather(family *f, int first)
{
    int64_t made = 0;
    f->count = 0;
    f->channels = 0;
    for (int n = first; n < (int)f->plan->node_count && f->count < MOST_SIBLINGS; n++) {
        if (!is_point(f->plan, &f->plan->nodes[n]))
            continue;
        sibling member = {n, depth_behind(f, n)};
        if (member.depth < 0 || (f->count > 0 && !are_siblings(f->plan, f->members[0], member)))
            continue;
        f->members[f->count++] = member;
        f->channels += channels_of(f->plan, n);
        made += whole_vectors(channels_of(f->plan, n));
    }
    return f->count > 1 && f->members[0].point == first && whole_vectors(f->channels) < made;
}

/* ---- Places: what is new takes those of the members, in order ---- */

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* places: (2 count), ascending. false: something reads a member's output before its slice. */
static bool find_places(const family *f, int *places)
{
    for (int m = 0; m < f->count; m++) {
        places[2 * m] = f->members[m].point;
        places[2 * m + 1] = f->members[m].depth;
    }
    qsort(places, 2 * (size_t)f->count, sizeof *places, compare_ints);
    for (int n = 0; n <= places[f->count + 1]; n++) {
        const plan_node *node = &f->plan->nodes[n];
        for (int m = 0; m < f->count && !node->removed; m++) {
            int value = f->plan->nodes[f->members[m].depth].output;
            for (int i = 0; i < node->input_count; i++)
                if (node->inputs[i] == value)
                    return false;
            if (node->residual == value)
                return false;
        }
    }
    return true;
}

/* ---- The pair of all ---- */

static int node_of(const sibling *member, bool depth)
{
    return depth ? member->depth : member->point;
}

/* The members' constants one after another; input: 1 weights, 2 biases, zeros where there are none.
 */
static mien_status join_constants(family *f, bool depth, int input, int *joined)
{
    nn_plan *plan = f->plan;
    const plan_node *first = &plan->nodes[node_of(&f->members[0], depth)];
    nn_shape shape = {1, {f->channels}};
    if (input == 1) {
        shape = plan->values[first->inputs[1]].tensor.shape;
        shape.dims[0] = f->channels;
    }
    size_t bytes = (size_t)nn_elements(&shape) * sizeof(float), at = 0;
    mien_status status = plan_charge(plan, bytes, f->error);
    if (status != MIEN_OK)
        return status;
    *joined = plan_add_constant(plan, shape);
    if (*joined < 0)
        return error_no_memory(f->error, first->node->name, bytes);
    char *to = plan->values[*joined].tensor.data;
    memset(to, 0, bytes);
    for (int m = 0; m < f->count; m++) {
        const plan_node *node = &plan->nodes[node_of(&f->members[m], depth)];
        size_t part =
            bytes / (size_t)f->channels * (size_t)channels_of(plan, node_of(&f->members[m], depth));
        if (input < node->input_count && node->inputs[input] >= 0)
            memcpy(to + at, plan->values[node->inputs[input]].tensor.data, part);
        at += part;
    }
    return MIEN_OK;
}

/* A convolution of all members' channels. *made: like the first member's, with inputs of its own.
 */
static mien_status join_convs(family *f, bool depth, int input, plan_node *made)
{
    nn_plan *plan = f->plan;
    *made = plan->nodes[node_of(&f->members[0], depth)];
    nn_tensor output = {NN_FLOAT, plan->values[made->output].tensor.shape, NULL};
    output.shape.dims[1] = f->channels;
    made->input_count = 3;
    made->inputs = memory_zeroed(3, sizeof *made->inputs);
    made->output = plan_add_value(plan, output);
    if (made->inputs == NULL || made->output < 0)
        return error_no_memory(f->error, made->node->name, sizeof(plan_value));
    if (depth)
        made->params.conv.group = (int)f->channels;
    made->inputs[0] = input;
    mien_status status = join_constants(f, depth, 1, &made->inputs[1]);
    if (status == MIEN_OK)
        status = join_constants(f, depth, 2, &made->inputs[2]);
    return status;
}

/* The channels from `first` on, which were a member's output. */
static mien_status slice_of(family *f, const plan_node *whole, const sibling *member, int64_t first,
                            plan_node *made)
{
    const plan_node *depth = &f->plan->nodes[member->depth];
    *made = (plan_node){.op = &nn_op_slice,
                        .node = depth->node,
                        .params.slice = {.starts = {0, first}, .steps = {1, 1, 1, 1}},
                        .input_count = 1,
                        .output = depth->output,
                        .residual = -1};
    made->inputs = memory_zeroed(1, sizeof *made->inputs);
    if (made->inputs == NULL)
        return error_no_memory(f->error, depth->node->name, sizeof *made->inputs);
    made->inputs[0] = whole->output;
    return MIEN_OK;
}

/* made: (2 + count) nodes, each with its inputs, also on failure. */
static mien_status make_nodes(family *f, plan_node *made)
{
    int input = f->plan->nodes[f->members[0].point].inputs[0];
    mien_status status = join_convs(f, false, input, &made[0]);
    if (status == MIEN_OK)
        status = join_convs(f, true, made[0].output, &made[1]);
    int64_t first = 0;
    for (int m = 0; status == MIEN_OK && m < f->count; m++) {
        status = slice_of(f, &made[1], &f->members[m], first, &made[2 + m]);
        first += channels_of(f->plan, f->members[m].point);
    }
    return status;
}

static mien_status unite(family *f, const int *places)
{
    plan_node made[2 + MOST_SIBLINGS] = {0};
    mien_status status = make_nodes(f, made);
    for (int i = 0; i < 2 * f->count; i++) {
        plan_node *node = &f->plan->nodes[places[i]];
        bool used = i < 2 + f->count;
        if (status != MIEN_OK) {
            if (used)
                free(made[i].inputs);
        } else if (used) {
            free(node->inputs);
            *node = made[i];
        } else {
            node->removed = true;
        }
    }
    plan_find_links(f->plan, &f->links);
    return status;
}

mien_status plan_fuse_siblings(nn_plan *plan, mien_error *error)
{
    /* Each pair of the graph adds at most as many values as it has nodes, and those of the first
     * pair of a family two more. */
    size_t room = plan->value_count + 3 * plan->node_count;
    family f = {.plan = plan, .error = error};
    mien_status status = plan_make_links(plan, room, &f.links, error);
    for (int n = 0; status == MIEN_OK && n < (int)plan->node_count; n++) {
        int places[2 * MOST_SIBLINGS];
        if (is_point(plan, &plan->nodes[n]) && gather(&f, n) && find_places(&f, places))
            status = unite(&f, places);
    }
    plan_free_links(&f.links);
    return status;
}
