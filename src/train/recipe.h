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
#include "data/dataset.h"
#include "data/sampler.h"
#include "prep/prep.h"
#include "train/backend.h"
#include "train/optimiser.h"

#define RECIPE_MAX_STAGES 8
#define RECIPE_NAME_SIZE  64
#define RECIPE_LIST_SIZE  256 /* bytes of a list of names, the zero after it too */
#define RECIPE_MAX_HEAD   16
#define RECIPE_FILE       "file" /* the architecture of an ONNX file */

typedef enum recipe_loss { RECIPE_SOFTMAX, RECIPE_FOCAL } recipe_loss;

typedef enum recipe_smote { RECIPE_SMOTE_OFF, RECIPE_SMOTE_PIXELS } recipe_smote;

/* A layer of a new head, in front of the dense layer to the classes. */
typedef enum recipe_layer_kind { RECIPE_DENSE, RECIPE_RELU, RECIPE_DROPOUT } recipe_layer_kind;

typedef struct recipe_layer {
    recipe_layer_kind kind;
    int outputs; /* DENSE: 1..65536 */
    float ratio; /* DROPOUT: 0..0.99 */
} recipe_layer;

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
    float centre_weight;                /* lambda of the centre loss joined to it, 0: off */
    float centre_rate;                  /* alpha of the centres, of the island loss's too */
    float island_weight, island_lambda; /* of the island loss, and of its pairs; weight 0: off */
    float locality_weight;              /* of the locality-preserving loss, 0: off */
    int locality_neighbours;
    float triplet_weight, triplet_margin; /* weight 0: off */
    float tuplet_weight, tuplet_margin;   /* (N+M)-tuplet cluster loss, weight 0: off */
    float distill_weight;                 /* share of the teachers in the loss, 0..1 */
    float distill_temperature;
    sampler_kind sampler;
    bool class_weights;  /* inversely to how often a class occurs */
    float mixup, cutmix; /* alpha of the Beta distribution, 0: off */
    int patience;        /* epochs without a better score before the stage ends; 0: never */
    float sam_rho;       /* sharpness-aware minimisation, 0: off */
    bool quantised;      /* forwards and backwards with the weights in 8 bits */
    int settle;          /* batches that settle BatchNormalization at the end; 0: off */
    char freeze[RECIPE_LIST_SIZE]; /* "nothing", "body", or prefixes with commas between */
    augment_settings augment;
} recipe_stage;

typedef struct train_recipe {
    char architecture[RECIPE_NAME_SIZE]; /* of the zoo, or RECIPE_FILE */
    char features[RECIPE_LIST_SIZE];     /* RECIPE_FILE: the tensor where the head begins */
    recipe_layer head[RECIPE_MAX_HEAD];  /* RECIPE_FILE */
    int head_count;
    float width_multiplier;
    int height, width; /* 0: the architecture's */
    uint64_t seed;
    train_precision precision; /* of the products */
    bool fer_plus;             /* labels by the votes of FER+ */
    int class_count;           /* of those that are picked; 0: all of the data's, in its order */
    char class_names[DATASET_MAX_CLASSES][DATASET_CLASS_NAME_SIZE];
    recipe_smote smote;
    float smote_to; /* size of every class, as a share of the biggest one's */
    int smote_neighbours;
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

/* Whether some loss of the stage looks at the features. */
bool recipe_uses_features(const recipe_stage *stage);

#endif
