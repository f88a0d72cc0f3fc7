/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_LIVE_SUMMARY_H
#define LIVE_LIVE_SUMMARY_H

/* What is said of a run of `mien live` at its end. */

#include "video/pipeline.h"

enum { LIVE_SUMMARY_DELAYS = 2000 };

/* Plain data of a fixed size; starts zeroed. */
typedef struct live_summary {
    int64_t frames, dropped;
    int64_t delays[LIVE_SUMMARY_DELAYS]; /* frames by their delay in ms; the last: or more */
} live_summary;

void live_summary_add(live_summary *summary, const pipeline_frame *frame);

/* On standard error. run: at its end, after so many seconds. */
void live_summary_print(const live_summary *summary, const pipeline *run, double seconds);

#endif
