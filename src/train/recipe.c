/* SPDX-License-Identifier: Apache-2.0 */
#include "train/recipe_keys.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line "[name]", a comment may follow: its name in the caller's buffer. */
static bool is_stage_line(const char *line, size_t length, char name[RECIPE_NAME_SIZE])
{
    static const char blanks[] = " \t\r";
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789 ._-";
    char copy[256];
    if (length >= sizeof copy)
        return false;
    snprintf(copy, sizeof copy, "%.*s", (int)length, line);
    const char *start = copy + strspn(copy, blanks);
    if (*start != '[')
        return false;
    size_t letters_in_name = strspn(start + 1, letters);
    const char *end = start + 1 + letters_in_name;
    if (letters_in_name == 0 || letters_in_name >= RECIPE_NAME_SIZE || *end != ']')
        return false;
    end += 1 + strspn(end + 1, blanks);
    snprintf(name, RECIPE_NAME_SIZE, "%.*s", (int)letters_in_name, start + 1);
    return *end == '\0' || *end == '#';
}

/* A recipe as it is read, section by section. */
typedef struct recipe_reader {
    const char *at, *end;
    const char *name;               /* of the recipe, for messages */
    char section[RECIPE_NAME_SIZE]; /* the stage that is read; "": before the first one */
    char next[RECIPE_NAME_SIZE];    /* the stage behind it; "": none */
    setting_list settings;          /* all that was said so far */
} recipe_reader;

/* Moves behind the line of the next stage, or to the end; returns where the section ends. */
static const char *skip_section(recipe_reader *reader)
{
    reader->next[0] = '\0';
    while (reader->at < reader->end) {
        const char *line = reader->at;
        const char *newline = memchr(line, '\n', (size_t)(reader->end - line));
        const char *line_end = newline != NULL ? newline : reader->end;
        reader->at = newline != NULL ? newline + 1 : reader->end;
        if (is_stage_line(line, (size_t)(line_end - line), reader->next))
            return line;
        reader->next[0] = '\0';
    }
    return reader->end;
}

/* Takes in the lines up to the next stage. Lines are counted within the section. */
static mien_status read_section(recipe_reader *reader, mien_error *error)
{
    char name[RECIPE_NAME_SIZE + 300];
    setting_list section = {0};
    const char *start = reader->at, *end = skip_section(reader);
    bool in_stage = reader->section[0] != '\0';
    snprintf(name, sizeof name, in_stage ? "%.256s [%s]" : "%.256s", reader->name, reader->section);
    mien_status status = settings_read(&section, start, (size_t)(end - start), name, error);
    for (size_t i = 0; status == MIEN_OK && i < section.count; i++) {
        const setting_entry *entry = &section.entries[i];
        status = recipe_check_key(entry->key, in_stage, name, error);
        if (status == MIEN_OK)
            status = settings_set(&reader->settings, entry->key, entry->value, error);
    }
    settings_free(&section);
    return status;
}

static mien_status add_stage(const recipe_reader *reader, train_recipe *r, mien_error *error)
{
    if (r->stage_count == RECIPE_MAX_STAGES)
        return error_set(error, MIEN_LIMIT, "%s: more than %d stages", reader->name,
                         RECIPE_MAX_STAGES);
    const char *name = reader->section[0] != '\0' ? reader->section : "training";
    mien_status status =
        recipe_read_stage(&reader->settings, name, &r->stages[r->stage_count], error);
    if (status == MIEN_OK)
        r->stage_count++;
    return status;
}

mien_status recipe_read(const char *text, size_t size, const char *name, train_recipe *out,
                        mien_error *error)
{
    *out = (train_recipe){0};
    recipe_reader reader = {.at = text, .end = text + size, .name = name};
    mien_status status = read_section(&reader, error);
    if (status == MIEN_OK)
        status = recipe_read_run(&reader.settings, name, out, error);
    if (status == MIEN_OK && reader.next[0] == '\0')
        status = add_stage(&reader, out, error);
    while (status == MIEN_OK && reader.next[0] != '\0') {
        memcpy(reader.section, reader.next, sizeof reader.section);
        status = read_section(&reader, error);
        if (status == MIEN_OK)
            status = add_stage(&reader, out, error);
    }
    settings_free(&reader.settings);
    if (status != MIEN_OK)
        recipe_free(out);
    return status;
}

void recipe_free(train_recipe *r)
{
    settings_free(&r->model_settings);
    *r = (train_recipe){0};
}

bool recipe_uses_features(const recipe_stage *stage)
{
    return stage->centre_weight > 0 || stage->island_weight > 0 || stage->locality_weight > 0 ||
           stage->triplet_weight > 0 || stage->tuplet_weight > 0;
}
