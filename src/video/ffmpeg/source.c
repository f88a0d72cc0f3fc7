/* SPDX-License-Identifier: Apache-2.0 */
#include "video/ffmpeg/source.h"

#include "base/address.h"
#include "base/error.h"
#include "base/memory.h"
#include "video/clock.h"

#include <libavutil/error.h>
#include <libavutil/log.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Failures without a packet between them, each passed over, after which the source is given up. */
enum { MAX_FAILURES_IN_A_ROW = 100 };

/* Between looks at a camera that has no frame yet. */
#define CAMERA_STEP_S 0.004

mien_status video_source_open(const char *name, const video_source_options *options,
                              video_source **out, mien_error *error)
{
    *out = NULL;
    av_log_set_level(AV_LOG_QUIET);
    video_source *source = memory_zeroed(1, sizeof *source);
    if (source == NULL || (source->name = address_without_password(name)) == NULL ||
        (source->address = memory_copy_string(name)) == NULL) {
        video_source_close(source);
        return error_no_memory(error, "a video", sizeof *source);
    }
    if (options != NULL)
        source->options = *options;
    source->maker.max_pixels =
        source->options.max_pixels > 0 ? source->options.max_pixels : MIEN_DEFAULT_MAX_PIXELS;
    source->maker.into = &source->own;
    mien_status status = source_open_all(source, error);
    if (status != MIEN_OK) {
        video_source_close(source);
        return status;
    }
    *out = source;
    return MIEN_OK;
}

void video_source_close(video_source *source)
{
    if (source == NULL)
        return;
    picture_maker_free(&source->maker);
    mien_image_free(&source->own);
    av_frame_free(&source->frame);
    av_packet_free(&source->packet);
    avcodec_free_context(&source->decoder);
    avformat_close_input(&source->container);
    pipe_close(&source->pipe);
    free(source->name);
    free(source->address);
    free(source);
}

void video_source_draw_into(video_source *source, mien_image *image)
{
    source->maker.into = image != NULL ? image : &source->own;
}

/* The bytes have an end, as those of a file elsewhere; a playlist's own say nothing. */
static bool has_size(AVFormatContext *container)
{
    const char *format = container->iformat->name;
    bool playlist = strcmp(format, "hls") == 0 || strcmp(format, "dash") == 0;
    return !playlist && container->pb != NULL && avio_size(container->pb) > 0;
}

bool video_source_is_live(const video_source *source)
{
    switch (source->place.kind) {
    case PLACE_CAMERA:
    case PLACE_SCREEN:
        return true;
    case PLACE_ADDRESS:
        /* AV_NOPTS_VALUE is under 0 */
        return source->container->duration <= 0 && !has_size(source->container);
    case PLACE_FILE:
    case PLACE_PIPE:
        break;
    }
    return false;
}

int64_t video_source_skipped(const video_source *source)
{
    return source->skipped;
}

/* ---- Reading ---- */

static bool is_corrupt(int code)
{
    return code == AVERROR_INVALIDDATA || code == AVERROR_PATCHWELCOME || code == AVERROR(EINVAL) ||
           code == AVERROR(ERANGE) || code == AVERROR(ENOSYS);
}

/* Counts a failure that the source goes on after. false: it does not. */
static bool pass_over(video_source *source, int code)
{
    if (!is_corrupt(code) || source->failures_in_a_row >= MAX_FAILURES_IN_A_ROW)
        return false;
    source->failures_in_a_row++;
    source->skipped++;
    return true;
}

/* Hands the packet to the decoder. 0, or FFmpeg's code: the source cannot be read on. */
static int send_packet(video_source *source)
{
    const AVPacket *packet = source->packet;
    if (packet->stream_index != source->stream->index)
        return 0;
    int code = (packet->flags & AV_PKT_FLAG_CORRUPT) != 0
                   ? AVERROR_INVALIDDATA
                   : avcodec_send_packet(source->decoder, packet);
    return code >= 0 || pass_over(source, code) ? 0 : code;
}

/* The end of the data is AVERROR_EOF; a device that failed is told apart from it. */
static int read_packet(video_source *source)
{
    double start_s = clock_now_s();
    int code = av_read_frame(source->container, source->packet);
    if (code == AVERROR(EAGAIN))
        clock_sleep(CAMERA_STEP_S);
    source->arrived_s = clock_now_s();
    source->waited_s += source->arrived_s - start_s;
    if (code == AVERROR_EOF && source->container->pb != NULL && source->container->pb->error < 0 &&
        source->container->pb->error != AVERROR_EOF)
        return source->container->pb->error;
    return code;
}

/* Reads on. 0, or FFmpeg's code: the source cannot be read on. */
static int feed_decoder(video_source *source)
{
    int code = read_packet(source);
    if (code == AVERROR_EOF && !source->drained) {
        source->drained = true;
        return avcodec_send_packet(source->decoder, NULL);
    }
    if (code == AVERROR(EAGAIN) || pass_over(source, code))
        return 0;
    if (code < 0)
        return code;
    source->failures_in_a_row = 0;
    code = send_packet(source);
    av_packet_unref(source->packet);
    return code;
}

/* The next decoded frame in source->frame: 0, or AVERROR_EOF, or why reading failed. */
static int decode_frame(video_source *source)
{
    while (!source_is_stopped(source) && !source_is_overdue(source)) {
        int code = avcodec_receive_frame(source->decoder, source->frame);
        if (code == 0)
            return 0;
        if (code == AVERROR(EAGAIN))
            code = feed_decoder(source);
        else if (pass_over(source, code))
            code = 0;
        if (code < 0)
            return code;
    }
    return AVERROR_EXIT;
}

/* Frames without a timestamp follow the last one at the rate that the stream claims. */
static double time_of(video_source *source)
{
    int64_t stamp = source->frame->best_effort_timestamp;
    if (stamp == AV_NOPTS_VALUE) {
        AVRational rate = av_guess_frame_rate(source->container, source->stream, source->frame);
        double step = rate.num > 0 && rate.den > 0 ? 1 / av_q2d(rate) : 1.0 / 25;
        return source->frames > 0 ? source->last_s + step : 0;
    }
    double clock_s = (double)stamp * av_q2d(source->stream->time_base);
    if (!isfinite(clock_s))
        return source->last_s;
    if (!source->started) {
        source->start_s = clock_s;
        source->started = true;
    }
    return clock_s - source->start_s;
}

static const char *loss(const video_source *source)
{
    switch (source->place.kind) {
    case PLACE_CAMERA:
        return "the camera is gone";
    case PLACE_SCREEN:
        return "the screen is gone";
    case PLACE_FILE:
    case PLACE_PIPE:
    case PLACE_ADDRESS:
        break;
    }
    return "reading failed";
}

/* Why there is no frame: MIEN_OK at the end, and when stopped. */
static mien_status explain_end(const video_source *source, int code, mien_error *error)
{
    if (source_is_stopped(source))
        return MIEN_OK;
    if (source_is_overdue(source))
        return error_set(error, MIEN_IO, "%s: nothing came for %g s", source->name,
                         source->limit_s);
    if (code != AVERROR_EOF)
        return source_fail(source->name, code, loss(source), error);
    if (source->frames > 0)
        return MIEN_OK;
    return error_set(error, MIEN_MALFORMED,
                     "%s: not one frame of it could be decoded (%lld packets are corrupt)",
                     source->name, (long long)source->skipped);
}

mien_status video_source_next(video_source *source, video_frame *frame, mien_error *error)
{
    *frame = (video_frame){0};
    source->asked_s = clock_now_s();
    source->waited_s = 0;
    int code = decode_frame(source);
    if (code < 0)
        return explain_end(source, code, error);
    double time_s = time_of(source);
    const mien_image *image;
    mien_status status = picture_make(&source->maker, source->frame, &image, error);
    av_frame_unref(source->frame);
    if (status != MIEN_OK)
        return error_prefix(error, status, "%s", source->name);
    source->last_s = time_s;
    source->frames++;
    *frame = (video_frame){.image = image,
                           .time_s = time_s,
                           .arrived_s = source->arrived_s,
                           .waited_s = source->waited_s};
    return MIEN_OK;
}
