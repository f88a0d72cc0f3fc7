/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_SEARCH_PACE_H
#define VIDEO_SEARCH_PACE_H

/*
 * In which frames faces are looked for, which takes most of the time; between them people are read
 * where they are expected.
 *
 * For files: in one frame of `least`, whatever it takes, so that results repeat.
 *
 * For live sources, so that all frames get through at the rate at which they come and most of a
 * core stays free: a search takes d seconds on the wall and frames come every f seconds, both
 * moving means. Faces are looked for in one frame of n, n being the least number from `least` to
 * SEARCH_PACE_MOST with
 *     d / n <= 0.4 f
 * It grows at once; it falls by one at a time, after a search with d / (n - 1) <= 0.33 f. Where
 * SEARCH_PACE_MOST does not suffice, frames are dropped.
 *
 * Plain data; pure; for one thread at a time.
 */

#include <stdbool.h>

enum { SEARCH_PACE_MOST = 8 };

typedef struct search_pace {
    int least; /* at least 1 */
    bool adapts;
    int every;       /* n; 0 before the first frame */
    int since;       /* frames since the last search, that one counted */
    double search_s; /* d, each search weighing an eighth less than the next; 0 before the first */
} search_pace;

/* Whether faces are to be looked for in the next frame. */
bool search_pace_next(search_pace *pace);

/* A search took seconds, while frames came every interval_s (0: not known). */
void search_pace_took(search_pace *pace, double seconds, double interval_s);

#endif
