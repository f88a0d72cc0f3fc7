/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

/* What the files of this room share. */

#include "store/driver.h"
#include "store/keep.h"
#include "store/store.h"

struct store {
    const store_driver *driver;
    void *connection;
};

/* Failures as of the driver. */
mien_status store_script(store *store, const char *sql, mien_error *error);
mien_status store_run(store *store, const char *sql, const store_value *values, size_t count,
                      store_take_row take, void *context, int64_t *changed, mien_error *error);

/* Ends a transaction: keeps what it did, or undoes it when status is a failure. Returns status, or
 * the failure to keep it. */
mien_status store_end(store *store, mien_status status, mien_error *error);

/* Whether a row has columns of these kinds: i integer, r real and finite, t text, b bytes. */
bool store_row_is(const store_value *row, size_t count, const char *kinds);

/* MIEN_MALFORMED: the store holds something that mien did not write. */
mien_status store_malformed(mien_error *error, const char *what);

/* The kind of the event that says where a session's pictures lie; nobody sees it as an event. Its
 * number is 0, the first of the others has 1. */
#define STORE_PICTURES "'pictures'"

/* The columns of a session, for store_session_of_row; what follows is "FROM mien_session" on. */
#define STORE_SESSION_COLUMNS                                                                      \
    "id, name, consent, started_ms, length_s, ended, source, model_name, model_sha256, keep_days," \
    " (SELECT count(*) FROM mien_person p WHERE p.session = s.id),"                                \
    " (SELECT CAST(coalesce(sum(p.samples), 0) AS bigint) FROM mien_person p"                      \
    "  WHERE p.session = s.id),"                                                                   \
    " (SELECT count(*) FROM mien_event e WHERE e.session = s.id AND e.kind <> " STORE_PICTURES     \
    "), (SELECT coalesce(max(e.text), '') FROM mien_event e WHERE e.session = s.id"                \
    "  AND e.kind = " STORE_PICTURES ") FROM mien_session s "

/* Its texts are kept. MIEN_MALFORMED, MIEN_OUT_OF_MEMORY. */
mien_status store_session_of_row(const store_value *row, size_t count, keep *kept,
                                 store_session *session, mien_error *error);

#endif
