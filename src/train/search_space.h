/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_SEARCH_SPACE_H
#define TRAIN_SEARCH_SPACE_H

/*
 * What a hyperparameter search tries: for some keys of a recipe, what their values are drawn from.
 * A text file of lines (docs/RECIPES.md):
 *   KEY = uniform LOW HIGH      evenly
 *   KEY = log LOW HIGH          evenly in the logarithm
 *   KEY = choice A B C          one of these texts
 *   search.trials = 27          and the other settings of the search
 * Immutable once read: thread-safe.
 */

#include "base/settings.h"

#include <stdint.h>

#define SEARCH_MAX_TRIALS 1000

typedef struct search_space {
    setting_list parameters; /* keys of a recipe, and what their values are drawn from */
    int trials;              /* 1..SEARCH_MAX_TRIALS */
    int keep;                /* each round keeps one trial in so many, 2..10 */
    int first_epochs;        /* of a trial in the first round, 1.. */
    uint64_t seed;           /* of the draws */
} search_space;

/*
 * Reads a search from text; name is what messages call it.
 * Success: *out is the caller's, free with search_space_free. Failure: *out is zeroed;
 * MIEN_MALFORMED with the key, MIEN_LIMIT, MIEN_OUT_OF_MEMORY.
 */
mien_status search_space_read(const char *text, size_t size, const char *name, search_space *out,
                              mien_error *error);
void search_space_free(search_space *space);

/*
 * The value of parameter `index` in trial 0..trials-1, as text. Depends on seed, trial and key
 * alone: a longer search begins with the trials of a shorter one.
 */
#define SEARCH_VALUE_SIZE 64
void search_space_draw(const search_space *space, int trial, size_t index,
                       char value[SEARCH_VALUE_SIZE]);

/*
 * The base recipe with the values of a trial: a key that the recipe says gets the value wherever it
 * says it, in all stages; one that it does not say is put before its first line.
 * Success: *text is the caller's, free with free(). MIEN_OUT_OF_MEMORY.
 */
mien_status search_space_recipe(const search_space *space, const char *base, int trial, char **text,
                                mien_error *error);

#endif
