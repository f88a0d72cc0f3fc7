/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_RECOGNITION_H
#define VIDEO_RECOGNITION_H

/*
 * Whether a newcomer is somebody who was there before: by looks (looks.h, clothes and hair of the
 * moment, not an identity), by place and by who is there anyway. Rather nobody than the wrong one.
 *
 * A newcomer is taken for the person of another track when
 * - that track has an id and no box now: nobody is in two places;
 * - their looks differ by at most max_looks;
 * - everyone else who may have come back differs by looks_margin more;
 * - everyone else who is new here differs from that person by looks_margin more;
 * - the way is not too long for the time t since the person was last seen: at most 1.5 + 8 t sides
 *   of the face, and its size not changed by more than max_ratio (1 + t) times.
 * Pure.
 */

#include "video/tracker.h"

#define RECOGNITION_NONE SIZE_MAX

/* newcomer: the index of a track that is about to get its id. The index of the track whose person
 * it is, or RECOGNITION_NONE. */
size_t recognition_find(const tracker_settings *settings, const track *tracks, size_t count,
                        size_t newcomer, double time_s);

#endif
