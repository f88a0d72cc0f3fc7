/* SPDX-License-Identifier: Apache-2.0 */
#include "train/trainer.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "nn/onnx_write.h"
#include "train/batches.h"
#include "train/checkpoint.h"
#include "train/loss.h"
#include "train/network.h"
#include "train/run_log.h"
#include "zoo/zoo.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LOGITS, FEATURES, TRAINED_OUTPUTS };

/* Numbers that a checkpoint keeps beside the arrays. */
typedef struct run_state {
    int64_t stage;       /* that runs */
    int64_t stage_epoch; /* epochs done in it */
    int64_t epoch;       /* epochs done in all */
    int64_t step;        /* updates done in this stage */
    int64_t waited;      /* epochs without a better score */
    double best_score;
    schedule schedule;
} run_state;

typedef struct run {
    const train_recipe *recipe;
    const trainer_options *options;
    uint64_t seed, identity;
    nn_graph graph;  /* the weights are written into it for saving */
    nn_model *model; /* the same, as the network learns it */
    prep_settings prep;
    train_network *network;
    float **optimiser_state; /* by parameter */
    float **averages;        /* by parameter; NULL: the stage keeps none */
    loss_centres centres;
    float *class_weights; /* (classes) or NULL */
    float *validation_inputs;
    run_state state;
    double epoch_loss;
    struct timespec epoch_start;
    mien_error *error;
} run;

static const recipe_stage *stage_of(const run *r)
{
    return &r->recipe->stages[r->state.stage];
}

static const train_tape *tape_of(const run *r)
{
    return train_network_tape(r->network);
}

static int class_count(const run *r)
{
    return r->options->training->class_count;
}

/* ---- Making the network ---- */

static mien_status add_metadata(run *r, const char *key, const char *value)
{
    nn_graph *graph = &r->graph;
    void *metadata = graph->metadata;
    if (!memory_grow(&metadata, graph->metadata_count, &graph->metadata_capacity,
                     sizeof *graph->metadata))
        return error_no_memory(r->error, key, sizeof *graph->metadata);
    graph->metadata = metadata;
    nn_metadata *entry = &graph->metadata[graph->metadata_count];
    *entry = (nn_metadata){memory_copy_string(key), memory_copy_string(value)};
    graph->metadata_count++;
    if (entry->key == NULL || entry->value == NULL)
        return error_no_memory(r->error, key, strlen(value));
    return MIEN_OK;
}

static mien_status describe_model(run *r)
{
    char classes[DATASET_MAX_CLASSES * (DATASET_CLASS_NAME_SIZE + 2)] = "";
    char hash[24];
    const dataset *set = r->options->training;
    for (int c = 0; c < set->class_count; c++) {
        size_t used = strlen(classes);
        snprintf(classes + used, sizeof classes - used, "%s%s", c > 0 ? ", " : "",
                 set->class_names[c]);
    }
    snprintf(hash, sizeof hash, "%016" PRIx64, r->identity);
    mien_status status = add_metadata(r, "mien.classes", classes);
    if (status == MIEN_OK)
        status = add_metadata(r, "mien.output", "probabilities");
    if (status == MIEN_OK)
        status = add_metadata(r, "mien.provenance.run", hash);
    const setting_list *s = &r->recipe->model_settings;
    for (size_t i = 0; status == MIEN_OK && i < s->count; i++)
        status = add_metadata(r, s->entries[i].key, s->entries[i].value);
    return status;
}

static mien_status build_network(run *r)
{
    const train_recipe *recipe = r->recipe;
    const char *format = settings_get(&recipe->model_settings, "mien.input.format");
    bool colour = format != NULL && strcmp(format, "gray") != 0;
    zoo_options options = {.classes = class_count(r),
                           .channels = colour ? 3 : 1,
                           .height = recipe->height,
                           .width = recipe->width,
                           .width_multiplier = recipe->width_multiplier,
                           .seed = r->seed};
    uint8_t *bytes;
    size_t size;
    mien_status status = zoo_build(recipe->architecture, &options, &r->graph, r->error);
    if (status == MIEN_OK)
        status = describe_model(r);
    if (status == MIEN_OK)
        status = onnx_write(&r->graph, ONNX_WEIGHTS_FLOAT32, &bytes, &size, r->error);
    if (status != MIEN_OK)
        return status;
    status = nn_model_read(bytes, size, &r->model, r->error);
    free(bytes);
    if (status != MIEN_OK)
        return status;
    const nn_graph *graph = nn_model_graph(r->model);
    const int64_t *dims = graph->values[graph->inputs[0]].tensor.shape.dims;
    return prep_read_settings(&recipe->model_settings, (int)dims[1], (int)dims[2], (int)dims[3],
                              &r->prep, r->error);
}

/* The network of a stage: its batch size may differ. Weights go over from the one before. */
static mien_status open_stage_network(run *r)
{
    static const char *const outputs[TRAINED_OUTPUTS] = {"logits", "features"};
    size_t count = stage_of(r)->centre_weight > 0 ? 2 : 1;
    train_network *old = r->network, *fresh;
    const train_backend *backend;
    mien_status status =
        train_backend_with(r->options->backend, r->recipe->precision, &backend, r->error);
    if (status == MIEN_OK)
        status = train_network_create(r->model, stage_of(r)->batch, outputs, count, backend, &fresh,
                                      r->error);
    if (status != MIEN_OK)
        return status;
    r->network = fresh;
    for (size_t p = 0; old != NULL && p < tape_of(r)->parameter_count; p++)
        memcpy(train_network_values(fresh, p), train_network_values(old, p),
               tape_of(r)->parameters[p].count * sizeof(float));
    train_network_free(old);
    return MIEN_OK;
}

static void free_arrays(float **arrays, size_t count)
{
    for (size_t i = 0; arrays != NULL && i < count; i++)
        free(arrays[i]);
    free(arrays);
}

/* One array of count * each floats per parameter, zeroed. */
static mien_status make_arrays(run *r, size_t each, float ***arrays)
{
    const train_tape *tape = tape_of(r);
    free_arrays(*arrays, tape->parameter_count);
    *arrays = memory_zeroed(tape->parameter_count, sizeof **arrays);
    bool complete = *arrays != NULL;
    for (size_t p = 0; complete && p < tape->parameter_count; p++) {
        (*arrays)[p] = memory_zeroed(tape->parameters[p].count * each, sizeof(float));
        complete = (*arrays)[p] != NULL;
    }
    return complete ? MIEN_OK : error_no_memory(r->error, "the optimiser", sizeof(float));
}

/* Weights inversely to how often a class occurs, their mean over the samples 1. */
static mien_status weigh_classes(run *r)
{
    const dataset *set = r->options->training;
    free(r->class_weights);
    r->class_weights = NULL;
    if (!stage_of(r)->class_weights)
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

static mien_status begin_stage(run *r)
{
    const recipe_stage *stage = stage_of(r);
    mien_status status = open_stage_network(r);
    if (status == MIEN_OK)
        status =
            make_arrays(r, (size_t)optimiser_state_arrays(&stage->optimiser), &r->optimiser_state);
    if (status == MIEN_OK && stage->average > 0)
        status = make_arrays(r, 1, &r->averages);
    if (status == MIEN_OK)
        status = weigh_classes(r);
    loss_centres_free(&r->centres);
    if (status == MIEN_OK && stage->centre_weight > 0) {
        nn_shape features = train_tape_shape(tape_of(r), train_tape_output(tape_of(r), "features"));
        status =
            loss_centres_create(class_count(r), (size_t)features.dims[1], &r->centres, r->error);
    }
    if (status != MIEN_OK)
        return status;
    for (size_t p = 0; stage->average > 0 && p < tape_of(r)->parameter_count; p++)
        memcpy(r->averages[p], train_network_values(r->network, p),
               tape_of(r)->parameters[p].count * sizeof(float));
    int64_t per_epoch = (int64_t)r->options->training->count / stage->batch;
    r->state.schedule = stage->schedule;
    r->state.schedule.steps_per_epoch = per_epoch;
    r->state.schedule.total_steps = per_epoch * stage->epochs;
    r->state.step = r->state.stage_epoch = r->state.waited = 0;
    return MIEN_OK;
}

/* ---- Checkpoints ---- */

static void file_in_folder(const run *r, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", r->options->folder, name);
}

/* Every array of the run, in a fixed order. The caller frees the list. */
static checkpoint_array *list_arrays(run *r, size_t *count)
{
    const train_tape *tape = tape_of(r);
    size_t states = (size_t)optimiser_state_arrays(&stage_of(r)->optimiser);
    checkpoint_array *arrays = memory_zeroed(3 * tape->parameter_count + 2, sizeof *arrays);
    *count = 0;
    if (arrays == NULL)
        return NULL;
    arrays[(*count)++] = (checkpoint_array){&r->state, sizeof r->state};
    for (size_t p = 0; p < tape->parameter_count; p++) {
        size_t bytes = tape->parameters[p].count * sizeof(float);
        arrays[(*count)++] = (checkpoint_array){train_network_values(r->network, p), bytes};
        arrays[(*count)++] = (checkpoint_array){r->optimiser_state[p], bytes * states};
        if (stage_of(r)->average > 0)
            arrays[(*count)++] = (checkpoint_array){r->averages[p], bytes};
    }
    if (r->centres.centres != NULL)
        arrays[(*count)++] = (checkpoint_array){
            r->centres.centres, (size_t)r->centres.classes * r->centres.dims * sizeof(float)};
    return arrays;
}

static mien_status save_checkpoint(run *r)
{
    char path[4096];
    size_t count;
    checkpoint_array *arrays = list_arrays(r, &count);
    if (arrays == NULL)
        return error_no_memory(r->error, "a checkpoint", sizeof *arrays);
    file_in_folder(r, "checkpoint.bin", path, sizeof path);
    mien_status status = checkpoint_write(path, r->identity, arrays, count, r->error);
    free(arrays);
    return status;
}

/* Which stage a checkpoint stands in decides how long it is: they are tried from the last one. */
static mien_status load_checkpoint(run *r, bool *loaded)
{
    char path[4096];
    file_in_folder(r, "checkpoint.bin", path, sizeof path);
    *loaded = false;
    if (!r->options->resume || !file_exists(path))
        return MIEN_OK;
    mien_status status = MIEN_MALFORMED;
    for (int stage = r->recipe->stage_count; status == MIEN_MALFORMED && stage-- > 0;) {
        r->state = (run_state){.stage = stage, .best_score = -1};
        status = begin_stage(r);
        if (status != MIEN_OK)
            return status;
        size_t count;
        checkpoint_array *arrays = list_arrays(r, &count);
        if (arrays == NULL)
            return error_no_memory(r->error, "a checkpoint", sizeof *arrays);
        status = checkpoint_read(path, r->identity, arrays, count, r->error);
        free(arrays);
        if (status == MIEN_OK && r->state.stage != stage)
            status = MIEN_MALFORMED;
    }
    *loaded = status == MIEN_OK;
    return status;
}

/* ---- Models ---- */

/* Swaps the network's parameters with their averages, where the stage keeps them. */
static void swap_averages(run *r)
{
    if (stage_of(r)->average <= 0)
        return;
    for (size_t p = 0; p < tape_of(r)->parameter_count; p++) {
        float *values = train_network_values(r->network, p);
        for (size_t i = 0; i < tape_of(r)->parameters[p].count; i++) {
            float moved = values[i];
            values[i] = r->averages[p][i];
            r->averages[p][i] = moved;
        }
    }
}

static int find_value(const nn_graph *graph, const char *name)
{
    for (size_t v = 0; v < graph->value_count; v++)
        if (strcmp(graph->values[v].name, name) == 0)
            return (int)v;
    return -1;
}

/* The network's parameters as they are now, as an ONNX file in the run folder. */
static mien_status save_model(run *r, const char *name)
{
    char path[4096];
    uint8_t *bytes;
    size_t size;
    for (size_t p = 0; p < tape_of(r)->parameter_count; p++) {
        const train_parameter *parameter = &tape_of(r)->parameters[p];
        int value = find_value(&r->graph, parameter->name);
        memcpy(r->graph.values[value].tensor.data, train_network_values(r->network, p),
               parameter->count * sizeof(float));
    }
    mien_status status = onnx_write(&r->graph, ONNX_WEIGHTS_FLOAT32, &bytes, &size, r->error);
    if (status != MIEN_OK)
        return status;
    file_in_folder(r, name, path, sizeof path);
    status = file_write_atomic(path, bytes, size, r->error);
    free(bytes);
    return status;
}

/* ---- Learning ---- */

static double batch_loss(run *r, const train_batch *batch)
{
    const recipe_stage *stage = stage_of(r);
    loss_targets targets = {.n = batch->n,
                            .classes = class_count(r),
                            .labels = batch->labels,
                            .shares = batch->shares,
                            .weights = r->class_weights};
    const float *logits = train_network_output(r->network, LOGITS);
    float *gradient = train_network_output_gradient(r->network, LOGITS);
    double loss = stage->loss == RECIPE_FOCAL
                      ? loss_focal(&targets, logits, stage->focal_gamma, 1, gradient)
                      : loss_softmax(&targets, logits, stage->smoothing, 1, gradient);
    if (r->centres.centres == NULL)
        return loss;
    const float *features = train_network_output(r->network, FEATURES);
    loss += loss_centre(&targets, features, &r->centres, stage->centre_weight,
                        train_network_output_gradient(r->network, FEATURES));
    loss_centres_update(&r->centres, &targets, features, stage->centre_rate);
    return loss;
}

static mien_status clip_gradients(run *r)
{
    const train_tape *tape = tape_of(r);
    if (stage_of(r)->clip_norm <= 0)
        return MIEN_OK;
    float **gradients = memory_zeroed(tape->parameter_count, sizeof *gradients);
    size_t *counts = memory_zeroed(tape->parameter_count, sizeof *counts);
    size_t used = 0;
    bool complete = gradients != NULL && counts != NULL;
    for (size_t p = 0; complete && p < tape->parameter_count; p++) {
        if (tape->parameters[p].statistic)
            continue;
        gradients[used] = train_network_gradients(r->network, p);
        counts[used++] = tape->parameters[p].count;
    }
    if (complete) {
        double norm = optimiser_norm((const float *const *)gradients, counts, used);
        optimiser_clip(gradients, counts, used, norm, (double)stage_of(r)->clip_norm);
    }
    free(gradients);
    free(counts);
    return complete ? MIEN_OK : error_no_memory(r->error, "gradients", sizeof *gradients);
}

static void update(run *r)
{
    const recipe_stage *stage = stage_of(r);
    const train_tape *tape = tape_of(r);
    float rate = schedule_rate(&r->state.schedule, r->state.step);
    for (size_t p = 0; p < tape->parameter_count; p++) {
        const train_parameter *parameter = &tape->parameters[p];
        float *values = train_network_values(r->network, p);
        if (!parameter->statistic)
            optimiser_update(&stage->optimiser, rate, r->state.step + 1, parameter->decays, values,
                             train_network_gradients(r->network, p), r->optimiser_state[p],
                             parameter->count);
        if (stage->average > 0)
            optimiser_average(r->averages[p], values, parameter->count, stage->average);
    }
    r->state.step++;
}

static double seconds_since(struct timespec start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start.tv_sec) + 1e-9 * (double)(now.tv_nsec - start.tv_nsec);
}

static train_progress progress_of(const run *r, int64_t step)
{
    const recipe_stage *stage = stage_of(r);
    int epochs = 0;
    for (int s = 0; s < r->recipe->stage_count; s++)
        epochs += r->recipe->stages[s].epochs;
    double seconds = seconds_since(r->epoch_start);
    double epoch_seconds = step > 0 ? seconds / (double)step : 0;
    epoch_seconds *= (double)r->state.schedule.steps_per_epoch;
    return (train_progress){
        .stage = stage->name,
        .epoch = (int)r->state.epoch + 1,
        .epochs = epochs,
        .step = step,
        .steps = r->state.schedule.steps_per_epoch,
        .loss = step > 0 ? r->epoch_loss / (double)step : 0,
        .rate = (double)schedule_rate(&r->state.schedule, r->state.step),
        .images_per_second = seconds > 0 ? (double)(step * stage->batch) / seconds : 0,
        .seconds_left = epoch_seconds * (double)(epochs - r->state.epoch) - seconds,
        .score = NAN,
        .validation_loss = NAN,
        .best_score = r->state.best_score};
}

static mien_status learn_batch(run *r, const train_batch *batch, int64_t step)
{
    size_t floats = prep_input_floats(&r->prep);
    memcpy(train_network_input(r->network), batch->inputs, batch->n * floats * sizeof(float));
    train_network_forward(r->network, true, r->recipe->norm_momentum, r->seed,
                          (uint64_t)r->state.step);
    double loss = batch_loss(r, batch);
    if (!isfinite(loss))
        return error_set(r->error, MIEN_LIMIT,
                         "the loss is no number any more in epoch %lld, step %lld: lower the rate",
                         (long long)r->state.epoch + 1, (long long)step + 1);
    r->epoch_loss += loss;
    train_network_backward(r->network);
    mien_status status = clip_gradients(r);
    if (status == MIEN_OK)
        update(r);
    return status;
}

static mien_status learn_epoch(run *r, batch_maker *maker)
{
    const train_batch *batch;
    mien_status status = MIEN_OK;
    r->epoch_loss = 0;
    clock_gettime(CLOCK_MONOTONIC, &r->epoch_start);
    batch_maker_begin(maker, r->state.epoch);
    for (int64_t step = 0; status == MIEN_OK && step < batch_maker_per_epoch(maker); step++) {
        status = batch_maker_next(maker, &batch, r->error);
        if (status == MIEN_OK)
            status = learn_batch(r, batch, step);
        if (status == MIEN_OK && r->options->step_done != NULL) {
            train_progress progress = progress_of(r, step + 1);
            r->options->step_done(r->options->context, &progress);
        }
    }
    return status;
}

/* ---- Validation ---- */

static mien_status prepare_validation(run *r)
{
    const dataset *set = r->options->validation;
    size_t floats = prep_input_floats(&r->prep);
    prep_scratch scratch = {0};
    r->validation_inputs = memory_aligned(set->count * floats * sizeof(float));
    if (r->validation_inputs == NULL)
        return error_no_memory(r->error, "the validation set", set->count * floats * sizeof(float));
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < set->count; i++) {
        const mien_image *image = &set->samples[i].image;
        prep_face all = {.box = {0, 0, (float)image->width, (float)image->height}};
        status =
            prep_fill(&r->prep, image, &all, &scratch, r->validation_inputs + i * floats, r->error);
    }
    prep_scratch_free(&scratch);
    return status;
}

static int largest(const float *values, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

/* Accuracy and mean cross-entropy, with the averaged weights where there are any. */
static void validate(run *r, double *score, double *loss)
{
    const dataset *set = r->options->validation;
    size_t floats = prep_input_floats(&r->prep), batch = (size_t)stage_of(r)->batch, right = 0;
    *loss = 0;
    for (size_t first = 0; first < set->count; first += batch) {
        size_t n = set->count - first < batch ? set->count - first : batch;
        memcpy(train_network_input(r->network), r->validation_inputs + first * floats,
               n * floats * sizeof(float));
        train_network_forward(r->network, false, 0, 0, 0);
        const float *logits = train_network_output(r->network, LOGITS);
        for (size_t i = 0; i < n; i++) {
            int label = set->samples[first + i].label;
            loss_targets one = {.n = 1, .classes = class_count(r), .labels = &label};
            const float *row = logits + i * (size_t)class_count(r);
            float unused[DATASET_MAX_CLASSES] = {0};
            right += largest(row, class_count(r)) == label;
            *loss += loss_softmax(&one, row, 0, 1, unused);
        }
    }
    *score = (double)right / (double)set->count;
    *loss /= (double)set->count;
}

/* ---- The run ---- */

/* After the last batch of an epoch: score, keep the best, tell, save. */
static mien_status finish_epoch(run *r)
{
    char path[4096];
    train_progress progress = progress_of(r, r->state.schedule.steps_per_epoch);
    swap_averages(r);
    validate(r, &progress.score, &progress.validation_loss);
    bool better = progress.score > r->state.best_score;
    mien_status status = better ? save_model(r, "best.onnx") : MIEN_OK;
    if (status == MIEN_OK)
        status = save_model(r, "last.onnx");
    swap_averages(r);
    if (status != MIEN_OK)
        return status;
    r->state.waited = better ? 0 : r->state.waited + 1;
    if (better)
        r->state.best_score = progress.score;
    progress.best_score = r->state.best_score;
    schedule_epoch_done(&r->state.schedule, progress.score);
    r->state.epoch++;
    r->state.stage_epoch++;
    file_in_folder(r, "log.jsonl", path, sizeof path);
    status = run_log_append(path, &progress, r->error);
    if (status == MIEN_OK)
        status = save_checkpoint(r);
    if (status == MIEN_OK && r->options->epoch_done != NULL)
        r->options->epoch_done(r->options->context, &progress);
    return status;
}

static bool stage_is_done(const run *r)
{
    const recipe_stage *stage = stage_of(r);
    return r->state.stage_epoch >= stage->epochs ||
           (stage->patience > 0 && r->state.waited >= stage->patience);
}

static bool must_stop(const run *r)
{
    return r->options->stop_after > 0 && r->state.epoch >= r->options->stop_after;
}

static mien_status run_stage(run *r)
{
    const recipe_stage *stage = stage_of(r);
    batch_settings settings = {.set = r->options->training,
                               .prep = &r->prep,
                               .augment = &stage->augment,
                               .batch = stage->batch,
                               .mixup = stage->mixup,
                               .cutmix = stage->cutmix,
                               .seed = r->seed};
    batch_maker *maker;
    mien_status status = batch_maker_create(&settings, &maker, r->error);
    if (status != MIEN_OK)
        return status;
    while (status == MIEN_OK && !stage_is_done(r) && !must_stop(r)) {
        status = learn_epoch(r, maker);
        if (status == MIEN_OK)
            status = finish_epoch(r);
    }
    batch_maker_free(maker);
    return status;
}

static mien_status make_folder(const run *r)
{
    if (mkdir(r->options->folder, 0777) != 0 && errno != EEXIST)
        return error_set(r->error, MIEN_IO, "cannot make the folder '%s': %s", r->options->folder,
                         strerror(errno));
    return MIEN_OK;
}

/* Makes recipe and log agree with the state that the run begins with. */
static mien_status begin_records(const run *r)
{
    char path[4096];
    const char *text = r->options->recipe_text;
    file_in_folder(r, "recipe.txt", path, sizeof path);
    mien_status status = file_write_atomic(path, text, strlen(text), r->error);
    file_in_folder(r, "log.jsonl", path, sizeof path);
    return status == MIEN_OK ? run_log_cut(path, r->state.epoch, r->error) : status;
}

static mien_status run_stages(run *r)
{
    bool loaded;
    mien_status status = load_checkpoint(r, &loaded);
    if (status == MIEN_OK && !loaded) {
        r->state = (run_state){.best_score = -1};
        status = begin_stage(r);
    }
    /* Only now is it sure that the folder is not another recipe's. */
    if (status == MIEN_OK)
        status = begin_records(r);
    while (status == MIEN_OK) {
        status = run_stage(r);
        if (status != MIEN_OK || must_stop(r) || r->state.stage + 1 == r->recipe->stage_count)
            break;
        r->state.stage++;
        status = begin_stage(r);
    }
    return status;
}

static uint64_t identify(const run *r)
{
    const dataset *set = r->options->training;
    const char *text = r->options->recipe_text;
    uint64_t hash = checkpoint_hash(CHECKPOINT_HASH_START, text, strlen(text));
    hash = checkpoint_hash(hash, &r->seed, sizeof r->seed);
    return checkpoint_hash(hash, &set->count, sizeof set->count);
}

static void close_run(run *r)
{
    size_t parameters = r->network != NULL ? tape_of(r)->parameter_count : 0;
    free_arrays(r->optimiser_state, parameters);
    free_arrays(r->averages, parameters);
    train_network_free(r->network);
    nn_model_free(r->model);
    nn_graph_free(&r->graph);
    loss_centres_free(&r->centres);
    free(r->class_weights);
    free(r->validation_inputs);
}

mien_status trainer_run(const train_recipe *recipe, const trainer_options *options,
                        mien_error *error)
{
    if (options->validation->class_count != options->training->class_count ||
        options->validation->count == 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the training and the validation set do not go together");
    run r = {.recipe = recipe, .options = options, .error = error};
    r.seed = options->seed >= 0 ? (uint64_t)options->seed : recipe->seed;
    r.identity = identify(&r);
    mien_status status = make_folder(&r);
    if (status == MIEN_OK)
        status = build_network(&r);
    if (status == MIEN_OK)
        status = prepare_validation(&r);
    if (status == MIEN_OK)
        status = run_stages(&r);
    close_run(&r);
    return status;
}
