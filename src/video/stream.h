/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_STREAM_H
#define VIDEO_STREAM_H

/*
 * A source that is kept going: a live one that ends or breaks is opened again, after 1, 2, 4, ...
 * at most 30 s, for as long as it takes, and its time goes on rising; a file can be played at its
 * own pace. For one thread at a time, stream_silence_s aside.
 */

#include "video/source.h"

typedef struct stream_settings {
    video_source_options source;
    bool play;   /* a file comes at its own pace, as from a camera (timing_pace) */
    double rate; /* frames a second that are wanted of a live source or a played file; those that
                    come sooner are left out; 0 for all */
} stream_settings;

typedef enum stream_event {
    STREAM_FRAME,
    STREAM_NOTICE, /* it broke, or is back */
    STREAM_END,    /* of a file, or stopped */
} stream_event;

typedef struct stream_frame {
    double time_s;     /* as of video_frame; of live sources it never steps back */
    double arrived_s;  /* by clock_now_s: read; of a played file: when it was due */
    double interval_s; /* at which frames are handed out lately; 0: not known yet */
} stream_frame;

typedef struct stream stream;

/*
 * Opens a source as video_source_open does, with its errors; MIEN_INVALID_ARGUMENT: a rate for a
 * file that is not played. Success: *out is the caller's, free with stream_close. Failure: *out is
 * NULL.
 */
mien_status stream_open(const char *name, const stream_settings *settings, stream **out,
                        mien_error *error);

/* NULL is fine. */
void stream_close(stream *stream);

/*
 * What comes next. What piled up while a live source was opened is left out. STREAM_FRAME: *frame
 * is filled in, the pixels are in *image (RGB8, upright), whose memory is used again where it
 * suffices: zeroed at first, the caller's to free with mien_image_free. Otherwise *frame is zeroed.
 * Failure: as of video_source_next, from files; from live sources what opening again cannot mend:
 * MIEN_LIMIT, MIEN_OUT_OF_MEMORY.
 */
mien_status stream_next(stream *stream, mien_image *image, stream_event *event, stream_frame *frame,
                        mien_error *error);

/* The words of the last STREAM_NOTICE, for people; the stream's until the next call. */
const char *stream_notice(const stream *stream);

/* A camera, a screen, a stream without end, or a file that is played. */
bool stream_is_live(const stream *stream);

/* Packets that were passed over so far. */
int64_t stream_skipped(const stream *stream);

/* Seconds for which the source has given nothing while a frame was asked of it; 0 while none is.
 * For any thread. */
double stream_silence_s(const stream *stream);

#endif
