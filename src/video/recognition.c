/* SPDX-License-Identifier: Apache-2.0 */
#include "video/recognition.h"

#include "video/pairing.h"

#include <math.h>

static const double first_way = 1.5; /* sides of the face */
static const double speed = 8;       /* the same a second: a brisk walk past the camera */

static bool is_missing(const track *one)
{
    return one->id != 0 && !one->seen;
}

static bool is_new(const track *one)
{
    return one->id == 0 && one->seen;
}

static bool is_within_reach(const tracker_settings *s, const track *old, const track *newcomer,
                            double time_s)
{
    double since_s = fmax(0, time_s - old->last_seen_s);
    return pairing_distance(&old->box, &newcomer->box) <= first_way + speed * since_s &&
           pairing_ratio(&old->box, &newcomer->box) <= s->max_ratio * (1 + since_s);
}

/* INFINITY: it cannot be the same person, or nothing tells that it is. */
static double difference(const tracker_settings *s, const track *old, const track *newcomer,
                         double time_s)
{
    double distance;
    bool known = is_within_reach(s, old, newcomer, time_s) &&
                 looks_compare(&old->looks, &newcomer->looks, &distance);
    return known ? distance : INFINITY;
}

/* Nobody else who is new here may be this person. */
static bool is_the_only_one(const tracker_settings *s, const track *tracks, size_t count,
                            const track *old, const track *newcomer, double time_s)
{
    double own = difference(s, old, newcomer, time_s);
    for (size_t i = 0; i < count; i++)
        if (&tracks[i] != newcomer && is_new(&tracks[i]) &&
            difference(s, old, &tracks[i], time_s) < own + s->looks_margin)
            return false;
    return true;
}

size_t recognition_find(const tracker_settings *s, const track *tracks, size_t count,
                        size_t newcomer, double time_s)
{
    double least = INFINITY, second = INFINITY;
    size_t best = RECOGNITION_NONE;
    for (size_t i = 0; i < count; i++) {
        if (!is_missing(&tracks[i]))
            continue;
        double differs = difference(s, &tracks[i], &tracks[newcomer], time_s);
        if (differs < least) {
            second = least;
            least = differs;
            best = i;
        } else {
            second = fmin(second, differs);
        }
    }
    bool clear = least <= s->max_looks && second >= least + s->looks_margin;
    return clear && is_the_only_one(s, tracks, count, &tracks[best], &tracks[newcomer], time_s)
               ? best
               : RECOGNITION_NONE;
}
