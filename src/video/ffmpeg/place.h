/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_FFMPEG_PLACE_H
#define VIDEO_FFMPEG_PLACE_H

/* Where the name of a source leads. Inside this folder only. */

#include "video/source.h"

typedef enum place_kind {
    PLACE_FILE,    /* or numbered pictures */
    PLACE_PIPE,    /* standard input, a named pipe, a device that is read like one */
    PLACE_ADDRESS, /* of a stream or of a file elsewhere */
    PLACE_CAMERA,  /* Video4Linux */
    PLACE_SCREEN,  /* X11 */
} place_kind;

typedef struct place {
    place_kind kind;
    char url[4096]; /* for FFmpeg; of a pipe: its path, or "-" */
} place;

/*
 * Something of that name on this machine comes before what looks like an address.
 * MIEN_INVALID_ARGUMENT (a folder), MIEN_NOT_FOUND, MIEN_LIMIT (too long a name).
 */
mien_status place_find(const char *name, place *out, mien_error *error);

#endif
