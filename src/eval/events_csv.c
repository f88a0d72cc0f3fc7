/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "base/number.h"
#include "data/csv.h"
#include "eval/events.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PERSON, EXPRESSION, START, END, COLUMNS };

static const char *const column_names[COLUMNS] = {"person", "expression", "start", "end"};

/* A number of seconds of one field. */
static mien_status read_seconds(const csv_reader *reader, csv_text text, const char *column,
                                double *seconds, mien_error *error)
{
    char digits[64], shown[CSV_SHOWN_SIZE];
    const char *end = digits;
    bool good = text.length > 0 && text.length < sizeof digits;
    if (good) {
        memcpy(digits, text.text, text.length);
        digits[text.length] = '\0';
        good = number_read(digits, &end, seconds) && *end == '\0' && *seconds >= 0;
    }
    if (!good)
        return csv_fail(reader, error, column, "'%s' is no number of seconds",
                        csv_show(text, shown));
    return MIEN_OK;
}

static mien_status read_class(const csv_reader *reader, csv_text text,
                              const char *const *class_names, int class_count, int *class_index,
                              mien_error *error)
{
    char shown[CSV_SHOWN_SIZE];
    for (*class_index = 0; *class_index < class_count; (*class_index)++)
        if (csv_equals(text, class_names[*class_index]))
            return MIEN_OK;
    return csv_fail(reader, error, column_names[EXPRESSION],
                    "the model has no expression '%s'; its first is '%s'", csv_show(text, shown),
                    class_names[0]);
}

static mien_status read_event(const csv_reader *reader, const int columns[COLUMNS],
                              const char *const *class_names, int class_count,
                              expression_event *out, mien_error *error)
{
    csv_text person_text = reader->fields[columns[PERSON]];
    char shown[CSV_SHOWN_SIZE];
    int person = 0;
    *out = (expression_event){.peak = NAN};
    if (person_text.length > 0 && (!csv_number(person_text, INT_MAX, &person) || person == 0))
        return csv_fail(reader, error, column_names[PERSON],
                        "'%s' is no number of a person; leave it empty for anyone",
                        csv_show(person_text, shown));
    out->person = person;
    mien_status status = read_class(reader, reader->fields[columns[EXPRESSION]], class_names,
                                    class_count, &out->class_index, error);
    if (status == MIEN_OK)
        status =
            read_seconds(reader, reader->fields[columns[START]], "start", &out->start_s, error);
    if (status == MIEN_OK)
        status = read_seconds(reader, reader->fields[columns[END]], "end", &out->end_s, error);
    if (status == MIEN_OK && !(out->end_s > out->start_s))
        status = csv_fail(reader, error, column_names[END], "it ends at %g s, not after its start",
                          out->end_s);
    return status;
}

static mien_status read_rows(csv_reader *reader, const int columns[COLUMNS],
                             const char *const *class_names, int class_count,
                             expression_event **events, size_t *count, mien_error *error)
{
    size_t room = 0;
    for (;;) {
        bool more;
        expression_event row;
        mien_status status = csv_next(reader, &more, error);
        if (status != MIEN_OK || !more)
            return status;
        status = read_event(reader, columns, class_names, class_count, &row, error);
        if (status != MIEN_OK)
            return status;
        void *items = *events;
        if (!memory_grow(&items, *count, &room, sizeof row))
            return error_no_memory(error, "annotations", *count * sizeof row);
        *events = items;
        (*events)[(*count)++] = row;
    }
}

mien_status events_read_csv(FILE *stream, const char *name, const char *const *class_names,
                            int class_count, expression_event **events, size_t *count,
                            mien_error *error)
{
    csv_reader reader;
    int columns[COLUMNS];
    *events = NULL;
    *count = 0;
    mien_status status = csv_open(&reader, stream, name, error);
    if (status != MIEN_OK)
        return status;
    status = csv_read_header(&reader, column_names, COLUMNS, columns, error);
    if (status == MIEN_OK)
        status = read_rows(&reader, columns, class_names, class_count, events, count, error);
    csv_close(&reader);
    if (status != MIEN_OK) {
        free(*events);
        *events = NULL;
        *count = 0;
    }
    return status;
}
