/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keep.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

void *keep_piece(keep *kept, void *piece)
{
    void *pieces = kept->pieces;
    if (piece == NULL || !memory_grow(&pieces, kept->count, &kept->capacity, sizeof(void *))) {
        free(piece);
        return NULL;
    }
    kept->pieces = pieces;
    kept->pieces[kept->count++] = piece;
    return piece;
}

const char *keep_text(keep *kept, const char *text, size_t most)
{
    size_t length = strnlen(text, most);
    char *copy = malloc(length + 1);
    if (copy != NULL)
        utf8_clean(text, copy, length + 1);
    return keep_piece(kept, copy);
}

void keep_free(keep *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        free(kept->pieces[i]);
    free(kept->pieces);
    *kept = (keep){0};
}
