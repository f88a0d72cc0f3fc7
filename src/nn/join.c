/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Steps that feed each other and can work row by row become one step, a chain (nn/chain.h), where
 * the picture between them is too large for the cache.
 */

#define JOIN_BYTES      (512 * 1024) /* a picture that is worth not writing: half a second cache */
#define JOIN_RING_BYTES (768 * 1024) /* most scratch memory of a chain */
#define JOIN_OVERLAP    16           /* least rows for each that two parts would both make */
#define JOIN_WEIGHTS    (64 * 1024)  /* most bytes of weights that are read again for each row */
#define JOIN_INPUTS     8            /* most inputs of a chain */

typedef struct joiner {
    nn_plan *plan;
    int *uses;   /* by value: how often steps, outputs and other values read it */
    int *reader; /* by value: the last step that reads it, or -1 */
    mien_error *error;
} joiner;

static void count_uses(joiner *j)
{
    const nn_plan *plan = j->plan;
    for (size_t v = 0; v < plan->value_count; v++)
        j->reader[v] = -1;
    for (size_t v = 0; v < plan->value_count; v++)
        if (plan->values[v].same_as >= 0)
            j->uses[plan->values[v].same_as]++;
    for (size_t o = 0; o < plan->graph->output_count; o++)
        j->uses[plan->outputs[o]]++;
    for (size_t s = 0; s < plan->step_count; s++)
        for (int i = 0; i < plan->steps[s].input_count; i++) {
            int value = plan->steps[s].inputs[i];
            if (value < 0)
                continue;
            j->uses[value]++;
            j->reader[value] = (int)s;
        }
}

/* ---- Whether two steps may become one ---- */

static int stage_count(const nn_step *step)
{
    return step->rows == STEP_CHAIN_ROWS ? step->u.chain.count : 1;
}

/* Of the window that reads from the step before. */
static const nn_window *first_window(const nn_step *step)
{
    return step->rows == STEP_POOL_ROWS ? &step->u.pool.window : &step->u.conv.window;
}

static bool is_stage(const nn_step *step)
{
    return step->rows == STEP_CHAIN_ROWS ||
           (step->rows != STEP_WHOLE && first_window(step)->kernel[0] <= CHAIN_WINDOW);
}

/* Whether the step can read the rows of a ring. */
static bool reads_rings(const nn_step *step)
{
    const nn_window *w = first_window(step);
    return w->dilation[0] == 1 && (step->rows != STEP_POOL_ROWS ||
                                   (w->kernel[0] == w->stride[0] && w->pad_before[0] == 0));
}

/* Weights that a product reads again for each row. */
static size_t weight_bytes(const nn_step *step)
{
    if (step->rows != STEP_CONV_ROWS || step->u.conv.group > 1)
        return 0;
    return (size_t)(step->u.conv.in.channels * step->u.conv.out.channels) * sizeof(float);
}

static size_t tensor_bytes(const nn_tensor *tensor)
{
    size_t number = tensor->type == NN_BFLOAT16 ? sizeof(nn_bf16) : sizeof(float);
    return (size_t)nn_elements(&tensor->shape) * number;
}

static bool may_join(const joiner *j, const nn_step *first, const nn_step *second)
{
    const plan_value *between = &j->plan->values[first->output];
    return is_stage(first) && is_stage(second) && reads_rings(second) &&
           second->inputs[0] == first->output && tensor_bytes(&between->tensor) >= JOIN_BYTES &&
           weight_bytes(first) <= JOIN_WEIGHTS && weight_bytes(second) <= JOIN_WEIGHTS &&
           stage_count(first) + stage_count(second) <= CHAIN_STAGES &&
           first->input_count + second->input_count - 1 <= JOIN_INPUTS;
}

/* ---- Joining ---- */

static void run_chain(const nn_step *step, nn_part part, const nn_tensor *inputs, nn_tensor *output,
                      void *scratch)
{
    const void *pictures[JOIN_INPUTS];
    for (int i = 0; i < step->input_count; i++)
        pictures[i] = inputs[i].data;
    chain_run(&step->u.chain, part, pictures, output->data, scratch);
}

/* The stages of a step, behind those that are there. input: where its first input will stand. */
static void append_stages(nn_chain *chain, const nn_step *step, int input)
{
    chain_stage *to = chain->stages + chain->count;
    chain->count += stage_count(step);
    if (step->rows == STEP_CHAIN_ROWS) {
        memcpy(to, step->u.chain.stages, (size_t)step->u.chain.count * sizeof *to);
        for (int i = 0; i < step->u.chain.count; i++)
            to[i].residual += to[i].residual >= 0 ? input : 0;
        return;
    }
    *to = (chain_stage){
        .pools = step->rows == STEP_POOL_ROWS, .bf16 = step->bf16_kernels != NULL, .residual = -1};
    if (to->pools) {
        to->u.pool = step->u.pool;
        return;
    }
    to->u.conv = step->u.conv;
    if (step->input_count > 1)
        to->residual = input + 1;
}

static mien_status join_names(joiner *j, const nn_step *first, nn_step *second)
{
    void *name;
    size_t bytes = strlen(first->name) + strlen(second->name) + sizeof ", ";
    mien_status status = plan_add_buffer(j->plan, bytes, &name, j->error);
    if (status != MIEN_OK)
        return status;
    snprintf(name, bytes, "%s, %s", first->name, second->name);
    second->name = name;
    return MIEN_OK;
}

/* Whether the chain's rows stay in the cache, and few of them would be made twice. */
static bool pays(const nn_chain *chain, size_t scratch_bytes)
{
    const chain_stage *first = &chain->stages[0];
    int64_t height = first->pools ? first->u.pool.out.height : first->u.conv.out.height;
    return scratch_bytes <= JOIN_RING_BYTES && chain_overlap(chain) * JOIN_OVERLAP <= height;
}

/* `first` goes before `second` in a chain, and is a step no more. */
static mien_status join(joiner *j, nn_step *first, nn_step *second)
{
    nn_chain chain = {.kernels = j->plan->kernels, .bf16_kernels = j->plan->bf16};
    void *stages;
    size_t bytes = (size_t)(stage_count(first) + stage_count(second)) * sizeof *chain.stages;
    mien_status status = plan_add_buffer(j->plan, bytes, &stages, j->error);
    if (status != MIEN_OK)
        return status;
    chain.stages = stages;
    append_stages(&chain, first, 0);
    append_stages(&chain, second, first->input_count - 1);
    size_t scratch_bytes = chain_lay_out(&chain);
    if (!pays(&chain, scratch_bytes))
        return MIEN_OK;
    status = join_names(j, first, second);
    if (status != MIEN_OK)
        return status;
    int count = first->input_count + second->input_count - 1;
    int *inputs = memory_zeroed((size_t)count, sizeof *inputs);
    if (inputs == NULL)
        return error_no_memory(j->error, "a plan", (size_t)count * sizeof *inputs);
    memcpy(inputs, first->inputs, (size_t)first->input_count * sizeof *inputs);
    memcpy(inputs + first->input_count, second->inputs + 1,
           (size_t)(second->input_count - 1) * sizeof *inputs);
    free(second->inputs);
    second->inputs = inputs;
    second->input_count = count;
    second->run = run_chain;
    second->rows = STEP_CHAIN_ROWS;
    second->u.chain = chain;
    second->scratch_bytes = scratch_bytes;
    second->nanoseconds += first->nanoseconds;
    free(first->inputs);
    first->inputs = NULL;
    return MIEN_OK;
}

static void close_gaps(nn_plan *plan)
{
    size_t count = 0;
    for (size_t s = 0; s < plan->step_count; s++)
        if (plan->steps[s].inputs != NULL)
            plan->steps[count++] = plan->steps[s];
    plan->step_count = count;
}

mien_status plan_join(nn_plan *plan, mien_error *error)
{
    joiner j = {.plan = plan, .error = error};
    j.uses = memory_zeroed(plan->value_count, sizeof *j.uses);
    j.reader = memory_zeroed(plan->value_count, sizeof *j.reader);
    mien_status status = MIEN_OK;
    if (j.uses == NULL || j.reader == NULL)
        status = error_no_memory(error, "a plan", plan->value_count * sizeof *j.uses);
    else
        count_uses(&j);
    for (size_t s = 0; status == MIEN_OK && s < plan->step_count; s++) {
        nn_step *step = &plan->steps[s];
        int reader = j.reader[step->output];
        if (reader > (int)s && j.uses[step->output] == 1 &&
            may_join(&j, step, &plan->steps[reader]))
            status = join(&j, step, &plan->steps[reader]);
    }
    close_gaps(plan);
    free(j.uses);
    free(j.reader);
    return status;
}
