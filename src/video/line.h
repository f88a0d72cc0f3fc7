/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_LINE_H
#define VIDEO_LINE_H

/*
 * The line that frames go along: fetching, finding and reading on a thread each, bounded queues
 * between them and to the caller, and a fixed number of slots that go round. What is done at each
 * station is the caller's; a station is never on two threads at once.
 */

#include "video/slot.h"

/*
 * The work of a station. Fetching fills the slot and sets its kind; the others get slots of
 * SLOT_FRAME only. A failure ends the line: the slot goes on as SLOT_FAILURE.
 */
typedef mien_status line_work(void *context, slot *slot, mien_error *error);

typedef struct line_settings {
    line_work *fetch, *find, *read;
    void *context;
    size_t waiting;  /* frames that may wait between fetching and finding, at least 1 */
    bool drops;      /* when there are so many, the oldest goes; otherwise fetching waits */
    bool one_thread; /* all work is done in line_next, in a single slot */
} line_settings;

typedef struct line line;

/*
 * Success: *out is the caller's, stop with line_stop. Its threads leave all signals to the
 * caller's. Failure: *out is NULL; MIEN_OUT_OF_MEMORY (or no thread can be started).
 */
mien_status line_start(const line_settings *settings, line **out, mien_error *error);

/* At any time; waits until the work that is under way is done, and frees everything. NULL is fine.
 */
void line_stop(line *line);

/*
 * The next slot at the end of the line, the caller's until the next call. Frames come in the order
 * of fetching, SLOT_NOTICE as soon as it can; after SLOT_END and SLOT_FAILURE nothing comes. NULL:
 * nothing came within wait_s seconds. For one thread at a time.
 */
const slot *line_next(line *line, double wait_s);

#endif
