/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PICTURE_JOB_H
#define CLI_PICTURE_JOB_H

/*
 * Works through a list of pictures on several threads and hands the results back in the order of
 * the list. At most one picture a thread is in memory at a time (and, with keep_images, one more);
 * a thread runs at most 64 results a thread ahead of the picture that all wait for.
 */

#include "base/file.h"

#include <mien/mien.h>

/* One picture, worked through. Memory belongs to the job. */
typedef struct picture_result {
    const char *source; /* as the user named it */
    mien_status status; /* of reading and analyzing */
    mien_error error;   /* when it failed */
    int width, height;  /* pixels of the whole picture, in which the faces are too */
    const mien_face *faces;
    size_t face_count;
    const mien_image *image; /* RGB8; NULL unless keep_images; as large as it was decoded */
} picture_result;

typedef struct picture_job {
    const file_list *files; /* "-" is standard input */
    const mien_model *model;
    const mien_detector *detector;
    int64_t max_pixels;
    int least_side; /* JPEG pictures are decoded at 1/2, 1/4 or 1/8 as long as their longer side has
                       so many pixels; INT_MAX: whole */
    int threads;
    bool keep_images;
    /* Called in the order of the files, always from the thread that called picture_job_run. */
    void (*deliver)(void *context, const picture_result *result);
    void *context;
} picture_job;

/* Fails only when it cannot start; what goes wrong with a picture is delivered with it. */
mien_status picture_job_run(const picture_job *job, mien_error *error);

#endif
