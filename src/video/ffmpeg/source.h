/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_FFMPEG_SOURCE_H
#define VIDEO_FFMPEG_SOURCE_H

/* What a video_source is. Inside this folder only. */

#include "video/ffmpeg/picture.h"
#include "video/ffmpeg/pipe.h"
#include "video/ffmpeg/place.h"
#include "video/source.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

struct video_source {
    char *name;    /* for messages: without a password */
    char *address; /* as it was asked for */
    video_source_options options;
    place place;
    pipe_reader pipe; /* of PLACE_PIPE */
    AVFormatContext *container;
    AVStream *stream; /* the container's */
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *frame;
    picture_maker maker;
    mien_image own;         /* where frames are put unless somebody else says */
    double start_s, last_s; /* start_s by the stream's clock, last_s from the start */
    double asked_s;         /* since when a frame or an opening is waited for, by clock_now_s */
    double limit_s;         /* the longest such wait; 0 for none */
    double arrived_s;       /* when the last packet was read, by clock_now_s */
    double waited_s;        /* for packets, since the frame before */
    bool started;           /* start_s is known */
    bool drained;           /* all packets were read */
    int64_t frames;
    int64_t skipped;
    int failures_in_a_row;
};

/* "<name>: <what>: <FFmpeg's words for code>". Returns the status that fits. */
mien_status source_fail(const char *name, int code, const char *what, mien_error *error);

/* Whether waiting is to end: the user stopped it. */
bool source_is_stopped(const video_source *source);

/* Whether nothing came for too long. */
bool source_is_overdue(const video_source *source);

/*
 * Opens container, stream and decoder of a source whose name, options and maker are set. Errors as
 * of video_source_open; what was made so far is in the source.
 */
mien_status source_open_all(video_source *source, mien_error *error);

#endif
