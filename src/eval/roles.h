/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_ROLES_H
#define EVAL_ROLES_H

/*
 * What the classes of a model stand for when people are looked at over time. Experimental: an
 * apparent expression is not a mood, and what is negative here may be play or effort.
 */

#include <mien/model.h>
#include <stdbool.h>

typedef struct roles {
    int class_count;
    int neutral, happy;              /* a class, or -1 where the model has none */
    bool negative[MIEN_MAX_CLASSES]; /* anger, contempt, disgust, fear, sadness */
} roles;

/*
 * By the names of the classes, whatever their case: "angry" or "anger", "contempt", "disgust" or
 * "disgusted", "fear" or "fearful", "happy" or "happiness", "sad" or "sadness", "neutral". A class
 * of another name has no role. class_names: (class_count), 1..MIEN_MAX_CLASSES.
 */
roles roles_of(const char *const *class_names, int class_count);

/* The class of the largest probability, the first of equals. probabilities: (class_count). */
int roles_top(const roles *r, const float *probabilities);

/*
 * Neutral against the rest: neutral when its probability is at least threshold, else the largest of
 * the others, however small. Without a neutral class, or with no other, roles_top.
 */
int roles_gate(const roles *r, const float *probabilities, double threshold);

/* Valence, -1..1: P(happy) less the sum of the negative ones. */
double roles_valence(const roles *r, const float *probabilities);

/* The sum of the negative ones, 0..1. */
double roles_negative(const roles *r, const float *probabilities);

#endif
