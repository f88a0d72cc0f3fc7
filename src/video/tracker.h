/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_TRACKER_H
#define VIDEO_TRACKER_H

/*
 * Who is who from frame to frame: boxes with their time and their looks (looks.h) go in, ids come
 * out. Pure data, no pictures.
 *
 * Follows SORT (Bewley, Ge, Ott, Ramos, Upcroft: Simple Online and Realtime Tracking, ICIP 2016):
 * each track predicts its box by a Kalman filter of constant velocity, boxes are assigned to tracks
 * by the Hungarian method, and new tracks must prove themselves. Different here: time is in
 * seconds, so that frames may come at any rate; the cost looks at the distance of the centres
 * besides the overlap, which holds small faces that move fast; centre, width and height are
 * filtered instead of centre, area and shape; ids are given to proven tracks only, so that they
 * count people from 1. Where several compete, looks take part (pairing.h); who comes back within
 * remember_s and clearly looks the same gets the old id (recognition.h).
 *
 * For one thread at a time.
 */

#include "image/image.h"
#include "video/looks.h"

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of more people who are away, those who came first are forgotten. */
enum { TRACKER_MOST_AWAY = 100 };

typedef struct tracker_settings {
    int confirm_hits;    /* boxes that a track needs before it gets an id, at least 1 */
    double keep_s;       /* a track with an id lives on for so long without a box, at least 0 */
    double tentative_s;  /* the same before it has an id */
    double max_gap_s;    /* time that jumps by more, forward or back, ends all tracks */
    double max_distance; /* of the centres, in box sides (the root of the area), where boxes do not
                            overlap enough */
    double min_overlap;  /* intersection over union, 0..1 */
    double max_ratio;    /* of the sides of two boxes that may be the same face, at least 1 */
    double remember_s;   /* who was last seen no longer ago can be known again; 0: nobody */
    double max_looks;    /* distance of looks of what may be one person, 0..1 */
    double looks_margin; /* by which others must differ more, 0..1 */
    double looks_weight; /* of the distance of looks in the cost of a pair, at least 0 */
} tracker_settings;

/* What holds for faces. */
tracker_settings tracker_defaults(void);

/* How one coordinate moves: a Kalman filter of position and velocity. */
typedef struct track_axis {
    double position;   /* pixels */
    double velocity;   /* pixels a second */
    double pp, pv, vv; /* covariance */
} track_axis;

typedef struct track {
    int64_t id;                     /* from 1; 0 until the track is confirmed */
    image_rect box;                 /* where it is at the tracker's time: filtered, or predicted */
    bool seen;                      /* a box of the last update was its own */
    bool away;                      /* lost, but remembered: box is where it was last expected */
    int hits;                       /* boxes so far */
    double last_seen_s;             /* time of the last one */
    track_axis x, y, width, height; /* of the centre; of the box */
    looks looks;                    /* mean of what was seen when nobody stood close by */
    int looks_count;                /* what it is the mean of, up to a limit */
} track;

typedef struct tracker tracker;

/* settings NULL: the defaults. Success: *out is the caller's, free with tracker_free. Failure: *out
 * is NULL; MIEN_INVALID_ARGUMENT (settings out of range), MIEN_OUT_OF_MEMORY. */
mien_status tracker_create(const tracker_settings *settings, tracker **out, mien_error *error);
void tracker_free(tracker *tracker);

/*
 * The boxes (count) that were found at time_s. looks: finite, one for each box, or NULL for none.
 * ids (count): the id of each, never the same twice, or 0 while its track is not confirmed. Whoever
 * had a box in the last update gets a chance in this one, however much time lies between, up to
 * max_gap_s; a smaller step back counts as no time. The work grows with the cube of the number of
 * faces, and in proportion to those who are away. Failure: ids are undefined; MIEN_INVALID_ARGUMENT
 * (time or a box is not finite, a box has no area), nothing has changed; MIEN_OUT_OF_MEMORY, the
 * tracks have at most moved to time_s.
 */
mien_status tracker_update(tracker *tracker, double time_s, const image_rect *boxes,
                           const looks *looks, size_t count, int64_t *ids, mien_error *error);

/* Moves all tracks to time_s, for a frame in which nobody looked for faces. MIEN_INVALID_ARGUMENT
 * (time is not finite). */
mien_status tracker_predict(tracker *tracker, double time_s, mien_error *error);

/* All tracks that live, the confirmed and the others, and those that are away, oldest first. The
 * tracker's until its next call. */
const track *tracker_tracks(const tracker *tracker, size_t *count);

/* Ids that were given out so far: the number of people. */
int64_t tracker_people(const tracker *tracker);

#endif
