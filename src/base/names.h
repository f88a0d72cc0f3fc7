/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

/*
 * A table from names to non-negative numbers. The names are not copied: they must outlive the
 * table. Starts zeroed. Not thread-safe while it changes.
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct name_table_slot {
    const char *name; /* NULL: empty */
    size_t length;
    int number;
} name_table_slot;

typedef struct name_table {
    name_table_slot *slots;
    size_t slot_count; /* power of two */
    size_t count;
} name_table;

/* The number of a name, or -1. */
int name_table_find(const name_table *table, const char *name, size_t length);

/* Adds a name that is not there yet. false when out of memory. */
bool name_table_add(name_table *table, const char *name, size_t length, int number);

void name_table_free(name_table *table);

#endif
