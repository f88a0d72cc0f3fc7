/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LIVE_OUTPUT_H
#define CLI_LIVE_OUTPUT_H

/* The frames of a video on standard output (docs/OUTPUT.md). */

#include "cli/output.h"
#include "video/people.h"

typedef struct live_frame {
    const char *source; /* as the user named it */
    int64_t number;     /* from 1 */
    double time_s;
    int width, height; /* pixels */
    const person *people;
    size_t count;
} live_frame;

/* What goes before the first frame: the header line of CSV. */
void live_output_begin(output_format format, const mien_model *model);

/* One frame. false when there was no memory for its text. */
bool live_output_frame(output_format format, const mien_model *model, const live_frame *frame);

#endif
