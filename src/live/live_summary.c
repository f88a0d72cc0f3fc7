/* SPDX-License-Identifier: Apache-2.0 */
#include "live/live_summary.h"

#include <inttypes.h>
#include <stdio.h>

void live_summary_add(live_summary *summary, const pipeline_frame *frame)
{
    double delay_ms = 1000 * frame->delay_s;
    const int last = LIVE_SUMMARY_DELAYS - 1;
    summary->frames++;
    summary->dropped = frame->dropped;
    summary->delays[delay_ms < last ? (int)(delay_ms > 0 ? delay_ms : 0) : last]++;
}

/* The delay in ms that half of the frames do not reach. */
static int median(const live_summary *summary)
{
    int delay_ms = 0;
    int64_t below = summary->delays[0];
    while (2 * below < summary->frames && delay_ms < LIVE_SUMMARY_DELAYS - 1)
        below += summary->delays[++delay_ms];
    return delay_ms + 1;
}

void live_summary_print(const live_summary *summary, const pipeline *run, double seconds)
{
    int64_t count = pipeline_people(run), skipped = pipeline_skipped(run);
    fprintf(stderr, "mien: %" PRId64 " %s in %.2f s, %.1f a second; %" PRId64 " %s",
            summary->frames, summary->frames == 1 ? "frame" : "frames", seconds,
            (double)summary->frames / seconds, count, count == 1 ? "person" : "people");
    if (pipeline_is_live(run) && summary->frames > 0)
        fprintf(stderr, "; %" PRId64 " dropped, half within %d ms of their arrival",
                summary->dropped, median(summary));
    fputc('\n', stderr);
    if (skipped > 0)
        fprintf(stderr, "mien: %s: %" PRId64 " corrupt %s passed over\n", pipeline_name(run),
                skipped, skipped == 1 ? "packet was" : "packets were");
}
