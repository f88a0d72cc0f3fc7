/* SPDX-License-Identifier: Apache-2.0 */
#include "video/ffmpeg/source.h"

#include "base/error.h"
#include "base/memory.h"
#include "video/clock.h"

#include <libavdevice/avdevice.h>
#include <libavutil/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a file may refer to, as playlists do. */
#define LOCAL_PROTOCOLS "file,pipe,crypto,data"

#define SCREEN_RATE 30.0

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

mien_status source_fail(const char *name, int code, const char *what, mien_error *error)
{
    char words[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, words, sizeof words);
    return error_set(error, status_of(code), "%s: %s: %s", name, what, words);
}

/* ---- Waiting ---- */

bool source_is_stopped(const video_source *source)
{
    return source->options.stopped != NULL && source->options.stopped(source->options.context);
}

bool source_is_overdue(const video_source *source)
{
    return source->limit_s > 0 && clock_now_s() - source->asked_s > source->limit_s;
}

static int is_interrupted(void *context)
{
    const video_source *source = context;
    return source_is_stopped(source) || source_is_overdue(source);
}

static bool is_pipe_stopped(const void *context)
{
    return source_is_stopped(context);
}

/* ---- The container ---- */

static int set_size(AVDictionary **settings, int width, int height)
{
    char size[32];
    snprintf(size, sizeof size, "%dx%d", width, height);
    return av_dict_set(settings, "video_size", size, 0);
}

static int set_rate(AVDictionary **settings, double rate)
{
    char text[32];
    snprintf(text, sizeof text, "%.6f", rate);
    return av_dict_set(settings, "framerate", text, 0);
}

static int set_raw(AVDictionary **settings, const video_raw *raw)
{
    int code = set_size(settings, raw->width, raw->height);
    if (code >= 0)
        code = av_dict_set(settings, "pixel_format", raw->format, 0);
    return code >= 0 ? set_rate(settings, raw->rate) : code;
}

static int set_device(AVDictionary **settings, const video_source *source)
{
    const video_source_options *asked = &source->options;
    bool screen = source->place.kind == PLACE_SCREEN;
    double rate = asked->rate > 0 ? asked->rate : screen ? SCREEN_RATE : 0;
    int code = screen ? av_dict_set(settings, "draw_mouse", "0", 0) : 0;
    if (code >= 0 && asked->width > 0)
        code = set_size(settings, asked->width, asked->height);
    return code >= 0 && rate > 0 ? set_rate(settings, rate) : code;
}

/* What FFmpeg is told before it opens the place. 0, or its code. */
static int choose_settings(const video_source *source, AVDictionary **settings)
{
    switch (source->place.kind) {
    case PLACE_CAMERA:
    case PLACE_SCREEN:
        return set_device(settings, source);
    case PLACE_ADDRESS:
        /* UDP that comes faster than it is read loses packets instead of ending. */
        return av_dict_set(settings, "overrun_nonfatal", "1", 0);
    case PLACE_FILE:
    case PLACE_PIPE:
        break;
    }
    int code = av_dict_set(settings, "protocol_whitelist", LOCAL_PROTOCOLS, 0);
    return code >= 0 && source->options.raw.width > 0 ? set_raw(settings, &source->options.raw)
                                                      : code;
}

/* NULL: what it is shows in the bytes. */
static const AVInputFormat *choose_format(const video_source *source)
{
    switch (source->place.kind) {
    case PLACE_CAMERA:
    case PLACE_SCREEN:
        avdevice_register_all();
        return av_find_input_format(source->place.kind == PLACE_CAMERA ? "v4l2" : "x11grab");
    case PLACE_FILE:
    case PLACE_PIPE:
    case PLACE_ADDRESS:
        break;
    }
    return source->options.raw.width > 0 ? av_find_input_format("rawvideo") : NULL;
}

static bool is_device(const video_source *source)
{
    return source->place.kind == PLACE_CAMERA || source->place.kind == PLACE_SCREEN;
}

static mien_status check_place(const video_source *source, mien_error *error)
{
    bool has_bytes = source->place.kind == PLACE_FILE || source->place.kind == PLACE_PIPE;
    if (source->options.raw.width > 0 && !has_bytes)
        return error_set(
            error, MIEN_INVALID_ARGUMENT,
            "'%s' is no file of raw frames: cameras, screens and streams say themselves "
            "what they give",
            source->name);
    if (is_device(source) && choose_format(source) == NULL)
        return error_set(error, MIEN_UNSUPPORTED,
                         "%s: the FFmpeg that is installed cannot read such a device",
                         source->name);
    return MIEN_OK;
}

static mien_status open_pipe(video_source *source, mien_error *error)
{
    if (source->place.kind != PLACE_PIPE)
        return MIEN_OK;
    source->pipe.stopped = is_pipe_stopped;
    source->pipe.context = source;
    mien_status status = pipe_open(&source->pipe, source->place.url, error);
    source->container->pb = source->pipe.io;
    return status;
}

static const char *refusal(const video_source *source)
{
    switch (source->place.kind) {
    case PLACE_CAMERA:
        return "the camera cannot be opened";
    case PLACE_SCREEN:
        return "the screen cannot be read";
    case PLACE_ADDRESS:
        return "nothing that can be read is there";
    case PLACE_FILE:
    case PLACE_PIPE:
        break;
    }
    return "this is no video that can be read";
}

static mien_status explain_refusal(const video_source *source, int code, mien_error *error)
{
    if (source_is_stopped(source))
        return error_set(error, MIEN_IO, "%s: stopped before anything came", source->name);
    if (source_is_overdue(source))
        return error_set(error, MIEN_IO, "%s: nothing came for %g s", source->name,
                         source->limit_s);
    return source_fail(source->name, code, refusal(source), error);
}

static mien_status open_input(video_source *source, mien_error *error)
{
    AVDictionary *settings = NULL;
    int code = choose_settings(source, &settings);
    if (code >= 0)
        code = avformat_open_input(&source->container, source->place.url, choose_format(source),
                                   &settings);
    av_dict_free(&settings);
    return code >= 0 ? MIEN_OK : explain_refusal(source, code, error);
}

static mien_status open_container(video_source *source, mien_error *error)
{
    mien_status status = place_find(source->address, &source->place, error);
    if (status == MIEN_OK)
        status = check_place(source, error);
    if (status != MIEN_OK)
        return status;
    source->limit_s = source->place.kind == PLACE_ADDRESS ? VIDEO_OPEN_LIMIT_S : 0;
    source->asked_s = clock_now_s();
    source->container = avformat_alloc_context();
    if (source->container == NULL)
        return error_no_memory(error, "a video", sizeof *source->container);
    source->container->interrupt_callback = (AVIOInterruptCB){is_interrupted, source};
    if (source->place.kind == PLACE_CAMERA) /* whose waiting could not be ended */
        source->container->flags |= AVFMT_FLAG_NONBLOCK;
    status = open_pipe(source, error);
    return status == MIEN_OK ? open_input(source, error) : status;
}

/* ---- The stream and its decoder ---- */

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
    return code >= 0 ? MIEN_OK : explain_refusal(source, code, error);
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
    return code >= 0 ? MIEN_OK
                     : source_fail(source->name, code, "its decoder cannot be opened", error);
}

mien_status source_open_all(video_source *source, mien_error *error)
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
    bool may_fall_silent =
        source->place.kind == PLACE_ADDRESS || source->place.kind == PLACE_CAMERA;
    source->limit_s = may_fall_silent ? VIDEO_SILENCE_LIMIT_S : 0;
    return status;
}
