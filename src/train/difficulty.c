/* SPDX-License-Identifier: Apache-2.0 */
#include "train/difficulty.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "eval/figures.h"
#include "train/predict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 4096

enum { EASY, DIFFICULT, PARTS };

/* The networks behind the base classifiers. */
enum { WHOLE, EASY_NETWORK, DIFFICULT_NETWORK, GATE, LAST_NETWORKS };

typedef struct difficulty {
    const train_recipe *recipe;
    const difficulty_options *options;
    const dataset *training, *validation;
    int *fold_of;                 /* (training) */
    int *right, *right_unseen;    /* (training): how many base classifiers are right */
    float *probabilities;         /* (training, classes), of one network */
    float *joined[LAST_NETWORKS]; /* (validation, classes or 2) */
    dataset part;                 /* samples of `training`, borrowed: only its list is owned */
    size_t *members;              /* (part): which they are */
    mien_error *error;
} difficulty;

static int base_count(const difficulty *d)
{
    return d->options->folds * d->options->repeats;
}

/* ---- Folds ---- */

mien_status difficulty_folds(const dataset *set, int folds, int repeat, uint64_t seed, int *fold_of,
                             mien_error *error)
{
    size_t *order = memory_zeroed(set->count, sizeof *order);
    int dealt[DATASET_MAX_CLASSES] = {0};
    if (order == NULL)
        return error_no_memory(error, "folds", set->count * sizeof *order);
    random_state random = random_start(seed, (uint64_t)repeat);
    for (size_t i = 0; i < set->count; i++) {
        size_t j = (size_t)random_below(&random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < set->count; i++) {
        int label = set->samples[order[i]].label;
        fold_of[order[i]] = dealt[label]++ % folds;
    }
    free(order);
    return MIEN_OK;
}

/* ---- Parts of the training set ---- */

static void begin_part(difficulty *d)
{
    d->part.class_count = d->training->class_count;
    memcpy(d->part.class_names, d->training->class_names, sizeof d->part.class_names);
    d->part.count = 0;
}

static void add_to_part(difficulty *d, size_t sample)
{
    d->members[d->part.count] = sample;
    d->part.samples[d->part.count++] = d->training->samples[sample];
}

/* The samples of one fold, or all others. */
static void take_fold(difficulty *d, int fold, bool all_others)
{
    begin_part(d);
    for (size_t i = 0; i < d->training->count; i++)
        if ((d->fold_of[i] == fold) != all_others)
            add_to_part(d, i);
}

static bool is_difficult(const difficulty *d, size_t sample)
{
    return (float)d->right[sample] < d->options->threshold * (float)base_count(d);
}

static void take_easy_or_difficult(difficulty *d, int part)
{
    begin_part(d);
    for (size_t i = 0; i < d->training->count; i++)
        if (is_difficult(d, i) == (part == DIFFICULT))
            add_to_part(d, i);
}

/* The labels of the part become easy and difficult. */
static void label_by_difficulty(difficulty *d)
{
    static const char *const names[PARTS] = {[EASY] = "easy", [DIFFICULT] = "difficult"};
    dataset *part = &d->part;
    part->class_count = PARTS;
    for (int c = 0; c < PARTS; c++)
        snprintf(part->class_names[c], sizeof part->class_names[c], "%s", names[c]);
    for (size_t i = 0; i < part->count; i++) {
        part->samples[i].label = is_difficult(d, d->members[i]) ? DIFFICULT : EASY;
        part->samples[i].votes = NULL;
    }
}

/* ---- Networks ---- */

static void network_path(const difficulty *d, const char *name, const char *file,
                         char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s%s%s", d->options->folder, name, file[0] != '\0' ? "/" : "",
             file);
}

/* index: counted from 0 over all networks. */
static mien_status train_part(const difficulty *d, const dataset *training,
                              const dataset *validation, const char *name, int index)
{
    char folder[PATH_SIZE];
    network_path(d, name, "", folder);
    trainer_options options = d->options->training;
    options.training = training;
    options.validation = validation;
    options.folder = folder;
    options.resume = true;
    options.stop_after = 0;
    if (d->options->network_begins != NULL)
        d->options->network_begins(d->options->context, name, index, base_count(d) + LAST_NETWORKS);
    return trainer_run(d->recipe, &options, d->error);
}

/* By the weights of the last epoch: none was chosen. */
static mien_status predict(const difficulty *d, const char *name, const dataset *set, int classes,
                           float *probabilities)
{
    char path[PATH_SIZE];
    network_path(d, name, "last.onnx", path);
    return train_predict(path, set, classes, probabilities, d->error);
}

static double accuracy_of(const dataset *set, const float *probabilities)
{
    size_t right = 0;
    for (size_t i = 0; i < set->count; i++)
        right += eval_argmax(probabilities + i * (size_t)set->class_count, set->class_count) ==
                 set->samples[i].label;
    return (double)right / (double)set->count;
}

static mien_status run_base(difficulty *d, int repeat, int fold)
{
    char name[32];
    int classes = d->training->class_count;
    snprintf(name, sizeof name, "base-%d-%d", repeat, fold);
    take_fold(d, fold, true);
    mien_status status =
        train_part(d, &d->part, d->validation, name, repeat * d->options->folds + fold);
    if (status == MIEN_OK)
        status = predict(d, name, d->training, classes, d->probabilities);
    for (size_t i = 0; status == MIEN_OK && i < d->training->count; i++) {
        bool right = eval_argmax(d->probabilities + i * (size_t)classes, classes) ==
                     d->training->samples[i].label;
        d->right[i] += right;
        d->right_unseen[i] += right && d->fold_of[i] == fold;
    }
    return status;
}

static mien_status run_bases(difficulty *d)
{
    mien_status status = MIEN_OK;
    for (int repeat = 0; status == MIEN_OK && repeat < d->options->repeats; repeat++) {
        status = difficulty_folds(d->training, d->options->folds, repeat, d->recipe->seed,
                                  d->fold_of, d->error);
        for (int fold = 0; status == MIEN_OK && fold < d->options->folds; fold++)
            status = run_base(d, repeat, fold);
    }
    return status;
}

/* The gate is judged by the last fold: how easy a picture of the validation set is, nobody knows.
 */
static mien_status run_gate(difficulty *d, difficulty_result *result)
{
    int last = d->options->folds - 1;
    take_fold(d, last, false);
    label_by_difficulty(d);
    dataset held_out = d->part;
    held_out.samples = memory_zeroed(held_out.count, sizeof *held_out.samples);
    if (held_out.samples == NULL)
        return error_no_memory(d->error, "a fold", held_out.count * sizeof *held_out.samples);
    memcpy(held_out.samples, d->part.samples, held_out.count * sizeof *held_out.samples);
    take_fold(d, last, true);
    label_by_difficulty(d);
    mien_status status = train_part(d, &d->part, &held_out, "gate", base_count(d) + GATE);
    if (status == MIEN_OK)
        status = predict(d, "gate", &held_out, PARTS, d->probabilities);
    if (status == MIEN_OK)
        result->gate = accuracy_of(&held_out, d->probabilities);
    free(held_out.samples);
    return status == MIEN_OK ? predict(d, "gate", d->validation, PARTS, d->joined[GATE]) : status;
}

static mien_status run_network(difficulty *d, int network, double *accuracy)
{
    static const char *const names[] = {"whole", "easy", "difficult"};
    const dataset *set = d->training;
    if (network != WHOLE) {
        take_easy_or_difficult(d, network == EASY_NETWORK ? EASY : DIFFICULT);
        set = &d->part;
    }
    mien_status status = train_part(d, set, d->validation, names[network], base_count(d) + network);
    if (status == MIEN_OK)
        status =
            predict(d, names[network], d->validation, d->training->class_count, d->joined[network]);
    if (status == MIEN_OK)
        *accuracy = accuracy_of(d->validation, d->joined[network]);
    return status;
}

/* ---- Joining ---- */

void difficulty_join(const float *easy, const float *difficult, const float *gate, size_t n,
                     int classes, bool weighed, float *joined)
{
    for (size_t i = 0; i < n; i++) {
        float share = gate[2 * i + EASY];
        if (!weighed)
            share = share >= gate[2 * i + DIFFICULT] ? 1 : 0;
        for (int c = 0; c < classes; c++) {
            size_t at = i * (size_t)classes + (size_t)c;
            joined[at] = share * easy[at] + (1 - share) * difficult[at];
        }
    }
}

static double score_joined(difficulty *d, bool weighed)
{
    const dataset *set = d->validation;
    difficulty_join(d->joined[EASY_NETWORK], d->joined[DIFFICULT_NETWORK], d->joined[GATE],
                    set->count, set->class_count, weighed, d->joined[WHOLE]);
    return accuracy_of(set, d->joined[WHOLE]);
}

/* ---- Results ---- */

static void measure_ease(const difficulty *d, difficulty_result *result)
{
    double right = 0, unseen = 0, count = (double)d->training->count;
    for (size_t i = 0; i < d->training->count; i++) {
        right += d->right[i];
        unseen += d->right_unseen[i];
        result->difficult += is_difficult(d, i);
    }
    result->easy = d->training->count - result->difficult;
    result->mean_ease = right / count / base_count(d);
    result->mean_unseen_ease = unseen / count / d->options->repeats;
}

static mien_status save_ease(const difficulty *d)
{
    char path[PATH_SIZE], *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return error_no_memory(d->error, "ease.csv", 0);
    fputs("row,class,ease,unseen_ease\n", out);
    for (size_t i = 0; i < d->training->count; i++) {
        const dataset_sample *sample = &d->training->samples[i];
        fprintf(out, "%zu,%s,%.4f,%.4f\n", sample->row, d->training->class_names[sample->label],
                (double)d->right[i] / base_count(d),
                (double)d->right_unseen[i] / d->options->repeats);
    }
    bool failed = ferror(out) != 0;
    failed = fclose(out) != 0 || failed;
    network_path(d, "ease.csv", "", path);
    mien_status status = failed ? error_no_memory(d->error, "ease.csv", 0)
                                : file_write_atomic(path, text, size, d->error);
    free(text);
    return status;
}

static mien_status check_parts(const difficulty *d, const difficulty_result *result)
{
    size_t batch = (size_t)d->recipe->stages[0].batch;
    if (result->easy >= batch && result->difficult >= batch)
        return MIEN_OK;
    return error_set(d->error, MIEN_INVALID_ARGUMENT,
                     "the threshold %g leaves %zu easy and %zu difficult samples, fewer than a "
                     "batch of %zu: choose another",
                     (double)d->options->threshold, result->easy, result->difficult, batch);
}

static mien_status run_all(difficulty *d, difficulty_result *result)
{
    mien_status status = run_bases(d);
    if (status != MIEN_OK)
        return status;
    measure_ease(d, result);
    status = save_ease(d);
    if (status == MIEN_OK)
        status = check_parts(d, result);
    if (status == MIEN_OK)
        status = run_network(d, WHOLE, &result->whole);
    if (status == MIEN_OK)
        status = run_network(d, EASY_NETWORK, &result->easy_network);
    if (status == MIEN_OK)
        status = run_network(d, DIFFICULT_NETWORK, &result->difficult_network);
    if (status == MIEN_OK)
        status = run_gate(d, result);
    if (status != MIEN_OK)
        return status;
    result->routed = score_joined(d, false);
    result->weighed = score_joined(d, true);
    return MIEN_OK;
}

static bool make_arrays(difficulty *d)
{
    size_t samples = d->training->count, validated = d->validation->count;
    size_t classes = (size_t)d->training->class_count;
    bool complete = true;
    d->fold_of = memory_zeroed(samples, sizeof *d->fold_of);
    d->right = memory_zeroed(samples, sizeof *d->right);
    d->right_unseen = memory_zeroed(samples, sizeof *d->right_unseen);
    d->probabilities = memory_zeroed(samples, classes * sizeof *d->probabilities);
    d->part.samples = memory_zeroed(samples, sizeof *d->part.samples);
    d->members = memory_zeroed(samples, sizeof *d->members);
    for (int n = 0; n < LAST_NETWORKS; n++) {
        d->joined[n] = memory_zeroed(validated, classes * sizeof *d->joined[n]);
        complete = complete && d->joined[n] != NULL;
    }
    return complete && d->fold_of != NULL && d->right != NULL && d->right_unseen != NULL &&
           d->probabilities != NULL && d->part.samples != NULL && d->members != NULL;
}

static void free_arrays(difficulty *d)
{
    free(d->fold_of);
    free(d->right);
    free(d->right_unseen);
    free(d->probabilities);
    free(d->part.samples);
    free(d->members);
    for (int n = 0; n < LAST_NETWORKS; n++)
        free(d->joined[n]);
}

mien_status difficulty_run(const train_recipe *recipe, const difficulty_options *options,
                           difficulty_result *result, mien_error *error)
{
    difficulty d = {.recipe = recipe,
                    .options = options,
                    .training = options->training.training,
                    .validation = options->training.validation,
                    .error = error};
    *result = (difficulty_result){0};
    if (mkdir(options->folder, 0777) != 0 && errno != EEXIST)
        return error_set(error, MIEN_IO, "cannot make the folder '%s': %s", options->folder,
                         strerror(errno));
    mien_status status = make_arrays(&d) ? run_all(&d, result)
                                         : error_no_memory(error, "the training set's marks",
                                                           d.training->count * sizeof(int));
    free_arrays(&d);
    return status;
}
