/* SPDX-License-Identifier: Apache-2.0 */
#include "video/clock.h"

#define LONGEST_WAIT_S (366.0 * 24 * 3600)

double clock_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static struct timespec timespec_of(double seconds)
{
    double whole = (double)(time_t)seconds;
    return (struct timespec){.tv_sec = (time_t)whole, .tv_nsec = (long)((seconds - whole) * 1e9)};
}

static double bounded(double seconds)
{
    if (!(seconds < LONGEST_WAIT_S))
        return LONGEST_WAIT_S;
    return seconds > 0 ? seconds : 0;
}

struct timespec clock_deadline(double wait_s)
{
    return timespec_of(clock_now_s() + bounded(wait_s));
}

void clock_sleep(double seconds)
{
    struct timespec wanted = timespec_of(bounded(seconds));
    nanosleep(&wanted, NULL);
}
