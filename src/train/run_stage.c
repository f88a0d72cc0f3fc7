/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- Freezing ---- */

/* Marks the values and constants of what lies behind the body; of_head: by value of the graph. */
static void mark_head(const nn_graph *graph, int body, bool *behind, bool *of_head)
{
    behind[body] = true;
    for (size_t n = 0; n < graph->node_count; n++) {
        const nn_node *node = &graph->nodes[n];
        bool reads = false;
        for (int i = 0; i < node->input_count; i++)
            reads = reads || (node->inputs[i] >= 0 && behind[node->inputs[i]]);
        for (int o = 0; reads && o < node->output_count; o++)
            if (node->outputs[o] >= 0)
                behind[node->outputs[o]] = true;
        for (int i = 0; reads && i < node->input_count; i++)
            if (node->inputs[i] >= 0)
                of_head[node->inputs[i]] = true;
    }
}

static mien_status freeze_body(const run *r, bool *frozen)
{
    const train_tape *tape = run_tape(r);
    const nn_graph *graph = tape->graph;
    bool *behind = memory_zeroed(graph->value_count, sizeof *behind);
    bool *of_head = memory_zeroed(graph->value_count, sizeof *of_head);
    bool complete = behind != NULL && of_head != NULL;
    if (complete) {
        mark_head(graph, train_tape_output(tape, r->graph.values[r->body].name), behind, of_head);
        for (size_t p = 0; p < tape->parameter_count; p++)
            frozen[p] = !of_head[tape->parameters[p].value];
    }
    free(behind);
    free(of_head);
    return complete ? MIEN_OK : error_no_memory(r->error, "what is frozen", graph->value_count);
}

static mien_status freeze_prefix(const run *r, const char *prefix, size_t length, bool *frozen)
{
    const train_tape *tape = run_tape(r);
    size_t found = 0;
    for (size_t p = 0; p < tape->parameter_count; p++)
        if (strncmp(tape->parameters[p].name, prefix, length) == 0) {
            frozen[p] = true;
            found++;
        }
    if (found > 0)
        return MIEN_OK;
    return error_set(r->error, MIEN_NOT_FOUND,
                     "stage '%s', freeze: no parameter's name begins with '%.*s' (mien model info "
                     "--layers lists the layers)",
                     run_stage(r)->name, (int)length, prefix);
}

static mien_status freeze_prefixes(const run *r, bool *frozen)
{
    mien_status status = MIEN_OK;
    for (const char *rest = run_stage(r)->freeze; status == MIEN_OK && *rest != '\0';) {
        rest += strspn(rest, " \t,");
        size_t length = strcspn(rest, " \t,");
        if (length > 0)
            status = freeze_prefix(r, rest, length, frozen);
        rest += length;
    }
    return status;
}

static mien_status check_something_learns(const run *r)
{
    for (size_t p = 0; p < run_tape(r)->parameter_count; p++)
        if (train_parameter_learns(&run_tape(r)->parameters[p]))
            return MIEN_OK;
    return error_set(r->error, MIEN_INVALID_ARGUMENT,
                     "stage '%s' freezes all of the network: nothing is left to learn",
                     run_stage(r)->name);
}

static mien_status freeze(run *r)
{
    const char *what = run_stage(r)->freeze;
    size_t count = run_tape(r)->parameter_count;
    if (strcmp(what, "nothing") == 0)
        return MIEN_OK;
    bool *frozen = memory_zeroed(count, sizeof *frozen);
    if (frozen == NULL)
        return error_no_memory(r->error, "what is frozen", count);
    mien_status status =
        strcmp(what, "body") == 0 ? freeze_body(r, frozen) : freeze_prefixes(r, frozen);
    if (status == MIEN_OK)
        status = train_network_freeze(r->network, frozen, r->error);
    if (status == MIEN_OK)
        status = check_something_learns(r);
    free(frozen);
    return status;
}

/* ---- Beginning ---- */

/* The network of a stage: its batch size may differ. Weights go over from the one before. */
static mien_status open_network(run *r)
{
    static const char *const outputs[RUN_OUTPUTS] = {"logits", "features"};
    size_t count = recipe_uses_features(run_stage(r)) ? 2 : 1;
    train_network *old = r->network, *fresh;
    const train_backend *backend;
    mien_status status =
        train_backend_with(r->options->backend, r->recipe->precision, &backend, r->error);
    if (status == MIEN_OK)
        status = train_network_create(r->model, run_stage(r)->batch, outputs, count, backend,
                                      r->device, &fresh, r->error);
    if (status != MIEN_OK)
        return status;
    if (old != NULL)
        train_network_take_values(fresh, old);
    learner_free(r->learner);
    r->learner = NULL;
    r->network = fresh;
    train_network_free(old);
    return freeze(r);
}

/* Weights inversely to how often a class occurs, their mean over the samples 1. */
static mien_status weigh_classes(run *r)
{
    const dataset *set = &r->training;
    free(r->class_weights);
    r->class_weights = NULL;
    if (!run_stage(r)->class_weights)
        return MIEN_OK;
    r->class_weights = memory_zeroed((size_t)set->class_count, sizeof *r->class_weights);
    if (r->class_weights == NULL)
        return error_no_memory(r->error, "class weights", sizeof *r->class_weights);
    for (size_t i = 0; i < set->count; i++)
        r->class_weights[set->samples[i].label] += 1;
    for (int c = 0; c < set->class_count; c++)
        if (r->class_weights[c] > 0)
            r->class_weights[c] =
                (float)set->count / ((float)set->class_count * r->class_weights[c]);
    return MIEN_OK;
}

/* What the losses on features keep. */
static mien_status make_centres(run *r)
{
    const recipe_stage *stage = run_stage(r);
    loss_centres_free(&r->centres);
    free(r->tuplet_centre);
    r->tuplet_centre = NULL;
    if (!recipe_uses_features(stage))
        return MIEN_OK;
    nn_shape shape = train_tape_shape(run_tape(r), train_tape_output(run_tape(r), "features"));
    size_t dims = (size_t)shape.dims[1];
    r->tuplet_centre = memory_zeroed(dims, sizeof *r->tuplet_centre);
    if (r->tuplet_centre == NULL)
        return error_no_memory(r->error, "a centre", dims * sizeof *r->tuplet_centre);
    if (stage->centre_weight <= 0 && stage->island_weight <= 0)
        return MIEN_OK;
    return loss_centres_create(run_classes(r), dims, &r->centres, r->error);
}

static mien_status make_learner(run *r)
{
    const recipe_stage *stage = run_stage(r);
    learner_settings settings = {.optimiser = stage->optimiser,
                                 .average = stage->average,
                                 .keeps = stage->sam_rho > 0 || stage->quantised};
    return learner_create(r->network, &settings, &r->learner, r->error);
}

mien_status run_begin_stage(run *r)
{
    const recipe_stage *stage = run_stage(r);
    mien_status status = open_network(r);
    if (status == MIEN_OK)
        status = make_learner(r);
    if (status == MIEN_OK)
        status = weigh_classes(r);
    if (status == MIEN_OK)
        status = make_centres(r);
    if (status != MIEN_OK)
        return status;
    int64_t per_epoch = (int64_t)r->training.count / stage->batch;
    r->state.schedule = stage->schedule;
    r->state.schedule.steps_per_epoch = per_epoch;
    r->state.schedule.total_steps = per_epoch * stage->epochs;
    r->state.step = r->state.stage_epoch = r->state.waited = r->state.settled = 0;
    return MIEN_OK;
}

/* ---- Batches ---- */

mien_status run_open_teachers(run *r, const recipe_stage *stage, train_teachers **teachers)
{
    const trainer_options *o = r->options;
    *teachers = NULL;
    if (stage->distill_weight <= 0)
        return MIEN_OK;
    if (o->teacher_count == 0)
        return error_set(r->error, MIEN_INVALID_ARGUMENT,
                         "stage '%s' has distill_weight: name its teacher with --teacher",
                         stage->name);
    teacher_file *files = memory_zeroed(o->teacher_count, sizeof *files);
    if (files == NULL)
        return error_no_memory(r->error, "teachers", o->teacher_count * sizeof *files);
    for (size_t t = 0; t < o->teacher_count; t++)
        files[t] = (teacher_file){o->teachers[t], r->teachers[t].bytes, r->teachers[t].size};
    nn_type precision = r->recipe->precision == TRAIN_BF16 ? NN_BFLOAT16 : NN_FLOAT;
    mien_status status = teachers_create(files, o->teacher_count, &r->training, &r->prep, precision,
                                         stage->batch, teachers, r->error);
    free(files);
    return status;
}

batch_settings run_batches(const run *r)
{
    const recipe_stage *stage = run_stage(r);
    return (batch_settings){.set = &r->training,
                            .prep = &r->prep,
                            .augment = &stage->augment,
                            .batch = stage->batch,
                            .mixup = stage->mixup,
                            .cutmix = stage->cutmix,
                            .seed = r->seed,
                            .sampler = stage->sampler,
                            .workers = r->options->workers};
}
