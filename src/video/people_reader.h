/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_PEOPLE_READER_H
#define VIDEO_PEOPLE_READER_H

/*
 * How they look: reads the apparent expression of the people of a frame, takes out what each looks
 * like at rest, and smooths it over each one's time. For one thread at a time.
 */

#include "video/people.h"

#include <mien/image.h>
#include <mien/model.h>

typedef struct people_reader people_reader;

/*
 * model NULL: nothing is read. It must outlive the reader. Of the settings smooth_s and baseline_s
 * are used.
 * Success: *out is the caller's, free with people_reader_free. Failure: *out is NULL;
 * MIEN_INVALID_ARGUMENT (a time is negative; a baseline, but no class of the model is "neutral"),
 * MIEN_OUT_OF_MEMORY and mien_analyzer_create's.
 */
mien_status people_reader_create(const mien_model *model, const people_settings *settings,
                                 people_reader **out, mien_error *error);
void people_reader_free(people_reader *reader);

/*
 * Fills in the expressions of the people that a finder found in this frame, at time_s; it forgets
 * whoever lives no more. Failure: they are undefined; errors as of mien_analyzer_read.
 */
mien_status people_reader_run(people_reader *reader, const mien_image *image, double time_s,
                              people_list *list, mien_error *error);

#endif
