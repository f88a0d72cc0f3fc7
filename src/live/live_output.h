/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_LIVE_OUTPUT_H
#define LIVE_LIVE_OUTPUT_H

/* The frames of a video on standard output (docs/OUTPUT.md). */

#include "cli/output.h"
#include "video/pipeline.h"

/* What goes before the first frame: the header line of CSV. */
void live_output_begin(output_format format, const mien_model *model);

/* One frame. MIEN_OUT_OF_MEMORY: there was none for its text. */
mien_status live_output_frame(output_format format, const mien_model *model,
                              const pipeline_frame *frame, mien_error *error);

#endif
