/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_FACE_FOLDER_H
#define LIVE_FACE_FOLDER_H

/*
 * A folder of face pictures with a sub-folder for each expression, and in each of these a table
 * (CSV) of what was read in its pictures; docs/OUTPUT.md. Each run adds files of its own and
 * touches no others. For one thread at a time.
 */

#include "video/people.h"

typedef struct face_folder face_folder;

/* A face to be written. */
typedef struct face_record {
    mien_image picture; /* RGB8 */
    person who;
    int64_t frame;
    double time_s;
} face_record;

/*
 * Prepares a folder; it is made when it is not there. quota_bytes: the most that it may hold, what
 * lay in it before included. source: what the table calls the video. model must outlive the object.
 * Success: *out is the caller's, free with face_folder_close. Failure: *out is NULL; MIEN_IO (the
 * folder cannot be made, or not written to), MIEN_OUT_OF_MEMORY.
 */
mien_status face_folder_open(const char *path, int64_t quota_bytes, const char *source,
                             const mien_model *model, face_folder **out, mien_error *error);

/*
 * Writes a picture and its row: both are there, or neither. *written is false when the quota does
 * not allow it, and on failure: MIEN_IO, MIEN_LIMIT (a path is too long), MIEN_OUT_OF_MEMORY.
 */
mien_status face_folder_write(face_folder *folder, const face_record *record, bool *written,
                              mien_error *error);

/* "/FOLDER/<run>": the folder, absolute and without links, and what the names of this run's files
 * begin with; saved_run.h finds them by it. The folder's. */
const char *face_folder_run(const face_folder *folder);

/* NULL is fine. */
void face_folder_close(face_folder *folder);

#endif
