/* SPDX-License-Identifier: Apache-2.0 */
#include "video/pairing.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

/* Costs of pairs that may be, at most 1 + max_distance + looks_weight or so, never add up to this.
 */
static const double impossible = 1e9;

/* ---- Place ---- */

static double side_of(const image_rect *box)
{
    return sqrt((double)box->width * box->height);
}

static double overlap(const image_rect *a, const image_rect *b)
{
    double width = fmin((double)a->x + a->width, (double)b->x + b->width) - fmax(a->x, b->x);
    double height = fmin((double)a->y + a->height, (double)b->y + b->height) - fmax(a->y, b->y);
    if (width <= 0 || height <= 0)
        return 0;
    double common = width * height;
    return common / ((double)a->width * a->height + (double)b->width * b->height - common);
}

double pairing_distance(const image_rect *a, const image_rect *b)
{
    double dx = (double)a->x + (double)a->width / 2 - b->x - (double)b->width / 2;
    double dy = (double)a->y + (double)a->height / 2 - b->y - (double)b->height / 2;
    return hypot(dx, dy) * 2 / (side_of(a) + side_of(b));
}

double pairing_ratio(const image_rect *a, const image_rect *b)
{
    double first = side_of(a), second = side_of(b);
    return first > second ? first / second : second / first;
}

static double cost_of_place(const tracker_settings *s, const image_rect *box, const track *one)
{
    if (one->away)
        return impossible;
    double shared = overlap(box, &one->box), apart = pairing_distance(box, &one->box);
    bool alike = pairing_ratio(box, &one->box) <= s->max_ratio;
    bool near = shared >= s->min_overlap || apart <= s->max_distance;
    double cost = 1 - shared + apart;
    return alike && near && cost < impossible ? cost : impossible;
}

bool pairing_is_possible(double cost)
{
    return cost < impossible;
}

/* ---- Looks ---- */

/* The pairs of boxes and tracks: (boxes, tracks), row-major. */
typedef struct pairs {
    const tracker_settings *settings;
    size_t boxes, tracks;
    double *costs;
    double *looks;            /* distances; NAN where it is no pair, or cannot be compared */
    double *nearest_of_box;   /* (boxes): the least of its distances; INFINITY for none */
    double *nearest_of_track; /* (tracks) */
} pairs;

static void compare_looks(pairs *p, const looks *now, const track *tracks)
{
    for (size_t i = 0; i < p->boxes; i++)
        p->nearest_of_box[i] = INFINITY;
    for (size_t j = 0; j < p->tracks; j++)
        p->nearest_of_track[j] = INFINITY;
    for (size_t i = 0; i < p->boxes; i++)
        for (size_t j = 0; j < p->tracks; j++) {
            double *distance = &p->looks[i * p->tracks + j];
            if (!pairing_is_possible(p->costs[i * p->tracks + j]) ||
                !looks_compare(&now[i], &tracks[j].looks, distance))
                *distance = NAN;
            p->nearest_of_box[i] = fmin(p->nearest_of_box[i], *distance);
            p->nearest_of_track[j] = fmin(p->nearest_of_track[j], *distance);
        }
}

/* distance: of the looks of a pair; nearest: of the pairs that compete with it. */
static double cost_of_looks(const tracker_settings *s, double distance, double nearest)
{
    if (isnan(distance))
        return s->looks_weight * s->max_looks;
    bool differs = distance > s->max_looks;
    bool other_is_clear = nearest <= s->max_looks && nearest + s->looks_margin <= distance;
    return differs && other_is_clear ? impossible : s->looks_weight * distance;
}

static void add_looks(pairs *p)
{
    for (size_t i = 0; i < p->boxes; i++)
        for (size_t j = 0; j < p->tracks; j++) {
            double *cost = &p->costs[i * p->tracks + j];
            double nearest = fmin(p->nearest_of_box[i], p->nearest_of_track[j]);
            if (pairing_is_possible(*cost))
                *cost =
                    fmin(impossible,
                         *cost + cost_of_looks(p->settings, p->looks[i * p->tracks + j], nearest));
        }
}

/* ---- All of it ---- */

void pairing_scratch_free(pairing_scratch *kept)
{
    scratch_free(&kept->costs);
    scratch_free(&kept->looks);
    scratch_free(&kept->nearest_of_box);
    scratch_free(&kept->nearest_of_track);
}

static bool reserve(pairing_scratch *kept, pairs *p)
{
    size_t count;
    if (!size_multiply(p->boxes, p->tracks, &count))
        return false;
    p->costs = scratch_zeroed(&kept->costs, count, sizeof *p->costs);
    p->looks = scratch_zeroed(&kept->looks, count, sizeof *p->looks);
    p->nearest_of_box = scratch_zeroed(&kept->nearest_of_box, p->boxes, sizeof *p->nearest_of_box);
    p->nearest_of_track =
        scratch_zeroed(&kept->nearest_of_track, p->tracks, sizeof *p->nearest_of_track);
    return p->costs != NULL && p->looks != NULL && p->nearest_of_box != NULL &&
           p->nearest_of_track != NULL;
}

mien_status pairing_costs(pairing_scratch *kept, const tracker_settings *settings,
                          const image_rect *boxes, const looks *now, size_t box_count,
                          const track *tracks, size_t track_count, const double **costs,
                          mien_error *error)
{
    pairs p = {.settings = settings, .boxes = box_count, .tracks = track_count};
    *costs = NULL;
    if (!reserve(kept, &p))
        return error_no_memory(error, "the assignment of boxes", box_count * sizeof *p.costs);
    for (size_t i = 0; i < box_count; i++)
        for (size_t j = 0; j < track_count; j++)
            p.costs[i * track_count + j] = cost_of_place(settings, &boxes[i], &tracks[j]);
    if (now != NULL) {
        compare_looks(&p, now, tracks);
        add_looks(&p);
    }
    *costs = p.costs;
    return MIEN_OK;
}
