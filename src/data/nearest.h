/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_NEAREST_H
#define DATA_NEAREST_H

/* Nearest neighbours among vectors, by looking at all of them. */

#include <stddef.h>

/* |a - b|^2 in double, summed in an order that is fixed by dims. */
double nearest_square_distance(const float *a, const float *b, size_t dims);

/* The nearest so far, nearest first; of equals the one offered first. */
typedef struct nearest_list {
    size_t *index;    /* (most), the caller's */
    double *distance; /* (most), the caller's */
    size_t count, most;
} nearest_list;

void nearest_offer(nearest_list *list, size_t index, double distance);

#endif
