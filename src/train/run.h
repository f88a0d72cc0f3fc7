/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

/*
 * A training run from the inside: what trainer.c, which is its course, shares with run_model.c (the
 * network and its file), run_stage.c (what a stage begins and ends with), run_loss.c and
 * run_learn.c (one update), run_score.c (validation, settling) and run_checkpoint.c. Private to
 * them. Functions report to run->error.
 */

#include "train/batches.h"
#include "train/learner.h"
#include "train/loss.h"
#include "train/trainer.h"

#include <time.h>

/* Outputs of the network that are trained. */
enum { RUN_LOGITS, RUN_FEATURES, RUN_OUTPUTS };

/* Numbers that a checkpoint keeps beside the arrays. */
typedef struct run_state {
    int64_t stage;       /* that runs */
    int64_t stage_epoch; /* epochs done in it */
    int64_t epoch;       /* epochs done in all */
    int64_t step;        /* updates done in this stage */
    int64_t waited;      /* epochs without a better score */
    int64_t log_lines;
    int64_t settled; /* 1: the stage's end has been settled */
    double best_score;
    double last_loss; /* of the last epoch */
    schedule schedule;
} run_state;

/* A file that the run reads, held in memory. */
typedef struct run_file {
    uint8_t *bytes;
    size_t size;
} run_file;

typedef struct run {
    const train_recipe *recipe;
    const trainer_options *options;
    uint64_t seed, identity;
    run_file initial;
    run_file *teachers; /* (options->teacher_count) */
    dataset training; /* what is learned from; its samples belong to others, the list is its own */
    dataset synthetic;
    nn_graph graph;  /* for saving; it has weights while it is written */
    int body;        /* value of the graph where the head begins */
    nn_model *model; /* the same, as the network learns it */
    prep_settings prep;
    train_device *device;
    train_network *network;
    train_learner *learner;
    loss_centres centres;
    double *tuplet_centre; /* (dims), scratch */
    float *class_weights;  /* (classes) or NULL */
    prep_scratch scratch;
    run_state state;
    double epoch_loss;
    struct timespec epoch_start;
    mien_error *error;
} run;

static inline const recipe_stage *run_stage(const run *r)
{
    return &r->recipe->stages[r->state.stage];
}

static inline const train_tape *run_tape(const run *r)
{
    return train_network_tape(r->network);
}

static inline int run_classes(const run *r)
{
    return r->training.class_count;
}

/* ---- run.c ---- */

/* "<folder of the run>/<name>" */
#define RUN_PATH_SIZE 4096
void run_path(const run *r, const char *name, char path[RUN_PATH_SIZE]);

/* Tells the user. */
void run_note(const run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- run_model.c ---- */

/* Reads the files that the options name. */
mien_status run_read_files(run *r);

/* Builds graph, model and preparation. */
mien_status run_build_model(run *r);

/* The network's parameters as they are now, as an ONNX file in the run folder. */
mien_status run_save_model(run *r, const char *name);

/* ---- run_stage.c ---- */

/* Opens the stage's network, with the weights of the one before, and what it learns with. */
mien_status run_begin_stage(run *r);

/* The teachers of a stage: NULL where it has none. The caller frees them. */
mien_status run_open_teachers(run *r, const recipe_stage *stage, train_teachers **teachers);

/* Settings of the stage's batches; what they point at is the run's. */
batch_settings run_batches(const run *r);

/* ---- run_loss.c ---- */

/* The loss of a batch that has gone forwards; its gradients lie at the network's outputs. */
double run_loss(run *r, const train_batch *batch);

/* Moves the centres of the classes by the features that the network has now. */
void run_move_centres(run *r, const train_batch *batch);

/* ---- run_learn.c ---- */

/*
 * Where the stage has its weights in 8 bits: the network gets them so, and back. What is learned is
 * the float weights, by the gradients at the others (Bengio et al. 2013, "straight-through").
 */
void run_quantise(run *r);
void run_restore(run *r);

/* One update. step: of the epoch, for messages. */
mien_status run_learn(run *r, const train_batch *batch, int64_t step);

/* ---- run_score.c ---- */

/* Accuracy and mean cross-entropy of the network as it is. */
mien_status run_score(run *r, double *score, double *loss);

/*
 * Computes the statistics of BatchNormalization anew: the means over stage->settle batches. Those
 * that are frozen stay.
 */
mien_status run_settle(run *r);

/* ---- run_checkpoint.c ---- */

/* The hash of all that decides a run's outcome. */
uint64_t run_identify(const run *r);
mien_status run_save_checkpoint(run *r);

/* Goes on from the folder's checkpoint. *loaded false: there is none, or it is not wanted. */
mien_status run_load_checkpoint(run *r, bool *loaded);

#endif
