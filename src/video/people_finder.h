/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_PEOPLE_FINDER_H
#define VIDEO_PEOPLE_FINDER_H

/*
 * Where and who: finds the faces of a frame and knows their people again from the frames before,
 * by their motion and their looks (looks.h).
 * For one thread at a time.
 */

#include "video/people.h"

#include <mien/detector.h>
#include <mien/image.h>

typedef struct people_finder people_finder;

/*
 * detector NULL: each frame is one face as a whole. It must outlive the finder. remember_s: as in
 * people_settings.
 * Success: *out is the caller's, free with people_finder_free. Failure: *out is NULL;
 * MIEN_INVALID_ARGUMENT (remember_s is negative or not finite), MIEN_OUT_OF_MEMORY and
 * mien_analyzer_create's.
 */
mien_status people_finder_create(const mien_detector *detector, double remember_s,
                                 people_finder **out, mien_error *error);
void people_finder_free(people_finder *finder);

/*
 * The next frame, at time_s. search: look for faces; otherwise people are expected where they were
 * going when they were last seen.
 * Success: the list holds the frame's people without expressions, and who lives. Failure: the list
 * is empty; errors as of mien_analyzer_run and tracker_update.
 */
mien_status people_finder_run(people_finder *finder, const mien_image *image, double time_s,
                              bool search, people_list *list, mien_error *error);

/* Ids that were given out so far. */
int64_t people_finder_count(const people_finder *finder);

#endif
