/* SPDX-License-Identifier: Apache-2.0 */
#include "base/settings.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void settings_free(setting_list *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->entries[i].key);
        free(s->entries[i].value);
    }
    free(s->entries);
    *s = (setting_list){0};
}

static setting_entry *find(const setting_list *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->entries[i].key, key) == 0)
            return &s->entries[i];
    return NULL;
}

const char *settings_get(const setting_list *s, const char *key)
{
    const setting_entry *entry = find(s, key);
    return entry != NULL ? entry->value : NULL;
}

mien_status settings_set(setting_list *s, const char *key, const char *value, mien_error *error)
{
    if (s->count >= SETTINGS_MAX_ENTRIES)
        return error_set(error, MIEN_LIMIT, "more than %d settings", SETTINGS_MAX_ENTRIES);
    char *value_copy = memory_copy_string(value);
    if (value_copy == NULL)
        return error_no_memory(error, key, strlen(value));
    setting_entry *entry = find(s, key);
    if (entry != NULL) {
        free(entry->value);
        entry->value = value_copy;
        return MIEN_OK;
    }
    char *key_copy = memory_copy_string(key);
    void *entries = s->entries;
    if (key_copy == NULL || !memory_grow(&entries, s->count, &s->capacity, sizeof *s->entries)) {
        free(key_copy);
        free(value_copy);
        return error_no_memory(error, key, strlen(key));
    }
    s->entries = entries;
    s->entries[s->count++] = (setting_entry){key_copy, value_copy};
    return MIEN_OK;
}

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

static mien_status read_line(setting_list *s, char *line, int number, const char *name,
                             mien_error *error)
{
    char *comment = strchr(line, '#');
    if (comment != NULL)
        *comment = '\0';
    char *key = trim(line);
    if (*key == '\0')
        return MIEN_OK;
    char *equals = strchr(key, '=');
    if (equals == NULL || equals == key)
        return error_set(error, MIEN_MALFORMED, "%s, line %d: '%.60s' is not \"key = value\"", name,
                         number, key);
    *equals = '\0';
    return settings_set(s, trim(key), trim(equals + 1), error);
}

mien_status settings_read(setting_list *s, const char *text, size_t size, const char *name,
                          mien_error *error)
{
    if (memchr(text, 0, size) != NULL)
        return error_set(error, MIEN_MALFORMED, "%s is not a text file", name);
    char *copy = memory_copy_bytes_as_string(text, size);
    if (copy == NULL)
        return error_no_memory(error, name, size);
    mien_status status = MIEN_OK;
    int number = 0;
    for (char *line = copy; status == MIEN_OK && line != NULL;) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        status = read_line(s, line, ++number, name, error);
        line = end != NULL ? end + 1 : NULL;
    }
    free(copy);
    return status;
}

static mien_status bad_value(const char *key, const char *value, const char *wanted,
                             mien_error *error)
{
    return error_set(error, MIEN_MALFORMED, "setting %s is '%.60s', not %s", key, value, wanted);
}

/* Reads one number from the front of *text and moves *text behind it. */
static bool take_number(const char **text, double low, double high, double *value)
{
    const char *end;
    if (!number_read(*text, &end, value) || *value < low || *value > high)
        return false;
    while (isspace((unsigned char)*end))
        end++;
    *text = end;
    return true;
}

mien_status settings_floats(const setting_list *s, const char *key, double low, double high,
                            float *values, size_t count, mien_error *error)
{
    const char *text = settings_get(s, key);
    if (text == NULL)
        return MIEN_OK;
    char wanted[80];
    snprintf(wanted, sizeof wanted, "%s%zu in %g to %g", count > 1 ? "one number or " : "", count,
             low, high);
    const char *rest = text;
    size_t found = 0;
    double value = 0;
    for (; found < count; found++) {
        if (found > 0 && *rest == '\0' && found == 1)
            break;
        if (found > 0 && *rest++ != ',')
            return bad_value(key, text, wanted, error);
        if (!take_number(&rest, low, high, &value))
            return bad_value(key, text, wanted, error);
        values[found] = (float)value;
    }
    if (*rest != '\0')
        return bad_value(key, text, wanted, error);
    for (; found < count; found++)
        values[found] = values[0];
    return MIEN_OK;
}

mien_status settings_float(const setting_list *s, const char *key, double low, double high,
                           float *value, mien_error *error)
{
    return settings_floats(s, key, low, high, value, 1, error);
}

mien_status settings_int(const setting_list *s, const char *key, int low, int high, int *value,
                         mien_error *error)
{
    const char *text = settings_get(s, key);
    if (text == NULL)
        return MIEN_OK;
    const char *rest = text;
    double number;
    if (!take_number(&rest, low, high, &number) || *rest != '\0' || number != floor(number)) {
        char wanted[60];
        snprintf(wanted, sizeof wanted, "a whole number in %d to %d", low, high);
        return bad_value(key, text, wanted, error);
    }
    *value = (int)number;
    return MIEN_OK;
}

mien_status settings_choice(const setting_list *s, const char *key, const char *const *names,
                            int *value, mien_error *error)
{
    const char *text = settings_get(s, key);
    if (text == NULL)
        return MIEN_OK;
    char wanted[160] = "one of";
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(text, names[i]) == 0) {
            *value = i;
            return MIEN_OK;
        }
        size_t used = strlen(wanted);
        snprintf(wanted + used, sizeof wanted - used, "%s %s", i > 0 ? "," : "", names[i]);
    }
    return bad_value(key, text, wanted, error);
}

mien_status settings_bool(const setting_list *s, const char *key, bool *value, mien_error *error)
{
    static const char *const names[] = {"no", "yes", NULL};
    int choice = *value;
    mien_status status = settings_choice(s, key, names, &choice, error);
    *value = choice != 0;
    return status;
}
