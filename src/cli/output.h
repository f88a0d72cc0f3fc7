/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

/* Faces on standard output: JSON Lines, CSV, or a table for people (docs/OUTPUT.md). */

#include "cli/picture_job.h"

#include <jansson.h>
#include <stdio.h>

typedef enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV } output_format;

/* What goes before the first picture: the header line of CSV. model may be NULL. */
void output_begin(output_format format, const mien_model *model);

/* One picture. false when there was no memory for its text. */
bool output_picture(output_format format, const mien_model *model, const picture_result *result);

/* ---- The parts that frames of a video have too ---- */

/* A face as a JSON object, the caller's; NULL when out of memory. */
json_t *output_face(const mien_model *model, const mien_face *face);

/* One field of CSV, quoted where RFC 4180 asks for it. */
void output_field(FILE *out, const char *text);

/* The rest of a row that has begun, "," first and the end of the line last: the names of a face's
 * columns (model may be NULL), and a face. */
void output_face_names(FILE *out, const mien_model *model);
void output_face_fields(FILE *out, const mien_model *model, const mien_face *face);

#endif
