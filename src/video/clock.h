/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_CLOCK_H
#define VIDEO_CLOCK_H

/* The time that passes here, whatever a source says. All functions are thread-safe. */

#include <time.h>

/* Seconds from some point in the past; they never step back. */
double clock_now_s(void);

/* The same clock's time in wait_s seconds; not finite or over a year counts as a year. */
struct timespec clock_deadline(double wait_s);

/* Sleeps for so many seconds; a signal may end it sooner. */
void clock_sleep(double seconds);

#endif
