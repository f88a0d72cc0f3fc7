/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_KEEP_H
#define STORE_KEEP_H

/* Many small pieces of memory that are freed together. Starts zeroed. */

#include <stddef.h>

typedef struct keep {
    void **pieces;
    size_t count, capacity;
} keep;

/* Takes over a piece of memory; NULL when it is NULL or memory is out, and then it is freed. */
void *keep_piece(keep *kept, void *piece);

/*
 * A kept copy of a text: at most most bytes, whole characters, what is not UTF-8 as '?'. NULL when
 * out of memory.
 */
const char *keep_text(keep *kept, const char *text, size_t most);

void keep_free(keep *kept);

#endif
