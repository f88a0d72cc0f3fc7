/* SPDX-License-Identifier: Apache-2.0 */

/* A store in a file. A crash of the program loses no transaction, and power that fails only one
 * that was not done (write-ahead log, synced). */

#include "store/driver.h"
#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long to wait for another program: to write, as a slow disk may take seconds to sync a
 * transaction; to scrub, as somebody sits there. */
#define WAIT_MS       30000
#define SCRUB_WAIT_MS 5000

/* More than the longest row that mien writes. */
#define MAX_ROW_BYTES (1 << 20)

typedef struct connection {
    sqlite3 *database;
    char *path;
    int wait_ms; /* for another program */
} connection;

/* ---- Failures ---- */

static mien_status status_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return MIEN_OK;
    case SQLITE_NOMEM:
        return MIEN_OUT_OF_MEMORY;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
        return MIEN_MALFORMED;
    case SQLITE_TOOBIG:
        return MIEN_LIMIT;
    default:
        return MIEN_IO;
    }
}

static mien_status fail(const connection *c, int code, mien_error *error)
{
    mien_status status = status_of(code);
    int system_error = sqlite3_system_errno(c->database);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return error_set(error, status, "'%s': out of memory", c->path);
    case SQLITE_FULL:
        return error_set(error, status, "'%s': the disk is full", c->path);
    case SQLITE_READONLY:
        return error_set(error, status,
                         "'%s': it or its folder is read-only; a store must be writable", c->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(error, status, "'%s': another program has kept it locked for %d s",
                         c->path, c->wait_ms / 1000);
    case SQLITE_NOTADB:
        return error_set(error, status, "'%s' is no SQLite database", c->path);
    case SQLITE_IOERR: /* SQLite forgets the system's reason in some places */
        return error_set(error, status, "'%s': reading or writing failed: %s", c->path,
                         system_error != 0 ? strerror(system_error)
                                           : "the disk is full or damaged");
    case SQLITE_CORRUPT:
        return error_set(error, status, "'%s' is damaged: %s", c->path,
                         sqlite3_errmsg(c->database));
    default:
        return error_set(error, status, "'%s': %s%s%s", c->path, sqlite3_errmsg(c->database),
                         system_error != 0 ? ": " : "",
                         system_error != 0 ? strerror(system_error) : "");
    }
}

static mien_status check(const connection *c, int code, mien_error *error)
{
    return status_of(code) == MIEN_OK ? MIEN_OK : fail(c, code, error);
}

/* ---- Opening ---- */

static void close_connection(void *context)
{
    connection *c = context;
    sqlite3_close(c->database);
    free(c->path);
    free(c);
}

static const char *connection_name(const void *context)
{
    const connection *c = context;
    return c->path;
}

/* SQLite takes some names for other things than files (":memory:"): a path is none of them. */
static char *path_of(const char *where)
{
    size_t size = strlen(where) + sizeof "./";
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, "%s%s", where[0] == ':' ? "./" : "", where);
    return path;
}

/* SQLite would let everybody read it. */
static mien_status make_file(const char *path, bool create, mien_error *error)
{
    if (access(path, F_OK) == 0)
        return MIEN_OK;
    if (!create && errno == ENOENT)
        return error_set(error, MIEN_NOT_FOUND, "there is no store '%s'", path);
    if (!create)
        return error_set(error, MIEN_IO, "cannot open '%s': %s", path, strerror(errno));
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno != EEXIST)
        return error_set(error, MIEN_IO, "cannot make '%s': %s", path, strerror(errno));
    if (file >= 0)
        close(file);
    return MIEN_OK;
}

static mien_status run_script(void *context, const char *sql, mien_error *error)
{
    const connection *c = context;
    return check(c, sqlite3_exec(c->database, sql, NULL, NULL, NULL), error);
}

static void wait_at_most(connection *c, int milliseconds)
{
    c->wait_ms = milliseconds;
    sqlite3_busy_timeout(c->database, milliseconds);
}

/* A database from elsewhere may hold views and triggers that do more than one thinks. */
static mien_status configure(connection *c, mien_error *error)
{
    sqlite3_extended_result_codes(c->database, 1);
    wait_at_most(c, WAIT_MS);
    sqlite3_limit(c->database, SQLITE_LIMIT_LENGTH, MAX_ROW_BYTES);
    sqlite3_db_config(c->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(c->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(c->database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(c->database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return run_script(c,
                      "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                      "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON",
                      error);
}

static mien_status open_connection(const char *where, bool create, void **out, mien_error *error)
{
    *out = NULL;
    if (where[0] == '\0')
        return error_set(error, MIEN_INVALID_ARGUMENT, "the name of the store is empty");
    connection *c = memory_zeroed(1, sizeof *c);
    if (c == NULL || (c->path = path_of(where)) == NULL) {
        free(c);
        return error_no_memory(error, "a store", sizeof *c);
    }
    mien_status status = make_file(c->path, create, error);
    if (status == MIEN_OK)
        status = check(c,
                       sqlite3_open_v2(c->path, &c->database,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL),
                       error);
    if (status == MIEN_OK)
        status = configure(c, error);
    if (status != MIEN_OK) {
        close_connection(c);
        return status;
    }
    *out = c;
    return MIEN_OK;
}

/* This stays with the file. */
static mien_status prepare(void *context, mien_error *error)
{
    return run_script(context, "PRAGMA journal_mode = WAL", error);
}

/* ---- Statements ---- */

static int bind(sqlite3_stmt *statement, int index, const store_value *value)
{
    switch (value->kind) {
    case STORE_INTEGER:
        return sqlite3_bind_int64(statement, index, value->integer);
    case STORE_REAL:
        return sqlite3_bind_double(statement, index, value->real);
    case STORE_TEXT:
        return sqlite3_bind_text64(statement, index, value->bytes, value->size, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case STORE_BYTES:
        return sqlite3_bind_blob64(statement, index, value->bytes, value->size, SQLITE_STATIC);
    case STORE_NULL:
        break;
    }
    return sqlite3_bind_null(statement, index);
}

static int bind_all(sqlite3_stmt *statement, const store_value *values, size_t count)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        code = bind(statement, (int)i + 1, &values[i]);
    return code;
}

/* false when there was no memory for it. */
static bool column(sqlite3_stmt *statement, int index, store_value *value)
{
    *value = (store_value){.kind = STORE_NULL};
    switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER:
        *value = store_integer(sqlite3_column_int64(statement, index));
        return true;
    case SQLITE_FLOAT:
        *value = store_real(sqlite3_column_double(statement, index));
        return true;
    case SQLITE_TEXT:
        *value = (store_value){.kind = STORE_TEXT, .bytes = sqlite3_column_text(statement, index)};
        value->size = (size_t)sqlite3_column_bytes(statement, index);
        return value->bytes != NULL;
    case SQLITE_BLOB:
        *value = store_bytes(sqlite3_column_blob(statement, index), 0);
        value->size = (size_t)sqlite3_column_bytes(statement, index);
        return value->bytes != NULL || value->size == 0;
    default:
        return true;
    }
}

static mien_status take_row(const connection *c, sqlite3_stmt *statement, store_take_row take,
                            void *context, mien_error *error)
{
    store_value row[STORE_MAX_COLUMNS];
    int count = sqlite3_column_count(statement);
    if (take == NULL || count > STORE_MAX_COLUMNS)
        return MIEN_OK;
    for (int i = 0; i < count; i++)
        if (!column(statement, i, &row[i]))
            return fail(c, SQLITE_NOMEM, error);
    return take(context, row, (size_t)count, error);
}

static mien_status run(void *context, const char *sql, const store_value *values, size_t count,
                       store_take_row take, void *take_context, int64_t *changed, mien_error *error)
{
    const connection *c = context;
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(c->database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = bind_all(statement, values, count);
    mien_status status = check(c, code, error);
    while (status == MIEN_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = take_row(c, statement, take, take_context, error);
    if (status == MIEN_OK)
        status = check(c, code, error);
    if (status == MIEN_OK && changed != NULL)
        *changed = sqlite3_changes64(c->database);
    sqlite3_finalize(statement);
    return status;
}

static void write_insert(char *sql, size_t size, const char *table, size_t columns)
{
    int used = snprintf(sql, size, "INSERT INTO %s VALUES (?", table);
    for (size_t i = 1; i < columns; i++)
        used += snprintf(sql + used, size - (size_t)used, ", ?");
    snprintf(sql + used, size - (size_t)used, ")");
}

static mien_status insert(void *context, const char *table, size_t columns, size_t rows,
                          store_fill_row fill, const void *fill_context, mien_error *error)
{
    const connection *c = context;
    char sql[256];
    store_value row[STORE_MAX_COLUMNS];
    sqlite3_stmt *statement;
    write_insert(sql, sizeof sql, table, columns);
    int code = sqlite3_prepare_v2(c->database, sql, -1, &statement, NULL);
    for (size_t i = 0; status_of(code) == MIEN_OK && i < rows; i++) {
        fill(fill_context, i, row);
        code = bind_all(statement, row, columns);
        if (code == SQLITE_OK)
            code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            code = sqlite3_reset(statement);
    }
    mien_status status = check(c, code, error);
    sqlite3_finalize(statement);
    return status;
}

/* ---- Deletion ---- */

/* The first column says whether the log could not be emptied. */
static mien_status take_busy(void *context, const store_value *row, size_t count, mien_error *error)
{
    bool *busy = context;
    (void)error;
    *busy = count > 0 && row[0].integer != 0;
    return MIEN_OK;
}

static mien_status empty_log(void *context, mien_error *error)
{
    bool busy = false;
    mien_status status =
        run(context, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, 0, take_busy, &busy, NULL, error);
    return status == MIEN_OK && busy ? fail(context, SQLITE_BUSY, error) : status;
}

/*
 * Deleted rows are overwritten with zeros (secure_delete), but rows that once moved from page to
 * page leave copies of themselves: so all pages are written anew. They come into the file, and the
 * log becomes empty, when the log is merged.
 */
static mien_status scrub(void *context, mien_error *error)
{
    wait_at_most(context, SCRUB_WAIT_MS);
    mien_status status = run_script(context, "VACUUM", error);
    if (status == MIEN_OK)
        status = empty_log(context, error);
    wait_at_most(context, WAIT_MS);
    return status;
}

const store_driver store_sqlite = {
    .id_type = "INTEGER PRIMARY KEY AUTOINCREMENT",
    .bytes_type = "BLOB",
    .table_end = " WITHOUT ROWID",
    .after_tables = "",
    .begin_make = "BEGIN IMMEDIATE",
    .begin_write = "BEGIN IMMEDIATE",
    .begin_read = "BEGIN",
    .has_tables =
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'mien_schema'",
    .has_others = "SELECT count(*) FROM sqlite_master",
    .open = open_connection,
    .close = close_connection,
    .name = connection_name,
    .prepare = prepare,
    .script = run_script,
    .run = run,
    .insert = insert,
    .scrub = scrub,
};
