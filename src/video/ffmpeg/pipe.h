/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_FFMPEG_PIPE_H
#define VIDEO_FFMPEG_PIPE_H

/* Standard input and named pipes for FFmpeg, so that waiting for their bytes can be ended, which
 * FFmpeg's own reading of them cannot. Inside this folder only. */

#include <libavformat/avformat.h>
#include <mien/status.h>
#include <stdbool.h>

/* Starts zeroed. */
typedef struct pipe_reader {
    AVIOContext *io; /* NULL: not open */
    int descriptor;
    bool (*stopped)(const void *context); /* asked several times a second while nothing comes */
    const void *context;
} pipe_reader;

/*
 * path: "-" for standard input. stopped and context are set. Success: reader->io is read from start
 * to end. Errors: MIEN_IO, MIEN_OUT_OF_MEMORY. In either case pipe_close.
 */
mien_status pipe_open(pipe_reader *reader, const char *path, mien_error *error);

/* Standard input stays open. */
void pipe_close(pipe_reader *reader);

#endif
