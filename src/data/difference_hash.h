/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_DIFFERENCE_HASH_H
#define DATA_DIFFERENCE_HASH_H

/*
 * Difference hashes (Krawetz 2013, "dHash"): the picture in grey is shrunk to 25x24 pixels, and
 * each bit says whether a pixel is darker than its neighbour on the right. Pictures that look alike
 * differ in few of the 576 bits, whatever their size, brightness and contrast. Pure functions.
 */

#include "data/dataset.h"

#include <stdint.h>

#define DIFFERENCE_HASH_SIDE  24
#define DIFFERENCE_HASH_BITS  (DIFFERENCE_HASH_SIDE * DIFFERENCE_HASH_SIDE)
#define DIFFERENCE_HASH_WORDS (DIFFERENCE_HASH_BITS / 64)

/* Bit 24 y + x, the lowest of a word first: pixel (x, y) is darker than (x + 1, y). */
typedef struct difference_hash {
    uint64_t words[DIFFERENCE_HASH_WORDS];
} difference_hash;

/* MIEN_INVALID_ARGUMENT (not a picture), MIEN_OUT_OF_MEMORY. */
mien_status difference_hash_of(const mien_image *image, difference_hash *hash, mien_error *error);

/* In how many bits two hashes differ, 0..DIFFERENCE_HASH_BITS. */
int difference_hash_distance(const difference_hash *a, const difference_hash *b);

/*
 * Marks the samples of `set` that look like one of `others`: that differ from it in at most
 * most_bits. near: (set->count), the caller's. Time set->count * others->count. Errors of
 * difference_hash_of.
 */
mien_status difference_hash_find(const dataset *set, const dataset *others, int most_bits,
                                 bool *near, mien_error *error);

#endif
