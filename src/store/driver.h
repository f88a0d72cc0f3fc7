/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

/*
 * What a database must be able to do to be a store. The statements of the store are the same for
 * all; values are always handed over beside them, as $1, $2, ..., first used in this order. All
 * failures name the database: MIEN_IO, MIEN_MALFORMED (damaged), MIEN_LIMIT, MIEN_OUT_OF_MEMORY.
 */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum store_kind {
    STORE_NULL,
    STORE_INTEGER,
    STORE_REAL,
    STORE_TEXT,
    STORE_BYTES,
} store_kind;

typedef struct store_value {
    store_kind kind;
    int64_t integer;
    double real;
    const void *bytes; /* of text and bytes; text has a zero byte behind it */
    size_t size;       /* without that zero byte */
} store_value;

/* Takes a row of an answer; its values last until the call ends. A failure ends the answer. */
typedef mien_status (*store_take_row)(void *context, const store_value *row, size_t count,
                                      mien_error *error);

/* Fills in row number index. */
typedef void (*store_fill_row)(const void *context, size_t index, store_value *row);

typedef struct store_driver {
    /* The words in which databases differ. */
    const char *id_type;      /* of a key that counts by itself */
    const char *bytes_type;   /* of a column of bytes */
    const char *table_end;    /* behind a table that is kept in the order of its key */
    const char *after_tables; /* statements behind the last one that makes tables, "; " first */
    const char *begin_make;   /* begins a transaction that makes tables, one at a time */
    const char *begin_write;  /* begins one that writes */
    const char *begin_read;   /* begins one that sees one state of the data */
    const char *has_tables;   /* an integer: 1 where mien's tables are, else 0 */
    const char *has_others;   /* an integer: tables in the way of mien's */

    /* Failure: *connection is NULL; further MIEN_NOT_FOUND, MIEN_INVALID_ARGUMENT. */
    mien_status (*open)(const char *where, bool create, void **connection, mien_error *error);
    void (*close)(void *connection);
    const char *(*name)(const void *connection);

    /* Before the tables are made, outside of a transaction. May be done twice. */
    mien_status (*prepare)(void *connection, mien_error *error);

    /* Statements without values, ";" between them, whose answers nobody wants. */
    mien_status (*script)(void *connection, const char *sql, mien_error *error);

    /* One statement. take may be NULL; *changed (may be NULL): rows that it changed. */
    mien_status (*run)(void *connection, const char *sql, const store_value *values, size_t count,
                       store_take_row take, void *context, int64_t *changed, mien_error *error);

    /* Adds rows to a table, values for all of its columns in their order. */
    mien_status (*insert)(void *connection, const char *table, size_t columns, size_t rows,
                          store_fill_row fill, const void *context, mien_error *error);

    /* As store_scrub, outside of a transaction. */
    mien_status (*scrub)(void *connection, mien_error *error);
} store_driver;

/* The most columns that a table has, and values that a statement takes. */
#define STORE_MAX_COLUMNS 16

extern const store_driver store_sqlite;
extern const store_driver store_postgres;

/* ---- Values ---- */

static inline store_value store_integer(int64_t integer)
{
    return (store_value){.kind = STORE_INTEGER, .integer = integer};
}

static inline store_value store_real(double real)
{
    return (store_value){.kind = STORE_REAL, .real = real};
}

/* text: not NULL. */
store_value store_text(const char *text);

static inline store_value store_bytes(const void *bytes, size_t size)
{
    return (store_value){.kind = STORE_BYTES, .bytes = bytes, .size = size};
}

#endif
