/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_PRACTICE_RECORD_H
#define LIVE_PRACTICE_RECORD_H

/* The record of practice: a file of JSON Lines with an attempt each (docs/OUTPUT.md). It holds
 * scores, no pictures. */

#include <mien/status.h>
#include <stdio.h>
#include <time.h>

typedef struct practice_entry {
    time_t time;            /* seconds since 1970 */
    const char *name;       /* who, or "" */
    const char *expression; /* that was asked for */
    double score;           /* 0..100 */
    double reached_s;       /* until the score was first 50 or more; negative: never */
    double hold_s;
} practice_entry;

/* Opens a record to add to; it is made where there is none. Success: the caller closes with fclose.
 * MIEN_IO. */
mien_status practice_record_open(const char *path, FILE **out, mien_error *error);

/* Adds an attempt, which is in the file when this comes back. path: for messages. MIEN_IO,
 * MIEN_OUT_OF_MEMORY. */
mien_status practice_record_add(FILE *record, const char *path, const practice_entry *entry,
                                mien_error *error);

/* Prints what a record says of the progress, by name and expression. Returns the exit status. */
int practice_progress(const char *path);

#endif
