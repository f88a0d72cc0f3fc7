/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_LIVE_SAVE_H
#define LIVE_LIVE_SAVE_H

/*
 * Saving mode: pictures of the faces of a video, and what was read in them, in a folder for each
 * expression (docs/OUTPUT.md). A thread of its own writes them, so that nobody waits for a disk:
 * what it cannot keep up with is counted as not saved. Messages go to standard error.
 */

#include "video/pipeline.h"

typedef struct live_save live_save;

typedef struct live_save_settings {
    const char *folder;  /* made when it is not there */
    double rate;         /* pictures a second, of each person; over 0 */
    int64_t quota_bytes; /* for all that the folder holds, what was there before included */
} live_save_settings;

/*
 * Starts a run's saving; source: what tables call the video. model and settings->folder must
 * outlive it. Signals that the caller answers should be blocked: the thread inherits that.
 * Success: *out is the caller's, end it with live_save_close. Failure: *out is NULL; MIEN_IO (the
 * folder cannot be made or written to), MIEN_OUT_OF_MEMORY.
 */
mien_status live_save_open(const live_save_settings *settings, const char *source,
                           const mien_model *model, live_save **out, mien_error *error);

/* Takes the faces of a frame that are due: those of known people that were found, not predicted.
 * Never waits. */
void live_save_frame(live_save *save, const pipeline_frame *frame);

/* Pictures so far. */
typedef struct live_save_counts {
    int64_t saved;
    int64_t not_saved; /* the disk was too slow, full or failed, or the quota was used up */
    bool failed;       /* something could not be written, and a message said so */
} live_save_counts;

live_save_counts live_save_count(live_save *save);

/* As face_folder_run. The object's. */
const char *live_save_run(const live_save *save);

/* Waits until all that was taken is written, and frees; the last counts. */
live_save_counts live_save_close(live_save *save);

#endif
