/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/person_time.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/sample_order.h"

#include <math.h>
#include <stdlib.h>

person_settings person_defaults(void)
{
    return (person_settings){.max_gap_s = 1,
                             .neutral_threshold = 0.5,
                             .hold_s = 0.5,
                             .stress_threshold = 0.5,
                             .least_s = 10};
}

/* ---- Shares of time ---- */

static double time_held(const timeline *t, const sample_order *order, size_t place,
                        const person_settings *settings)
{
    double next = sample_order_to_next(t, order, place);
    return isinf(next) ? 0 : fmin(next, settings->max_gap_s);
}

/* Sums of times, which become shares in the end. */
static void add_sample(person_time *who, const roles *r, const timeline_sample *sample,
                       const float *probabilities, double held_s, double *facing_s,
                       const person_settings *settings)
{
    int top = roles_top(r, probabilities);
    if (who->samples++ == 0)
        who->first_s = sample->time_s;
    who->last_s = sample->time_s;
    who->seen_s += held_s;
    who->share[top] += held_s;
    for (int c = 0; c < r->class_count; c++)
        who->mean[c] += held_s * (double)probabilities[c];
    if (roles_gate(r, probabilities, settings->neutral_threshold) != r->neutral)
        who->non_neutral += held_s;
    if (r->negative[top])
        who->stress_ratio += held_s;
    if (top == r->happy)
        who->happiness_ratio += held_s;
    if (sample->facing >= 0) {
        who->facing += held_s * (double)sample->facing;
        *facing_s += held_s;
    }
}

static stress_decision decide(double ratio, double seen_s, const person_settings *settings)
{
    if (!(seen_s >= settings->least_s))
        return STRESS_UNDECIDED;
    return ratio >= settings->stress_threshold ? STRESS_YES : STRESS_NO;
}

static void finish_person(person_time *who, int class_count, double facing_s,
                          const person_settings *settings)
{
    double seen_s = who->seen_s > 0 ? who->seen_s : NAN;
    for (int c = 0; c < class_count; c++) {
        who->share[c] /= seen_s;
        who->mean[c] /= seen_s;
    }
    who->non_neutral /= seen_s;
    who->stress_ratio /= seen_s;
    who->happiness_ratio /= seen_s;
    who->facing /= facing_s > 0 ? facing_s : NAN;
    who->stressed = decide(who->stress_ratio, who->seen_s, settings);
}

static size_t count_people(const timeline *t, const sample_order *order)
{
    size_t people = 0;
    for (size_t i = 0; i < order->count; i++)
        people += i == 0 ||
                  t->samples[order->samples[i]].person != t->samples[order->samples[i - 1]].person;
    return people;
}

static void sum_up(const timeline *t, const sample_order *order, const person_settings *settings,
                   person_time *people)
{
    roles r = roles_of(t->class_names, t->class_count);
    person_time *who = people;
    double facing_s = 0;
    for (size_t i = 0; i < order->count; i++) {
        size_t sample = order->samples[i];
        who->person = t->samples[sample].person;
        add_sample(who, &r, &t->samples[sample], timeline_row(t, sample),
                   time_held(t, order, i, settings), &facing_s, settings);
        if (isinf(sample_order_to_next(t, order, i))) {
            finish_person(who++, t->class_count, facing_s, settings);
            facing_s = 0;
        }
    }
}

mien_status person_time_all(const timeline *t, const person_settings *settings,
                            person_time **people, size_t *count, mien_error *error)
{
    sample_order order;
    *people = NULL;
    *count = 0;
    if (t->count == 0)
        return MIEN_OK;
    mien_status status = sample_order_make(t, 0, &order, error);
    if (status != MIEN_OK)
        return status;
    *count = count_people(t, &order);
    *people = memory_zeroed(*count, sizeof **people);
    if (*people != NULL)
        sum_up(t, &order, settings, *people);
    else
        status = error_no_memory(error, "the people of a session", *count * sizeof **people);
    sample_order_free(&order);
    return status;
}

static void add_person(session_ratios *all, const person_time *who)
{
    all->seen_s += who->seen_s;
    for (int c = 0; c < MIEN_MAX_CLASSES; c++)
        all->share[c] += who->seen_s * who->share[c];
    all->stress_ratio += who->seen_s * who->stress_ratio;
    all->happiness_ratio += who->seen_s * who->happiness_ratio;
}

session_ratios person_session_ratios(const person_time *people, size_t count,
                                     const person_settings *settings)
{
    session_ratios all = {0};
    for (size_t i = 0; i < count; i++)
        if (people[i].seen_s > 0)
            add_person(&all, &people[i]);
    double seen_s = all.seen_s > 0 ? all.seen_s : NAN;
    for (int c = 0; c < MIEN_MAX_CLASSES; c++)
        all.share[c] /= seen_s;
    all.stress_ratio /= seen_s;
    all.happiness_ratio /= seen_s;
    all.stressed = decide(all.stress_ratio, all.seen_s, settings);
    return all;
}

/* ---- Runs ---- */

static bool follows(const expression_run *first, const expression_run *second)
{
    return second->start_s <= first->end_s;
}

/* Runs of single samples joined where the class stays. Returns how many. */
static size_t collect_runs(const timeline *t, const sample_order *order,
                           const person_settings *settings, expression_run *runs)
{
    roles r = roles_of(t->class_names, t->class_count);
    size_t count = 0;
    for (size_t i = 0; i < order->count; i++) {
        size_t sample = order->samples[i];
        double start_s = t->samples[sample].time_s;
        expression_run run = {.class_index = roles_top(&r, timeline_row(t, sample)),
                              .start_s = start_s,
                              .end_s = start_s + time_held(t, order, i, settings)};
        if (count > 0 && runs[count - 1].class_index == run.class_index &&
            follows(&runs[count - 1], &run))
            runs[count - 1].end_s = run.end_s;
        else
            runs[count++] = run;
    }
    return count;
}

/* Runs that are too short join a neighbour that they touch. Returns how many are left. */
static size_t join_short_runs(expression_run *runs, size_t count, double hold_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool touches = kept > 0 && follows(&runs[kept - 1], &runs[i]);
        bool is_short = runs[i].end_s - runs[i].start_s < hold_s;
        if (touches && runs[kept - 1].end_s - runs[kept - 1].start_s < hold_s) {
            double start_s = runs[kept - 1].start_s; /* the first of its stretch */
            runs[kept - 1] = runs[i];
            runs[kept - 1].start_s = start_s;
        } else if (touches && (is_short || runs[kept - 1].class_index == runs[i].class_index)) {
            runs[kept - 1].end_s = runs[i].end_s;
        } else {
            runs[kept++] = runs[i];
        }
    }
    return kept;
}

mien_status person_runs(const timeline *t, int64_t person, const person_settings *settings,
                        expression_run **runs, size_t *count, mien_error *error)
{
    sample_order order;
    *runs = NULL;
    *count = 0;
    mien_status status = sample_order_make(t, person, &order, error);
    if (status != MIEN_OK)
        return status;
    if (order.count > 0) {
        *runs = memory_zeroed(order.count, sizeof **runs);
        if (*runs == NULL)
            status = error_no_memory(error, "the runs of a person", order.count * sizeof **runs);
        else
            *count =
                join_short_runs(*runs, collect_runs(t, &order, settings, *runs), settings->hold_s);
    }
    sample_order_free(&order);
    return status;
}

void person_transitions(const expression_run *runs, size_t count, int class_count,
                        size_t *transitions)
{
    for (int i = 0; i < class_count * class_count; i++)
        transitions[i] = 0;
    for (size_t i = 1; i < count; i++)
        if (follows(&runs[i - 1], &runs[i]) && runs[i].class_index != runs[i - 1].class_index)
            transitions[runs[i - 1].class_index * class_count + runs[i].class_index]++;
}
