/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/number.h"
#include "image/image.h"
#include "video/source.h"

#include <libavutil/pixdesc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_FORMAT "rgb24"
#define DEFAULT_RATE   25.0
#define MAX_RATE       1000.0

static bool parse_side(const char *text, const char **end, int *side)
{
    char *after;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long value = strtoul(text, &after, 10);
    *end = after;
    *side = value <= IMAGE_MAX_SIDE ? (int)value : 0;
    return *side > 0;
}

/* "WxH"; *end is behind it. */
static bool parse_size(const char *text, const char **end, video_raw *raw)
{
    return parse_side(text, end, &raw->width) && **end == 'x' &&
           parse_side(*end + 1, end, &raw->height);
}

static mien_status parse_format(const char *text, size_t length, video_raw *raw, mien_error *error)
{
    if (length > 0 && length < sizeof raw->format) {
        memcpy(raw->format, text, length);
        raw->format[length] = '\0';
        if (av_get_pix_fmt(raw->format) != AV_PIX_FMT_NONE)
            return MIEN_OK;
    }
    return error_set(error, MIEN_INVALID_ARGUMENT,
                     "there is no pixel format '%.*s'; rgb24, bgr24, gray, rgba, yuv420p, nv12 and "
                     "yuyv422 are some",
                     length < 64 ? (int)length : 64, text);
}

mien_status video_raw_parse(const char *text, video_raw *raw, mien_error *error)
{
    const char *rest;
    *raw = (video_raw){.rate = DEFAULT_RATE, .format = DEFAULT_FORMAT};
    if (!parse_size(text, &rest, raw) || (*rest != '\0' && *rest != ':' && *rest != '@'))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "raw frames are '%.80s', not WIDTHxHEIGHT[:FORMAT][@RATE] such as "
                         "640x480:rgb24@30",
                         text);
    if (*rest == ':') {
        size_t length = strcspn(rest + 1, "@");
        mien_status status = parse_format(rest + 1, length, raw, error);
        if (status != MIEN_OK)
            return status;
        rest += 1 + length;
    }
    if (*rest == '@' && (!number_read(rest + 1, &rest, &raw->rate) || *rest != '\0' ||
                         !(raw->rate >= 0.001 && raw->rate <= MAX_RATE)))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "raw frames come at '%.80s': the rate is not 0.001 to %g a second", text,
                         MAX_RATE);
    return MIEN_OK;
}
