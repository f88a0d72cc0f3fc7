/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/smote.h"
#include "train/run_log.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Progress ---- */

static double seconds_since(struct timespec start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start.tv_sec) + 1e-9 * (double)(now.tv_nsec - start.tv_nsec);
}

static int epochs_of(const train_recipe *recipe)
{
    int epochs = 0;
    for (int s = 0; s < recipe->stage_count; s++)
        epochs += recipe->stages[s].epochs;
    return epochs;
}

static train_progress progress_of(const run *r, int64_t step)
{
    const recipe_stage *stage = run_stage(r);
    int epochs = epochs_of(r->recipe);
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

/* ---- Epochs ---- */

static mien_status learn_epoch(run *r, batch_maker *maker)
{
    const train_batch *batch;
    r->epoch_loss = 0;
    clock_gettime(CLOCK_MONOTONIC, &r->epoch_start);
    mien_status status = batch_maker_begin(maker, r->state.epoch, r->error);
    for (int64_t step = 0; status == MIEN_OK && step < batch_maker_per_epoch(maker); step++) {
        status = batch_maker_next(maker, &batch, r->error);
        if (status == MIEN_OK)
            status = run_learn(r, batch, step);
        if (status == MIEN_OK && r->options->step_done != NULL) {
            train_progress progress = progress_of(r, step + 1);
            r->options->step_done(r->options->context, &progress);
        }
    }
    return status;
}

/* Scores the network as it is and saves it, as the best one too where it is. */
static mien_status keep_model(run *r, train_progress *progress, bool *better)
{
    mien_status status = run_score(r, &progress->score, &progress->validation_loss);
    if (status != MIEN_OK)
        return status;
    *better = progress->score > r->state.best_score;
    status = *better ? run_save_model(r, "best.onnx") : MIEN_OK;
    if (status == MIEN_OK)
        status = run_save_model(r, "last.onnx");
    if (status == MIEN_OK && *better)
        r->state.best_score = progress->score;
    progress->best_score = r->state.best_score;
    return status;
}

/* Logs, saves the checkpoint and tells. */
static mien_status record(run *r, const train_progress *progress)
{
    char path[RUN_PATH_SIZE];
    run_path(r, "log.jsonl", path);
    mien_status status = run_log_append(path, progress, r->error);
    r->state.log_lines++;
    if (status == MIEN_OK)
        status = run_save_checkpoint(r);
    if (status == MIEN_OK && r->options->epoch_done != NULL)
        r->options->epoch_done(r->options->context, progress);
    return status;
}

/* After the last batch of an epoch: score, keep the best, tell, save. */
static mien_status finish_epoch(run *r)
{
    bool better = false;
    train_progress progress = progress_of(r, r->state.schedule.steps_per_epoch);
    learner_swap_averages(r->learner);
    mien_status status = keep_model(r, &progress, &better);
    learner_swap_averages(r->learner);
    if (status != MIEN_OK)
        return status;
    r->state.waited = better ? 0 : r->state.waited + 1;
    r->state.last_loss = progress.loss;
    schedule_epoch_done(&r->state.schedule, progress.score);
    r->state.epoch++;
    r->state.stage_epoch++;
    return record(r, &progress);
}

/* ---- Stages ---- */

static bool stage_is_done(const run *r)
{
    const recipe_stage *stage = run_stage(r);
    return r->state.stage_epoch >= stage->epochs ||
           (stage->patience > 0 && r->state.waited >= stage->patience);
}

static bool must_stop(const run *r)
{
    return r->options->stop_after > 0 && r->state.epoch >= r->options->stop_after;
}

static mien_status learn_stage(run *r)
{
    batch_settings settings = run_batches(r);
    train_teachers *teachers;
    batch_maker *maker = NULL;
    mien_status status = run_open_teachers(r, run_stage(r), &teachers);
    settings.teachers = teachers;
    if (status == MIEN_OK)
        status = batch_maker_create(&settings, &maker, r->error);
    while (status == MIEN_OK && !stage_is_done(r) && !must_stop(r)) {
        status = learn_epoch(r, maker);
        if (status == MIEN_OK)
            status = finish_epoch(r);
    }
    batch_maker_free(maker);
    teachers_free(teachers);
    return status;
}

/* The model that the stage ends with gets statistics of its own weights. */
static mien_status settle_stage(run *r)
{
    bool better;
    if (run_stage(r)->settle == 0 || r->state.settled || !stage_is_done(r))
        return MIEN_OK;
    learner_take_averages(r->learner);
    mien_status status = run_settle(r);
    learner_set_averages(r->learner);
    train_progress progress = {.stage = run_stage(r)->name,
                               .epoch = (int)r->state.epoch,
                               .epochs = epochs_of(r->recipe),
                               .loss = r->state.last_loss,
                               .settled = true};
    if (status == MIEN_OK)
        status = keep_model(r, &progress, &better);
    r->state.settled = 1;
    return status == MIEN_OK ? record(r, &progress) : status;
}

static mien_status run_stages(run *r)
{
    mien_status status = MIEN_OK;
    while (status == MIEN_OK) {
        status = learn_stage(r);
        if (status == MIEN_OK)
            status = settle_stage(r);
        if (status != MIEN_OK || must_stop(r) || r->state.stage + 1 == r->recipe->stage_count)
            break;
        learner_take_averages(r->learner);
        r->state.stage++;
        status = run_begin_stage(r);
    }
    return status;
}

/* ---- The run ---- */

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
    char path[RUN_PATH_SIZE];
    const char *text = r->options->recipe_text;
    run_path(r, "recipe.txt", path);
    mien_status status = file_write_atomic(path, text, strlen(text), r->error);
    run_path(r, "log.jsonl", path);
    return status == MIEN_OK ? run_log_cut(path, r->state.log_lines, r->error) : status;
}

static mien_status begin(run *r)
{
    bool loaded;
    mien_status status = run_load_checkpoint(r, &loaded);
    if (status == MIEN_OK && !loaded) {
        r->state = (run_state){.best_score = -1};
        status = run_begin_stage(r);
    }
    /* Only now is it sure that the folder is not another recipe's. */
    return status == MIEN_OK ? begin_records(r) : status;
}

/* What would stop a later stage is told before the first one. */
static mien_status check_stages(run *r)
{
    bool distills = false;
    mien_status status = MIEN_OK;
    for (int s = 0; status == MIEN_OK && s < r->recipe->stage_count; s++) {
        train_teachers *teachers;
        status = run_open_teachers(r, &r->recipe->stages[s], &teachers);
        teachers_free(teachers);
        distills = distills || r->recipe->stages[s].distill_weight > 0;
    }
    if (status == MIEN_OK && r->options->teacher_count > 0 && !distills)
        return error_set(r->error, MIEN_INVALID_ARGUMENT,
                         "there is a teacher, but no stage of the recipe has distill_weight");
    return status;
}

/* The samples to learn from: the set's, and synthetic ones. */
static mien_status gather_samples(run *r)
{
    const train_recipe *recipe = r->recipe;
    mien_status status = MIEN_OK;
    if (recipe->smote == RECIPE_SMOTE_PIXELS)
        status = smote_pictures(r->options->training, recipe->smote_to,
                                (size_t)recipe->smote_neighbours, r->seed, &r->synthetic, r->error);
    if (status != MIEN_OK)
        return status;
    if (recipe->smote == RECIPE_SMOTE_PIXELS)
        run_note(r, "SMOTE adds %zu pictures to %zu", r->synthetic.count,
                 r->options->training->count);
    size_t given = r->options->training->count, count = given + r->synthetic.count;
    r->training = *r->options->training;
    r->training.samples = memory_zeroed(count, sizeof *r->training.samples);
    r->training.count = count;
    if (r->training.samples == NULL)
        return error_no_memory(r->error, "a list of samples", count * sizeof(dataset_sample));
    memcpy(r->training.samples, r->options->training->samples, given * sizeof(dataset_sample));
    if (r->synthetic.count > 0)
        memcpy(r->training.samples + given, r->synthetic.samples,
               r->synthetic.count * sizeof(dataset_sample));
    return MIEN_OK;
}

static void close_run(run *r)
{
    learner_free(r->learner);
    train_network_free(r->network);
    r->options->backend->memory->close(r->device);
    nn_model_free(r->model);
    nn_graph_free(&r->graph);
    loss_centres_free(&r->centres);
    free(r->tuplet_centre);
    free(r->class_weights);
    prep_scratch_free(&r->scratch);
    free(r->training.samples);
    dataset_free(&r->synthetic);
    free(r->initial.bytes);
    for (size_t t = 0; r->teachers != NULL && t < r->options->teacher_count; t++)
        free(r->teachers[t].bytes);
    free(r->teachers);
}

static mien_status run_recipe(run *r)
{
    mien_status status = r->options->backend->memory->open(&r->device, r->error);
    if (status == MIEN_OK)
        status = run_read_files(r);
    if (status == MIEN_OK) {
        r->identity = run_identify(r);
        status = make_folder(r);
    }
    if (status == MIEN_OK)
        status = gather_samples(r);
    if (status == MIEN_OK)
        status = run_build_model(r);
    if (status == MIEN_OK)
        status = check_stages(r);
    if (status == MIEN_OK)
        status = begin(r);
    return status == MIEN_OK ? run_stages(r) : status;
}

mien_status trainer_run(const train_recipe *recipe, const trainer_options *options,
                        mien_error *error)
{
    if (options->validation->class_count != options->training->class_count ||
        options->validation->count == 0 || options->training->count == 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the training and the validation set do not go together");
    run r = {.recipe = recipe, .options = options, .error = error};
    r.seed = options->seed >= 0 ? (uint64_t)options->seed : recipe->seed;
    mien_status status = run_recipe(&r);
    close_run(&r);
    return status;
}
