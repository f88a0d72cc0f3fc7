/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_REPORT_TEXT_H
#define EVAL_REPORT_TEXT_H

/*
 * Scores as text: a table for people, JSON for programs.
 * class_names: (scores->class_count), UTF-8, in the order of the scores.
 * Both functions are thread-safe as long as nobody else writes to the same stream.
 */

#include "eval/metrics.h"

#include <stdio.h>

/*
 * Prints the overall figures, a row per class and the confusion matrix to out, some 60 to 100
 * columns wide. Undefined figures are shown as "-". Write errors stay in the stream (ferror).
 */
void eval_print_table(FILE *out, const eval_scores *scores, const char *const class_names[]);

/*
 * Writes one JSON object on one line, without a line end. Figures are rounded to 6 decimals,
 * undefined ones are null:
 *   n, accuracy, accuracy_ci95 [low, high], balanced_accuracy, macro_f1, macro_roc_auc, nll, brier,
 *   ece, ece_bins, classes [{name, support, predicted, precision, recall, specificity, f1,
 *   roc_auc}], confusion_matrix (rows: true class, columns: predicted class)
 * In a name that is not UTF-8, the bytes outside ASCII become '?'.
 * Success: *text is the caller's, free with free(). Failure: *text is NULL, MIEN_OUT_OF_MEMORY.
 */
mien_status eval_to_json(const eval_scores *scores, const char *const class_names[], char **text,
                         mien_error *error);

#endif
