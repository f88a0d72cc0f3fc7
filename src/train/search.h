/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_SEARCH_H
#define TRAIN_SEARCH_H

/*
 * Hyperparameter search: random trials of a recipe, thinned out by successive halving (Jamieson and
 * Talwalkar 2016). All trials train for a few epochs, the best of them go on for `keep` times as
 * many, and so on until the recipe's epochs are reached. A trial keeps its schedule, that of the
 * whole recipe, and is only stopped on the way. Trials are compared by the best accuracy on the
 * validation set so far.
 *
 * The folder of a search holds a run folder for each trial (trial-000, trial-001, ...), and after
 * each trial results.csv and best-recipe.txt. The same search in the same folder goes on where it
 * stood and ends with the same table; a trial that has been trained so far already ends at once.
 */

#include "train/search_space.h"
#include "train/trainer.h"

/* A trial as it stands. */
typedef struct search_trial {
    int trial;
    int epochs;      /* of the last round that it was in */
    double accuracy; /* best so far, 0..1; -1: its loss was no number any more */
} search_trial;

typedef struct search_progress {
    int round, rounds;      /* counted from 1 */
    int position, in_round; /* the trial that has just ended, counted from 1; trials of the round */
    search_trial trial;
    const char *values; /* "key = value, key = value" */
} search_progress;

typedef struct search_options {
    trainer_options training; /* of every trial; recipe_text, folder, stop_after, resume are set
                                 by the search */
    const char *recipe_text;  /* what the trials are made of */
    const char *recipe_name;  /* what messages call it */
    const char *folder;
    void (*trial_done)(void *context, const search_progress *progress); /* may be NULL */
    void *context;
} search_options;

/*
 * Runs a search. *best: the trial that did best among those trained longest. All recipes are read
 * before the first one runs, so that a wrong key or value shows at once. Errors: those of
 * recipe_read and trainer_run, but for a loss that is no number, which only ends its trial;
 * MIEN_MALFORMED too when the folder holds another search.
 */
mien_status search_run(const search_space *space, const search_options *options, search_trial *best,
                       mien_error *error);

#endif
