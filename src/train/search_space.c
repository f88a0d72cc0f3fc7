/* SPDX-License-Identifier: Apache-2.0 */
#include "train/search_space.h"

#include "base/error.h"
#include "base/number.h"
#include "base/random.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum draw_kind { DRAW_UNIFORM, DRAW_LOG, DRAW_CHOICE } draw_kind;

/* What a value is drawn from. */
typedef struct draw {
    draw_kind kind;
    double low, high;    /* numbers */
    const char *choices; /* texts with blanks between */
    int choice_count;
} draw;

/* ---- Reading ---- */

static int count_words(const char *text)
{
    int count = 0;
    for (bool in_word = false; *text != '\0'; text++) {
        bool blank = isspace((unsigned char)*text) != 0;
        count += !blank && !in_word;
        in_word = !blank;
    }
    return count;
}

/* Copies word `index` of a text; a longer one is cut. */
static void copy_word(const char *text, int index, char word[SEARCH_VALUE_SIZE])
{
    static const char blanks[] = " \t";
    for (text += strspn(text, blanks); index > 0; index--) {
        text += strcspn(text, blanks);
        text += strspn(text, blanks);
    }
    snprintf(word, SEARCH_VALUE_SIZE, "%.*s", (int)strcspn(text, blanks), text);
}

static bool parse_bounds(const char *text, draw *d)
{
    return number_read(text, &text, &d->low) && number_read(text, &text, &d->high) &&
           text[strspn(text, " \t")] == '\0' && d->low <= d->high;
}

static bool parse_draw(const char *text, draw *d)
{
    static const char *const kinds[] = {"uniform ", "log ", "choice "};
    for (int kind = 0; kind < 3; kind++) {
        size_t length = strlen(kinds[kind]);
        if (strncmp(text, kinds[kind], length) != 0)
            continue;
        *d = (draw){.kind = (draw_kind)kind, .choices = text + length};
        d->choice_count = count_words(d->choices);
        if (kind == DRAW_CHOICE)
            return d->choice_count > 0;
        return parse_bounds(d->choices, d) && (kind == DRAW_UNIFORM || d->low > 0);
    }
    return false;
}

static mien_status take_parameter(search_space *space, const setting_entry *entry, const char *name,
                                  mien_error *error)
{
    draw unused;
    if (strncmp(entry->key, "search.", 7) == 0)
        return error_set(error, MIEN_MALFORMED, "%s: there is no setting '%.60s'", name,
                         entry->key);
    if (!parse_draw(entry->value, &unused))
        return error_set(error, MIEN_MALFORMED,
                         "%s: %.60s is '%.60s', not 'uniform LOW HIGH', 'log LOW HIGH' (over 0) or "
                         "'choice A B ...'",
                         name, entry->key, entry->value);
    return settings_set(&space->parameters, entry->key, entry->value, error);
}

mien_status search_space_read(const char *text, size_t size, const char *name, search_space *out,
                              mien_error *error)
{
    static const char *const own_keys[] = {"search.trials", "search.keep", "search.first_epochs",
                                           "search.seed"};
    setting_list all = {0};
    int seed = 1;
    *out = (search_space){.trials = 27, .keep = 3, .first_epochs = 1};
    mien_status status = settings_read(&all, text, size, name, error);
    if (status == MIEN_OK)
        status = settings_int(&all, own_keys[0], 1, SEARCH_MAX_TRIALS, &out->trials, error);
    if (status == MIEN_OK)
        status = settings_int(&all, own_keys[1], 2, 10, &out->keep, error);
    if (status == MIEN_OK)
        status = settings_int(&all, own_keys[2], 1, 100000, &out->first_epochs, error);
    if (status == MIEN_OK)
        status = settings_int(&all, own_keys[3], 0, 2147483647, &seed, error);
    out->seed = (uint64_t)seed;
    for (size_t i = 0; status == MIEN_OK && i < all.count; i++) {
        bool own = false;
        for (size_t k = 0; k < sizeof own_keys / sizeof *own_keys; k++)
            own = own || strcmp(all.entries[i].key, own_keys[k]) == 0;
        if (!own)
            status = take_parameter(out, &all.entries[i], name, error);
    }
    if (status == MIEN_OK && out->parameters.count == 0)
        status = error_set(error, MIEN_MALFORMED, "%s: it names nothing to try", name);
    settings_free(&all);
    if (status != MIEN_OK)
        search_space_free(out);
    return status;
}

void search_space_free(search_space *space)
{
    settings_free(&space->parameters);
    *space = (search_space){0};
}

/* ---- Drawing ---- */

static uint64_t hash_of(const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
    return hash;
}

void search_space_draw(const search_space *space, int trial, size_t index,
                       char value[SEARCH_VALUE_SIZE])
{
    const setting_entry *entry = &space->parameters.entries[index];
    draw d = {0};
    parse_draw(entry->value, &d);
    random_state random = random_start(space->seed ^ hash_of(entry->key), (uint64_t)trial);
    if (d.kind == DRAW_CHOICE)
        copy_word(d.choices, (int)random_below(&random, (uint64_t)d.choice_count), value);
    else if (d.kind == DRAW_LOG)
        snprintf(value, SEARCH_VALUE_SIZE, "%.4g",
                 exp(random_between(&random, log(d.low), log(d.high))));
    else
        snprintf(value, SEARCH_VALUE_SIZE, "%.4g", random_between(&random, d.low, d.high));
}

/* ---- Recipes ---- */

/* Whether a line says `key`: blanks, the key, blanks, '='. */
static bool says(const char *line, const char *key)
{
    static const char blanks[] = " \t";
    size_t length = strlen(key);
    line += strspn(line, blanks);
    if (strncmp(line, key, length) != 0)
        return false;
    line += length;
    return line[strspn(line, blanks)] == '=';
}

static const char *line_after(const char *line)
{
    const char *newline = strchr(line, '\n');
    return newline != NULL ? newline + 1 : line + strlen(line);
}

static bool recipe_says(const char *recipe, const char *key)
{
    for (const char *line = recipe; *line != '\0'; line = line_after(line))
        if (says(line, key))
            return true;
    return false;
}

/* The parameter that a line says, or -1. */
static int parameter_of(const search_space *space, const char *line)
{
    for (size_t i = 0; i < space->parameters.count; i++)
        if (says(line, space->parameters.entries[i].key))
            return (int)i;
    return -1;
}

static void write_parameter(const search_space *space, int trial, size_t index, FILE *out)
{
    char value[SEARCH_VALUE_SIZE];
    search_space_draw(space, trial, index, value);
    fprintf(out, "%s = %s\n", space->parameters.entries[index].key, value);
}

mien_status search_space_recipe(const search_space *space, const char *base, int trial, char **text,
                                mien_error *error)
{
    size_t size;
    *text = NULL;
    FILE *out = open_memstream(text, &size);
    if (out == NULL)
        return error_no_memory(error, "a recipe", strlen(base));
    for (size_t i = 0; i < space->parameters.count; i++)
        if (!recipe_says(base, space->parameters.entries[i].key))
            write_parameter(space, trial, i, out);
    for (const char *line = base; *line != '\0'; line = line_after(line)) {
        int parameter = parameter_of(space, line);
        if (parameter >= 0)
            write_parameter(space, trial, (size_t)parameter, out);
        else
            fwrite(line, 1, (size_t)(line_after(line) - line), out);
    }
    bool failed = ferror(out) != 0;
    failed = fclose(out) != 0 || failed;
    if (!failed)
        return MIEN_OK;
    free(*text);
    *text = NULL;
    return error_no_memory(error, "a recipe", strlen(base));
}
