/* SPDX-License-Identifier: Apache-2.0 */
#include "base/names.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *name, size_t length)
{
    uint64_t value = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)name[i]) * UINT64_C(1099511628211);
    return value;
}

/* The slot of the name, or the empty one where it would go. The table has an empty slot. */
static name_table_slot *find_slot(name_table_slot *slots, size_t slot_count, const char *name,
                                  size_t length)
{
    size_t i = (size_t)hash(name, length) & (slot_count - 1);
    while (slots[i].name != NULL &&
           (slots[i].length != length || memcmp(slots[i].name, name, length) != 0))
        i = (i + 1) & (slot_count - 1);
    return &slots[i];
}

int name_table_find(const name_table *table, const char *name, size_t length)
{
    if (table->slot_count == 0)
        return -1;
    const name_table_slot *slot = find_slot(table->slots, table->slot_count, name, length);
    return slot->name != NULL ? slot->number : -1;
}

static bool grow(name_table *table)
{
    size_t wanted = table->slot_count != 0 ? table->slot_count * 2 : 64;
    name_table_slot *slots = memory_zeroed(wanted, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < table->slot_count; i++) {
        const name_table_slot *old = &table->slots[i];
        if (old->name != NULL)
            *find_slot(slots, wanted, old->name, old->length) = *old;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = wanted;
    return true;
}

bool name_table_add(name_table *table, const char *name, size_t length, int number)
{
    if (table->count * 2 >= table->slot_count && !grow(table))
        return false;
    name_table_slot *slot = find_slot(table->slots, table->slot_count, name, length);
    *slot = (name_table_slot){name, length, number};
    table->count++;
    return true;
}

void name_table_free(name_table *table)
{
    free(table->slots);
    *table = (name_table){0};
}
