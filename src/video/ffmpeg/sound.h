/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_FFMPEG_SOUND_H
#define VIDEO_FFMPEG_SOUND_H

/* The sound of a local file as it is stored, packet by packet (AAC without the headers of ADTS).
 * Inside this folder only. */

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <mien/status.h>
#include <stdbool.h>

typedef struct sound sound;

/*
 * Opens the best sound of a file. Success: *out is the caller's, free with sound_close; NULL when
 * there is no sound in it, or it is no file that can be read a second time. Failure: *out is NULL;
 * MIEN_OUT_OF_MEMORY.
 */
mien_status sound_open(const char *path, sound **out, mien_error *error);

/* NULL is fine. */
void sound_close(sound *sound);

/* How it is stored, and in what unit its packets count time; the sound's. */
const AVCodecParameters *sound_parameters(const sound *sound);
AVRational sound_time_base(const sound *sound);

/*
 * The next packet that begins before until_s, seconds from the start of the file, as of
 * video_source_next. *packet is the sound's until the next call, its times from the start of the
 * file; NULL: there is none, or the file cannot be read on.
 */
void sound_next(sound *sound, double until_s, AVPacket **packet);

#endif
