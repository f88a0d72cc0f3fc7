/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

/*
 * Named values: what a model file carries in its metadata, or a sidecar file says in lines of
 * "key = value" ('#' begins a comment). Starts zeroed. Not thread-safe while it changes.
 */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct setting_entry {
    char *key;
    char *value;
} setting_entry;

typedef struct setting_list {
    setting_entry *entries;
    size_t count;
    size_t capacity;
} setting_list;

void settings_free(setting_list *s);

/* Sets a key, replacing an older value. MIEN_OUT_OF_MEMORY. */
mien_status settings_set(setting_list *s, const char *key, const char *value, mien_error *error);

/*
 * Takes in the lines of a text. name is what messages call it. MIEN_MALFORMED with the line number
 * when a line is no "key = value"; MIEN_LIMIT over SETTINGS_MAX_ENTRIES.
 */
#define SETTINGS_MAX_ENTRIES 1000
mien_status settings_read(setting_list *s, const char *text, size_t size, const char *name,
                          mien_error *error);

/* The value of a key, or NULL. */
const char *settings_get(const setting_list *s, const char *key);

/*
 * Typed values: *value stays as it is when the key is absent. MIEN_MALFORMED with key and value
 * when the text is not of the type or outside low..high.
 */
mien_status settings_float(const setting_list *s, const char *key, double low, double high,
                           float *value, mien_error *error);
mien_status settings_int(const setting_list *s, const char *key, int low, int high, int *value,
                         mien_error *error);
mien_status settings_bool(const setting_list *s, const char *key, bool *value, mien_error *error);

/* Exactly one number, repeated, or `count` numbers with commas between. */
mien_status settings_floats(const setting_list *s, const char *key, double low, double high,
                            float *values, size_t count, mien_error *error);

/* One of the names: *value is its index. names ends with NULL. */
mien_status settings_choice(const setting_list *s, const char *key, const char *const *names,
                            int *value, mien_error *error);

#endif
