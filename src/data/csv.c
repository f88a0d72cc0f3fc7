/* SPDX-License-Identifier: Apache-2.0 */
#include "data/csv.h"

#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE   ((size_t)1 << 18)
#define SHOWN_LETTERS 32

_Static_assert(BUFFER_SIZE > CSV_MAX_LINE, "a whole line and its end fit into the buffer");

mien_status csv_fail(const csv_reader *reader, mien_error *error, const char *column,
                     const char *format, ...)
{
    char text[MIEN_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (column == NULL)
        return error_set_at(error, MIEN_MALFORMED, reader->line_position, "'%s', row %zu: %s",
                            reader->name, reader->row, text);
    return error_set_at(error, MIEN_MALFORMED, reader->line_position,
                        "'%s', row %zu, column '%s': %s", reader->name, reader->row, column, text);
}

bool csv_equals(csv_text text, const char *expected)
{
    return text.length == strlen(expected) && memcmp(text.text, expected, text.length) == 0;
}

bool csv_number(csv_text text, int largest, int *value)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return false;
        number = number * 10 + (text.text[i] - '0');
        if (number > largest)
            return false;
    }
    *value = (int)number;
    return text.length != 0;
}

const char *csv_show(csv_text text, char shown[CSV_SHOWN_SIZE])
{
    size_t length = text.length < SHOWN_LETTERS ? text.length : SHOWN_LETTERS;
    for (size_t i = 0; i < length; i++)
        shown[i] = text.text[i] >= ' ' && text.text[i] <= '~' ? text.text[i] : '?';
    strcpy(shown + length, text.length > SHOWN_LETTERS ? "..." : "");
    return shown;
}

/* Moves the unread bytes to the front and fills the rest of the buffer from the stream. */
static mien_status refill(csv_reader *reader, mien_error *error)
{
    size_t unread = reader->end - reader->begin;
    memmove(reader->buffer, reader->buffer + reader->begin, unread);
    reader->begin = 0;
    size_t got = fread(reader->buffer + unread, 1, BUFFER_SIZE - unread, reader->stream);
    int reason = errno;
    reader->end = unread + got;
    if (ferror(reader->stream))
        return error_set(error, MIEN_IO, "cannot read '%s': %s", reader->name, strerror(reason));
    reader->at_end = reader->end < BUFFER_SIZE;
    return MIEN_OK;
}

static bool starts_with(const csv_reader *reader, const char *magic, size_t length)
{
    return reader->end - reader->begin >= length &&
           memcmp(reader->buffer + reader->begin, magic, length) == 0;
}

static mien_status check_start(csv_reader *reader, mien_error *error)
{
    static const char xz_magic[6] = {'\xFD', '7', 'z', 'X', 'Z', '\0'};
    if (starts_with(reader, xz_magic, sizeof xz_magic))
        return error_set_at(error, MIEN_UNSUPPORTED, 0,
                            "'%s' is packed with xz; unpack it first: xz -dc '%s' > fer2013.csv",
                            reader->name, reader->name);
    if (starts_with(reader, "\xEF\xBB\xBF", 3)) {
        reader->begin += 3;
        reader->next_position += 3;
    }
    return MIEN_OK;
}

mien_status csv_open(csv_reader *reader, FILE *stream, const char *name, mien_error *error)
{
    *reader = (csv_reader){.stream = stream, .name = name};
    reader->buffer = malloc(BUFFER_SIZE);
    if (reader->buffer == NULL)
        return error_no_memory(error, name, BUFFER_SIZE);
    mien_status status = refill(reader, error);
    if (status == MIEN_OK)
        status = check_start(reader, error);
    if (status != MIEN_OK)
        csv_close(reader);
    return status;
}

void csv_close(csv_reader *reader)
{
    free(reader->buffer);
    *reader = (csv_reader){0};
}

/* Hands out the first length unread bytes as a line and passes over its end of skip bytes. */
static csv_text take_line(csv_reader *reader, size_t length, size_t skip)
{
    csv_text line = {reader->buffer + reader->begin, length};
    reader->begin += length + skip;
    reader->next_position += (int64_t)(length + skip);
    if (length != 0 && line.text[length - 1] == '\r')
        line.length--;
    return line;
}

/* The next line without its end. *more is false when there is none. */
static mien_status next_line(csv_reader *reader, csv_text *line, bool *more, mien_error *error)
{
    reader->row++;
    reader->line_position = reader->next_position;
    *more = true;
    for (;;) {
        const char *start = reader->buffer + reader->begin;
        size_t unread = reader->end - reader->begin;
        const char *newline = memchr(start, '\n', unread);
        size_t length = newline != NULL ? (size_t)(newline - start) : unread;
        if (length > CSV_MAX_LINE)
            return csv_fail(reader, error, NULL, "the line is longer than %zu bytes", CSV_MAX_LINE);
        if (newline != NULL || reader->at_end) {
            *more = newline != NULL || unread != 0;
            *line = take_line(reader, length, newline != NULL);
            return MIEN_OK;
        }
        mien_status status = refill(reader, error);
        if (status != MIEN_OK)
            return status;
    }
}

static const char *skip_blanks(const char *cursor, const char *end)
{
    while (cursor < end && (*cursor == ' ' || *cursor == '\t'))
        cursor++;
    return cursor;
}

static csv_text without_trailing_blanks(const char *start, const char *end)
{
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (csv_text){start, (size_t)(end - start)};
}

/* The quote that closes a field whose text begins at start, or NULL. "" stands for a quote. */
static const char *closing_quote(const char *start, const char *end)
{
    const char *quote = memchr(start, '"', (size_t)(end - start));
    while (quote != NULL && quote + 1 < end && quote[1] == '"')
        quote = memchr(quote + 2, '"', (size_t)(end - (quote + 2)));
    return quote;
}

/* Reads the field at *cursor and leaves *cursor at the comma after it or at the end. */
static mien_status take_field(csv_reader *reader, const char **cursor, const char *end,
                              mien_error *error)
{
    const char *start = skip_blanks(*cursor, end);
    csv_text *field = &reader->fields[reader->field_count++];
    if (start == end || *start != '"') {
        const char *comma = memchr(start, ',', (size_t)(end - start));
        *cursor = comma != NULL ? comma : end;
        *field = without_trailing_blanks(start, *cursor);
        return MIEN_OK;
    }
    const char *close = closing_quote(start + 1, end);
    if (close == NULL)
        return csv_fail(reader, error, NULL, "the quote before field %d is not closed in this line",
                        reader->field_count);
    *field = without_trailing_blanks(skip_blanks(start + 1, close), close);
    *cursor = skip_blanks(close + 1, end);
    if (*cursor != end && **cursor != ',')
        return csv_fail(reader, error, NULL, "text after the closing quote of field %d",
                        reader->field_count);
    return MIEN_OK;
}

static mien_status split_line(csv_reader *reader, csv_text line, mien_error *error)
{
    const char *cursor = line.text;
    const char *end = line.text + line.length;
    reader->field_count = 0;
    for (;;) {
        if (reader->field_count == CSV_MAX_FIELDS)
            return csv_fail(reader, error, NULL, "more than %d columns", CSV_MAX_FIELDS);
        mien_status status = take_field(reader, &cursor, end, error);
        if (status != MIEN_OK)
            return status;
        if (cursor == end)
            return MIEN_OK;
        cursor++;
    }
}

mien_status csv_next(csv_reader *reader, bool *more, mien_error *error)
{
    csv_text line = {0};
    do {
        mien_status status = next_line(reader, &line, more, error);
        if (status != MIEN_OK || !*more)
            return status;
    } while (skip_blanks(line.text, line.text + line.length) == line.text + line.length);
    if (memchr(line.text, '\0', line.length) != NULL)
        return csv_fail(reader, error, NULL, "a zero byte: this is not a text file");
    mien_status status = split_line(reader, line, error);
    if (status != MIEN_OK)
        return status;
    if (reader->column_count != 0 && reader->field_count != reader->column_count)
        return csv_fail(reader, error, NULL, "%d columns where the header has %d",
                        reader->field_count, reader->column_count);
    return MIEN_OK;
}

static mien_status find_column(const csv_reader *reader, const char *name, int *column,
                               mien_error *error)
{
    *column = -1;
    for (int i = 0; i < reader->field_count; i++) {
        if (!csv_equals(reader->fields[i], name))
            continue;
        if (*column >= 0)
            return csv_fail(reader, error, name, "the header has this column twice");
        *column = i;
    }
    char shown[CSV_SHOWN_SIZE];
    if (*column < 0)
        return csv_fail(reader, error, name,
                        "the header has no such column; it begins with '%s' and has %d",
                        csv_show(reader->fields[0], shown), reader->field_count);
    return MIEN_OK;
}

mien_status csv_read_header(csv_reader *reader, const char *const names[], int count, int columns[],
                            mien_error *error)
{
    bool more;
    mien_status status = csv_next(reader, &more, error);
    if (status != MIEN_OK)
        return status;
    if (!more)
        return error_set(error, MIEN_MALFORMED, "'%s' is empty; a header with '%s' is expected",
                         reader->name, names[0]);
    for (int i = 0; i < count && status == MIEN_OK; i++)
        status = find_column(reader, names[i], &columns[i], error);
    reader->column_count = reader->field_count;
    return status;
}
