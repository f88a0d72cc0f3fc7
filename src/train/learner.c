/* SPDX-License-Identifier: Apache-2.0 */
#include "train/learner.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/network_state.h"

#include <stdlib.h>

struct train_learner {
    train_network *network;
    learner_settings settings;
    float **state, **averages, **kept; /* by parameter; NULL where there are none */
    train_moved *moved;                /* by parameter */
    /* The gradients of what learns, side by side. */
    float **gradients;
    size_t *counts;
    size_t gradient_count;
};

static const train_memory *memory_of(const train_learner *learner)
{
    return learner->network->backend->memory;
}

static const train_updates *updates_of(const train_learner *learner)
{
    return learner->network->backend->updates;
}

static size_t parameters_of(const train_learner *learner)
{
    return learner->network->tape.parameter_count;
}

static const train_parameter *parameter_at(const train_learner *learner, size_t index)
{
    return &learner->network->tape.parameters[index];
}

static bool learns(const train_learner *learner, size_t index)
{
    return train_parameter_learns(parameter_at(learner, index));
}

/* ---- Making ---- */

/* Zeroed arrays by parameter, count * each floats long. NULL: no memory. */
static float **make_arrays(const train_learner *learner, size_t each)
{
    float **arrays = memory_zeroed(parameters_of(learner), sizeof *arrays);
    for (size_t p = 0; arrays != NULL && p < parameters_of(learner); p++) {
        arrays[p] = network_zeroed(learner->network,
                                   parameter_at(learner, p)->count * each * sizeof(float));
        if (arrays[p] != NULL)
            continue;
        while (p-- > 0)
            network_release(learner->network, arrays[p]);
        free(arrays);
        return NULL;
    }
    return arrays;
}

static bool list_gradients(train_learner *learner)
{
    learner->gradients = memory_zeroed(parameters_of(learner), sizeof *learner->gradients);
    learner->counts = memory_zeroed(parameters_of(learner), sizeof *learner->counts);
    if (learner->gradients == NULL || learner->counts == NULL)
        return false;
    for (size_t p = 0; p < parameters_of(learner); p++) {
        if (!learns(learner, p))
            continue;
        learner->gradients[learner->gradient_count] = learner->network->parameter_gradients[p];
        learner->counts[learner->gradient_count++] = parameter_at(learner, p)->count;
    }
    return true;
}

/* A frozen parameter's average stays as well. */
static bool list_moved(train_learner *learner)
{
    const train_network *network = learner->network;
    learner->moved = memory_zeroed(parameters_of(learner), sizeof *learner->moved);
    for (size_t p = 0; learner->moved != NULL && p < parameters_of(learner); p++) {
        const train_parameter *parameter = parameter_at(learner, p);
        bool averaged = learner->averages != NULL && !parameter->frozen;
        learner->moved[p] =
            (train_moved){.values = network->parameters[p],
                          .gradients = learns(learner, p) ? network->parameter_gradients[p] : NULL,
                          .state = learner->state[p],
                          .average = averaged ? learner->averages[p] : NULL,
                          .count = parameter->count,
                          .decays = parameter->decays};
    }
    return learner->moved != NULL;
}

static bool fill(train_learner *learner)
{
    const learner_settings *s = &learner->settings;
    if (!list_gradients(learner))
        return false;
    learner->state = make_arrays(learner, (size_t)optimiser_state_arrays(&s->optimiser));
    if (s->average > 0)
        learner->averages = make_arrays(learner, 1);
    if (s->keeps)
        learner->kept = make_arrays(learner, 1);
    return learner->state != NULL && (learner->averages != NULL || s->average <= 0) &&
           (learner->kept != NULL || !s->keeps) && list_moved(learner);
}

mien_status learner_create(train_network *network, const learner_settings *settings,
                           train_learner **out, mien_error *error)
{
    *out = NULL;
    train_learner *learner = memory_zeroed(1, sizeof *learner);
    if (learner == NULL)
        return error_no_memory(error, "the optimiser", sizeof *learner);
    learner->network = network;
    learner->settings = *settings;
    if (!fill(learner)) {
        learner_free(learner);
        return error_no_memory(error, "the optimiser", sizeof(float));
    }
    learner_set_averages(learner);
    *out = learner;
    return MIEN_OK;
}

static void free_arrays(const train_learner *learner, float **arrays)
{
    for (size_t p = 0; arrays != NULL && p < parameters_of(learner); p++)
        network_release(learner->network, arrays[p]);
    free(arrays);
}

void learner_free(train_learner *learner)
{
    if (learner == NULL)
        return;
    free_arrays(learner, learner->state);
    free_arrays(learner, learner->averages);
    free_arrays(learner, learner->kept);
    free(learner->moved);
    free(learner->gradients);
    free(learner->counts);
    free(learner);
}

/* ---- Gradients ---- */

static double gradient_norm(const train_learner *learner)
{
    return updates_of(learner)->norm(learner->network->device,
                                     (const float *const *)learner->gradients, learner->counts,
                                     learner->gradient_count);
}

void learner_clip(train_learner *learner, float max_norm)
{
    updates_of(learner)->clip(learner->network->device, learner->gradients, learner->counts,
                              learner->gradient_count, gradient_norm(learner), (double)max_norm);
}

/* ---- Values ---- */

static void copy(const train_learner *learner, size_t index, float *to, const float *from)
{
    memory_of(learner)->copy(learner->network->device, to, from,
                             parameter_at(learner, index)->count * sizeof *to);
}

void learner_ascend(train_learner *learner, float rho)
{
    const train_network *network = learner->network;
    double norm = gradient_norm(learner);
    for (size_t p = 0; p < parameters_of(learner); p++) {
        if (!learns(learner, p))
            continue;
        copy(learner, p, learner->kept[p], network->parameters[p]);
        updates_of(learner)->ascend(network->device, network->parameters[p],
                                    network->parameter_gradients[p],
                                    parameter_at(learner, p)->count, norm, rho);
    }
}

void learner_descend(train_learner *learner)
{
    for (size_t p = 0; p < parameters_of(learner); p++)
        if (learns(learner, p))
            copy(learner, p, learner->network->parameters[p], learner->kept[p]);
}

void learner_quantise(train_learner *learner)
{
    const train_network *network = learner->network;
    for (size_t p = 0; p < parameters_of(learner); p++) {
        const train_parameter *parameter = parameter_at(learner, p);
        if (!parameter->decays)
            continue;
        size_t outputs = (size_t)parameter->shape.dims[0];
        copy(learner, p, learner->kept[p], network->parameters[p]);
        updates_of(learner)->quantise(network->device, network->parameters[p], outputs,
                                      parameter->count / outputs);
    }
}

void learner_restore(train_learner *learner)
{
    for (size_t p = 0; p < parameters_of(learner); p++)
        if (parameter_at(learner, p)->decays)
            copy(learner, p, learner->network->parameters[p], learner->kept[p]);
}

void learner_update(train_learner *learner, float rate, int64_t step)
{
    updates_of(learner)->update(learner->network->device, &learner->settings.optimiser, rate, step,
                                learner->settings.average, learner->moved, parameters_of(learner));
}

/* ---- Averages ---- */

void learner_swap_averages(train_learner *learner)
{
    const train_network *network = learner->network;
    for (size_t p = 0; learner->averages != NULL && p < parameters_of(learner); p++)
        updates_of(learner)->swap(network->device, network->parameters[p], learner->averages[p],
                                  parameter_at(learner, p)->count);
}

void learner_take_averages(train_learner *learner)
{
    for (size_t p = 0; learner->averages != NULL && p < parameters_of(learner); p++)
        copy(learner, p, learner->network->parameters[p], learner->averages[p]);
}

void learner_set_averages(train_learner *learner)
{
    for (size_t p = 0; learner->averages != NULL && p < parameters_of(learner); p++)
        copy(learner, p, learner->averages[p], learner->network->parameters[p]);
}

/* ---- Checkpoints ---- */

/* Array `which` of a parameter's: its values, state, average. *count is 0 where there is none. */
enum { ARRAYS = 3 };

static float *array_of(const train_learner *learner, size_t index, size_t which, size_t *count)
{
    float **const arrays[ARRAYS] = {learner->network->parameters, learner->state,
                                    learner->averages};
    size_t each[ARRAYS] = {1, (size_t)optimiser_state_arrays(&learner->settings.optimiser),
                           learner->averages != NULL ? 1 : 0};
    *count = parameter_at(learner, index)->count * each[which];
    return *count > 0 ? arrays[which][index] : NULL;
}

/* An array as the host sees it; NULL: no memory for a copy. */
static float *lend_array(const train_learner *learner, float *array, size_t count)
{
    if (memory_of(learner)->on_host)
        return array;
    float *lent = memory_zeroed(count, sizeof *lent);
    if (lent != NULL)
        memory_of(learner)->fetch(learner->network->device, lent, array, count * sizeof *lent);
    return lent;
}

static void return_array(const train_learner *learner, float *array, float *lent, size_t count,
                         bool changed)
{
    if (memory_of(learner)->on_host)
        return;
    if (changed)
        memory_of(learner)->bring(learner->network->device, array, lent, count * sizeof *lent);
    free(lent);
}

mien_status learner_lend(train_learner *learner, learner_loan *loan, mien_error *error)
{
    size_t most = ARRAYS * parameters_of(learner), count;
    *loan = (learner_loan){memory_zeroed(most, sizeof *loan->arrays),
                           memory_zeroed(most, sizeof *loan->counts), 0};
    bool complete = loan->arrays != NULL && loan->counts != NULL;
    for (size_t i = 0; complete && i < most; i++) {
        float *array = array_of(learner, i / ARRAYS, i % ARRAYS, &count);
        if (count == 0)
            continue;
        loan->arrays[loan->count] = lend_array(learner, array, count);
        complete = loan->arrays[loan->count] != NULL;
        loan->counts[loan->count] = count;
        loan->count += complete;
    }
    if (complete)
        return MIEN_OK;
    learner_return(learner, loan, false);
    return error_no_memory(error, "a checkpoint", most * sizeof(float));
}

void learner_return(train_learner *learner, learner_loan *loan, bool changed)
{
    size_t count, lent = 0;
    for (size_t i = 0; lent < loan->count; i++) {
        float *array = array_of(learner, i / ARRAYS, i % ARRAYS, &count);
        if (count > 0)
            return_array(learner, array, loan->arrays[lent++], count, changed);
    }
    free(loan->arrays);
    free(loan->counts);
    *loan = (learner_loan){NULL, NULL, 0};
}
