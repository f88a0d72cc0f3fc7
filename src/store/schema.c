/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>

#define VERSION 1

/* Samples lie in the order in which they are read. number counts the samples, and the events, of a
 * session from 1; batch is the last one that was written whole. */
static const char tables[] =
    "CREATE TABLE mien_session (id %s, name text NOT NULL, consent text NOT NULL,"
    " started_ms bigint NOT NULL, length_s double precision NOT NULL, ended bigint NOT NULL,"
    " source text NOT NULL, model_name text NOT NULL, model_sha256 text NOT NULL,"
    " keep_days bigint NOT NULL, batch bigint NOT NULL);"
    "CREATE TABLE mien_class (session bigint NOT NULL REFERENCES mien_session ON DELETE CASCADE,"
    " number bigint NOT NULL, name text NOT NULL, PRIMARY KEY (session, number))%s;"
    "CREATE TABLE mien_person (session bigint NOT NULL REFERENCES mien_session ON DELETE CASCADE,"
    " id bigint NOT NULL, label text NOT NULL, first_s double precision NOT NULL,"
    " last_s double precision NOT NULL, samples bigint NOT NULL, PRIMARY KEY (session, id))%s;"
    "CREATE TABLE mien_sample (session bigint NOT NULL REFERENCES mien_session ON DELETE CASCADE,"
    " time_s double precision NOT NULL, number bigint NOT NULL, person bigint NOT NULL,"
    " x double precision NOT NULL, y double precision NOT NULL, width double precision NOT NULL,"
    " height double precision NOT NULL, facing double precision NOT NULL,"
    " probabilities %s NOT NULL, PRIMARY KEY (session, time_s, number))%s;"
    "CREATE TABLE mien_event (session bigint NOT NULL REFERENCES mien_session ON DELETE CASCADE,"
    " time_s double precision NOT NULL, number bigint NOT NULL, length_s double precision NOT NULL,"
    " person bigint NOT NULL, kind text NOT NULL, text text NOT NULL,"
    " PRIMARY KEY (session, time_s, number))%s;"
    "CREATE TABLE mien_schema (version bigint NOT NULL);"
    "INSERT INTO mien_schema VALUES (%d)%s";

mien_status schema_take_integer(void *context, const store_value *row, size_t count,
                                mien_error *error)
{
    if (count != 1 || row[0].kind != STORE_INTEGER)
        return error_set(error, MIEN_MALFORMED, "an answer that is no number");
    *(int64_t *)context = row[0].integer;
    return MIEN_OK;
}

static mien_status ask(const store_driver *driver, void *connection, const char *sql,
                       int64_t *answer, mien_error *error)
{
    *answer = -1;
    return driver->run(connection, sql, NULL, 0, schema_take_integer, answer, NULL, error);
}

static mien_status check_version(const store_driver *driver, void *connection, mien_error *error)
{
    int64_t version;
    mien_status status =
        ask(driver, connection, "SELECT version FROM mien_schema", &version, error);
    if (status == MIEN_MALFORMED)
        return error_prefix(error, status, "'%s': no version of mien's", driver->name(connection));
    if (status != MIEN_OK || version == VERSION)
        return status;
    return error_set(error, MIEN_UNSUPPORTED,
                     "'%s' is a store of version %" PRId64 ", this mien knows version %d: %s",
                     driver->name(connection), version, VERSION,
                     version > VERSION ? "use the newer mien that made it" : "it is damaged");
}

/* Inside of a transaction: another program may have been faster. */
static mien_status make_unless_there(const store_driver *driver, void *connection,
                                     mien_error *error)
{
    char sql[4096];
    int64_t there;
    mien_status status = ask(driver, connection, driver->has_tables, &there, error);
    if (status != MIEN_OK || there != 0)
        return status;
    const char *end = driver->table_end;
    snprintf(sql, sizeof sql, tables, driver->id_type, end, end, driver->bytes_type, end, end,
             VERSION, driver->after_tables);
    return driver->script(connection, sql, error);
}

/* Refuses the tables of other programs. Those of mien are none: another mien may have made them
 * since one last asked, all in one transaction. */
static mien_status check_for_others(const store_driver *driver, void *connection, mien_error *error)
{
    int64_t tables_there, there = 0;
    mien_status status = ask(driver, connection, driver->has_others, &tables_there, error);
    if (status == MIEN_OK && tables_there != 0)
        status = ask(driver, connection, driver->has_tables, &there, error);
    if (status != MIEN_OK || tables_there == 0 || there != 0)
        return status;
    return error_set(error, MIEN_UNSUPPORTED,
                     "'%s' holds the tables of another program; choose another place",
                     driver->name(connection));
}

static mien_status make(const store_driver *driver, void *connection, mien_error *error)
{
    mien_status status = check_for_others(driver, connection, error);
    if (status == MIEN_OK)
        status = driver->prepare(connection, error);
    if (status == MIEN_OK)
        status = driver->script(connection, driver->begin_make, error);
    if (status != MIEN_OK)
        return status;
    status = make_unless_there(driver, connection, error);
    if (status == MIEN_OK)
        status = driver->script(connection, "COMMIT", error);
    if (status != MIEN_OK)
        driver->script(connection, "ROLLBACK", NULL);
    return status;
}

mien_status schema_ensure(const store_driver *driver, void *connection, bool create,
                          mien_error *error)
{
    int64_t there;
    mien_status status = ask(driver, connection, driver->has_tables, &there, error);
    if (status == MIEN_OK && there == 0 && !create)
        return error_set(error, MIEN_NOT_FOUND, "'%s' is no store of sessions",
                         driver->name(connection));
    if (status == MIEN_OK && there == 0)
        status = make(driver, connection, error);
    return status == MIEN_OK ? check_version(driver, connection, error) : status;
}
