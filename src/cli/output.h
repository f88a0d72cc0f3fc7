/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

/* Faces on standard output: JSON Lines, CSV, or a table for people (docs/OUTPUT.md). */

#include "cli/picture_job.h"

typedef enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV } output_format;

/* What goes before the first picture: the header line of CSV. model may be NULL. */
void output_begin(output_format format, const mien_model *model);

/* One picture. false when there was no memory for its text. */
bool output_picture(output_format format, const mien_model *model, const picture_result *result);

#endif
