/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REPORT_FACES_H
#define CLI_REPORT_FACES_H

/* The sections of a report page that show faces of the data set. */

#include "cli/scoring.h"

#include <stdio.h>

/*
 * The most confident mistakes; then, for each class, the most confident face that was read rightly
 * and the one that was read wrongly, with maps of what the network looked at. model_path: the file
 * that the model of *s was opened from. MIEN_OUT_OF_MEMORY, errors of mien_analyzer_run and of
 * explainer_create. Write errors stay in the stream.
 */
mien_status report_put_faces(FILE *out, const scoring *s, const char *model_path,
                             mien_error *error);

#endif
