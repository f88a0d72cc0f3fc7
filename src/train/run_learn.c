/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The gradients of what learns. */
typedef struct gradient_list {
    float **gradients;
    size_t *counts;
    size_t used;
} gradient_list;

static mien_status list_gradients(run *r, gradient_list *list)
{
    const train_tape *tape = run_tape(r);
    *list = (gradient_list){memory_zeroed(tape->parameter_count, sizeof *list->gradients),
                            memory_zeroed(tape->parameter_count, sizeof *list->counts), 0};
    if (list->gradients == NULL || list->counts == NULL)
        return error_no_memory(r->error, "gradients",
                               tape->parameter_count * sizeof *list->gradients);
    for (size_t p = 0; p < tape->parameter_count; p++) {
        if (!run_learns(r, p))
            continue;
        list->gradients[list->used] = train_network_gradients(r->network, p);
        list->counts[list->used++] = tape->parameters[p].count;
    }
    return MIEN_OK;
}

static void free_list(gradient_list *list)
{
    free(list->gradients);
    free(list->counts);
}

static double norm_of(const gradient_list *list)
{
    return optimiser_norm((const float *const *)list->gradients, list->counts, list->used);
}

static mien_status clip_gradients(run *r)
{
    gradient_list list;
    if (run_stage(r)->clip_norm <= 0)
        return MIEN_OK;
    mien_status status = list_gradients(r, &list);
    if (status == MIEN_OK)
        optimiser_clip(list.gradients, list.counts, list.used, norm_of(&list),
                       (double)run_stage(r)->clip_norm);
    free_list(&list);
    return status;
}

/* ---- Two passes ---- */

/* From the weights to where the loss is higher; they are kept. */
static mien_status ascend(run *r)
{
    gradient_list list;
    mien_status status = list_gradients(r, &list);
    double norm = status == MIEN_OK ? norm_of(&list) : 0;
    free_list(&list);
    for (size_t p = 0; status == MIEN_OK && p < run_tape(r)->parameter_count; p++) {
        float *values = train_network_values(r->network, p);
        size_t count = run_tape(r)->parameters[p].count;
        if (!run_learns(r, p))
            continue;
        memcpy(r->kept[p], values, count * sizeof *values);
        optimiser_ascend(values, train_network_gradients(r->network, p), count, norm,
                         run_stage(r)->sam_rho);
    }
    return status;
}

static void descend_again(run *r)
{
    for (size_t p = 0; p < run_tape(r)->parameter_count; p++)
        if (run_learns(r, p))
            memcpy(train_network_values(r->network, p), r->kept[p],
                   run_tape(r)->parameters[p].count * sizeof(float));
}

/*
 * The gradients at the worst place nearby (Foret et al. 2021). With a momentum of 0 the statistics
 * of BatchNormalization, which moved with the first pass, stay.
 */
static mien_status look_around(run *r, const train_batch *batch)
{
    mien_status status = ascend(r);
    if (status != MIEN_OK)
        return status;
    train_network_forward(r->network, true, 0, r->seed, (uint64_t)r->state.step);
    run_loss(r, batch);
    train_network_backward(r->network);
    descend_again(r);
    return MIEN_OK;
}

/* ---- An update ---- */

static void update(run *r)
{
    const recipe_stage *stage = run_stage(r);
    const train_tape *tape = run_tape(r);
    float rate = schedule_rate(&r->state.schedule, r->state.step);
    for (size_t p = 0; p < tape->parameter_count; p++) {
        const train_parameter *parameter = &tape->parameters[p];
        float *values = train_network_values(r->network, p);
        if (run_learns(r, p))
            optimiser_update(&stage->optimiser, rate, r->state.step + 1, parameter->decays, values,
                             train_network_gradients(r->network, p), r->optimiser_state[p],
                             parameter->count);
        if (stage->average > 0 && !parameter->frozen)
            optimiser_average(r->averages[p], values, parameter->count, stage->average);
    }
    r->state.step++;
}

mien_status run_learn(run *r, const train_batch *batch, int64_t step)
{
    size_t floats = prep_input_floats(&r->prep);
    mien_status status = MIEN_OK;
    memcpy(train_network_input(r->network), batch->inputs, batch->n * floats * sizeof(float));
    train_network_forward(r->network, true, r->recipe->norm_momentum, r->seed,
                          (uint64_t)r->state.step);
    double loss = run_loss(r, batch);
    if (!isfinite(loss))
        return error_set(r->error, MIEN_LIMIT,
                         "the loss is no number any more in epoch %lld, step %lld: lower the rate",
                         (long long)r->state.epoch + 1, (long long)step + 1);
    r->epoch_loss += loss;
    train_network_backward(r->network);
    if (run_stage(r)->sam_rho > 0)
        status = look_around(r, batch);
    run_move_centres(r, batch);
    if (status == MIEN_OK)
        status = clip_gradients(r);
    if (status == MIEN_OK)
        update(r);
    return status;
}
