/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

/*
 * Training runs: a recipe and labelled pictures in, a model file out. The run folder holds
 *   recipe.txt      the recipe
 *   log.jsonl       one JSON object per epoch
 *   checkpoint.bin  all that is needed to go on, written atomically after each epoch
 *   best.onnx       the model of the epoch with the best score on the validation set
 *   last.onnx       the model of the last epoch
 * The same recipe, files, data and number of threads give the same weights, bit for bit, whether
 * the run was interrupted or not, and however many threads make the batches.
 */

#include "data/dataset.h"
#include "train/backend.h"
#include "train/recipe.h"

/* Where a run stands; what the callbacks get. */
typedef struct train_progress {
    const char *stage;
    int epoch, epochs;        /* of all stages together, the epoch counted from 1 */
    int64_t step, steps;      /* of the epoch */
    double loss;              /* mean of the epoch so far */
    double rate;              /* learning rate */
    double images_per_second; /* of the epoch so far */
    double seconds_left;      /* of the run, guessed from this epoch's speed */
    double score;             /* validation accuracy, after the epoch; NaN before */
    double validation_loss;
    double best_score; /* so far */
    bool settled;      /* the score is of the model that a stage ends with: BatchNormalization has
                          been settled after the stage's last epoch */
} train_progress;

typedef struct trainer_options {
    const dataset *training, *validation; /* the same classes */
    const char *recipe_text;              /* goes into the run folder and, hashed, into the model */
    const char *folder;
    const train_backend *backend;
    int threads;                 /* that the backend computes with: the result depends on it */
    int workers;                 /* threads that make batches; 0 for 1 */
    const char *initial;         /* ONNX file to begin with; NULL for none */
    const char *const *teachers; /* (teacher_count) ONNX files to distill from */
    size_t teacher_count;
    int64_t seed;   /* instead of the recipe's, when 0 or more */
    bool resume;    /* go on from the folder's checkpoint, where there is one */
    int stop_after; /* stop after so many epochs, for tests of interruption; 0: run to the end */
    void (*step_done)(void *context, const train_progress *progress);  /* may be NULL */
    void (*epoch_done)(void *context, const train_progress *progress); /* may be NULL */
    void (*note)(void *context, const char *text); /* what was taken, made, ...; may be NULL */
    void *context;
} trainer_options;

/*
 * Runs a recipe. MIEN_IO (the folder cannot be written: the last checkpoint stays whole),
 * MIEN_MALFORMED (a checkpoint of another run), MIEN_LIMIT (the loss is no number any more),
 * MIEN_INVALID_ARGUMENT (recipe and options do not go together), and errors of the parts.
 */
mien_status trainer_run(const train_recipe *recipe, const trainer_options *options,
                        mien_error *error);

#endif
