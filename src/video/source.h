/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_SOURCE_H
#define VIDEO_SOURCE_H

/*
 * Where frames come from: a video file, an animated GIF, a numbered sequence of pictures, raw
 * frames, a camera, a screen or a stream. FFmpeg reads them (video/ffmpeg); none of its types is
 * seen here. For one thread at a time. Opening silences FFmpeg's own log for the whole process:
 * what goes wrong is returned.
 */

#include <mien/image.h>
#include <stdbool.h>

typedef struct video_source video_source;

/* Frames one behind the other, without a container. */
typedef struct video_raw {
    int width, height; /* pixels; width 0: the source is not raw */
    char format[32];   /* of a pixel, by FFmpeg's name, such as "rgb24" */
    double rate;       /* frames a second */
} video_raw;

/*
 * Reads "WIDTHxHEIGHT[:FORMAT][@RATE]"; rgb24 and 25 a second where nothing is said.
 * MIEN_INVALID_ARGUMENT, with a message that names the bad part.
 */
mien_status video_raw_parse(const char *text, video_raw *raw, mien_error *error);

/* Zeroed: everything by default. */
typedef struct video_source_options {
    int64_t max_pixels; /* larger frames are refused; 0 for MIEN_DEFAULT_MAX_PIXELS */
    video_raw raw;      /* what the bytes of a file or of standard input are */
    int width, height;  /* asked of a camera or of a screen; 0 for its own size */
    double rate;        /* the same, frames a second; 0 for a camera's own, 30 for a screen */
    /* Asked while the source waits for data, as for a stream, several times a second: true ends
     * it. May be NULL. */
    bool (*stopped)(void *context);
    void *context;
} video_source_options;

typedef struct video_frame {
    const mien_image *image; /* RGB8, turned as the file says so that up is up; lasts until the
                                source's next call. NULL: the source has ended */
    double time_s;           /* seconds from the start of the source, by the timestamps of the
                                stream; finite. It may jump, and step back where the stream does */
    double arrived_s;        /* when its last packet was read, by clock_now_s */
    double waited_s;         /* how long its packets were waited for */
} video_frame;

/*
 * Opens a source. name: a file or named pipe ("-" for standard input), a pattern such as
 * "frames/%04d.png" (25 frames a second), a camera such as "/dev/video0", a screen ("screen:" for
 * $DISPLAY, "screen::1", "screen::1+X,Y" with options->width and height), or an address such as
 * "rtsp://camera/stream". What a file refers to in its turn is read from this machine alone.
 * options may be NULL.
 * Success: *out is the caller's, free with video_source_close.
 * Failure: *out is NULL; messages name the source. MIEN_NOT_FOUND, MIEN_IO (addresses also: nothing
 * came for VIDEO_OPEN_LIMIT_S), MIEN_UNSUPPORTED (no video, or of a kind that FFmpeg here cannot
 * read; no picture in it), MIEN_MALFORMED, MIEN_LIMIT, MIEN_INVALID_ARGUMENT (a folder; a camera
 * that is said to be raw), MIEN_OUT_OF_MEMORY.
 */
#define VIDEO_OPEN_LIMIT_S 30.0
mien_status video_source_open(const char *name, const video_source_options *options,
                              video_source **out, mien_error *error);

/*
 * The next frame. Packets that cannot be decoded are passed over and counted.
 * Success: *frame is filled in; at the end, and when stopped, its image is NULL.
 * Failure: *frame is zeroed. MIEN_IO (reading failed half-way, the camera is gone; addresses and
 * cameras also: no frame for VIDEO_SILENCE_LIMIT_S), MIEN_MALFORMED (not one frame could
 * be decoded), MIEN_UNSUPPORTED (a pixel format), MIEN_LIMIT (a frame grew too large),
 * MIEN_OUT_OF_MEMORY.
 */
#define VIDEO_SILENCE_LIMIT_S 10.0
mien_status video_source_next(video_source *source, video_frame *frame, mien_error *error);

/*
 * From now on frames are put into *image, the caller's: zeroed, or one that a frame was put into
 * before. Its memory is used again where the size is the same, else replaced; the caller frees it
 * with mien_image_free. NULL: into the source's own.
 */
void video_source_draw_into(video_source *source, mien_image *image);

/* A camera, a screen, or a stream whose length is not known: it waits for nobody. */
bool video_source_is_live(const video_source *source);

/* Packets that were passed over so far. */
int64_t video_source_skipped(const video_source *source);

/* NULL is fine. */
void video_source_close(video_source *source);

#endif
