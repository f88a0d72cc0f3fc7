/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_REPORT_PAGE_H
#define EVAL_REPORT_PAGE_H

/*
 * The sections of a report page (eval/html.h) about how a model did on a labelled set. Write errors
 * stay in the stream.
 */

#include "eval/metrics.h"

#include <mien/image.h>
#include <stdio.h>

/* A line of the table of what was scored. */
typedef struct report_fact {
    const char *name, *value;
} report_fact;

void report_facts(FILE *out, const report_fact *facts, size_t count);

/* What was scored and how it came out: labels (n), probabilities (n, classes), as eval_score took
 * them; class_names: (classes). */
typedef struct report_scores {
    const eval_scores *scores;
    const char *const *class_names;
    const int *labels;
    const float *probabilities;
    const eval_scores *plain; /* without the mirror image, when scores is with it; else NULL */
} report_scores;

void report_figures(FILE *out, const report_scores *r);
void report_confusion(FILE *out, const report_scores *r);
void report_classes(FILE *out, const report_scores *r);
/* MIEN_OUT_OF_MEMORY. */
mien_status report_roc(FILE *out, const report_scores *r, mien_error *error);
void report_reliability(FILE *out, const report_scores *r);

/* One face with its true and its apparent class. */
typedef struct report_face {
    const mien_image *face;         /* RGB8 */
    const mien_image *cam, *guided; /* the same size; both NULL where there are no maps */
    const char *label, *apparent;
    double confidence; /* of the apparent class */
} report_face;

/* Errors of html_picture. */
mien_status report_faces(FILE *out, const report_face *faces, size_t count, mien_error *error);

#endif
