/* SPDX-License-Identifier: Apache-2.0 */
#include "video/ffmpeg/sound.h"

#include "base/error.h"
#include "base/memory.h"

#include <libavutil/common.h>
#include <libavutil/mathematics.h>
#include <stdio.h>
#include <stdlib.h>

/* What a file may refer to, as of the source. */
#define LOCAL_PROTOCOLS "file,pipe,crypto,data"

struct sound {
    AVFormatContext *container;
    const AVStream *stream; /* the container's; NULL where there is no sound */
    AVPacket *packet;
    int64_t start; /* of the file, in the stream's unit */
    bool holds;    /* packet is one that begins too late for the last call */
    bool ended;
};

/* false when the file cannot be read. */
static bool open_container(sound *s, const char *path)
{
    char url[4096];
    AVDictionary *settings = NULL;
    int length = snprintf(url, sizeof url, "file:%s", path);
    if (length < 0 || (size_t)length >= sizeof url ||
        av_dict_set(&settings, "protocol_whitelist", LOCAL_PROTOCOLS, 0) < 0)
        return false;
    int code = avformat_open_input(&s->container, url, NULL, &settings);
    av_dict_free(&settings);
    return code >= 0 && avformat_find_stream_info(s->container, NULL) >= 0;
}

static void choose_stream(sound *s)
{
    int index = av_find_best_stream(s->container, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
    if (index < 0)
        return;
    s->stream = s->container->streams[index];
    for (unsigned i = 0; i < s->container->nb_streams; i++)
        if ((int)i != index)
            s->container->streams[i]->discard = AVDISCARD_ALL;
    if (s->container->start_time != AV_NOPTS_VALUE)
        s->start = av_rescale_q(s->container->start_time, AV_TIME_BASE_Q, s->stream->time_base);
}

mien_status sound_open(const char *path, sound **out, mien_error *error)
{
    *out = NULL;
    sound *s = memory_zeroed(1, sizeof *s);
    if (s == NULL || (s->packet = av_packet_alloc()) == NULL) {
        free(s);
        return error_no_memory(error, "the sound of a video", sizeof *s);
    }
    if (open_container(s, path))
        choose_stream(s);
    if (s->stream == NULL) {
        sound_close(s);
        return MIEN_OK;
    }
    *out = s;
    return MIEN_OK;
}

void sound_close(sound *s)
{
    if (s == NULL)
        return;
    av_packet_free(&s->packet);
    avformat_close_input(&s->container);
    free(s);
}

const AVCodecParameters *sound_parameters(const sound *s)
{
    return s->stream->codecpar;
}

AVRational sound_time_base(const sound *s)
{
    return s->stream->time_base;
}

/* Reads on to the next packet of the sound that says when it begins. */
static void read_packet(sound *s)
{
    while (!s->holds && !s->ended) {
        av_packet_unref(s->packet);
        s->ended = av_read_frame(s->container, s->packet) < 0;
        if (s->ended || s->packet->stream_index != s->stream->index)
            continue;
        if (s->packet->dts == AV_NOPTS_VALUE)
            s->packet->dts = s->packet->pts;
        if (s->packet->pts == AV_NOPTS_VALUE)
            s->packet->pts = s->packet->dts;
        s->holds = s->packet->dts != AV_NOPTS_VALUE;
        if (s->holds) {
            s->packet->pts = av_sat_sub64(s->packet->pts, s->start);
            s->packet->dts = av_sat_sub64(s->packet->dts, s->start);
        }
    }
}

void sound_next(sound *s, double until_s, AVPacket **packet)
{
    *packet = NULL;
    read_packet(s);
    if (!s->holds || (double)s->packet->dts * av_q2d(s->stream->time_base) >= until_s)
        return;
    s->holds = false;
    *packet = s->packet;
}
