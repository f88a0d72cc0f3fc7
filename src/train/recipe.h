/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

/*
 * Recipes: everything that makes a training run, in one commented text file of lines "key = value"
 * (docs/RECIPES.md). A line "[name]" begins a stage: a stage starts with all that was said before
 * it, and with the weights that the stage before it ended with.
 */

#include "base/settings.h"
#include "data/augment.h"
#include "prep/prep.h"
#include "train/backend.h"
#include "train/optimiser.h"

#define RECIPE_MAX_STAGES 8
#define RECIPE_NAME_SIZE  64

typedef enum recipe_loss { RECIPE_SOFTMAX, RECIPE_FOCAL } recipe_loss;

typedef struct recipe_stage {
    char name[RECIPE_NAME_SIZE];
    int epochs;
    int batch;
    optimiser_settings optimiser;
    schedule schedule; /* total_steps and steps_per_epoch are set by the trainer */
    float clip_norm;   /* 0: off */
    float average;     /* decay of the moving average of the weights, 0: off */
    recipe_loss loss;
    float smoothing; /* of labels, 0..1 */
    float focal_gamma;
    float centre_weight; /* lambda of the centre loss joined to it, 0: off */
    float centre_rate;   /* alpha of the centres */
    bool class_weights;  /* inversely to how often a class occurs */
    float mixup, cutmix; /* alpha of the Beta distribution, 0: off */
    int patience;        /* epochs without a better score before the stage ends; 0: never */
    augment_settings augment;
} recipe_stage;

typedef struct train_recipe {
    char architecture[RECIPE_NAME_SIZE];
    float width_multiplier;
    int height, width; /* 0: the architecture's */
    uint64_t seed;
    train_precision precision;   /* of the products */
    bool fer_plus;               /* labels by the votes of FER+ */
    float norm_momentum;         /* of BatchNormalization's running statistics */
    setting_list model_settings; /* mien.input.* and mien.crop.*: go into the model */
    recipe_stage stages[RECIPE_MAX_STAGES];
    int stage_count;
} train_recipe;

/*
 * Reads a recipe from text; name is what messages call it.
 * Success: *out is the caller's, free with recipe_free. Failure: *out is zeroed; MIEN_MALFORMED
 * with the key (an unknown key is one), MIEN_LIMIT, MIEN_OUT_OF_MEMORY.
 */
mien_status recipe_read(const char *text, size_t size, const char *name, train_recipe *out,
                        mien_error *error);
void recipe_free(train_recipe *r);

#endif
