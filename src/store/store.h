/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

/*
 * Sessions that are kept: what was seen of people over time, with who agreed to it and for how long
 * it stays. In a file (SQLite) or on a server (PostgreSQL); no picture ever goes in. A store is for
 * one thread at a time. Messages name the store, never the password of its address.
 */

#include "eval/timeline.h"

#include <mien/status.h>
#include <stdbool.h>

/* Bytes of UTF-8. Other bytes become '?'. */
#define STORE_MAX_NAME    200
#define STORE_MAX_CONSENT 65536
#define STORE_MAX_TEXT    4096 /* of everything else, which is cut off there */
#define STORE_MAX_DAYS    36500

typedef struct store store;

/*
 * Opens a store. where: a file name, or an address such as "postgresql://user@host/database".
 * create: makes the file (readable by its owner alone) or the tables where there are none.
 * Success: *out is the caller's, free with store_close.
 * Failure: *out is NULL. MIEN_NOT_FOUND (there is no store, and create is false), MIEN_IO (no
 * right, no connection, another program has kept it locked for 30 s), MIEN_MALFORMED (no database,
 * or a damaged one), MIEN_UNSUPPORTED (tables of another program or of a newer mien),
 * MIEN_INVALID_ARGUMENT (an empty name, an address that is none), MIEN_OUT_OF_MEMORY.
 */
mien_status store_open(const char *where, bool create, store **out, mien_error *error);

/* NULL is fine. */
void store_close(store *store);

/* How messages call it: the file, or "postgresql://HOST/DATABASE". The store's. */
const char *store_name(const store *store);

/* ---- What a session is ---- */

typedef struct store_session {
    int64_t id;               /* from 1; a store never gives it twice */
    const char *name;         /* 1..STORE_MAX_NAME bytes; others may have the same */
    const char *consent;      /* who agreed to what: 1..STORE_MAX_CONSENT bytes */
    int64_t started_ms;       /* milliseconds since 1970-01-01 00:00 UTC */
    double length_s;          /* seconds, at least 0 */
    bool ended;               /* false: it is being written, or broke off */
    const char *source;       /* as the user named it; a password in an address is left out */
    const char *model_name;   /* file name of the model */
    const char *model_sha256; /* 64 hexadecimal digits, or "" */
    int class_count;          /* 1..MIEN_MAX_CLASSES */
    const char *const *class_names;
    int keep_days; /* from its start, 1..STORE_MAX_DAYS; 0: until somebody deletes it */
    /* Where its face pictures lie, which are not in the store: absolute, whole UTF-8, at most
     * STORE_MAX_TEXT bytes. "": it saved none; so does NULL when it is written. */
    const char *pictures;
    int64_t people, samples, events; /* how many there are */
} store_session;

/* Whole days that are left at now_ms, rounded up; 0 or less: its time has passed. Only for sessions
 * with keep_days > 0. Pure. */
int64_t store_days_left(const store_session *session, int64_t now_ms);

typedef struct store_person {
    int64_t id;             /* from 1: the track */
    const char *label;      /* a name that somebody gave, or "" */
    double first_s, last_s; /* seen from and to */
    int64_t samples;
} store_person;

typedef struct store_event {
    double time_s;    /* from the start of the session */
    double length_s;  /* 0: a moment */
    int64_t person;   /* 0: nobody's in particular */
    const char *kind; /* one word, such as "notice" */
    const char *text; /* for people */
} store_event;

/* ---- Reading ---- */

/* All that a session holds, in one object. */
typedef struct store_record {
    store_session session;
    timeline timeline;
    size_t person_count;
    const store_person *people; /* by id */
    size_t event_count;
    const store_event *events; /* in the order of their times */
} store_record;

/*
 * Success: *out is the caller's with everything that it points to, free with store_record_free.
 * Failure: *out is NULL. MIEN_NOT_FOUND (no session has this id), MIEN_MALFORMED (what stands there
 * is no session of mien), MIEN_IO, MIEN_OUT_OF_MEMORY.
 */
mien_status store_read(store *store, int64_t id, store_record **out, mien_error *error);
void store_record_free(store_record *record);

/* All sessions by id, without the names of their classes (class_count is 0). */
typedef struct store_list {
    size_t count;
    const store_session *sessions;
} store_list;

/* As store_read; free with store_list_free. No session is no failure. */
mien_status store_sessions(store *store, store_list **out, mien_error *error);
void store_list_free(store_list *list);

/*
 * Where a session's pictures lie, without reading the rest of it. Success: *out is the caller's,
 * free with free(); "" when it saved none, or is not there. Failure: *out is NULL; as store_read.
 */
mien_status store_pictures(store *store, int64_t id, char **out, mien_error *error);

/* ---- Changing ---- */

/*
 * Gives a person of a session a name; "" takes it away. MIEN_NOT_FOUND (no such session or person),
 * MIEN_LIMIT (over STORE_MAX_NAME bytes), MIEN_IO.
 */
mien_status store_label(store *store, int64_t session, int64_t person, const char *label,
                        mien_error *error);

/* Deletes a session with all that it holds. MIEN_NOT_FOUND, MIEN_IO. */
mien_status store_delete(store *store, int64_t id, mien_error *error);

/*
 * Takes what was deleted out of the files of the store, so that no byte of it is left in them
 * (docs/rooms/store.md says what PostgreSQL and disks may keep). Once after all deletions.
 * MIEN_IO: another program that uses the store hindered it; the next time takes it out.
 */
mien_status store_scrub(store *store, mien_error *error);

/* ---- Writing ---- */

/*
 * Writes a session while it goes on. A thread of its own puts what came in into the store, once a
 * second in one transaction, so that the caller never waits for a disk. What cannot be written is
 * tried again every second; when 32,768 samples or 1,024 events wait, more are lost and counted.
 */
typedef struct store_writer store_writer;

/*
 * Begins a session. Of *session the fields from name to pictures are used, but for length_s and
 * ended; nothing of it is needed after the call. The store must not be used by others until the
 * writer is closed.
 * Success: *out is the caller's, free with store_writer_close; *id (may be NULL) is the session's.
 * Failure: *out is NULL. MIEN_INVALID_ARGUMENT (no name, no consent, classes out of range,
 * pictures not UTF-8), MIEN_LIMIT (name, consent or pictures too long), MIEN_IO,
 * MIEN_OUT_OF_MEMORY.
 */
mien_status store_writer_open(store *store, const store_session *session, store_writer **out,
                              int64_t *id, mien_error *error);

/* The session has come to this time; earlier ones change nothing. */
void store_writer_time(store_writer *writer, double time_s);

/*
 * A face, and class_count probabilities. MIEN_INVALID_ARGUMENT (a number that is not finite or out
 * of its range); that it does not fit any more is told at the end.
 */
mien_status store_writer_sample(store_writer *writer, const timeline_sample *sample,
                                const float *probabilities, mien_error *error);

/* The same for an event, whose texts are copied. */
mien_status store_writer_event(store_writer *writer, const store_event *event, mien_error *error);

/* The failure that writing has met with since it was last asked; MIEN_OK for none. */
mien_status store_writer_trouble(store_writer *writer, mien_error *error);

/*
 * Writes the rest, marks the session as ended and frees the writer, whatever comes of it. NULL is
 * fine. Failure: the message says how much of the session is not in the store, and why.
 */
mien_status store_writer_close(store_writer *writer, mien_error *error);

#endif
