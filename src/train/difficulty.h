/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_DIFFICULTY_H
#define TRAIN_DIFFICULTY_H

/*
 * Sample difficulty. The training set is split into K folds, m times; each time K classifiers
 * learn, each from all folds but one: N = K m base classifiers. The ease of a sample is the share
 * of the N that classify it right (after "sample awareness" for apparent expressions: Zhang et al.;
 * ease counted over all N, those that have learned from the sample too, as there; `unseen` counts
 * the m that have not). A threshold splits the set in two: one network learns the easy part, one
 * the difficult part, and a gate, a network of two classes, learns to tell them apart. A picture is
 * then either given to the network that the gate chooses, or to both, weighed by the gate.
 *
 * The folder holds a run folder per network (base-R-F, whole, easy, difficult, gate) and ease.csv;
 * the same run goes on where it stood. All networks are taken as they are after their last epoch.
 */

#include "train/trainer.h"

#define DIFFICULTY_MAX_FOLDS   20
#define DIFFICULTY_MAX_REPEATS 20

typedef struct difficulty_options {
    trainer_options training; /* of every network; recipe_text too. training, validation: the whole
                                 sets; folder, resume, stop_after are set here */
    const char *folder;
    int folds;       /* K, 2..DIFFICULTY_MAX_FOLDS */
    int repeats;     /* m, 1..DIFFICULTY_MAX_REPEATS */
    float threshold; /* samples with an ease below it are difficult, 0..1 */
    void (*network_begins)(void *context, const char *name, int index, int count); /* or NULL */
    void *context;
} difficulty_options;

/* Accuracies on the validation set, 0..1. */
typedef struct difficulty_result {
    size_t easy, difficult; /* training samples of each part */
    double mean_ease, mean_unseen_ease;
    double whole;                           /* one network for all */
    double easy_network, difficult_network; /* alone, on all */
    double gate;            /* of telling easy from difficult, on training samples held out */
    double routed, weighed; /* the two, chosen and weighed by the gate */
} difficulty_result;

/*
 * The fold of each sample, 0..folds-1, for one of the repeats: each class is dealt out evenly, in
 * an order drawn from seed and repeat. fold_of: (set->count), the caller's. MIEN_OUT_OF_MEMORY.
 */
mien_status difficulty_folds(const dataset *set, int folds, int repeat, uint64_t seed, int *fold_of,
                             mien_error *error);

/*
 * The probabilities of the two networks joined by the gate, (n, classes) each; gate (n, 2): easy,
 * difficult. weighed: their mean by the gate; otherwise the one that the gate holds more likely.
 */
void difficulty_join(const float *easy, const float *difficult, const float *gate, size_t n,
                     int classes, bool weighed, float *joined);

/*
 * Runs it all. Errors: those of trainer_run; MIEN_INVALID_ARGUMENT when the threshold leaves a part
 * without enough samples for a batch.
 */
mien_status difficulty_run(const train_recipe *recipe, const difficulty_options *options,
                           difficulty_result *result, mien_error *error);

#endif
