/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_HISTORY_H
#define EVAL_HISTORY_H

/* How a training run went: its log (docs/RECIPES.md, log.jsonl), read back and drawn. */

#include <mien/status.h>
#include <stdio.h>

#define HISTORY_NAME_SIZE 64

/* One line of the log. What it does not say is NaN. */
typedef struct history_epoch {
    char stage[HISTORY_NAME_SIZE];
    double loss, validation_loss;
    double accuracy; /* on the validation set, 0..1 */
    double rate;
    double images_per_second;
} history_epoch;

typedef struct history {
    history_epoch *epochs;
    size_t count;
    size_t capacity;
} history;

/*
 * Reads a log from text, one JSON object a line; a last line that does not end is passed over (a
 * run may be writing it). name is what messages call it.
 * Success: the caller frees with history_free. Failure: *out is zeroed; MIEN_MALFORMED with the
 * line, MIEN_OUT_OF_MEMORY.
 */
mien_status history_read(const char *text, size_t size, const char *name, history *out,
                         mien_error *error);
void history_free(history *h);

/* Index of the epoch with the best accuracy, the first of equals; 0 when there is none. */
size_t history_best(const history *h);

/*
 * The section of a report page (eval/html.h) with the curves of loss, accuracy, rate and speed by
 * epoch, stages and best epoch marked. At least one epoch. MIEN_OUT_OF_MEMORY. Write errors stay in
 * the stream.
 */
mien_status history_section(FILE *out, const history *h, mien_error *error);

#endif
