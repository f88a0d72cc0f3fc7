/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

/* Report pages: one self-contained HTML file about an evaluation or a training run. */

#include "cli/scoring.h"
#include "eval/metrics.h"

typedef struct report_request {
    const char *folder;        /* report.html goes there; made when it is not there */
    const char *model_path;    /* the file that scoring's model was opened from */
    const char *data_name;     /* the same */
    const char *split_name;    /* the same; NULL: not said */
    const scoring *scoring;    /* what was found */
    const eval_scores *scores; /* of it */
    const eval_scores *plain;  /* without the mirror image; NULL unless scoring->mirror */
    const char *run_folder;    /* the training run to tell of too, or NULL */
    const dataset *training;   /* what it learned from, or NULL */
    bool pictures;             /* faces of the data set go into the page */
} report_request;

/*
 * Writes <folder>/report.html, atomically. Where the network has no gradients, the page says so and
 * has no maps. MIEN_IO, MIEN_OUT_OF_MEMORY, MIEN_MALFORMED (the run's log).
 */
mien_status report_write(const report_request *request, mien_error *error);

/*
 * Writes <run_folder>/report.html for a training run: its curves and recipe, then how best.onnx
 * does on the validation set. training: for its class distribution, may be NULL. threads: 1.. .
 * Errors as of report_write, mien_model_open and
 * scoring_run.
 */
mien_status report_run(const char *run_folder, const char *data_name, const dataset *training,
                       const dataset *validation, int64_t threads, mien_error *error);

/*
 * The same without an evaluation: curves and recipe alone, which takes milliseconds; for a run that
 * is still going on. A run without a whole epoch gives no page and no error.
 */
mien_status report_run_so_far(const char *run_folder, mien_error *error);

#endif
