/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "base/error.h"
#include "base/memory.h"
#include "store/internal.h"
#include "store/schema.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* ---- What the files of this room share ---- */

store_value store_text(const char *text)
{
    return (store_value){.kind = STORE_TEXT, .bytes = text, .size = strlen(text)};
}

mien_status store_script(store *s, const char *sql, mien_error *error)
{
    return s->driver->script(s->connection, sql, error);
}

mien_status store_run(store *s, const char *sql, const store_value *values, size_t count,
                      store_take_row take, void *context, int64_t *changed, mien_error *error)
{
    return s->driver->run(s->connection, sql, values, count, take, context, changed, error);
}

mien_status store_end(store *s, mien_status status, mien_error *error)
{
    if (status == MIEN_OK)
        status = store_script(s, "COMMIT", error);
    if (status != MIEN_OK)
        store_script(s, "ROLLBACK", NULL);
    return status;
}

bool store_row_is(const store_value *row, size_t count, const char *kinds)
{
    static const char letters[] = {[STORE_NULL] = 'n',
                                   [STORE_INTEGER] = 'i',
                                   [STORE_REAL] = 'r',
                                   [STORE_TEXT] = 't',
                                   [STORE_BYTES] = 'b'};
    if (count != strlen(kinds))
        return false;
    for (size_t i = 0; i < count; i++)
        if (letters[row[i].kind] != kinds[i] || (kinds[i] == 'r' && !isfinite(row[i].real)))
            return false;
    return true;
}

mien_status store_malformed(mien_error *error, const char *what)
{
    return error_set(error, MIEN_MALFORMED,
                     "the store is damaged: it holds %s that mien did not "
                     "write",
                     what);
}

mien_status store_session_of_row(const store_value *row, size_t count, keep *kept,
                                 store_session *session, mien_error *error)
{
    if (!store_row_is(row, count, "ittiritttiiiit") || row[0].integer < 1 || row[4].real < 0 ||
        row[9].integer < 0 || row[9].integer > STORE_MAX_DAYS || row[11].integer < 0)
        return store_malformed(error, "a session");
    *session = (store_session){
        .id = row[0].integer,
        .name = keep_text(kept, row[1].bytes, STORE_MAX_NAME),
        .consent = keep_text(kept, row[2].bytes, STORE_MAX_CONSENT),
        .started_ms = row[3].integer,
        .length_s = row[4].real,
        .ended = row[5].integer != 0,
        .source = keep_text(kept, row[6].bytes, STORE_MAX_TEXT),
        .model_name = keep_text(kept, row[7].bytes, STORE_MAX_TEXT),
        .model_sha256 = keep_text(kept, row[8].bytes, STORE_MAX_TEXT),
        .keep_days = (int)row[9].integer,
        .people = row[10].integer,
        .samples = row[11].integer,
        .events = row[12].integer,
        .pictures = keep_text(kept, row[13].bytes, STORE_MAX_TEXT),
    };
    if (session->name == NULL || session->consent == NULL || session->source == NULL ||
        session->model_name == NULL || session->model_sha256 == NULL || session->pictures == NULL)
        return error_no_memory(error, "a session", sizeof *session);
    return MIEN_OK;
}

/* ---- Opening ---- */

static const store_driver *driver_of(const char *where)
{
    bool is_address =
        strncmp(where, "postgresql://", 13) == 0 || strncmp(where, "postgres://", 11) == 0;
    return is_address ? &store_postgres : &store_sqlite;
}

mien_status store_open(const char *where, bool create, store **out, mien_error *error)
{
    *out = NULL;
    store *s = memory_zeroed(1, sizeof *s);
    if (s == NULL)
        return error_no_memory(error, "a store", sizeof *s);
    s->driver = driver_of(where);
    mien_status status = s->driver->open(where, create, &s->connection, error);
    if (status == MIEN_OK)
        status = schema_ensure(s->driver, s->connection, create, error);
    if (status != MIEN_OK) {
        store_close(s);
        return status;
    }
    *out = s;
    return MIEN_OK;
}

void store_close(store *s)
{
    if (s == NULL)
        return;
    if (s->connection != NULL)
        s->driver->close(s->connection);
    free(s);
}

const char *store_name(const store *s)
{
    return s->driver->name(s->connection);
}

/* ---- All sessions ---- */

typedef struct listed {
    store_list list;
    keep kept;
    store_session *sessions;
    size_t capacity;
} listed;

int64_t store_days_left(const store_session *session, int64_t now_ms)
{
    double left =
        (double)session->keep_days - ((double)now_ms - (double)session->started_ms) / DAY_MS;
    return (int64_t)ceil(left);
}

static mien_status take_session(void *context, const store_value *row, size_t count,
                                mien_error *error)
{
    listed *all = context;
    void *sessions = all->sessions;
    if (!memory_grow(&sessions, all->list.count, &all->capacity, sizeof *all->sessions))
        return error_no_memory(error, "the sessions", all->list.count * sizeof *all->sessions);
    all->list.sessions = all->sessions = sessions;
    mien_status status =
        store_session_of_row(row, count, &all->kept, &all->sessions[all->list.count], error);
    if (status == MIEN_OK)
        all->list.count++;
    return status;
}

mien_status store_sessions(store *s, store_list **out, mien_error *error)
{
    *out = NULL;
    listed *all = memory_zeroed(1, sizeof *all);
    if (all == NULL)
        return error_no_memory(error, "the sessions", sizeof *all);
    mien_status status = store_run(s, "SELECT " STORE_SESSION_COLUMNS "ORDER BY id", NULL, 0,
                                   take_session, all, NULL, error);
    if (status != MIEN_OK) {
        store_list_free(&all->list);
        return error_prefix(error, status, "'%s'", store_name(s));
    }
    *out = &all->list;
    return MIEN_OK;
}

void store_list_free(store_list *list)
{
    listed *all = (listed *)list; /* its first member */
    if (all == NULL)
        return;
    keep_free(&all->kept);
    free(all->sessions);
    free(all);
}

/* ---- Pictures ---- */

static mien_status take_pictures(void *context, const store_value *row, size_t count,
                                 mien_error *error)
{
    keep *kept = context;
    if (!store_row_is(row, count, "t"))
        return store_malformed(error, "a place of pictures");
    return keep_text(kept, row[0].bytes, STORE_MAX_TEXT) != NULL
               ? MIEN_OK
               : error_no_memory(error, "a place of pictures", row[0].size);
}

mien_status store_pictures(store *s, int64_t id, char **out, mien_error *error)
{
    keep kept = {0};
    const store_value value = store_integer(id);
    *out = NULL;
    mien_status status = store_run(s,
                                   "SELECT text FROM mien_event WHERE session = $1"
                                   " AND kind = " STORE_PICTURES,
                                   &value, 1, take_pictures, &kept, NULL, error);
    if (status == MIEN_OK)
        *out = memory_copy_string(kept.count > 0 ? kept.pieces[0] : "");
    keep_free(&kept);
    return status == MIEN_OK && *out == NULL ? error_no_memory(error, "a place of pictures", 1)
                                             : status;
}

/* ---- Changing ---- */

mien_status store_label(store *s, int64_t session, int64_t person, const char *label,
                        mien_error *error)
{
    if (strlen(label) > STORE_MAX_NAME)
        return error_set(error, MIEN_LIMIT, "a person's name has %zu bytes, at most %d fit",
                         strlen(label), STORE_MAX_NAME);
    keep kept = {0};
    int64_t changed = 0;
    const char *clean = keep_text(&kept, label, STORE_MAX_NAME);
    if (clean == NULL)
        return error_no_memory(error, "a name", strlen(label));
    const store_value values[] = {store_text(clean), store_integer(session), store_integer(person)};
    mien_status status =
        store_run(s, "UPDATE mien_person SET label = $1 WHERE session = $2 AND id = $3", values, 3,
                  NULL, NULL, &changed, error);
    keep_free(&kept);
    if (status == MIEN_OK && changed == 0)
        return error_set(error, MIEN_NOT_FOUND,
                         "'%s' has no session %" PRId64 " with a person %" PRId64, store_name(s),
                         session, person);
    return status;
}

mien_status store_delete(store *s, int64_t id, mien_error *error)
{
    int64_t changed = 0;
    const store_value value = store_integer(id);
    mien_status status = store_run(s, "DELETE FROM mien_session WHERE id = $1", &value, 1, NULL,
                                   NULL, &changed, error);
    if (status == MIEN_OK && changed == 0)
        return error_set(error, MIEN_NOT_FOUND, "'%s' has no session %" PRId64, store_name(s), id);
    return status;
}

mien_status store_scrub(store *s, mien_error *error)
{
    return s->driver->scrub(s->connection, error);
}
