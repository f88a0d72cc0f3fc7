/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_SESSION_H
#define LIVE_SESSION_H

/* mien session: what the files of this command, and `mien live --session`, share. */

#include "cli/cli.h"
#include "cli/output.h"
#include "store/store.h"

/* What a command is asked for. */
typedef struct session_arguments {
    const char *command; /* "mien session list" */
    const char *place;   /* --store, or NULL */
    output_format format;
    bool yes, dry_run;
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

/* ---- Texts ---- */

/* "2026-05-01T08:17:36Z", or in local time without the T and Z; size at least 32. */
const char *session_time_utc(int64_t time_ms, char *buffer, size_t size);
const char *session_time_local(int64_t time_ms, char *buffer, size_t size);

/* Text of a store on a terminal: control characters as '?'. */
void session_print_text(const char *text);

/* A session as a JSON object (docs/OUTPUT.md), the caller's; NULL when out of memory. */
json_t *session_json(const store_session *session);

/* The same with people, events and the shares of each expression. */
json_t *session_record_json(const store_record *record);

json_t *session_event_json(const store_event *event);

/*
 * Share of each expression among the samples of a person (0: of all), by the largest probability;
 * (class_count) numbers of 0..1.
 */
void session_shares(const timeline *line, int64_t person, double *shares);

/* The class with the largest probability of sample number i. Pure. */
int session_top(const timeline *line, size_t i);

#endif
