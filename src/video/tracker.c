/* SPDX-License-Identifier: Apache-2.0 */
#include "video/tracker.h"

#include "base/error.h"
#include "base/memory.h"
#include "video/assignment.h"
#include "video/pairing.h"
#include "video/recognition.h"
#include "video/scratch.h"

#include <math.h>
#include <stdlib.h>

/*
 * How faces move and how detectors jitter, in box sides: the noise of the measured centre and side,
 * the speed that a new face may have, how fast speed and size change.
 */
static const double centre_noise = 0.05;
static const double side_noise = 0.1;
static const double first_speed = 1.0;  /* sides a second */
static const double speed_change = 2.0; /* sides a second, per root of a second */
static const double side_change = 0.3;  /* sides, per root of a second */

/* What somebody looks like: the first looks are all taken, later ones only from those who stand
 * alone, so far from others in sides; each weighs at least one part in so many. */
enum { FIRST_LOOKS = 3, STEADY_LOOKS = 20 };
static const double alone = 2.5;

struct tracker {
    tracker_settings settings;
    track *tracks;
    size_t count, capacity;
    int64_t people;
    double time_s;
    bool started;
    scratch places, known_as; /* tracks of boxes */
    pairing_scratch pairing;
    assignment_scratch assignment;
};

tracker_settings tracker_defaults(void)
{
    return (tracker_settings){.confirm_hits = 3,
                              .keep_s = 2,
                              .tentative_s = 0.5,
                              .max_gap_s = 10,
                              .max_distance = 0.7,
                              .min_overlap = 0.3,
                              .max_ratio = 1.8,
                              .remember_s = 30,
                              .max_looks = 0.23,
                              .looks_margin = 0.1,
                              .looks_weight = 2};
}

static bool are_valid(const tracker_settings *s)
{
    return s->confirm_hits >= 1 && isfinite(s->keep_s) && s->keep_s >= 0 &&
           isfinite(s->tentative_s) && s->tentative_s >= 0 && isfinite(s->max_gap_s) &&
           s->max_gap_s >= 0 && isfinite(s->max_distance) && s->max_distance >= 0 &&
           s->max_distance <= 1000 && s->min_overlap >= 0 && s->min_overlap <= 1 &&
           isfinite(s->max_ratio) && s->max_ratio >= 1 && isfinite(s->remember_s) &&
           s->remember_s >= 0 && s->max_looks >= 0 && s->max_looks <= 1 && s->looks_margin >= 0 &&
           s->looks_margin <= 1 && s->looks_weight >= 0 && s->looks_weight <= 1000;
}

mien_status tracker_create(const tracker_settings *settings, tracker **out, mien_error *error)
{
    *out = NULL;
    tracker_settings chosen = settings != NULL ? *settings : tracker_defaults();
    if (!are_valid(&chosen))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a setting of the tracker is out of range (%d hits, %g s, %g s, %g s, "
                         "distance %g, overlap %g, ratio %g, remembers %g s, looks %g, %g, %g)",
                         chosen.confirm_hits, chosen.keep_s, chosen.tentative_s, chosen.max_gap_s,
                         chosen.max_distance, chosen.min_overlap, chosen.max_ratio,
                         chosen.remember_s, chosen.max_looks, chosen.looks_margin,
                         chosen.looks_weight);
    tracker *t = memory_zeroed(1, sizeof *t);
    if (t == NULL)
        return error_no_memory(error, "a tracker", sizeof *t);
    t->settings = chosen;
    *out = t;
    return MIEN_OK;
}

void tracker_free(tracker *t)
{
    if (t == NULL)
        return;
    free(t->tracks);
    scratch_free(&t->places);
    scratch_free(&t->known_as);
    pairing_scratch_free(&t->pairing);
    assignment_scratch_free(&t->assignment);
    free(t);
}

const track *tracker_tracks(const tracker *t, size_t *count)
{
    *count = t->count;
    return t->tracks;
}

int64_t tracker_people(const tracker *t)
{
    return t->people;
}

/* ---- Motion ---- */

/* White noise on the acceleration, of the given power: steps of any length add up alike. */
static void axis_predict(track_axis *axis, double dt, double power)
{
    axis->position += axis->velocity * dt;
    axis->pp += dt * (2 * axis->pv + dt * axis->vv) + power * dt * dt * dt / 3;
    axis->pv += dt * axis->vv + power * dt * dt / 2;
    axis->vv += power * dt;
}

/* variance: of the measurement. */
static void axis_correct(track_axis *axis, double measured, double variance)
{
    double gain_p = axis->pp / (axis->pp + variance);
    double gain_v = axis->pv / (axis->pp + variance);
    double wrong_by = measured - axis->position;
    axis->position += gain_p * wrong_by;
    axis->velocity += gain_v * wrong_by;
    axis->vv -= gain_v * axis->pv;
    axis->pv *= 1 - gain_p;
    axis->pp *= 1 - gain_p;
}

static double square(double x)
{
    return x * x;
}

static double side_of(const image_rect *box)
{
    return sqrt((double)box->width * box->height);
}

static void place_box(track *t)
{
    t->box.width = (float)t->width.position;
    t->box.height = (float)t->height.position;
    t->box.x = (float)(t->x.position - t->width.position / 2);
    t->box.y = (float)(t->y.position - t->height.position / 2);
}

static void track_predict(track *t, double dt)
{
    double side = side_of(&t->box);
    axis_predict(&t->x, dt, square(speed_change * side));
    axis_predict(&t->y, dt, square(speed_change * side));
    t->width.pp += square(side_change * side) * dt;
    t->height.pp += square(side_change * side) * dt;
    place_box(t);
}

static void track_correct(track *t, const image_rect *box, double time_s)
{
    double side = side_of(box);
    double centre = square(centre_noise * side), edge = square(side_noise * side);
    axis_correct(&t->x, (double)box->x + (double)box->width / 2, centre);
    axis_correct(&t->y, (double)box->y + (double)box->height / 2, centre);
    axis_correct(&t->width, box->width, edge);
    axis_correct(&t->height, box->height, edge);
    place_box(t);
    t->hits++;
    t->seen = true;
    t->last_seen_s = time_s;
}

static track track_begin(const image_rect *box, double time_s)
{
    double side = side_of(box);
    double centre = square(centre_noise * side), edge = square(side_noise * side);
    track_axis still = {.pp = centre, .vv = square(first_speed * side)};
    track t = {.box = *box, .seen = true, .hits = 1, .last_seen_s = time_s, .x = still, .y = still};
    t.x.position = (double)box->x + (double)box->width / 2;
    t.y.position = (double)box->y + (double)box->height / 2;
    t.width = (track_axis){.position = box->width, .pp = edge};
    t.height = (track_axis){.position = box->height, .pp = edge};
    return t;
}

/* ---- Time ---- */

static bool is_alive(const tracker *t, const track *one, double time_s)
{
    double limit = one->id != 0 ? t->settings.keep_s : t->settings.tentative_s;
    return !one->away && (one->seen || time_s - one->last_seen_s <= limit);
}

static bool is_remembered(const tracker *t, const track *one, double time_s)
{
    double since_s = time_s - one->last_seen_s;
    return one->id != 0 && one->looks.known != 0 && since_s >= 0 &&
           since_s < t->settings.remember_s;
}

/* The number of those who are away and remembered. */
static size_t mark_away(tracker *t, double time_s)
{
    size_t remembered = 0;
    for (size_t i = 0; i < t->count; i++) {
        track *one = &t->tracks[i];
        one->away = !is_alive(t, one, time_s);
        remembered += one->away && is_remembered(t, one, time_s);
    }
    return remembered;
}

static void drop_lost(tracker *t, double time_s)
{
    size_t kept = 0, remembered = mark_away(t, time_s);
    for (size_t i = 0; i < t->count; i++) {
        const track *one = &t->tracks[i];
        if (one->away && !is_remembered(t, one, time_s))
            continue;
        if (one->away && remembered-- > TRACKER_MOST_AWAY)
            continue;
        t->tracks[kept++] = *one;
    }
    t->count = kept;
}

static void lose_all(tracker *t)
{
    for (size_t i = 0; i < t->count; i++) {
        t->tracks[i].away = true;
        t->tracks[i].seen = false;
    }
}

/* A small step back counts as no time: the clock stands still. */
static void move_to(tracker *t, double time_s)
{
    double dt = t->started ? time_s - t->time_s : 0;
    if (fabs(dt) > t->settings.max_gap_s) {
        lose_all(t);
    } else if (dt < 0) {
        for (size_t i = 0; i < t->count; i++)
            t->tracks[i].last_seen_s += dt;
        dt = 0;
    }
    t->time_s = time_s;
    t->started = true;
    drop_lost(t, time_s);
    for (size_t i = 0; i < t->count; i++)
        if (!t->tracks[i].away)
            track_predict(&t->tracks[i], dt);
}

mien_status tracker_predict(tracker *t, double time_s, mien_error *error)
{
    if (!isfinite(time_s))
        return error_set(error, MIEN_INVALID_ARGUMENT, "the time %g is no number of seconds",
                         time_s);
    move_to(t, time_s);
    return MIEN_OK;
}

/* ---- Assignment ---- */

/* track_of (count): the track of each box, or ASSIGNMENT_NONE. */
static mien_status assign(tracker *t, const image_rect *boxes, const looks *now, size_t count,
                          size_t *track_of, mien_error *error)
{
    const double *cost; /* (boxes, tracks) */
    mien_status status = pairing_costs(&t->pairing, &t->settings, boxes, now, count, t->tracks,
                                       t->count, &cost, error);
    if (status == MIEN_OK)
        status = assignment_solve(&t->assignment, cost, count, t->count, track_of, error);
    for (size_t i = 0; status == MIEN_OK && i < count; i++)
        if (track_of[i] != ASSIGNMENT_NONE &&
            !pairing_is_possible(cost[i * t->count + track_of[i]]))
            track_of[i] = ASSIGNMENT_NONE;
    return status;
}

/* ---- Looks ---- */

static bool stands_alone(const tracker *t, const track *one)
{
    for (size_t i = 0; i < t->count; i++) {
        const track *other = &t->tracks[i];
        if (other != one && !other->away && pairing_distance(&one->box, &other->box) < alone)
            return false;
    }
    return true;
}

static void remember_looks(const tracker *t, track *one, const looks *now)
{
    if (one->looks_count >= FIRST_LOOKS && !stands_alone(t, one))
        return;
    if (one->looks_count < STEADY_LOOKS)
        one->looks_count++;
    looks_blend(&one->looks, now, 1.0f / (float)one->looks_count);
}

/* ---- Updates ---- */

static mien_status check_input(double time_s, const image_rect *boxes, size_t count,
                               mien_error *error)
{
    if (!isfinite(time_s))
        return error_set(error, MIEN_INVALID_ARGUMENT, "the time %g is no number of seconds",
                         time_s);
    for (size_t i = 0; i < count; i++) {
        const image_rect *b = &boxes[i];
        if (!isfinite(b->x) || !isfinite(b->y) || !isfinite(b->width) || !isfinite(b->height) ||
            b->width <= 0 || b->height <= 0)
            return error_set(error, MIEN_INVALID_ARGUMENT,
                             "box %zu, %gx%g at %g,%g, is not one with an area", i,
                             (double)b->width, (double)b->height, (double)b->x, (double)b->y);
    }
    return MIEN_OK;
}

/* Room for as many tracks as there may be after an update, so that it cannot fail half-way. */
static mien_status reserve(tracker *t, size_t more, mien_error *error)
{
    size_t needed, bytes;
    if (!size_add(t->count, more, &needed) || !size_multiply(needed, sizeof *t->tracks, &bytes))
        return error_no_memory(error, "tracks", more);
    if (needed <= t->capacity)
        return MIEN_OK;
    track *tracks = realloc(t->tracks, bytes);
    if (tracks == NULL)
        return error_no_memory(error, "tracks", bytes);
    t->tracks = tracks;
    t->capacity = needed;
    return MIEN_OK;
}

static bool is_newcomer(const tracker *t, const track *one)
{
    return one->id == 0 && one->hits >= t->settings.confirm_hits;
}

/* The track ends; its person goes on with another one. */
static int64_t hand_over(track *old)
{
    int64_t id = old->id;
    old->id = 0;
    old->away = true;
    return id;
}

/* Box by box in the order given, so that ids count in that order too. Who is who is found out
 * before anybody gets an id, so that the order decides nothing else. */
static void give_ids(tracker *t, const size_t *track_of, size_t count, size_t *known_as,
                     int64_t *ids)
{
    for (size_t i = 0; i < count; i++)
        known_as[i] =
            is_newcomer(t, &t->tracks[track_of[i]])
                ? recognition_find(&t->settings, t->tracks, t->count, track_of[i], t->time_s)
                : RECOGNITION_NONE;
    for (size_t i = 0; i < count; i++) {
        track *one = &t->tracks[track_of[i]];
        if (known_as[i] != RECOGNITION_NONE)
            one->id = hand_over(&t->tracks[known_as[i]]);
        if (is_newcomer(t, one))
            one->id = ++t->people;
        ids[i] = one->id;
    }
    drop_lost(t, t->time_s);
}

static void apply(tracker *t, const image_rect *boxes, const looks *now, size_t count,
                  size_t *track_of)
{
    for (size_t i = 0; i < t->count; i++)
        t->tracks[i].seen = false;
    for (size_t i = 0; i < count; i++) {
        if (track_of[i] == ASSIGNMENT_NONE) {
            track_of[i] = t->count++;
            t->tracks[track_of[i]] = track_begin(&boxes[i], t->time_s);
        } else {
            track_correct(&t->tracks[track_of[i]], &boxes[i], t->time_s);
        }
    }
    for (size_t i = 0; now != NULL && i < count; i++)
        remember_looks(t, &t->tracks[track_of[i]], &now[i]);
}

mien_status tracker_update(tracker *t, double time_s, const image_rect *boxes, const looks *now,
                           size_t count, int64_t *ids, mien_error *error)
{
    mien_status status = check_input(time_s, boxes, count, error);
    if (status == MIEN_OK)
        status = reserve(t, count, error);
    if (status != MIEN_OK)
        return status;
    size_t *track_of = scratch_zeroed(&t->places, count, sizeof *track_of);
    size_t *known_as = scratch_zeroed(&t->known_as, count, sizeof *known_as);
    if (track_of == NULL || known_as == NULL)
        return error_no_memory(error, "the assignment of boxes", count * sizeof *track_of);
    move_to(t, time_s);
    status = assign(t, boxes, now, count, track_of, error);
    if (status != MIEN_OK)
        return status;
    apply(t, boxes, now, count, track_of);
    give_ids(t, track_of, count, known_as, ids);
    return MIEN_OK;
}
