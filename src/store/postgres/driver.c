/* SPDX-License-Identifier: Apache-2.0 */

/* A store on a PostgreSQL server. A connection that broke off is made anew when the next
 * transaction begins. Values travel in binary: whole numbers and doubles, highest byte first. */

#include "store/driver.h"
#include "base/error.h"
#include "base/memory.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the types that the tables have; PostgreSQL never changes them. */
enum { OID_BYTEA = 17, OID_BIGINT = 20, OID_TEXT = 25, OID_DOUBLE = 701 };

typedef struct connection {
    PGconn *server;
    char *name;
} connection;

/* ---- Failures ---- */

static mien_status status_of(const char *sqlstate)
{
    if (sqlstate == NULL)
        return MIEN_IO;
    if (strcmp(sqlstate, "53200") == 0)
        return MIEN_OUT_OF_MEMORY;
    return strncmp(sqlstate, "XX00", 4) == 0 ? MIEN_MALFORMED : MIEN_IO;
}

/* libpq's messages have several lines. result may be NULL. */
static mien_status fail(const connection *c, const PGresult *result, mien_error *error)
{
    char message[MIEN_ERROR_MESSAGE_SIZE];
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (text == NULL)
        text = PQerrorMessage(c->server);
    snprintf(message, sizeof message, "%s", text);
    for (char *at = message; (at = strchr(at, '\n')) != NULL;)
        *at = at[1] == '\0' ? '\0' : ' ';
    return error_set(error, status_of(PQresultErrorField(result, PG_DIAG_SQLSTATE)), "'%s': %s",
                     c->name != NULL ? c->name : "PostgreSQL",
                     message[0] != '\0' ? message : "out of memory");
}

/* Frees the result. */
static mien_status finish(const connection *c, PGresult *result, mien_error *error)
{
    ExecStatusType kind = PQresultStatus(result);
    bool good = kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK || kind == PGRES_SINGLE_TUPLE;
    mien_status status = good ? MIEN_OK : fail(c, result, error);
    PQclear(result);
    return status;
}

/* ---- Opening ---- */

static void close_connection(void *context)
{
    connection *c = context;
    PQfinish(c->server);
    free(c->name);
    free(c);
}

static const char *connection_name(const void *context)
{
    const connection *c = context;
    return c->name;
}

/* By default notices would go to standard error. */
static void pass_over(void *context, const char *message)
{
    (void)context;
    (void)message;
}

/* libpq's own messages about an address repeat it, with the password. */
static mien_status check_address(const char *where, mien_error *error)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(where, &message);
    PQfreemem(message);
    if (options == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the address of the store is not one that PostgreSQL understands, such as "
                         "postgresql://user@host:5432/database");
    PQconninfoFree(options);
    return MIEN_OK;
}

/* What the address says goes before what stands before it here. A server that does not answer any
 * more is given up after a while. */
static PGconn *connect_to(const char *where)
{
    const char *const keys[] = {"connect_timeout",
                                "tcp_user_timeout",
                                "keepalives_idle",
                                "fallback_application_name",
                                "dbname",
                                "client_encoding",
                                NULL};
    const char *const values[] = {"10", "20000", "20", "mien", where, "UTF8", NULL};
    return PQconnectdbParams(keys, values, 1);
}

static char *name_of(PGconn *server)
{
    const char *host = PQhost(server), *database = PQdb(server);
    size_t size = strlen(host) + strlen(database) + sizeof "postgresql:///";
    char *name = malloc(size);
    if (name != NULL)
        snprintf(name, size, "postgresql://%s/%s", host, database);
    return name;
}

static mien_status open_connection(const char *where, bool create, void **out, mien_error *error)
{
    (void)create; /* a database is made by its administrator; the tables by us */
    *out = NULL;
    mien_status status = check_address(where, error);
    if (status != MIEN_OK)
        return status;
    connection *c = memory_zeroed(1, sizeof *c);
    if (c == NULL)
        return error_no_memory(error, "a store", sizeof *c);
    c->server = connect_to(where);
    if (PQstatus(c->server) != CONNECTION_OK)
        status = fail(c, NULL, error);
    else if ((c->name = name_of(c->server)) == NULL)
        status = error_no_memory(error, "a store", sizeof *c);
    if (status != MIEN_OK) {
        close_connection(c);
        return status;
    }
    PQsetNoticeProcessor(c->server, pass_over, NULL);
    *out = c;
    return MIEN_OK;
}

static mien_status prepare(void *context, mien_error *error)
{
    (void)context;
    (void)error;
    return MIEN_OK;
}

/* ---- Values ---- */

static void write_integer(uint64_t bits, int size, uint8_t *bytes)
{
    for (int i = 0; i < size; i++)
        bytes[i] = (uint8_t)(bits >> (8 * (size - 1 - i)));
}

static uint64_t read_integer(const uint8_t *bytes)
{
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    return bits;
}

/* The bytes of a value: in number (8 bytes) or where they are. */
static const char *encode(const store_value *value, uint8_t *number, int *size)
{
    uint64_t bits = (uint64_t)value->integer;
    if (value->kind == STORE_REAL)
        memcpy(&bits, &value->real, sizeof bits);
    if (value->kind == STORE_TEXT || value->kind == STORE_BYTES) {
        *size = (int)value->size;
        return value->bytes;
    }
    write_integer(bits, 8, number);
    *size = 8;
    return (const char *)number;
}

static Oid type_of(const store_value *value)
{
    switch (value->kind) {
    case STORE_REAL:
        return OID_DOUBLE;
    case STORE_TEXT:
        return OID_TEXT;
    case STORE_BYTES:
        return OID_BYTEA;
    case STORE_INTEGER:
    case STORE_NULL:
        break;
    }
    return OID_BIGINT;
}

static store_value decode(const PGresult *result, int row, int column)
{
    const char *bytes = PQgetvalue(result, row, column);
    size_t size = (size_t)PQgetlength(result, row, column);
    Oid type = PQftype(result, column);
    store_value value = {.kind = STORE_NULL};
    if (PQgetisnull(result, row, column))
        return value;
    if (type == OID_BIGINT && size == 8)
        return store_integer((int64_t)read_integer((const uint8_t *)bytes));
    if (type == OID_DOUBLE && size == 8) {
        uint64_t bits = read_integer((const uint8_t *)bytes);
        value.kind = STORE_REAL;
        memcpy(&value.real, &bits, sizeof bits);
        return value;
    }
    value = store_bytes(bytes, size);
    if (type == OID_TEXT)
        value.kind = STORE_TEXT;
    return value;
}

/* ---- Statements ---- */

static mien_status run_script(void *context, const char *sql, mien_error *error)
{
    const connection *c = context;
    if (strncmp(sql, "BEGIN", 5) == 0 && PQstatus(c->server) != CONNECTION_OK)
        PQreset(c->server);
    return finish(c, PQexec(c->server, sql), error);
}

static bool send(const connection *c, const char *sql, const store_value *values, size_t count)
{
    uint8_t numbers[STORE_MAX_COLUMNS][8];
    const char *bytes[STORE_MAX_COLUMNS];
    int sizes[STORE_MAX_COLUMNS], formats[STORE_MAX_COLUMNS];
    Oid types[STORE_MAX_COLUMNS];
    for (size_t i = 0; i < count; i++) {
        bytes[i] = encode(&values[i], numbers[i], &sizes[i]);
        types[i] = type_of(&values[i]);
        formats[i] = 1;
    }
    return PQsendQueryParams(c->server, sql, (int)count, types, bytes, sizes, formats, 1) == 1 &&
           PQsetSingleRowMode(c->server) == 1;
}

static mien_status take_rows(const PGresult *result, store_take_row take, void *context,
                             mien_error *error)
{
    store_value row[STORE_MAX_COLUMNS];
    int rows = PQntuples(result), columns = PQnfields(result);
    mien_status status = MIEN_OK;
    for (int i = 0; status == MIEN_OK && take != NULL && i < rows; i++) {
        for (int k = 0; k < columns && k < STORE_MAX_COLUMNS; k++)
            row[k] = decode(result, i, k);
        status = take(context, row, (size_t)columns, error);
    }
    return status;
}

static mien_status run(void *context, const char *sql, const store_value *values, size_t count,
                       store_take_row take, void *take_context, int64_t *changed, mien_error *error)
{
    const connection *c = context;
    PGresult *result;
    mien_status status = send(c, sql, values, count) ? MIEN_OK : fail(c, NULL, error);
    while ((result = PQgetResult(c->server)) != NULL) { /* all of them, before the next statement */
        if (status == MIEN_OK)
            status = take_rows(result, take, take_context, error);
        if (changed != NULL)
            *changed = strtoll(PQcmdTuples(result), NULL, 10);
        mien_status end = finish(c, result, status == MIEN_OK ? error : NULL);
        status = status == MIEN_OK ? end : status;
    }
    return status;
}

/* ---- Many rows at once: COPY in its binary format ---- */

static bool put_integer(PGconn *server, int64_t integer, int size)
{
    uint8_t bytes[8];
    write_integer((uint64_t)integer, size, bytes);
    return PQputCopyData(server, (const char *)bytes, size) == 1;
}

static bool put_row(PGconn *server, const store_value *row, size_t columns)
{
    bool good = put_integer(server, (int64_t)columns, 2);
    for (size_t i = 0; good && i < columns; i++) {
        uint8_t number[8];
        int size;
        const char *bytes = encode(&row[i], number, &size);
        good = put_integer(server, size, 4) && PQputCopyData(server, bytes, size) == 1;
    }
    return good;
}

static bool put_rows(PGconn *server, size_t columns, size_t rows, store_fill_row fill,
                     const void *context)
{
    static const char head[19] = "PGCOPY\n\377\r\n"; /* flags and the length of no extension: 0 */
    store_value row[STORE_MAX_COLUMNS];
    bool good = PQputCopyData(server, head, sizeof head) == 1;
    for (size_t i = 0; good && i < rows; i++) {
        fill(context, i, row);
        good = put_row(server, row, columns);
    }
    return good && put_integer(server, -1, 2);
}

static mien_status insert(void *context, const char *table, size_t columns, size_t rows,
                          store_fill_row fill, const void *fill_context, mien_error *error)
{
    const connection *c = context;
    char sql[128];
    if (rows == 0)
        return MIEN_OK;
    snprintf(sql, sizeof sql, "COPY %s FROM STDIN (FORMAT binary)", table);
    PGresult *result = PQexec(c->server, sql);
    if (PQresultStatus(result) != PGRES_COPY_IN)
        return finish(c, result, error);
    PQclear(result);
    bool good = put_rows(c->server, columns, rows, fill, fill_context);
    good &= PQputCopyEnd(c->server, good ? NULL : "the rows could not be sent") == 1;
    mien_status status = good ? MIEN_OK : fail(c, NULL, error);
    while ((result = PQgetResult(c->server)) != NULL) {
        mien_status end = finish(c, result, status == MIEN_OK ? error : NULL);
        status = status == MIEN_OK ? end : status;
    }
    return status;
}

/* ---- Deletion ---- */

/* A full VACUUM writes each table into a new file and removes the old one. */
static mien_status scrub(void *context, mien_error *error)
{
    static const char *const statements[] = {
        "SET lock_timeout = '5s'", "VACUUM FULL mien_sample", "VACUUM FULL mien_event",
        "VACUUM FULL mien_person", "VACUUM FULL mien_class",  "VACUUM FULL mien_session",
    };
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < sizeof statements / sizeof *statements; i++)
        status = run_script(context, statements[i], error);
    run_script(context, "RESET lock_timeout", NULL);
    return status;
}

const store_driver store_postgres = {
    .id_type = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    .bytes_type = "bytea",
    .table_end = "",
    /* Statistics would keep values of rows that are no more. */
    .after_tables =
        "; ALTER TABLE mien_session ALTER name SET STATISTICS 0, ALTER consent SET STATISTICS 0,"
        " ALTER source SET STATISTICS 0"
        "; ALTER TABLE mien_person ALTER label SET STATISTICS 0"
        "; ALTER TABLE mien_event ALTER text SET STATISTICS 0"
        "; ALTER TABLE mien_sample ALTER probabilities SET STATISTICS 0",
    .begin_make = "BEGIN; SELECT pg_advisory_xact_lock(1835623790)",
    .begin_write = "BEGIN",
    .begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    .has_tables = "SELECT count(*) FROM pg_class WHERE relname = 'mien_schema' AND relkind = 'r'"
                  " AND pg_table_is_visible(oid)",
    .has_others = "SELECT count(*) FROM pg_class WHERE relname LIKE 'mien\\_%' AND relkind IN "
                  "('r', 'v', 'm', 'p', 'f') AND relnamespace = "
                  "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())",
    .open = open_connection,
    .close = close_connection,
    .name = connection_name,
    .prepare = prepare,
    .script = run_script,
    .run = run,
    .insert = insert,
    .scrub = scrub,
};
