/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/*
 * Checked sizes and memory. Sizes that come from files are multiplied and added
 * only with the checked functions.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *result = a * b, or false when it does not fit. */
bool size_multiply(size_t a, size_t b, size_t *result);

/* *result = a + b, or false when it does not fit. */
bool size_add(size_t a, size_t b, size_t *result);

/* Zeroed memory for count items of size bytes; NULL when out of memory or when it overflows.
 * Freed with free(). A count of 0 gives a pointer that may be freed. */
void *memory_zeroed(size_t count, size_t size);

/* Memory at a 64-byte boundary, not zeroed, freed with free(); NULL when out of memory. */
void *memory_aligned(size_t bytes);

#define MEMORY_ALIGNMENT 64

/* A copy of a string or of its first length bytes (with a zero byte after), freed with free(). */
char *memory_copy_string(const char *text);
char *memory_copy_bytes_as_string(const char *text, size_t length);

/*
 * Makes room for one more item in a growing array: when count == *capacity, reallocates *items to
 * twice the room. false when out of memory; then *items is unchanged and still the caller's.
 */
bool memory_grow(void **items, size_t count, size_t *capacity, size_t item_size);

#endif
