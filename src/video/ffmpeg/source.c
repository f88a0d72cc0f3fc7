/* SPDX-License-Identifier: Apache-2.0 */
#include "video/source.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "video/ffmpeg/picture.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a file may refer to, as playlists do. */
#define LOCAL_PROTOCOLS "file,pipe,crypto,data"

/* Failures without a packet between them, each passed over, after which the source is given up. */
enum { MAX_FAILURES_IN_A_ROW = 100 };

struct video_source {
    char *name;
    video_source_options options;
    AVFormatContext *container;
    AVStream *stream; /* the container's */
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *frame;
    picture_maker maker;
    mien_image own;         /* where frames are put unless somebody else says */
    double start_s, last_s; /* start_s by the stream's clock, last_s from the start */
    bool started;           /* start_s is known */
    bool drained;           /* all packets were read */
    int64_t frames;
    int64_t skipped;
    int failures_in_a_row;
};

/* ---- Errors ---- */

static mien_status status_of(int code)
{
    switch (code) {
    case AVERROR(ENOMEM):
        return MIEN_OUT_OF_MEMORY;
    case AVERROR(ENOENT):
        return MIEN_NOT_FOUND;
    case AVERROR_INVALIDDATA:
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_PROTOCOL_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
        return MIEN_UNSUPPORTED;
    default:
        return MIEN_IO;
    }
}

/* "<name>: <what>: <FFmpeg's words>" */
static mien_status fail(const char *name, int code, const char *what, mien_error *error)
{
    char words[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, words, sizeof words);
    return error_set(error, status_of(code), "%s: %s: %s", name, what, words);
}

/* ---- Opening ---- */

static bool is_address(const char *name)
{
    return strstr(name, "://") != NULL;
}

/* A file of the name comes before what FFmpeg would take for a protocol. */
static mien_status choose_url(const char *name, char *url, size_t size, mien_error *error)
{
    bool piped = strcmp(name, "-") == 0;
    bool exists = !piped && file_exists(name);
    if (file_is_folder(name))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "'%s' is a folder; name a video, or its pictures by a pattern such as "
                         "'%s/%%04d.png'",
                         name, name);
    if (!piped && !exists && !is_address(name) && strchr(name, '%') == NULL)
        return error_set(error, MIEN_NOT_FOUND, "there is no file '%s'", name);
    int length = snprintf(url, size, "%s%s", exists ? "file:" : "", piped ? "pipe:0" : name);
    if (length < 0 || (size_t)length >= size)
        return error_set(error, MIEN_LIMIT, "the name of the source is too long (%zu bytes)",
                         strlen(name));
    return MIEN_OK;
}

static int asked_to_stop(void *context)
{
    const video_source *source = context;
    return source->options.stopped != NULL && source->options.stopped(source->options.context);
}

static mien_status open_container(video_source *source, mien_error *error)
{
    char url[4096];
    AVDictionary *settings = NULL;
    mien_status status = choose_url(source->name, url, sizeof url, error);
    if (status != MIEN_OK)
        return status;
    source->container = avformat_alloc_context();
    if (source->container == NULL)
        return error_no_memory(error, "a video", sizeof *source->container);
    source->container->interrupt_callback = (AVIOInterruptCB){asked_to_stop, source};
    int code = 0;
    if (!is_address(url))
        code = av_dict_set(&settings, "protocol_whitelist", LOCAL_PROTOCOLS, 0);
    if (code >= 0)
        code = avformat_open_input(&source->container, url, NULL, &settings);
    av_dict_free(&settings);
    return code >= 0 ? MIEN_OK
                     : fail(source->name, code, "this is no video that can be read", error);
}

/* The sizes that the header claims. */
static mien_status check_sizes(const video_source *source, mien_error *error)
{
    mien_status status = MIEN_OK;
    for (unsigned i = 0; status == MIEN_OK && i < source->container->nb_streams; i++) {
        const AVCodecParameters *claimed = source->container->streams[i]->codecpar;
        if (claimed->codec_type == AVMEDIA_TYPE_VIDEO && claimed->width > 0 && claimed->height > 0)
            status = picture_check_size(claimed->width, claimed->height, source->maker.max_pixels,
                                        error);
    }
    return status == MIEN_OK ? MIEN_OK : error_prefix(error, status, "%s", source->name);
}

/* FFmpeg decodes some frames to know the streams; the limit of pixels holds there too. */
static mien_status find_streams(video_source *source, mien_error *error)
{
    unsigned count = source->container->nb_streams;
    int code = 0;
    AVDictionary **settings = memory_zeroed(count, sizeof(AVDictionary *));
    if (settings == NULL)
        return error_no_memory(error, "the streams of a video", count * sizeof *settings);
    for (unsigned i = 0; code >= 0 && i < count; i++)
        code = av_dict_set_int(&settings[i], "max_pixels", source->maker.max_pixels, 0);
    if (code >= 0)
        code = avformat_find_stream_info(source->container, settings);
    for (unsigned i = 0; i < count; i++)
        av_dict_free(&settings[i]);
    free(settings);
    return code >= 0 ? MIEN_OK
                     : fail(source->name, code, "this is no video that can be read", error);
}

/* FFmpeg draws plain text as a terminal would; nobody means that. */
static bool is_text_art(enum AVCodecID codec)
{
    return codec == AV_CODEC_ID_ANSI || codec == AV_CODEC_ID_BINTEXT || codec == AV_CODEC_ID_XBIN ||
           codec == AV_CODEC_ID_IDF;
}

static mien_status choose_stream(video_source *source, const AVCodec **codec, mien_error *error)
{
    int index = av_find_best_stream(source->container, AVMEDIA_TYPE_VIDEO, -1, -1, codec, 0);
    if (index == AVERROR_DECODER_NOT_FOUND)
        return error_set(error, MIEN_UNSUPPORTED,
                         "%s: the FFmpeg that is installed has no decoder for this video",
                         source->name);
    AVStream *stream = index >= 0 ? source->container->streams[index] : NULL;
    if (stream == NULL || (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0)
        return error_set(error, MIEN_UNSUPPORTED, "%s: there is no moving picture in it, only %s",
                         source->name, stream == NULL ? "other data" : "sound with a cover");
    if (is_text_art(stream->codecpar->codec_id))
        return error_set(error, MIEN_UNSUPPORTED, "%s: this is text, no video", source->name);
    for (unsigned i = 0; i < source->container->nb_streams; i++)
        if ((int)i != index)
            source->container->streams[i]->discard = AVDISCARD_ALL;
    source->stream = stream;
    size_t bytes;
    const uint8_t *matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
    if (matrix != NULL && bytes >= 9 * sizeof(int32_t))
        source->maker.turn = picture_turn_of((const void *)matrix);
    return MIEN_OK;
}

static mien_status open_decoder(video_source *source, const AVCodec *codec, mien_error *error)
{
    const AVCodecParameters *parameters = source->stream->codecpar;
    if (parameters->width < 1 || parameters->height < 1)
        return error_set(error, MIEN_MALFORMED,
                         "%s: its first frames cannot be decoded, or are larger than the limit of "
                         "%lld pixels",
                         source->name, (long long)source->maker.max_pixels);
    mien_status status =
        picture_check_size(parameters->width, parameters->height, source->maker.max_pixels, error);
    if (status != MIEN_OK)
        return error_prefix(error, status, "%s", source->name);
    source->decoder = avcodec_alloc_context3(codec);
    source->packet = av_packet_alloc();
    source->frame = av_frame_alloc();
    if (source->decoder == NULL || source->packet == NULL || source->frame == NULL)
        return error_no_memory(error, "a decoder", sizeof *source->decoder);
    int code = avcodec_parameters_to_context(source->decoder, parameters);
    source->decoder->pkt_timebase = source->stream->time_base;
    source->decoder->max_pixels = source->maker.max_pixels;
    source->decoder->thread_count = 1;
    if (code >= 0)
        code = avcodec_open2(source->decoder, codec, NULL);
    return code >= 0 ? MIEN_OK : fail(source->name, code, "its decoder cannot be opened", error);
}

static mien_status open_all(video_source *source, mien_error *error)
{
    const AVCodec *codec = NULL;
    mien_status status = open_container(source, error);
    if (status == MIEN_OK)
        status = check_sizes(source, error);
    if (status == MIEN_OK)
        status = find_streams(source, error);
    if (status == MIEN_OK)
        status = choose_stream(source, &codec, error);
    if (status == MIEN_OK)
        status = open_decoder(source, codec, error);
    if (status == MIEN_OK && source->container->start_time != AV_NOPTS_VALUE) {
        source->start_s = (double)source->container->start_time / AV_TIME_BASE;
        source->started = true;
    }
    return status;
}

mien_status video_source_open(const char *name, const video_source_options *options,
                              video_source **out, mien_error *error)
{
    *out = NULL;
    av_log_set_level(AV_LOG_QUIET);
    video_source *source = memory_zeroed(1, sizeof *source);
    if (source == NULL || (source->name = memory_copy_string(name)) == NULL) {
        free(source);
        return error_no_memory(error, "a video", sizeof *source);
    }
    if (options != NULL)
        source->options = *options;
    source->maker.max_pixels =
        source->options.max_pixels > 0 ? source->options.max_pixels : MIEN_DEFAULT_MAX_PIXELS;
    source->maker.into = &source->own;
    mien_status status = open_all(source, error);
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
    free(source->name);
    free(source);
}

void video_source_draw_into(video_source *source, mien_image *image)
{
    source->maker.into = image != NULL ? image : &source->own;
}

bool video_source_is_live(const video_source *source)
{
    return is_address(source->name) && source->container->duration == AV_NOPTS_VALUE;
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
    int code = av_read_frame(source->container, source->packet);
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
    while (!asked_to_stop(source)) {
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

mien_status video_source_next(video_source *source, video_frame *frame, mien_error *error)
{
    *frame = (video_frame){0};
    int code = decode_frame(source);
    if (code == AVERROR_EOF && source->frames == 0)
        return error_set(error, MIEN_MALFORMED,
                         "%s: not one frame of it could be decoded (%lld packets are corrupt)",
                         source->name, (long long)source->skipped);
    if (code == AVERROR_EOF || code == AVERROR_EXIT)
        return MIEN_OK;
    if (code < 0)
        return fail(source->name, code, "reading failed", error);
    double time_s = time_of(source);
    const mien_image *image;
    mien_status status = picture_make(&source->maker, source->frame, &image, error);
    av_frame_unref(source->frame);
    if (status != MIEN_OK)
        return error_prefix(error, status, "%s", source->name);
    source->last_s = time_s;
    source->frames++;
    *frame = (video_frame){.image = image, .time_s = time_s};
    return MIEN_OK;
}
