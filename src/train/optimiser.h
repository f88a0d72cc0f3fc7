/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_OPTIMISER_H
#define TRAIN_OPTIMISER_H

/*
 * Optimisers, element by element, on float32 arrays. The state belongs to the caller's object.
 */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum optimiser_kind { OPTIMISER_SGD, OPTIMISER_ADAM, OPTIMISER_ADAMW } optimiser_kind;

typedef struct optimiser_settings {
    optimiser_kind kind;
    float momentum;     /* SGD */
    bool nesterov;      /* SGD */
    float beta1, beta2; /* Adam */
    float epsilon;      /* Adam */
    float weight_decay; /* SGD, Adam: added to the gradient; AdamW: decoupled (Loshchilov 2019) */
} optimiser_settings;

/*
 * SGD: Nesterov momentum 0.9, no weight decay. Adam and AdamW: 0.9, 0.999 and 1e-8, with weight
 * decay 0 and 0.01.
 */
optimiser_settings optimiser_defaults(optimiser_kind kind);

/* Number of state arrays per parameter: SGD 1 (0 without momentum), Adam and AdamW 2. */
int optimiser_state_arrays(const optimiser_settings *settings);

/*
 * One update of `count` numbers, as PyTorch defines it. state: (state_arrays * count), zeros before
 * the first step. step: 1 for the first. decays: whether weight decay applies to this parameter.
 */
void optimiser_update(const optimiser_settings *settings, float rate, int64_t step, bool decays,
                      float *values, const float *gradients, float *state, size_t count);

/*
 * The L2 norm over several arrays, and scaling them so that it is at most max_norm. The sum is in
 * double and in a fixed order. A norm that is no number changes nothing.
 */
double optimiser_norm(const float *const *gradients, const size_t *counts, size_t arrays);
void optimiser_clip(float *const *gradients, const size_t *counts, size_t arrays, double norm,
                    double max_norm);

/* average = decay * average + (1 - decay) * values */
void optimiser_average(float *average, const float *values, size_t count, float decay);

/*
 * SAM (Foret et al. 2021): values += rho * gradients / norm; the caller computes gradients there,
 * restores the values and updates. A norm of 0 changes nothing.
 */
void optimiser_ascend(float *values, const float *gradients, size_t count, double norm, float rho);

/*
 * Weights as 8-bit numbers will have them, still as floats: each of the outputs' rows of `inner`
 * numbers goes to the nearest 127ths of its largest (Jacob et al. 2018), as in nn_quantize.
 */
void optimiser_quantise(float *values, size_t outputs, size_t inner);

/* ---- Schedules: the learning rate for a step ---- */

typedef enum schedule_kind {
    SCHEDULE_CONSTANT,
    SCHEDULE_STEP,     /* times gamma every `step_epochs` epochs */
    SCHEDULE_COSINE,   /* from rate to final_rate over all steps, after the warm-up */
    SCHEDULE_ONECYCLE, /* up to rate over the first share `warmup`, cosine both ways (Smith 2018) */
    SCHEDULE_PLATEAU   /* times gamma when the score has not improved for `patience` epochs */
} schedule_kind;

typedef struct schedule {
    schedule_kind kind;
    float rate; /* highest */
    float final_rate;
    float warmup; /* share of all steps, 0..1: linear from 0 (1-cycle: cosine from rate / 25) */
    float gamma;
    int step_epochs;
    int patience; /* epochs */
    int64_t total_steps, steps_per_epoch;
    /* plateau's state */
    float plateau_factor; /* starts at 1 */
    double best_score;    /* starts at -INFINITY */
    int waited;
} schedule;

/* The rate for step 0..total_steps-1. */
float schedule_rate(const schedule *s, int64_t step);

/* Tells the schedule the score of an epoch, larger is better (only PLATEAU listens). */
void schedule_epoch_done(schedule *s, double score);

#endif
