/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_SAVED_RUN_H
#define LIVE_SAVED_RUN_H

/*
 * The files that a run has saved in a folder of faces (face_folder.h), found again by the name of
 * the run: what lies there is what was written. That name comes from a store, and what lies in the
 * folder from anywhere: only names of the form that face_folder gives are looked at, in the
 * sub-folders of that folder, and only regular files; no link is followed. For one thread at a
 * time.
 */

#include <mien/image.h>
#include <stdbool.h>

/* A picture, and what its row in the run's tables says. */
typedef struct saved_picture {
    char *name; /* of the file */
    size_t sub_folder;
    int64_t person, frame; /* as the name says */
    bool has_row;
    double time_s;       /* of the source */
    char expression[64]; /* the name of its class, cut off there */
} saved_picture;

typedef struct saved_run {
    char *folder; /* of faces */
    char *name;   /* of the run: what the names of its files begin with */
    int descriptor;
    bool is_there; /* the folder is */
    char **sub_folders;
    size_t sub_folder_count, sub_folder_room;
    saved_picture *pictures; /* by frame and person */
    size_t count, picture_room;
    saved_picture *others; /* tables, and temporary files of a run that was killed */
    size_t other_count, other_room;
} saved_run;

/*
 * Looks for a run's files. where: "/FOLDER/20261121-134556-767", as face_folder_run gives it. That
 * there is no such folder is no failure: then is_there is false, and there are no pictures.
 * Success: the caller frees *run with saved_run_close. Failure: *run is zeroed; MIEN_MALFORMED
 * (where is no such name), MIEN_IO (something cannot be looked at), MIEN_OUT_OF_MEMORY.
 */
mien_status saved_run_open(const char *where, saved_run *run, mien_error *error);

/* A zeroed run is fine. */
void saved_run_close(saved_run *run);

/*
 * Reads the rows of the run's tables into its pictures. *gone: rows whose picture is not there.
 * A table that is broken counts up to there. MIEN_OUT_OF_MEMORY.
 */
mien_status saved_run_read_tables(saved_run *run, size_t *gone, mien_error *error);

/*
 * Reads a picture, RGB8. Success: *out is the caller's, free with mien_image_free. Failure: *out is
 * zeroed; MIEN_NOT_FOUND, MIEN_IO, MIEN_LIMIT (over 64 MB or 25 million pixels), and errors of
 * mien_image_decode.
 */
mien_status saved_run_load(const saved_run *run, const saved_picture *picture, mien_image *out,
                           mien_error *error);

/*
 * Deletes the files of the run and nothing else; its folders stay. *removed: pictures that were
 * deleted. MIEN_IO: something could not be deleted, the rest is.
 */
mien_status saved_run_delete(const saved_run *run, size_t *removed, mien_error *error);

#endif
