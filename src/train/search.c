/* SPDX-License-Identifier: Apache-2.0 */
#include "train/search.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "train/run_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 4096

typedef struct search {
    const search_space *space;
    const search_options *options;
    search_trial *trials; /* (space->trials), the best ones of the last round first */
    int total_epochs;     /* of the recipe */
    int round, rounds;    /* counted from 0 */
    mien_error *error;
} search;

static void path_in(const search *s, char path[PATH_SIZE], const char *name)
{
    snprintf(path, PATH_SIZE, "%s/%s", s->options->folder, name);
}

static void trial_folder(const search *s, int trial, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/trial-%03d", s->options->folder, trial);
}

/* ---- Rounds ---- */

static int epochs_of_round(const search *s, int round)
{
    int64_t epochs = s->space->first_epochs;
    for (; round > 0 && epochs < s->total_epochs; round--)
        epochs *= s->space->keep;
    return epochs < s->total_epochs ? (int)epochs : s->total_epochs;
}

static int trials_of_round(const search *s, int round)
{
    int trials = s->space->trials;
    for (; round > 0; round--)
        trials = (trials + s->space->keep - 1) / s->space->keep;
    return trials;
}

/* Until the recipe's epochs are reached. */
static int count_rounds(const search *s)
{
    int rounds = 1;
    while (epochs_of_round(s, rounds - 1) < s->total_epochs)
        rounds++;
    return rounds;
}

/* Longer trained ones first, then better ones, then earlier ones. */
static int compare_trials(const void *first, const void *second)
{
    const search_trial *a = first, *b = second;
    if (a->epochs != b->epochs)
        return a->epochs > b->epochs ? -1 : 1;
    if (a->accuracy > b->accuracy || a->accuracy < b->accuracy)
        return a->accuracy > b->accuracy ? -1 : 1;
    return a->trial - b->trial;
}

/* ---- Trials ---- */

static mien_status read_trial(const search *s, int trial, char **text, train_recipe *recipe)
{
    char name[256];
    snprintf(name, sizeof name, "%.200s (trial %d)", s->options->recipe_name, trial);
    mien_status status =
        search_space_recipe(s->space, s->options->recipe_text, trial, text, s->error);
    if (status == MIEN_OK)
        status = recipe_read(*text, strlen(*text), name, recipe, s->error);
    if (status != MIEN_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}

static mien_status check_trials(search *s)
{
    mien_status status = MIEN_OK;
    for (int trial = 0; status == MIEN_OK && trial < s->space->trials; trial++) {
        char *text;
        train_recipe recipe;
        status = read_trial(s, trial, &text, &recipe);
        if (status != MIEN_OK)
            break;
        int epochs = 0;
        for (int stage = 0; stage < recipe.stage_count; stage++)
            epochs += recipe.stages[stage].epochs;
        if (trial > 0 && epochs != s->total_epochs)
            status =
                error_set(s->error, MIEN_MALFORMED, "%s: the search changes the number of epochs",
                          s->options->recipe_name);
        s->total_epochs = epochs;
        free(text);
        recipe_free(&recipe);
    }
    return status;
}

static mien_status train_trial(search *s, search_trial *trial, int epochs)
{
    char folder[PATH_SIZE], log[PATH_SIZE + 32], *text;
    train_recipe recipe;
    int logged;
    mien_status status = read_trial(s, trial->trial, &text, &recipe);
    if (status != MIEN_OK)
        return status;
    trial_folder(s, trial->trial, folder);
    snprintf(log, sizeof log, "%s/log.jsonl", folder);
    trainer_options options = s->options->training;
    options.recipe_text = text;
    options.folder = folder;
    options.stop_after = epochs;
    options.resume = true;
    status = trainer_run(&recipe, &options, s->error);
    if (status == MIEN_OK)
        status = run_log_best(log, epochs, &logged, &trial->accuracy, s->error);
    else if (status == MIEN_LIMIT) {
        trial->accuracy = -1;
        status = MIEN_OK;
    }
    trial->epochs = epochs;
    recipe_free(&recipe);
    free(text);
    return status;
}

/* ---- Results ---- */

/* "key = value" for each parameter, joined; the caller frees. NULL when out of memory. */
static char *describe_trial(const search *s, int trial)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < s->space->parameters.count; i++) {
        char value[SEARCH_VALUE_SIZE];
        search_space_draw(s->space, trial, i, value);
        fprintf(out, "%s%s = %s", i > 0 ? ", " : "", s->space->parameters.entries[i].key, value);
    }
    bool failed = ferror(out) != 0;
    if (fclose(out) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

static void write_table(const search *s, FILE *out)
{
    const setting_list *parameters = &s->space->parameters;
    fputs("trial,epochs,accuracy", out);
    for (size_t i = 0; i < parameters->count; i++)
        fprintf(out, ",%s", parameters->entries[i].key);
    for (int t = 0; t < s->space->trials; t++) {
        const search_trial *trial = &s->trials[t];
        fprintf(out, "\n%d,%d,%.6f", trial->trial, trial->epochs, trial->accuracy);
        for (size_t i = 0; i < parameters->count; i++) {
            char value[SEARCH_VALUE_SIZE];
            search_space_draw(s->space, trial->trial, i, value);
            fprintf(out, ",%s", value);
        }
    }
    fputc('\n', out);
}

static mien_status save_table(const search *s)
{
    char path[PATH_SIZE], *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return error_no_memory(s->error, "the results", 0);
    write_table(s, out);
    bool failed = ferror(out) != 0;
    failed = fclose(out) != 0 || failed;
    path_in(s, path, "results.csv");
    mien_status status = failed ? error_no_memory(s->error, "the results", 0)
                                : file_write_atomic(path, text, size, s->error);
    free(text);
    return status;
}

static mien_status save_best(const search *s)
{
    char path[PATH_SIZE], *text;
    mien_status status =
        search_space_recipe(s->space, s->options->recipe_text, s->trials[0].trial, &text, s->error);
    if (status != MIEN_OK)
        return status;
    path_in(s, path, "best-recipe.txt");
    status = file_write_atomic(path, text, strlen(text), s->error);
    free(text);
    return status;
}

static mien_status tell(const search *s, int position, int in_round)
{
    char *values = describe_trial(s, s->trials[position].trial);
    if (values == NULL)
        return error_no_memory(s->error, "the results", 0);
    search_progress progress = {.round = s->round + 1,
                                .rounds = s->rounds,
                                .position = position + 1,
                                .in_round = in_round,
                                .trial = s->trials[position],
                                .values = values};
    if (s->options->trial_done != NULL)
        s->options->trial_done(s->options->context, &progress);
    free(values);
    return MIEN_OK;
}

static mien_status run_round(search *s)
{
    int in_round = trials_of_round(s, s->round), epochs = epochs_of_round(s, s->round);
    mien_status status = MIEN_OK;
    for (int i = 0; status == MIEN_OK && i < in_round; i++) {
        if (s->trials[i].accuracy < 0 && s->round > 0)
            continue;
        status = train_trial(s, &s->trials[i], epochs);
        if (status == MIEN_OK)
            status = tell(s, i, in_round);
    }
    qsort(s->trials, (size_t)s->space->trials, sizeof *s->trials, compare_trials);
    if (status == MIEN_OK)
        status = save_table(s);
    return status == MIEN_OK ? save_best(s) : status;
}

mien_status search_run(const search_space *space, const search_options *options, search_trial *best,
                       mien_error *error)
{
    search s = {.space = space, .options = options, .error = error};
    if (mkdir(options->folder, 0777) != 0 && errno != EEXIST)
        return error_set(error, MIEN_IO, "cannot make the folder '%s': %s", options->folder,
                         strerror(errno));
    s.trials = memory_zeroed((size_t)space->trials, sizeof *s.trials);
    if (s.trials == NULL)
        return error_no_memory(error, "trials", (uint64_t)space->trials * sizeof *s.trials);
    for (int t = 0; t < space->trials; t++)
        s.trials[t].trial = t;
    mien_status status = check_trials(&s);
    s.rounds = count_rounds(&s);
    for (s.round = 0; status == MIEN_OK && s.round < s.rounds; s.round++)
        status = run_round(&s);
    *best = s.trials[0];
    free(s.trials);
    return status;
}
