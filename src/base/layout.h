/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LAYOUT_H
#define BASE_LAYOUT_H

/*
 * Places in one block of memory for things that live for a while: those whose lifetimes overlap get
 * places that do not. Greedy by size, largest first, each at the lowest free place (Pisarchyk and
 * Lee 2020, "Efficient Memory Management for Deep Neural Net Inference").
 */

#include <mien/status.h>
#include <stddef.h>

typedef struct layout_item {
    size_t bytes;
    int first, last; /* points in time, both ends included, first <= last */
    size_t offset;   /* found: a multiple of MEMORY_ALIGNMENT */
} layout_item;

/*
 * Fills in the offsets; *total: bytes of the whole block. The result depends on the arguments
 * alone. MIEN_LIMIT (more than memory can have), MIEN_OUT_OF_MEMORY.
 */
mien_status layout_place(layout_item *items, size_t count, size_t *total, mien_error *error);

#endif
