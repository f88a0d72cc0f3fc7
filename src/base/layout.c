/* SPDX-License-Identifier: Apache-2.0 */
#include "base/layout.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

static int larger_first(const void *a, const void *b)
{
    const layout_item *const *first = a, *const *second = b;
    if ((*first)->bytes != (*second)->bytes)
        return (*first)->bytes > (*second)->bytes ? -1 : 1;
    return *first < *second ? -1 : *first > *second;
}

static bool lifetimes_overlap(const layout_item *a, const layout_item *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest place for order[index] beside those placed before it. */
static size_t find_offset(layout_item *const *order, size_t index)
{
    const layout_item *item = order[index];
    size_t offset = 0;
    bool moved = true;
    while (moved) {
        moved = false;
        for (size_t p = 0; p < index; p++) {
            const layout_item *other = order[p];
            if (lifetimes_overlap(item, other) && offset < other->offset + other->bytes &&
                other->offset < offset + item->bytes) {
                offset = other->offset + other->bytes;
                moved = true;
            }
        }
    }
    return offset;
}

/* Makes sizes multiples of the alignment; false when their sum is more than memory can have. */
static bool align_sizes(layout_item *items, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!size_add(items[i].bytes, MEMORY_ALIGNMENT - 1, &items[i].bytes))
            return false;
        items[i].bytes = items[i].bytes / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
        if (!size_add(sum, items[i].bytes, &sum))
            return false;
    }
    return true;
}

mien_status layout_place(layout_item *items, size_t count, size_t *total, mien_error *error)
{
    *total = 0;
    if (!align_sizes(items, count))
        return error_set(error, MIEN_LIMIT, "%zu tensors are more than memory can have", count);
    layout_item **order = memory_zeroed(count, sizeof *order);
    if (order == NULL)
        return error_no_memory(error, "a layout", count * sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = &items[i];
    qsort(order, count, sizeof *order, larger_first);
    for (size_t i = 0; i < count; i++) {
        order[i]->offset = find_offset(order, i);
        if (order[i]->offset + order[i]->bytes > *total)
            *total = order[i]->offset + order[i]->bytes;
    }
    free(order);
    return MIEN_OK;
}
