/* SPDX-License-Identifier: Apache-2.0 */
#include "video/writer.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "video/ffmpeg/sound.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/common.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a killed program may lose: frames reach the file in pieces so long. */
enum { PIECE_MS = 500 };

/* Times of frames are counted in parts of a second that all usual frame rates divide, in as many
 * as MPEG-4 part 2 can count. */
enum { TICKS = 60000, TICKS_H264 = 120000 };

/* Time that jumps by more, or steps back, goes on after STEP_S. */
#define MAX_JUMP_S 10.0
#define STEP_S     0.04

struct video_writer {
    char *path, *source;
    const char *container_name; /* FFmpeg's */
    const AVCodec *codec;
    bool is_new; /* the file was not there before */
    AVFormatContext *container;
    AVCodecContext *encoder;
    AVStream *video, *audio; /* the container's; audio NULL for none */
    struct SwsContext *scaler;
    AVFrame *frame;
    AVPacket *packet;  /* what the encoder gave last */
    AVPacket *pending; /* the frame before, whose duration is known with the next; empty at first */
    sound *sound;
    bool started;       /* the header is written */
    double shift_s;     /* time of the source less time in the file */
    double last_s;      /* time of the source at the last frame */
    int64_t last_time;  /* of the last frame, in the encoder's unit; -1 before the first */
    int64_t last_sound; /* of the last packet of sound, in its stream's unit */
    char notice[256];
};

static mien_status fail(const video_writer *w, int code, const char *what, mien_error *error)
{
    char words[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, words, sizeof words);
    return error_set(error, code == AVERROR(ENOMEM) ? MIEN_OUT_OF_MEMORY : MIEN_IO, "%s: %s: %s",
                     w->path, what, words);
}

/* ---- Opening ---- */

/* The name of a container that outlives a crash, or NULL. */
static const char *container_of(const char *path)
{
    static const char *const kinds[][2] = {{"mp4", "mp4"}, {"mov", "mov"}, {"mkv", "matroska"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcasecmp(file_extension(path), kinds[i][0]) == 0)
            return kinds[i][1];
    return NULL;
}

/* A file that is there may be replaced when the user says so, and it is not what is being read. */
static mien_status check_replacement(const char *path, const video_writer_options *options,
                                     mien_error *error)
{
    struct stat file, source;
    if (stat(path, &file) != 0)
        return error_set(error, MIEN_IO, "cannot look at '%s': %s", path, strerror(errno));
    if (!options->force)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "'%s' is there already; name another file, or replace it with --force",
                         path);
    if (options->source != NULL && stat(options->source, &source) == 0 &&
        source.st_dev == file.st_dev && source.st_ino == file.st_ino)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "'%s' is the video that is read; name another file", path);
    if (!S_ISREG(file.st_mode) || access(path, W_OK) != 0)
        return error_set(error, MIEN_IO, "'%s' cannot be replaced: %s", path,
                         S_ISREG(file.st_mode) ? strerror(errno) : "it is no file");
    return MIEN_OK;
}

static mien_status claim_file(video_writer *w, const video_writer_options *options,
                              mien_error *error)
{
    int file = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno == EEXIST)
        return check_replacement(w->path, options, error);
    if (file < 0)
        return error_set(error, MIEN_IO, "cannot make '%s': %s", w->path, strerror(errno));
    close(file);
    w->is_new = true;
    return MIEN_OK;
}

static mien_status choose_kind(video_writer *w, mien_error *error)
{
    w->container_name = container_of(w->path);
    if (w->container_name == NULL)
        return error_set(error, MIEN_UNSUPPORTED,
                         "cannot tell from '%s' what kind of video to write: the name must end in "
                         ".mp4, .mov or .mkv",
                         w->path);
    w->codec = avcodec_find_encoder_by_name("libx264");
    if (w->codec == NULL)
        w->codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    if (w->codec == NULL)
        return error_set(error, MIEN_UNSUPPORTED,
                         "the FFmpeg that is installed can write neither H.264 nor MPEG-4 video");
    return MIEN_OK;
}

mien_status video_writer_open(const char *path, const video_writer_options *options,
                              video_writer **out, mien_error *error)
{
    *out = NULL;
    av_log_set_level(AV_LOG_QUIET);
    video_writer *w = memory_zeroed(1, sizeof *w);
    if (w == NULL)
        return error_no_memory(error, "a video", sizeof *w);
    w->last_time = -1;
    w->last_sound = INT64_MIN;
    w->path = memory_copy_string(path);
    w->source = options->source != NULL ? memory_copy_string(options->source) : NULL;
    mien_status status = MIEN_OK;
    if (w->path == NULL || (options->source != NULL && w->source == NULL))
        status = error_no_memory(error, "a video", sizeof *w);
    if (status == MIEN_OK)
        status = choose_kind(w, error);
    if (status == MIEN_OK)
        status = claim_file(w, options, error);
    if (status != MIEN_OK) {
        video_writer_close(w);
        return status;
    }
    *out = w;
    return MIEN_OK;
}

void video_writer_close(video_writer *w)
{
    if (w == NULL)
        return;
    sws_freeContext(w->scaler);
    av_frame_free(&w->frame);
    av_packet_free(&w->packet);
    av_packet_free(&w->pending);
    avcodec_free_context(&w->encoder);
    if (w->container != NULL)
        avio_closep(&w->container->pb);
    avformat_free_context(w->container);
    sound_close(w->sound);
    free(w->path);
    free(w->source);
    free(w);
}

const char *video_writer_notice(const video_writer *w)
{
    return w->notice[0] != '\0' ? w->notice : NULL;
}

/* ---- The first frame: encoder, sound, header ---- */

/* Constant quality; each frame comes out of the encoder before the next goes in, so that nothing
 * but the last piece can be lost. */
static int set_quality(AVCodecContext *encoder)
{
    if (encoder->codec_id == AV_CODEC_ID_H264) {
        int code = av_opt_set(encoder->priv_data, "preset", "veryfast", 0);
        if (code >= 0)
            code = av_opt_set(encoder->priv_data, "tune", "zerolatency", 0);
        return code >= 0 ? av_opt_set(encoder->priv_data, "crf", "20", 0) : code;
    }
    encoder->max_b_frames = 0;
    encoder->flags |= AV_CODEC_FLAG_QSCALE;
    encoder->global_quality = 4 * FF_QP2LAMBDA;
    return 0;
}

static void describe_pixels(AVCodecContext *encoder, const mien_image *image)
{
    encoder->width = image->width & ~1; /* chroma is shared by two by two pixels */
    encoder->height = image->height & ~1;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->colorspace = AVCOL_SPC_BT709;
    encoder->color_primaries = AVCOL_PRI_BT709;
    encoder->color_trc = AVCOL_TRC_BT709;
}

static mien_status open_encoder(video_writer *w, const mien_image *image, mien_error *error)
{
    w->encoder = avcodec_alloc_context3(w->codec);
    w->packet = av_packet_alloc();
    w->pending = av_packet_alloc();
    w->frame = av_frame_alloc();
    if (w->encoder == NULL || w->packet == NULL || w->pending == NULL || w->frame == NULL)
        return error_no_memory(error, "an encoder", sizeof *w->encoder);
    AVCodecContext *encoder = w->encoder;
    describe_pixels(encoder, image);
    encoder->time_base = (AVRational){1, w->codec->id == AV_CODEC_ID_H264 ? TICKS_H264 : TICKS};
    encoder->framerate = (AVRational){30, 1}; /* a word to the encoder; each frame has its time */
    encoder->gop_size = 50;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    encoder->thread_count = 1;
    int code = set_quality(encoder);
    if (code >= 0)
        code = avcodec_open2(encoder, w->codec, NULL);
    if (code < 0)
        return error_set(error, code == AVERROR(ENOMEM) ? MIEN_OUT_OF_MEMORY : MIEN_LIMIT,
                         "%s: frames of %dx%d pixels cannot be encoded as %s", w->path,
                         image->width, image->height, w->codec->name);
    w->frame->format = encoder->pix_fmt;
    w->frame->width = encoder->width;
    w->frame->height = encoder->height;
    code = av_frame_get_buffer(w->frame, 0);
    return code >= 0 ? MIEN_OK : fail(w, code, "no frame can be made", error);
}

/* Sound that the container cannot hold, or that cannot be read again, is left out with a word. */
static mien_status open_sound(video_writer *w, mien_error *error)
{
    struct stat info;
    if (w->source == NULL || (stat(w->source, &info) != 0 && strchr(w->source, '%') != NULL))
        return MIEN_OK;
    if (stat(w->source, &info) != 0 || !S_ISREG(info.st_mode)) {
        snprintf(w->notice, sizeof w->notice,
                 "%s has no sound: that of a stream is not kept, only that of a file", w->path);
        return MIEN_OK;
    }
    mien_status status = sound_open(w->source, &w->sound, error);
    if (status != MIEN_OK || w->sound == NULL)
        return status;
    enum AVCodecID codec = sound_parameters(w->sound)->codec_id;
    if (avformat_query_codec(w->container->oformat, codec, FF_COMPLIANCE_NORMAL) == 1)
        return MIEN_OK;
    snprintf(w->notice, sizeof w->notice,
             "%s has no sound: %s does not fit into it; a name that ends in .mkv keeps it", w->path,
             avcodec_get_name(codec));
    sound_close(w->sound);
    w->sound = NULL;
    return MIEN_OK;
}

static mien_status add_streams(video_writer *w, mien_error *error)
{
    w->video = avformat_new_stream(w->container, NULL);
    if (w->video == NULL)
        return error_no_memory(error, "a stream", sizeof *w->video);
    w->video->time_base = w->encoder->time_base;
    int code = avcodec_parameters_from_context(w->video->codecpar, w->encoder);
    if (code >= 0 && w->sound != NULL) {
        w->audio = avformat_new_stream(w->container, NULL);
        if (w->audio == NULL)
            return error_no_memory(error, "a stream", sizeof *w->audio);
        w->audio->time_base = sound_time_base(w->sound);
        code = avcodec_parameters_copy(w->audio->codecpar, sound_parameters(w->sound));
        w->audio->codecpar->codec_tag = 0;
    }
    return code >= 0 ? MIEN_OK : fail(w, code, "its streams cannot be described", error);
}

/* MP4 describes Dolby's sounds by their first packet; then its header has to wait. */
static bool must_delay_header(const video_writer *w)
{
    if (w->audio == NULL)
        return false;
    const AVCodecParameters *kind = w->audio->codecpar;
    return kind->codec_id == AV_CODEC_ID_AC3 || kind->codec_id == AV_CODEC_ID_EAC3;
}

/* What makes the container whole after each piece. Options of another container are ignored. */
static int set_pieces(const video_writer *w, AVDictionary **settings)
{
    const char *flags = must_delay_header(w) ? "empty_moov+default_base_moof+delay_moov"
                                             : "empty_moov+default_base_moof";
    int code = av_dict_set(settings, "movflags", flags, 0);
    if (code >= 0)
        code = av_dict_set_int(settings, "frag_duration", PIECE_MS * 1000, 0);
    if (code >= 0)
        code = av_dict_set_int(settings, "use_editlist", 0, 0);
    return code >= 0 ? av_dict_set_int(settings, "cluster_time_limit", PIECE_MS, 0) : code;
}

static mien_status write_header(video_writer *w, mien_error *error)
{
    AVDictionary *settings = NULL;
    int code = set_pieces(w, &settings);
    w->container->flush_packets = 1;
    w->container->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL; /* FLAC in MP4 */
    w->container->avoid_negative_ts = AVFMT_AVOID_NEG_TS_MAKE_NON_NEGATIVE;
    if (code >= 0)
        code = avio_open(&w->container->pb, w->container->url, AVIO_FLAG_WRITE);
    if (code >= 0)
        code = avformat_write_header(w->container, &settings);
    av_dict_free(&settings);
    w->started = code >= 0;
    return code >= 0 ? MIEN_OK : fail(w, code, "writing failed", error);
}

static mien_status start(video_writer *w, const mien_image *image, mien_error *error)
{
    char url[4096];
    int length = snprintf(url, sizeof url, "file:%s", w->path);
    if (length < 0 || (size_t)length >= sizeof url)
        return error_set(error, MIEN_LIMIT, "the name of the video is too long (%zu bytes)",
                         strlen(w->path));
    int code = avformat_alloc_output_context2(&w->container, NULL, w->container_name, url);
    if (code < 0)
        return fail(w, code, "this kind of video cannot be written", error);
    mien_status status = open_encoder(w, image, error);
    if (status == MIEN_OK)
        status = open_sound(w, error);
    if (status == MIEN_OK)
        status = add_streams(w, error);
    return status == MIEN_OK ? write_header(w, error) : status;
}

/* ---- Packets ---- */

/* The time in the file of a packet of sound; false: it has no place there, as where time jumped. */
static bool place_sound(video_writer *w, AVPacket *packet)
{
    AVRational unit = sound_time_base(w->sound);
    int64_t shift = llrint(w->shift_s / av_q2d(unit));
    packet->pts = av_sat_sub64(packet->pts, shift);
    packet->dts = av_sat_sub64(packet->dts, shift);
    av_packet_rescale_ts(packet, unit, w->audio->time_base);
    if (packet->dts <= w->last_sound || (shift != 0 && packet->dts < 0))
        return false;
    w->last_sound = packet->dts;
    packet->stream_index = w->audio->index;
    packet->pos = -1;
    return true;
}

/* The sound that begins before a time of the file. */
static mien_status write_sound(video_writer *w, double until_s, mien_error *error)
{
    AVPacket *packet;
    if (w->sound == NULL)
        return MIEN_OK;
    for (;;) {
        sound_next(w->sound, until_s + w->shift_s, &packet);
        if (packet == NULL)
            return MIEN_OK;
        int code = place_sound(w, packet) ? av_write_frame(w->container, packet) : 0;
        if (code < 0)
            return fail(w, code, "writing its sound failed", error);
    }
}

/* Writes the pending frame, now that it is known when it ends. */
static mien_status write_pending(video_writer *w, int64_t end, mien_error *error)
{
    AVPacket *packet = w->pending;
    if (packet->size == 0)
        return MIEN_OK;
    double time_s = (double)packet->dts * av_q2d(w->encoder->time_base);
    mien_status status = write_sound(w, time_s, error);
    packet->duration = end - packet->dts;
    packet->stream_index = w->video->index;
    av_packet_rescale_ts(packet, w->encoder->time_base, w->video->time_base);
    int code = av_write_frame(w->container, packet);
    av_packet_unref(packet);
    return code >= 0 ? status : fail(w, code, "writing failed", error);
}

/* Sends a frame, or NULL at the end, and takes what the encoder has. */
static mien_status encode(video_writer *w, const AVFrame *frame, mien_error *error)
{
    mien_status status = MIEN_OK;
    int code = avcodec_send_frame(w->encoder, frame);
    while (code >= 0 && status == MIEN_OK) {
        code = avcodec_receive_packet(w->encoder, w->packet);
        if (code < 0)
            break;
        status = write_pending(w, w->packet->dts, error);
        av_packet_move_ref(w->pending, w->packet);
    }
    if (status == MIEN_OK && code < 0 && code != AVERROR(EAGAIN) && code != AVERROR_EOF)
        return fail(w, code, "encoding failed", error);
    return status;
}

/* ---- Frames ---- */

static mien_status convert(video_writer *w, const mien_image *image, mien_error *error)
{
    int format = image->format == MIEN_PIXEL_BGRA8 ? AV_PIX_FMT_BGR0 : AV_PIX_FMT_RGB24;
    int width = image->width, height = image->height;
    if (width - w->frame->width == 1) /* the odd column that the video does not have */
        width--;
    if (height - w->frame->height == 1)
        height--;
    w->scaler =
        sws_getCachedContext(w->scaler, width, height, format, w->frame->width, w->frame->height,
                             AV_PIX_FMT_YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
    if (w->scaler == NULL || av_frame_make_writable(w->frame) < 0)
        return error_no_memory(error, "the conversion of colours", 0);
    const int one = 1 << 16;
    sws_setColorspaceDetails(w->scaler, sws_getCoefficients(SWS_CS_DEFAULT), 1,
                             sws_getCoefficients(SWS_CS_ITU709), 0, 0, one, one);
    const uint8_t *planes[] = {image->data, NULL, NULL, NULL};
    const int strides[] = {(int)image->stride, 0, 0, 0};
    if (sws_scale(w->scaler, planes, strides, 0, height, w->frame->data, w->frame->linesize) < 0)
        return error_no_memory(error, "the conversion of colours", 0);
    return MIEN_OK;
}

/* The time in the file, in the encoder's unit; later than the last one. */
static int64_t place_frame(video_writer *w, double time_s)
{
    double step_s = time_s - w->last_s;
    if (step_s < 0 || step_s > MAX_JUMP_S)
        w->shift_s += step_s - (w->last_time >= 0 ? STEP_S : 0);
    w->last_s = time_s;
    int64_t time = llrint((time_s - w->shift_s) * w->encoder->time_base.den);
    w->last_time = time > w->last_time ? time : w->last_time + 1;
    return w->last_time;
}

mien_status video_writer_add(video_writer *w, const mien_image *image, double time_s,
                             mien_error *error)
{
    if (!isfinite(time_s) ||
        (image->format != MIEN_PIXEL_RGB8 && image->format != MIEN_PIXEL_BGRA8))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a frame at %g s in pixel format %d cannot be encoded", time_s,
                         (int)image->format);
    mien_status status = w->container == NULL ? start(w, image, error) : MIEN_OK;
    if (status == MIEN_OK && !w->started)
        status = error_set(error, MIEN_IO, "%s: writing has not begun", w->path);
    if (status == MIEN_OK)
        status = convert(w, image, error);
    if (status != MIEN_OK)
        return status;
    w->frame->pts = place_frame(w, time_s);
    return encode(w, w->frame, error);
}

mien_status video_writer_finish(video_writer *w, bool whole, mien_error *error)
{
    if (!w->started) {
        if (w->is_new)
            unlink(w->path);
        return MIEN_OK;
    }
    int64_t end = w->last_time + llrint(STEP_S * w->encoder->time_base.den);
    double end_s = (double)end / w->encoder->time_base.den;
    mien_status status = encode(w, NULL, error);
    if (status == MIEN_OK)
        status = write_pending(w, end, error);
    if (status == MIEN_OK)
        status = write_sound(w, whole ? INFINITY : end_s, error);
    int code = av_write_trailer(w->container);
    int closed = avio_closep(&w->container->pb);
    w->started = false;
    w->is_new = false;
    if (status == MIEN_OK && (code < 0 || closed < 0))
        return fail(w, code < 0 ? code : closed, "its end could not be written", error);
    return status;
}
