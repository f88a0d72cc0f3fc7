/* SPDX-License-Identifier: Apache-2.0 */
#include "live/practice_record.h"

#include "live/when.h"

#include "cli/cli.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "eval/json_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA     "mien.practice/1"
#define MAX_RECORD ((size_t)64 << 20) /* bytes of a record that is read */

enum { SPAN = 5 }; /* attempts that the beginning and the end of progress are means of */

/* ---- Adding ---- */

mien_status practice_record_open(const char *path, FILE **out, mien_error *error)
{
    *out = fopen(path, "a");
    if (*out == NULL)
        return error_set(error, MIEN_IO, "cannot add to the record '%s': %s", path,
                         strerror(errno));
    return MIEN_OK;
}

static double rounded(double value)
{
    return round(value * 1000) / 1000;
}

static char *text_of(const practice_entry *entry)
{
    char when[WHEN_SIZE];
    json_t *object = json_object();
    bool complete = json_object_set_new(object, "schema", json_string(SCHEMA)) == 0;
    complete &= json_object_set_new(object, "time", json_string(when_utc(entry->time, when))) == 0;
    complete &= json_object_set_new(object, "name", json_text_name(entry->name)) == 0;
    complete &= json_object_set_new(object, "expression", json_text_name(entry->expression)) == 0;
    complete &= json_object_set_new(object, "score", json_real(rounded(entry->score))) == 0;
    complete &= json_object_set_new(object, "reached",
                                    entry->reached_s >= 0 ? json_real(rounded(entry->reached_s))
                                                          : json_null()) == 0;
    complete &= json_object_set_new(object, "hold", json_real(entry->hold_s)) == 0;
    return json_text_dump(json_text_finish(object, complete),
                          JSON_COMPACT | JSON_REAL_PRECISION(12));
}

mien_status practice_record_add(FILE *record, const char *path, const practice_entry *entry,
                                mien_error *error)
{
    char *text = text_of(entry);
    if (text == NULL)
        return error_no_memory(error, "an attempt", sizeof *entry);
    bool good = fprintf(record, "%s\n", text) > 0 && fflush(record) == 0;
    int reason = errno;
    free(text);
    return good ? MIEN_OK
                : error_set(error, MIEN_IO, "cannot write to %s: %s", path, strerror(reason));
}

/* ---- Progress ---- */

/* All attempts of one name at one expression. */
typedef struct course {
    char *name, *expression;
    size_t count, room;
    double *scores;
} course;

typedef struct progress {
    course *courses;
    size_t count, room;
} progress;

static void free_progress(progress *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->courses[i].name);
        free(p->courses[i].expression);
        free(p->courses[i].scores);
    }
    free(p->courses);
}

/* NULL when out of memory. */
static course *course_of(progress *p, const char *name, const char *expression)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->courses[i].name, name) == 0 &&
            strcmp(p->courses[i].expression, expression) == 0)
            return &p->courses[i];
    void *courses = p->courses;
    if (!memory_grow(&courses, p->count, &p->room, sizeof *p->courses))
        return NULL;
    p->courses = courses;
    course *added = &p->courses[p->count++];
    *added =
        (course){.name = memory_copy_string(name), .expression = memory_copy_string(expression)};
    return added->name != NULL && added->expression != NULL ? added : NULL;
}

static mien_status add_attempt(progress *p, const json_t *object, mien_error *error)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const char *expression = json_string_value(json_object_get(object, "expression"));
    const json_t *score = json_object_get(object, "score");
    if (name == NULL || expression == NULL || !json_is_number(score))
        return error_set(error, MIEN_MALFORMED, "an attempt needs name, expression and score");
    course *c = course_of(p, name, expression);
    void *scores = c != NULL ? c->scores : NULL;
    if (c == NULL || !memory_grow(&scores, c->count, &c->room, sizeof *c->scores))
        return error_no_memory(error, "a record of practice", sizeof *c->scores);
    c->scores = scores;
    c->scores[c->count++] = json_number_value(score);
    return MIEN_OK;
}

static mien_status read_line(progress *p, const char *text, size_t size, mien_error *error)
{
    json_error_t fault;
    json_t *object = json_loadb(text, size, 0, &fault);
    mien_status status = json_is_object(object)
                             ? add_attempt(p, object, error)
                             : error_set(error, MIEN_MALFORMED, "not a JSON object");
    json_decref(object);
    return status;
}

/* A last line without an end was broken off while it was written, and is passed over. */
static mien_status read_record(const char *path, progress *p, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(path, MAX_RECORD, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    const char *text = (const char *)bytes, *newline;
    for (size_t line = 1; status == MIEN_OK && (newline = strchr(text, '\n')) != NULL; line++) {
        status = read_line(p, text, (size_t)(newline - text), error);
        if (status != MIEN_OK)
            error_prefix(error, status, "%s, line %zu", path, line);
        text = newline + 1;
    }
    free(bytes);
    return status;
}

static double mean(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum / (double)count;
}

static void print_course(const course *c)
{
    size_t span = c->count < SPAN ? c->count : SPAN;
    double first = mean(c->scores, span), last = mean(c->scores + c->count - span, span), best = 0;
    for (size_t i = 0; i < c->count; i++)
        best = fmax(best, c->scores[i]);
    printf("%-16s %-12s %8zu %8.0f %8.0f %+8.0f %8.0f\n", c->name[0] != '\0' ? c->name : "-",
           c->expression, c->count, first, last, last - first, best);
}

int practice_progress(const char *path)
{
    mien_error error;
    progress p = {0};
    mien_status status = read_record(path, &p, &error);
    if (status == MIEN_OK) {
        printf("%-16s %-12s %8s %8s %8s %8s %8s\n", "name", "expression", "attempts", "first",
               "last", "change", "best");
        for (size_t i = 0; i < p.count; i++)
            print_course(&p.courses[i]);
        fprintf(stderr, "mien: first and last are means of up to %d attempts, of 100\n", SPAN);
    }
    free_progress(&p);
    return status == MIEN_OK ? EXIT_DONE : cli_fail(&error);
}
