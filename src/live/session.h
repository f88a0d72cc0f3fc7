/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_SESSION_H
#define LIVE_SESSION_H

/* mien session: what the files of this command, and `mien live --session`, share. */

#include "cli/cli.h"
#include "cli/output.h"
#include "eval/person_time.h"
#include "store/store.h"

/* What a command is asked for. */
typedef struct session_arguments {
    const char *command; /* "mien session list" */
    const char *place;   /* --store, or NULL */
    output_format format;
    bool yes, dry_run, pictures;
    char **names; /* what stands behind the options */
    int count;
} session_arguments;

/* One function per command; exit statuses. The store stays the caller's. */
int session_list(const session_arguments *arguments, store *store);
int session_show(const session_arguments *arguments, store *store);
int session_export(const session_arguments *arguments, store *store);
int session_delete(const session_arguments *arguments, store *store);
int session_prune(const session_arguments *arguments, store *store);
int session_label(const session_arguments *arguments, store *store);

/*
 * Where sessions are kept: as given, else $XDG_DATA_HOME/mien/sessions.db, else
 * ~/.local/share/mien/sessions.db, in the caller's buffer. create: makes the folders of the
 * default. NULL after a message.
 */
const char *session_place(const char *given, bool create, char *buffer, size_t size);

/* Milliseconds since 1970-01-01 00:00 UTC. */
int64_t session_now_ms(void);

/* The number of a session or a person in an argument. EXIT_DONE, or EXIT_USAGE after a message. */
int session_parse_id(const char *command, const char *what, const char *text, int64_t *id);

/* Deletes the sessions whose time has passed; silently, unless it fails. */
void session_prune_expired(store *store);

/* ---- Pictures ---- */

/*
 * The pictures that sessions have saved beside the store. where: store_session.pictures; for "" all
 * functions do nothing.
 */

/* How many of them are there; 0 where that cannot be said. */
size_t session_count_pictures(const char *where);

/* Says how many there are, where, and what becomes of them when the session is deleted: fate, such
 * as "stay". */
void session_tell_pictures(int64_t id, const char *where, const char *fate);

/* Deletes them, with the tables about them, and says so. EXIT_FAILED after a message. */
int session_delete_pictures(int64_t id, const char *where);

/* A line for `mien session show`. */
void session_print_pictures(const char *where);

/* The same as JSON (docs/OUTPUT.md), null where it cannot be said, after a message; the caller's.
 * NULL when out of memory. */
json_t *session_pictures_json(const char *where);

/* ---- Texts ---- */

/* "2026-05-01 08:17:36" in local time; size at least 32. Returns buffer. */
const char *session_time_local(int64_t time_ms, char *buffer, size_t size);

/* The name that somebody gave a person, or "". The record's. */
const char *session_label_of(const store_record *record, int64_t person);

/* Text of a store on a terminal: control characters as '?'. */
void session_print_text(const char *text);

/* A session as a JSON object (docs/OUTPUT.md), the caller's; NULL when out of memory. */
json_t *session_json(const store_session *session);

/* What the people of a session looked like over its time (eval/person_time.h). */
typedef struct session_times {
    person_time *people; /* (count), by number */
    size_t count;
    session_ratios all;
} session_times;

/* Success: the caller frees with session_times_free. Failure: *out is zeroed; MIEN_OUT_OF_MEMORY.
 */
mien_status session_times_of(const timeline *line, session_times *out, mien_error *error);
void session_times_free(session_times *times);

/* Of a person's time seen the share of each class as the largest (0: of all people's); NaN where
 * there is none. The object's. */
const double *session_shares(const session_times *times, int64_t person);

/* A session with people, events and the shares of each expression; as session_json. */
json_t *session_record_json(const store_record *record, const session_times *times);

#endif
