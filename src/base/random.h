/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

/*
 * Random numbers that replay: xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64.
 * The same seed and stream give the same numbers on every machine. The state is the caller's.
 */

#include <stdint.h>

typedef struct random_state {
    uint64_t words[4];
} random_state;

/*
 * A generator of its own for each (seed, stream): work that is split among threads takes one stream
 * per item, so that the result does not depend on who does what.
 */
random_state random_start(uint64_t seed, uint64_t stream);

uint64_t random_next(random_state *random);

/* 0..bound-1, without bias; bound at least 1. */
uint64_t random_below(random_state *random, uint64_t bound);

/* Uniform in [0, 1), and in [low, high). */
double random_unit(random_state *random);
double random_between(random_state *random, double low, double high);

/* Standard normal (Box and Muller 1958). */
double random_normal(random_state *random);

#endif
