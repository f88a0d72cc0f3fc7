/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_SESSION_FACES_H
#define LIVE_SESSION_FACES_H

/* The faces of a session for its page: a few of the pictures that it saved, made small. */

#include "eval/session_pictures.h"
#include "store/store.h"

/*
 * Chooses and reads pictures of the record's people. Where the session saved none, *out is zeroed,
 * folder NULL. What cannot be read is left out and counted.
 * Success: the caller frees with session_faces_free. Failure: *out is zeroed; MIEN_OUT_OF_MEMORY,
 * MIEN_MALFORMED (the store does not say where they lie), MIEN_IO (the folder cannot be looked at).
 */
mien_status session_faces_read(const store_record *record, session_pictures *out,
                               mien_error *error);

/* A zeroed object is fine. */
void session_faces_free(session_pictures *pictures);

#endif
