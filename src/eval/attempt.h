/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_ATTEMPT_H
#define EVAL_ATTEMPT_H

/*
 * Showing an expression on demand: when to show what, and how well it was shown. Pure;
 * experimental: the score says how like the expression a face looks to the network, nothing else.
 */

#include <stddef.h>

enum { ATTEMPT_SAMPLES = 512 };

/*
 * One attempt. Its score: 100 times the largest mean of the wanted expression's probability over
 * any stretch of hold_s seconds (by time, lines drawn between samples). Of a stretch the last 512
 * samples count. Plain data.
 */
typedef struct attempt {
    double hold_s;
    double times_s[ATTEMPT_SAMPLES], values[ATTEMPT_SAMPLES]; /* the stretch, oldest first */
    size_t count;
    double started_s;
    double now;       /* 0..100: the last sample's */
    double score;     /* 0..100; 0 until a stretch was long enough */
    double reached_s; /* from the start, when the score was first at least 50; negative: never */
} attempt;

/* started_s: the time at which the person was asked. */
void attempt_begin(attempt *a, double started_s, double hold_s);

/* A look at the face: the probability of the wanted expression, 0..1. After 0.5 s without one, or a
 * step back in time, the stretch begins anew. */
void attempt_see(attempt *a, double time_s, double probability);

#endif
