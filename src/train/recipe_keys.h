/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_RECIPE_KEYS_H
#define TRAIN_RECIPE_KEYS_H

/* The keys of a recipe, their ranges and defaults. Private to recipe.c. */

#include "train/recipe.h"

/*
 * Whether there is a key of that name, and it may stand here (a key of the whole run not within a
 * stage). name: of the recipe, for messages. MIEN_MALFORMED.
 */
mien_status recipe_check_key(const char *key, bool in_stage, const char *name, mien_error *error);

/* Fills a stage from all that was said so far. MIEN_MALFORMED with the key. */
mien_status recipe_read_stage(const setting_list *s, const char *name, recipe_stage *stage,
                              mien_error *error);

/* Fills what holds for the whole run; model_settings is r's, freed with recipe_free on failure
 * too. MIEN_MALFORMED, MIEN_OUT_OF_MEMORY. */
mien_status recipe_read_run(const setting_list *s, const char *name, train_recipe *r,
                            mien_error *error);

#endif
