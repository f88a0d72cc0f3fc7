/* SPDX-License-Identifier: Apache-2.0 */
#include "video/ffmpeg/sound.h"

#include "base/error.h"
#include "base/memory.h"

#include <libavcodec/bsf.h>
#include <libavutil/common.h>
#include <libavutil/mathematics.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a file may refer to, as of the source. */
#define LOCAL_PROTOCOLS "file,pipe,crypto,data"

struct sound {
    AVFormatContext *container;
    const AVStream *stream; /* the container's; NULL where there is no sound */
    AVCodecParameters *parameters;
    AVBSFContext *filter; /* for AAC that is stored as ADTS; else NULL */
    AVPacket *packet;
    int64_t start; /* of the file, in the stream's unit */
    bool holds;    /* packet is one that begins too late for the last call */
    bool ended;
};

/* ---- Reading ---- */

/* Passes the packet through the filter, where there is one. false: it is no packet any more. */
static bool filter_packet(sound *s)
{
    if (s->filter == NULL)
        return true;
    return av_bsf_send_packet(s->filter, s->packet) >= 0 &&
           av_bsf_receive_packet(s->filter, s->packet) >= 0;
}

/* Times from the start of the file. false: it does not say when it begins, or that is before the
 * start, as of the packet that only warms a decoder up. */
static bool place_packet(const sound *s)
{
    AVPacket *packet = s->packet;
    if (packet->dts == AV_NOPTS_VALUE)
        packet->dts = packet->pts;
    if (packet->pts == AV_NOPTS_VALUE)
        packet->pts = packet->dts;
    if (packet->dts == AV_NOPTS_VALUE)
        return false;
    packet->pts = av_sat_sub64(packet->pts, s->start);
    packet->dts = av_sat_sub64(packet->dts, s->start);
    return packet->dts >= 0;
}

/* Reads on to the next packet of the sound, unless one is held. */
static void read_packet(sound *s)
{
    while (!s->holds && !s->ended) {
        av_packet_unref(s->packet);
        s->ended = av_read_frame(s->container, s->packet) < 0;
        s->holds = !s->ended && s->packet->stream_index == s->stream->index && filter_packet(s) &&
                   place_packet(s);
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

/* ---- Opening ---- */

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

/* ADTS repeats the description of the sound in each packet; containers want it once, before the
 * first one. false: it cannot be had. */
static bool describe_adts(sound *s)
{
    const AVBitStreamFilter *filter = av_bsf_get_by_name("aac_adtstoasc");
    size_t bytes = 0;
    if (filter == NULL || av_bsf_alloc(filter, &s->filter) < 0 ||
        avcodec_parameters_copy(s->filter->par_in, s->parameters) < 0)
        return false;
    s->filter->time_base_in = s->stream->time_base;
    if (av_bsf_init(s->filter) < 0)
        return false;
    read_packet(s);
    const uint8_t *found = av_packet_get_side_data(s->packet, AV_PKT_DATA_NEW_EXTRADATA, &bytes);
    if (!s->holds || found == NULL)
        return false;
    s->parameters->extradata = av_mallocz(bytes + AV_INPUT_BUFFER_PADDING_SIZE);
    if (s->parameters->extradata == NULL)
        return false;
    memcpy(s->parameters->extradata, found, bytes);
    s->parameters->extradata_size = (int)bytes;
    return true;
}

static bool describe(sound *s)
{
    if (s->stream == NULL || avcodec_parameters_copy(s->parameters, s->stream->codecpar) < 0)
        return false;
    return s->parameters->codec_id != AV_CODEC_ID_AAC || s->parameters->extradata_size > 0 ||
           describe_adts(s);
}

mien_status sound_open(const char *path, sound **out, mien_error *error)
{
    *out = NULL;
    sound *s = memory_zeroed(1, sizeof *s);
    if (s == NULL)
        return error_no_memory(error, "the sound of a video", sizeof *s);
    s->packet = av_packet_alloc();
    s->parameters = avcodec_parameters_alloc();
    if (s->packet == NULL || s->parameters == NULL) {
        sound_close(s);
        return error_no_memory(error, "the sound of a video", sizeof *s);
    }
    if (open_container(s, path))
        choose_stream(s);
    if (describe(s))
        *out = s;
    else
        sound_close(s);
    return MIEN_OK;
}

void sound_close(sound *s)
{
    if (s == NULL)
        return;
    av_packet_free(&s->packet);
    avcodec_parameters_free(&s->parameters);
    av_bsf_free(&s->filter);
    avformat_close_input(&s->container);
    free(s);
}

const AVCodecParameters *sound_parameters(const sound *s)
{
    return s->parameters;
}

AVRational sound_time_base(const sound *s)
{
    return s->stream->time_base;
}
