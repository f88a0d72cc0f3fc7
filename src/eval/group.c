/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/group.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/sample_order.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_WINDOWS = 1000000, REASONS = 2 };

group_settings group_defaults(void)
{
    return (group_settings){.window_s = 10,
                            .facing = 0.5,
                            .negative = 0.6,
                            .attention = 0.3,
                            .of_group = 0.6,
                            .least_s = 3,
                            .look_s = 20};
}

/* One person in one window. */
typedef struct cell {
    double there_s, seen_s, facing_s;
    double valence, negative; /* times seconds */
} cell;

/* All people in all windows, and what they are made of. */
typedef struct grid {
    const timeline *t;
    const group_settings *settings;
    sample_order order;
    person_time *people;
    size_t people_count;
    size_t window_count;
    double length_s;
    cell *cells;       /* (people, windows) */
    double *shares;    /* (people): to find a median */
    size_t *last_look; /* (people, REASONS): the place of the last look plus 1, or 0 */
} grid;

static double window_start(const grid *g, size_t window)
{
    return (double)window * g->settings->window_s;
}

static double window_end(const grid *g, size_t window)
{
    return fmin((double)(window + 1) * g->settings->window_s, g->length_s);
}

static size_t window_at(const grid *g, double time_s)
{
    size_t window = (size_t)(fmax(time_s, 0) / g->settings->window_s);
    return window < g->window_count ? window : g->window_count - 1;
}

/* ---- Filling ---- */

static double shared_time(double a_start, double a_end, double b_start, double b_end)
{
    return fmax(0, fmin(a_end, b_end) - fmax(a_start, b_start));
}

/* A sample that holds from start_s to end_s, in all windows that it touches. */
static void add_sample(const grid *g, cell *row, const roles *r, size_t sample, double end_s)
{
    double start_s = g->t->samples[sample].time_s;
    float facing = g->t->samples[sample].facing;
    const float *probabilities = timeline_row(g->t, sample);
    for (size_t w = window_at(g, start_s); w <= window_at(g, end_s); w++) {
        double held_s = shared_time(start_s, end_s, window_start(g, w), window_end(g, w));
        row[w].seen_s += held_s;
        row[w].valence += held_s * roles_valence(r, probabilities);
        row[w].negative += held_s * roles_negative(r, probabilities);
        if (facing < 0 || (double)facing >= g->settings->facing)
            row[w].facing_s += held_s;
    }
}

static void fill(grid *g, double max_gap_s)
{
    roles r = roles_of(g->t->class_names, g->t->class_count);
    size_t who = 0;
    for (size_t i = 0; i < g->order.count; i++) {
        size_t sample = g->order.samples[i];
        double next_s = sample_order_to_next(g->t, &g->order, i);
        double held_s = isinf(next_s) ? 0 : fmin(next_s, max_gap_s);
        add_sample(g, g->cells + who * g->window_count, &r, sample,
                   g->t->samples[sample].time_s + held_s);
        who += isinf(next_s);
    }
    for (who = 0; who < g->people_count; who++)
        for (size_t w = 0; w < g->window_count; w++)
            g->cells[who * g->window_count + w].there_s =
                shared_time(g->people[who].first_s, g->people[who].last_s, window_start(g, w),
                            window_end(g, w));
}

/* ---- Windows ---- */

static double attention_of(const cell *c)
{
    return fmin(1, c->facing_s / c->there_s);
}

static group_window sum_window(const grid *g, size_t window)
{
    group_window sum = {.start_s = window_start(g, window), .end_s = window_end(g, window)};
    size_t seen = 0;
    for (size_t who = 0; who < g->people_count; who++) {
        const cell *c = &g->cells[who * g->window_count + window];
        if (c->there_s > 0) {
            sum.there++;
            sum.attention += attention_of(c);
        }
        if (c->seen_s > 0) {
            seen++;
            sum.mood += c->valence / c->seen_s;
            sum.negative += c->negative / c->seen_s;
        }
    }
    sum.attention /= sum.there > 0 ? (double)sum.there : NAN;
    sum.mood /= seen > 0 ? (double)seen : NAN;
    sum.negative /= seen > 0 ? (double)seen : NAN;
    return sum;
}

/* ---- Who stands out ---- */

static int ascending(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return first < second ? -1 : first > second;
}

/* Of those of whom something can be said; NaN when there is none. */
static double median_attention(const grid *g, size_t window)
{
    size_t count = 0;
    for (size_t who = 0; who < g->people_count; who++) {
        const cell *c = &g->cells[who * g->window_count + window];
        if (c->there_s >= g->settings->least_s)
            g->shares[count++] = attention_of(c);
    }
    if (count == 0)
        return NAN;
    qsort(g->shares, count, sizeof *g->shares, ascending);
    return (g->shares[(count - 1) / 2] + g->shares[count / 2]) / 2;
}

/* Whether a person stands out in a window for this reason, and the value that says so. */
static bool stands_out(const grid *g, const cell *c, double median, look_reason reason,
                       double *value)
{
    const group_settings *s = g->settings;
    *value = reason == LOOK_NEGATIVE ? c->negative / c->seen_s : attention_of(c);
    if (reason == LOOK_NEGATIVE)
        return c->seen_s >= s->least_s && *value >= s->negative;
    return c->there_s >= s->least_s && median >= s->of_group && *value < s->attention;
}

/*
 * Goes on from the last look at the same person for the same reason where that ended with the
 * window before. last: the place of that one plus 1, or 0.
 */
static mien_status add_look(group_course *course, size_t *room, size_t *last,
                            const group_look *look, mien_error *error)
{
    group_look *before = *last > 0 ? &course->looks[*last - 1] : NULL;
    if (before != NULL && before->end_s >= look->start_s) {
        before->end_s = look->end_s;
        before->value = look->reason == LOOK_NEGATIVE ? fmax(before->value, look->value)
                                                      : fmin(before->value, look->value);
        return MIEN_OK;
    }
    void *looks = course->looks;
    if (!memory_grow(&looks, course->look_count, room, sizeof *look))
        return error_no_memory(error, "people who may need a look",
                               course->look_count * sizeof *look);
    course->looks = looks;
    course->looks[course->look_count++] = *look;
    *last = course->look_count;
    return MIEN_OK;
}

/* All people of one window. */
static mien_status look_around(const grid *g, size_t window, group_course *course, size_t *room,
                               mien_error *error)
{
    mien_status status = MIEN_OK;
    double median = median_attention(g, window);
    for (size_t i = 0; status == MIEN_OK && i < g->people_count * REASONS; i++) {
        size_t who = i / REASONS;
        group_look look = {.person = g->people[who].person,
                           .reason = (look_reason)(i % REASONS),
                           .start_s = window_start(g, window),
                           .end_s = window_end(g, window)};
        if (stands_out(g, &g->cells[who * g->window_count + window], median, look.reason,
                       &look.value))
            status = add_look(course, room, &g->last_look[i], &look, error);
    }
    return status;
}

static void leave_out_short(group_course *course, double look_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < course->look_count; i++)
        if (course->looks[i].end_s - course->looks[i].start_s >= look_s)
            course->looks[kept++] = course->looks[i];
    course->look_count = kept;
}

static mien_status find_looks(const grid *g, group_course *course, mien_error *error)
{
    size_t room = 0;
    mien_status status = MIEN_OK;
    for (size_t w = 0; status == MIEN_OK && w < g->window_count; w++)
        status = look_around(g, w, course, &room, error);
    leave_out_short(course, g->settings->look_s);
    return status;
}

/* ---- All of it ---- */

static mien_status make_grid(grid *g, const person_settings *person, mien_error *error)
{
    size_t cells;
    g->length_s = g->t->length_s;
    double windows = ceil(g->length_s / g->settings->window_s);
    if (!(windows <= MAX_WINDOWS))
        return error_set(error, MIEN_LIMIT, "%g s are too many windows of %g s", g->length_s,
                         g->settings->window_s);
    g->window_count = windows >= 1 ? (size_t)windows : 1;
    mien_status status = sample_order_make(g->t, 0, &g->order, error);
    if (status == MIEN_OK)
        status = person_time_all(g->t, person, &g->people, &g->people_count, error);
    if (status != MIEN_OK)
        return status;
    if (size_multiply(g->people_count, g->window_count, &cells))
        g->cells = memory_zeroed(cells, sizeof *g->cells);
    g->shares = memory_zeroed(g->people_count, sizeof *g->shares);
    g->last_look = memory_zeroed(g->people_count, REASONS * sizeof *g->last_look);
    if (g->cells == NULL || g->shares == NULL || g->last_look == NULL)
        return error_no_memory(error, "the windows of a group", sizeof *g->cells);
    return MIEN_OK;
}

static void free_grid(grid *g)
{
    sample_order_free(&g->order);
    free(g->people);
    free(g->cells);
    free(g->shares);
    free(g->last_look);
}

mien_status group_follow(const timeline *t, const person_settings *person,
                         const group_settings *settings, group_course *out, mien_error *error)
{
    grid g = {.t = t, .settings = settings};
    *out = (group_course){0};
    mien_status status = make_grid(&g, person, error);
    if (status == MIEN_OK) {
        fill(&g, person->max_gap_s);
        out->windows = memory_zeroed(g.window_count, sizeof *out->windows);
        if (out->windows == NULL)
            status = error_no_memory(error, "the windows of a group", g.window_count);
    }
    if (status == MIEN_OK) {
        out->window_count = g.window_count;
        for (size_t w = 0; w < g.window_count; w++)
            out->windows[w] = sum_window(&g, w);
        status = find_looks(&g, out, error);
    }
    if (status != MIEN_OK)
        group_free(out);
    free_grid(&g);
    return status;
}

void group_free(group_course *course)
{
    free(course->windows);
    free(course->looks);
    *course = (group_course){0};
}
