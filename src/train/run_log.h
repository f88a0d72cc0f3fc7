/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_RUN_LOG_H
#define TRAIN_RUN_LOG_H

/* The log of a run: a text file with one JSON object a line, one line an epoch,
 * and one for each stage whose model was settled. */

#include "train/trainer.h"

/*
 * Keeps the first lines, so that the log says no more than the checkpoint that a run goes
 * on from. Without a file there is nothing to do. MIEN_IO, MIEN_OUT_OF_MEMORY.
 */
mien_status run_log_cut(const char *path, int64_t lines, mien_error *error);

/*
 * The best validation accuracy of the first `epochs` epochs, 0..1, -1 without one; *logged: how
 * many of them there are. MIEN_NOT_FOUND, MIEN_IO, MIEN_MALFORMED, MIEN_OUT_OF_MEMORY.
 */
mien_status run_log_best(const char *path, int epochs, int *logged, double *best,
                         mien_error *error);

/* Adds the line of an epoch. MIEN_IO. */
mien_status run_log_append(const char *path, const train_progress *progress, mien_error *error);

#endif
