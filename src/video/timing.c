/* SPDX-License-Identifier: Apache-2.0 */
#include "video/timing.h"

double timing_rise_next(timing_rise *rise, double time_s, double now_s, bool anew)
{
    double risen_s = time_s + rise->offset_s;
    if (rise->started && (anew || risen_s < rise->last_s)) {
        risen_s = now_s + rise->ahead_s;
        rise->offset_s = risen_s - time_s;
    }
    if (!rise->started || risen_s - now_s > rise->ahead_s)
        rise->ahead_s = risen_s - now_s;
    rise->started = true;
    rise->last_s = risen_s;
    return risen_s;
}

double timing_pace_next(timing_pace *pace, double time_s, double now_s)
{
    double due_s = time_s + pace->offset_s;
    if (!pace->started || due_s > now_s + TIMING_MAX_WAIT_S || due_s < now_s - TIMING_MAX_LAG_S) {
        pace->started = true;
        pace->offset_s = now_s - time_s;
        return now_s;
    }
    return due_s;
}

bool timing_thin_keeps(timing_thin *thin, double rate, double interval_s, double time_s)
{
    if (!(rate > 0))
        return true;
    double step_s = 1 / rate;
    double early_s = (interval_s < step_s ? interval_s : step_s) / 2;
    bool jumped =
        !thin->started || time_s > thin->due_s + step_s || time_s < thin->due_s - 2 * step_s;
    if (!jumped && time_s < thin->due_s - early_s)
        return false;
    thin->due_s = (jumped ? time_s : thin->due_s) + step_s;
    thin->started = true;
    return true;
}

void timing_interval_add(timing_interval *interval, double time_s)
{
    double step_s = time_s - interval->last_s;
    if (interval->started && step_s > 0 && step_s <= TIMING_MAX_WAIT_S)
        interval->mean_s =
            interval->mean_s > 0 ? interval->mean_s + (step_s - interval->mean_s) / 8 : step_s;
    interval->started = true;
    interval->last_s = time_s;
}
