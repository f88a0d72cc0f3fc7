/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "base/error.h"
#include "base/layout.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <stdlib.h>

/* Lays all tensors out in one arena. */

/* The value whose place this one shares. */
static int root_of(const nn_plan *plan, int value)
{
    while (plan->values[value].same_as >= 0)
        value = plan->values[value].same_as;
    return value;
}

static size_t bytes_of(const plan_value *value)
{
    return (size_t)nn_elements(&value->tensor.shape) * nn_type_size(value->tensor.type);
}

static bool needs_place(const plan_value *value)
{
    return value->tensor.data == NULL && value->same_as < 0 && value->last_step >= 0;
}

static void touch(nn_plan *plan, int value, int step)
{
    plan_value *root = &plan->values[root_of(plan, value)];
    if (root->first_step < 0)
        root->first_step = step;
    if (step > root->last_step)
        root->last_step = step;
}

/*
 * Step 0 stands for "before the run", step s + 1 for plan->steps[s]. Inputs are there from before
 * the run until after it, outputs until after it.
 */
static void find_lifetimes(nn_plan *plan)
{
    int end = (int)plan->step_count + 1;
    for (size_t v = 0; v < plan->value_count; v++)
        plan->values[v].first_step = plan->values[v].last_step = -1;
    for (size_t i = 0; i < plan->graph->input_count; i++) {
        touch(plan, plan->graph->inputs[i], 0);
        touch(plan, plan->graph->inputs[i], end);
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        const nn_step *step = &plan->steps[s];
        for (int i = 0; i < step->input_count; i++)
            if (step->inputs[i] >= 0)
                touch(plan, step->inputs[i], (int)s + 1);
        touch(plan, step->output, (int)s + 1);
    }
    for (size_t o = 0; o < plan->graph->output_count; o++)
        touch(plan, plan->outputs[o], end);
}

/*
 * Lets a step write over an input that nothing reads afterwards. The input must have as many
 * numbers as the output: one that is read again for each row would be gone after the first.
 */
static void share_places(nn_plan *plan)
{
    for (size_t s = 0; s < plan->step_count; s++) {
        nn_step *step = &plan->steps[s];
        if (!step->in_place || plan->values[step->output].same_as >= 0)
            continue;
        const nn_shape *output_shape = &plan->values[step->output].tensor.shape;
        for (int i = 0; i < step->input_count; i++) {
            int root = root_of(plan, step->inputs[i]);
            plan_value *value = &plan->values[root];
            if (value->tensor.data != NULL || value->last_step != (int)s + 1 ||
                value->first_step <= 0 ||
                nn_elements(&value->tensor.shape) != nn_elements(output_shape))
                continue;
            plan->values[step->output].same_as = root;
            int last = plan->values[step->output].last_step;
            if (last > value->last_step)
                value->last_step = last;
            break;
        }
    }
}

/* Gives each value that needs one its place; *end: bytes of them all. */
static mien_status place_values(nn_plan *plan, size_t *end, mien_error *error)
{
    layout_item *items = memory_zeroed(plan->value_count, sizeof *items);
    if (items == NULL)
        return error_no_memory(error, "a plan", plan->value_count * sizeof *items);
    size_t count = 0;
    for (size_t v = 0; v < plan->value_count; v++) {
        const plan_value *value = &plan->values[v];
        if (needs_place(value))
            items[count++] = (layout_item){bytes_of(value), value->first_step, value->last_step, 0};
    }
    mien_status status = layout_place(items, count, end, error);
    count = 0;
    for (size_t v = 0; status == MIEN_OK && v < plan->value_count; v++)
        if (needs_place(&plan->values[v]))
            plan->values[v].offset = items[count++].offset;
    free(items);
    return status;
}

/* So that threads' scratches do not share a line of the cache. */
static size_t whole_lines(size_t bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

mien_status plan_lay_out(nn_plan *plan, mien_error *error)
{
    find_lifetimes(plan);
    share_places(plan);
    size_t end;
    mien_status status = place_values(plan, &end, error);
    if (status != MIEN_OK)
        return status;
    for (size_t s = 0; s < plan->step_count; s++)
        if (plan->steps[s].scratch_bytes > plan->scratch_bytes)
            plan->scratch_bytes = plan->steps[s].scratch_bytes;
    plan->scratch_bytes = whole_lines(plan->scratch_bytes);
    plan->arena_bytes = end + plan->scratch_bytes;
    if (plan->arena_bytes > plan->max_bytes || end > plan->max_bytes)
        return error_set(error, MIEN_LIMIT,
                         "the network needs %zu bytes for its tensors, the limit is %zu",
                         plan->arena_bytes, plan->max_bytes);
    return MIEN_OK;
}
