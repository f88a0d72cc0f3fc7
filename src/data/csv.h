/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_CSV_H
#define DATA_CSV_H

/*
 * Comma-separated values, row by row from a stream through one bounded buffer. Rows end with LF or
 * CRLF, the last one may end without; blank rows are passed over; a field may be in double quotes
 * (without line ends inside); blanks around a field and a UTF-8 byte order mark are dropped. The
 * bytes are hostile: no input makes it take more memory than the buffer.
 * A reader belongs to one thread at a time.
 */

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CSV_MAX_FIELDS 64
#define CSV_MAX_LINE   ((size_t)1 << 16) /* bytes; a row of FER-2013 has at most some 9,300 */

/* Part of the reader's buffer, valid until the next row is read. Not zero-terminated. */
typedef struct csv_text {
    const char *text;
    size_t length;
} csv_text;

typedef struct csv_reader {
    FILE *stream;
    const char *name; /* what messages call the stream */
    char *buffer;
    size_t begin, end;     /* the bytes of the buffer that are not read yet */
    bool at_end;           /* the stream has no more than the buffer holds */
    int64_t line_position; /* byte offset of the current row */
    int64_t next_position; /* and of the one after it */
    size_t row;            /* line number of the current row, the header is 1 */
    int column_count;      /* of the header; 0 before it */
    int field_count;       /* of the current row */
    csv_text fields[CSV_MAX_FIELDS];
} csv_reader;

/*
 * Starts to read. stream and name stay the caller's and must outlive the reader.
 * Success: free with csv_close. Failure: nothing to free. MIEN_OUT_OF_MEMORY, MIEN_IO,
 * MIEN_UNSUPPORTED (xz-compressed).
 */
mien_status csv_open(csv_reader *reader, FILE *stream, const char *name, mien_error *error);

/* Frees the buffer; the stream stays open. A zeroed reader is fine. */
void csv_close(csv_reader *reader);

/*
 * Reads the header and finds the wanted columns by name: columns[i] is the index of names[i] in
 * the fields. Further columns are allowed. MIEN_MALFORMED when there is no header, or a wanted
 * column is missing or there twice.
 */
mien_status csv_read_header(csv_reader *reader, const char *const names[], int count, int columns[],
                            mien_error *error);

/*
 * Reads the next row into reader->fields; *more is false at the end. After the header each row has
 * as many fields as the header. MIEN_IO, MIEN_MALFORMED with the row in the message.
 */
mien_status csv_next(csv_reader *reader, bool *more, mien_error *error);

/* Sets MIEN_MALFORMED and "'name', row R, column 'C': ...". column may be NULL. Returns it. */
mien_status csv_fail(const csv_reader *reader, mien_error *error, const char *column,
                     const char *format, ...) BASE_PRINTF_LIKE(4, 5);

bool csv_equals(csv_text text, const char *expected);

/* A decimal number 0..largest without sign; false when the text is anything else. */
bool csv_number(csv_text text, int largest, int *value);

/* The text for a message: cut to 32 characters, odd bytes as '?'. Returns shown. */
#define CSV_SHOWN_SIZE 36
const char *csv_show(csv_text text, char shown[CSV_SHOWN_SIZE]);

#endif
