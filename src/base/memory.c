/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

bool size_multiply(size_t a, size_t b, size_t *result)
{
    return !__builtin_mul_overflow(a, b, result);
}

bool size_add(size_t a, size_t b, size_t *result)
{
    return !__builtin_add_overflow(a, b, result);
}

void *memory_zeroed(size_t count, size_t size)
{
    return calloc(count != 0 ? count : 1, size != 0 ? size : 1);
}

void *memory_aligned(size_t bytes)
{
    size_t rounded;
    if (!size_add(bytes, MEMORY_ALIGNMENT - 1, &rounded))
        return NULL;
    rounded -= rounded % MEMORY_ALIGNMENT;
    return aligned_alloc(MEMORY_ALIGNMENT, rounded != 0 ? rounded : MEMORY_ALIGNMENT);
}

char *memory_copy_bytes_as_string(const char *text, size_t length)
{
    size_t size;
    if (!size_add(length, 1, &size))
        return NULL;
    char *copy = malloc(size);
    if (copy == NULL)
        return NULL;
    if (length != 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *memory_copy_string(const char *text)
{
    return memory_copy_bytes_as_string(text, strlen(text));
}

bool memory_grow(void **items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity != 0 ? *capacity : 4;
    size_t bytes;
    if (!size_multiply(wanted, 2, &wanted) || !size_multiply(wanted, item_size, &bytes))
        return false;
    void *grown = realloc(*items, bytes);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}
