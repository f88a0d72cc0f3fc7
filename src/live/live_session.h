/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_LIVE_SESSION_H
#define LIVE_LIVE_SESSION_H

/* mien live --session: what is seen goes into a store while it is seen (docs/SESSIONS.md). Without
 * that option there is no session, NULL, for which all functions do nothing. */

#include "video/pipeline.h"

#include <stdbool.h>

typedef struct live_session_options {
    const char *name;    /* --session; NULL: nothing is kept */
    const char *consent; /* --consent */
    const char *place;   /* --store */
    int keep_days;       /* --keep-days */
    bool has_more;       /* an option was given that means something with --session only */
} live_session_options;

/* For a getopt_long table. */
enum { LIVE_SESSION_NAME = 0x5e55, LIVE_SESSION_CONSENT, LIVE_SESSION_STORE, LIVE_SESSION_KEEP };
/* clang-format off */
#define LIVE_SESSION_OPTIONS                                         \
    {"session", required_argument, NULL, LIVE_SESSION_NAME},         \
    {"consent", required_argument, NULL, LIVE_SESSION_CONSENT},      \
    {"store", required_argument, NULL, LIVE_SESSION_STORE},          \
    {"keep-days", required_argument, NULL, LIVE_SESSION_KEEP}
/* clang-format on */
#define LIVE_SESSION_HELP                                                                          \
    "  --session NAME          keep what is seen as a session (`mien session` lists them): no "    \
    "pictures,\n"                                                                                  \
    "                          only where --save puts them\n"                                      \
    "  --consent TEXT          who agreed to that, and to what; a session needs it\n"              \
    "  --store FILE|URL        where it is kept: a file, or postgresql://user@host/database\n"     \
    "                          (default: mien/sessions.db in $XDG_DATA_HOME or "                   \
    "~/.local/share)\n"                                                                            \
    "  --keep-days N           days until it may be pruned; 0: until it is deleted (default 30)\n"

#define LIVE_SESSION_DEFAULTS                                                                      \
    {                                                                                              \
        .keep_days = 30                                                                            \
    }

/* Takes one option. *status: exit status after it. false: not one of its own. */
bool live_session_option(live_session_options *options, const char *command, int option,
                         const char *argument, int *status);

/* Whether the options go together: EXIT_DONE, or EXIT_USAGE after a message. */
int live_session_check(const live_session_options *options, const char *command);

typedef struct live_session live_session;

/*
 * Begins a session, and takes away those whose time has passed. source: as the user named it; it is
 * kept without user and password; pictures: as of live_show_pictures.
 * EXIT_DONE: *out (NULL without --session) is the caller's, free with live_session_close.
 * EXIT_FAILED after a message: *out is NULL.
 */
int live_session_open(const live_session_options *options, const char *source,
                      const mien_model *model, const char *model_path, const char *pictures,
                      live_session **out);

/* The people of a frame. Tells of trouble in writing when it begins. Failure: a person's numbers
 * are out of their range. */
mien_status live_session_frame(live_session *session, const pipeline_frame *frame,
                               mien_error *error);

/* Something that the pipeline said becomes an event. */
void live_session_notice(live_session *session, const char *text);

/* Writes the rest. EXIT_DONE, or EXIT_FAILED after a message when the session is not whole. */
int live_session_close(live_session *session);

#endif
