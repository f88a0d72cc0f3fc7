/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_WRITER_H
#define VIDEO_WRITER_H

/*
 * A video file written frame by frame, with the times of its source and, where that is a file of
 * this machine, its sound. FFmpeg writes it (video/ffmpeg); none of its types is seen here. What
 * has been written can be played at any time, even if the program is killed: all but the last
 * second is there. For one thread at a time.
 */

#include <mien/image.h>
#include <stdbool.h>

typedef struct video_writer video_writer;

typedef struct video_writer_options {
    /* What the frames come from, as of video_source_open: it is never written over, and the sound
     * of a local file is copied, packet by packet, from time 0 on. NULL: nothing is known. */
    const char *source;
    bool force; /* replace a file that is there */
} video_writer_options;

/*
 * Makes the file, in the container that its name ends in: .mp4, .mov (fragmented) or .mkv.
 * Success: *out is the caller's, free with video_writer_close. Failure: *out is NULL, a file that
 * was there is untouched; messages name the file. MIEN_INVALID_ARGUMENT (a file is there and force
 * is not set; it is the source), MIEN_UNSUPPORTED (another ending; FFmpeg here has no encoder),
 * MIEN_IO, MIEN_OUT_OF_MEMORY.
 */
mien_status video_writer_open(const char *path, const video_writer_options *options,
                              video_writer **out, mien_error *error);

/*
 * Adds a frame, RGB8 or BGRA8 (alpha is ignored). The first one gives the video its size, less an
 * odd last row and column; later ones of another size are scaled to it. time_s: seconds from the
 * start of the source; the distances from frame to frame are kept to 0.02 ms (.mkv: 1 ms), save
 * that time that steps back or jumps by more than 10 s goes on 40 ms after the last frame.
 * Failure: MIEN_INVALID_ARGUMENT (time is not finite, another pixel format), MIEN_LIMIT (a side
 * that the encoder does not take), MIEN_IO, MIEN_OUT_OF_MEMORY. The file can still be finished.
 */
mien_status video_writer_add(video_writer *writer, const mien_image *image, double time_s,
                             mien_error *error);

/*
 * Ends the file. whole: all frames of the source were added, so that the sound goes on to its own
 * end. Without a single frame the file is removed. MIEN_IO, MIEN_OUT_OF_MEMORY.
 */
mien_status video_writer_finish(video_writer *writer, bool whole, mien_error *error);

/* Why the file has no sound although its source has, for people; NULL where there is nothing to
 * say. Known after the first frame; the writer's. */
const char *video_writer_notice(const video_writer *writer);

/* NULL is fine. What was not finished stays as far as it was written. */
void video_writer_close(video_writer *writer);

#endif
