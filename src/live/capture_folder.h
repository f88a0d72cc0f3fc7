/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_CAPTURE_FOLDER_H
#define LIVE_CAPTURE_FOLDER_H

/*
 * A data set while it is captured: FOLDER/<expression>/<participant>-<expression>-<number>.png, the
 * rows of FOLDER/manifest.csv, and FOLDER/consents/<participant>.txt. Folders of expressions are
 * what `mien train --data` reads. For one thread at a time.
 */

#include <mien/image.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct capture_folder capture_folder;

/* Letters of ASCII, digits and '_', 1..64 of them: what may be in the name of a file. */
bool capture_is_name(const char *text);

/*
 * Opens a folder to add to, made where there is none. most_bits: pictures of one participant and
 * expression that differ from an earlier one in at most so many of the 576 bits of
 * difference_hash.h are left out; -1 keeps all. Success: *out is the caller's, free with
 * capture_folder_close. Failure: *out is NULL; MIEN_INVALID_ARGUMENT (the participant is no name),
 * MIEN_IO, MIEN_OUT_OF_MEMORY.
 */
mien_status capture_folder_open(const char *path, const char *participant, int most_bits,
                                capture_folder **out, mien_error *error);
void capture_folder_close(capture_folder *folder);

/* Adds to the participant's consent, with the time: text is what was agreed to, note by whom and
 * how. MIEN_IO. */
mien_status capture_folder_consent(capture_folder *folder, const char *text, const char *note,
                                   mien_error *error);

/*
 * Adds a face, unless it looks like an earlier one. expression: a name. *kept: whether it went in.
 * MIEN_INVALID_ARGUMENT, MIEN_IO (nothing of the picture stays), MIEN_OUT_OF_MEMORY.
 */
mien_status capture_folder_add(capture_folder *folder, const char *expression,
                               const mien_image *face, bool *kept, mien_error *error);

/*
 * Deletes all that a folder holds of a participant: pictures, rows and consent. *removed: pictures.
 * MIEN_NOT_FOUND (no such folder), MIEN_INVALID_ARGUMENT, MIEN_IO (what could be deleted is),
 * MIEN_OUT_OF_MEMORY.
 */
mien_status capture_folder_withdraw(const char *path, const char *participant, size_t *removed,
                                    mien_error *error);

#endif
