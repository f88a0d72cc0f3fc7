/* SPDX-License-Identifier: Apache-2.0 */
#include "video/stream.h"

#include "base/address.h"
#include "base/error.h"
#include "base/memory.h"
#include "video/clock.h"
#include "video/timing.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_DELAY_S   1.0
#define LONGEST_DELAY_S 30.0
#define WAIT_STEP_S     0.05 /* between looks at whether one is to stop */

/* The most that piled up while a live source was opened, by the frames' time. */
#define MOST_PILED_S 5.0

/* Frames that piled up while the source was opened. */
typedef struct stream_pile {
    bool over;
    bool started;
    double first_s, last_s; /* of them, by their times */
} stream_pile;

struct stream {
    char *name;    /* for messages: without a password */
    char *address; /* as it was asked for */
    stream_settings settings;
    video_source *source; /* NULL: broken, to be opened again */
    bool endless;         /* it is opened again where it ends */
    bool anew;            /* no frame since it was opened again */
    stream_pile pile;     /* of a live source */
    double delay_s;       /* before it is opened again */
    int64_t skipped;      /* of the sources before */
    timing_rise rise;
    timing_pace pace;
    timing_thin thin;
    timing_interval interval;
    _Atomic double asked_s; /* since when a frame is asked of the source; 0: none is */
    char notice[MIEN_ERROR_MESSAGE_SIZE + 64];
};

static mien_status open_source(stream *s, mien_error *error)
{
    mien_status status = video_source_open(s->address, &s->settings.source, &s->source, error);
    s->endless = s->endless || (status == MIEN_OK && video_source_is_live(s->source));
    s->pile = (stream_pile){.over = !s->endless};
    return status;
}

static mien_status check_rate(const stream *s, mien_error *error)
{
    if (s->settings.rate > 0 && !stream_is_live(s))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "%s is a file, of which no frame is left out: the rate is for live "
                         "sources, and for files that are played live",
                         s->name);
    return MIEN_OK;
}

mien_status stream_open(const char *name, const stream_settings *settings, stream **out,
                        mien_error *error)
{
    *out = NULL;
    stream *s = memory_zeroed(1, sizeof *s);
    if (s == NULL || (s->name = address_without_password(name)) == NULL ||
        (s->address = memory_copy_string(name)) == NULL) {
        stream_close(s);
        return error_no_memory(error, "a stream", sizeof *s);
    }
    s->settings = *settings;
    s->delay_s = FIRST_DELAY_S;
    mien_status status = open_source(s, error);
    if (status == MIEN_OK)
        status = check_rate(s, error);
    if (status != MIEN_OK) {
        stream_close(s);
        return status;
    }
    *out = s;
    return MIEN_OK;
}

void stream_close(stream *s)
{
    if (s == NULL)
        return;
    video_source_close(s->source);
    free(s->name);
    free(s->address);
    free(s);
}

const char *stream_notice(const stream *s)
{
    return s->notice;
}

bool stream_is_live(const stream *s)
{
    return s->endless || s->settings.play;
}

int64_t stream_skipped(const stream *s)
{
    return s->skipped + (s->source != NULL ? video_source_skipped(s->source) : 0);
}

double stream_silence_s(const stream *s)
{
    double asked_s = atomic_load(&s->asked_s);
    return asked_s > 0 ? clock_now_s() - asked_s : 0;
}

/* ---- Waiting ---- */

static bool is_stopped(const stream *s)
{
    const video_source_options *options = &s->settings.source;
    return options->stopped != NULL && options->stopped(options->context);
}

/* false: stopped before. */
static bool wait_until(const stream *s, double until_s)
{
    for (;;) {
        if (is_stopped(s))
            return false;
        double left_s = until_s - clock_now_s();
        if (!(left_s > 0))
            return true;
        clock_sleep(left_s < WAIT_STEP_S ? left_s : WAIT_STEP_S);
    }
}

/* ---- Breaking and coming back ---- */

static bool can_be_mended(mien_status status)
{
    return status != MIEN_LIMIT && status != MIEN_OUT_OF_MEMORY;
}

static stream_event announce_break(stream *s, const char *why)
{
    s->skipped = stream_skipped(s);
    video_source_close(s->source);
    s->source = NULL;
    snprintf(s->notice, sizeof s->notice, "%s; trying again in %g s", why, s->delay_s);
    return STREAM_NOTICE;
}

/* Waits and opens the source again; says whether that did. */
static mien_status come_back(stream *s, stream_event *event, mien_error *error)
{
    mien_error reason;
    *event = STREAM_END;
    if (!wait_until(s, clock_now_s() + s->delay_s))
        return MIEN_OK;
    s->delay_s = 2 * s->delay_s < LONGEST_DELAY_S ? 2 * s->delay_s : LONGEST_DELAY_S;
    mien_status status = open_source(s, &reason);
    if (status != MIEN_OK && is_stopped(s))
        return MIEN_OK;
    if (status != MIEN_OK && !can_be_mended(status))
        return error_set(error, status, "%s", reason.message);
    if (status != MIEN_OK) {
        *event = announce_break(s, reason.message);
        return MIEN_OK;
    }
    s->anew = true;
    snprintf(s->notice, sizeof s->notice, "%s: it is back", s->name);
    *event = STREAM_NOTICE;
    return MIEN_OK;
}

/* ---- Frames ---- */

static mien_status read_source(stream *s, mien_image *image, video_frame *read, mien_error *error)
{
    video_source_draw_into(s->source, image);
    atomic_store(&s->asked_s, clock_now_s());
    mien_status status = video_source_next(s->source, read, error);
    atomic_store(&s->asked_s, 0);
    return status;
}

/* The end of what the source gave: of a file for good. */
static mien_status end(stream *s, mien_status status, const char *why, stream_event *event,
                       mien_error *error)
{
    if (status == MIEN_OK && (!s->endless || is_stopped(s)))
        return MIEN_OK;
    if (!s->endless || !can_be_mended(status))
        return error_set(error, status, "%s", why);
    *event = announce_break(s, why);
    return MIEN_OK;
}

/* Whether a frame is old already, for it lay inside while the source was opened: it was not waited
 * for as long as a new one would have been. The first one's wait says nothing. */
static bool is_piled(stream_pile *pile, const video_frame *read)
{
    if (pile->over)
        return false;
    double step_s = read->time_s - pile->last_s;
    if (!pile->started)
        pile->first_s = read->time_s;
    else
        pile->over = !(step_s > 0) || read->waited_s >= step_s / 4 ||
                     read->time_s >= pile->first_s + MOST_PILED_S;
    pile->started = true;
    pile->last_s = read->time_s;
    return !pile->over;
}

/* When a frame arrived, and its time; a played file is waited for. false: stopped. */
static bool date(stream *s, const video_frame *read, stream_frame *frame)
{
    *frame = (stream_frame){.time_s = read->time_s, .arrived_s = read->arrived_s};
    if (s->endless) {
        frame->time_s = timing_rise_next(&s->rise, read->time_s, read->arrived_s, s->anew);
        s->anew = false;
        s->delay_s = FIRST_DELAY_S;
    } else if (s->settings.play) {
        frame->arrived_s = timing_pace_next(&s->pace, read->time_s, clock_now_s());
        return wait_until(s, frame->arrived_s);
    }
    return true;
}

static double wanted_interval(const stream *s)
{
    double rate = s->settings.rate, comes_s = s->interval.mean_s;
    return rate > 0 && comes_s < 1 / rate ? 1 / rate : comes_s;
}

mien_status stream_next(stream *s, mien_image *image, stream_event *event, stream_frame *frame,
                        mien_error *error)
{
    *event = STREAM_END;
    *frame = (stream_frame){0};
    if (s->source == NULL)
        return come_back(s, event, error);
    for (;;) {
        video_frame read;
        mien_error reason;
        mien_status status = read_source(s, image, &read, &reason);
        if (status == MIEN_OK && read.image == NULL)
            snprintf(reason.message, sizeof reason.message, "%s: it ended", s->name);
        if (status != MIEN_OK || read.image == NULL)
            return end(s, status, reason.message, event, error);
        stream_frame dated;
        if (is_piled(&s->pile, &read))
            continue;
        if (!date(s, &read, &dated))
            return MIEN_OK;
        timing_interval_add(&s->interval, dated.time_s);
        if (!timing_thin_keeps(&s->thin, s->settings.rate, s->interval.mean_s, dated.time_s))
            continue;
        dated.interval_s = wanted_interval(s);
        *frame = dated;
        *event = STREAM_FRAME;
        return MIEN_OK;
    }
}
