/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_TIMING_H
#define VIDEO_TIMING_H

/*
 * Arithmetic of times for live sources, in seconds. "now" is clock_now_s. Plain data that starts
 * zeroed; for one thread at a time; nothing here waits.
 */

#include <stdbool.h>

/* The time of a stream, which goes on rising where the stream's own clock steps back or starts
 * anew. */
typedef struct timing_rise {
    bool started;
    double offset_s; /* from the stream's own time */
    double last_s;
    double ahead_s; /* of now: the most that a frame's time was */
} timing_rise;

/*
 * The time of a frame that the stream dates time_s and that came at now_s. anew: the stream was
 * opened again before it. Where the stream's clock is anew or steps back, the time that passed here
 * counts, from the frames that came the soonest; a jump forward stays what it is.
 */
double timing_rise_next(timing_rise *rise, double time_s, double now_s, bool anew);

/* A file played at its own pace. */
typedef struct timing_pace {
    bool started;
    double offset_s; /* from the file's time to now */
} timing_pace;

/*
 * When a frame of time_s is to come. A frame that would come over TIMING_MAX_WAIT_S later, or that
 * is over TIMING_MAX_LAG_S late (the file steps back, the machine slept or is too slow), comes now,
 * and the others by it.
 */
#define TIMING_MAX_WAIT_S 10.0
#define TIMING_MAX_LAG_S  1.0
double timing_pace_next(timing_pace *pace, double time_s, double now_s);

/* Thinning to a rate. */
typedef struct timing_thin {
    bool started;
    double due_s;
} timing_thin;

/*
 * Whether a frame of time_s is wanted when rate frames a second are, of a source whose frames come
 * every interval_s (0: not known): those nearest to the times that are wanted. A source that gives
 * no more than that loses none. rate 0: all.
 */
bool timing_thin_keeps(timing_thin *thin, double rate, double interval_s, double time_s);

/* The interval of frames: the mean of the last ones, each weighing an eighth less than the next. */
typedef struct timing_interval {
    bool started;
    double last_s;
    double mean_s; /* 0 while it is not known */
} timing_interval;

/* Steps of no time, back, and over TIMING_MAX_WAIT_S say nothing about the rate. */
void timing_interval_add(timing_interval *interval, double time_s);

#endif
