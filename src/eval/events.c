/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/events.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/sample_order.h"

#include <math.h>
#include <stdlib.h>

event_settings event_defaults(void)
{
    return (event_settings){.on = 0.6, .off = 0.5, .hold_s = 1, .gap_s = 0.5};
}

/* ---- Finding ---- */

typedef struct event_list {
    expression_event *items;
    size_t count, room;
} event_list;

/* An event goes on from the last one of the list where only a short gap lies between. */
static mien_status add_event(event_list *list, const expression_event *found, double gap_s,
                             mien_error *error)
{
    expression_event *last = list->count > 0 ? &list->items[list->count - 1] : NULL;
    if (last != NULL && last->person == found->person && last->class_index == found->class_index &&
        found->start_s - last->end_s < gap_s) {
        last->end_s = found->end_s;
        last->peak = fmax(last->peak, found->peak);
        return MIEN_OK;
    }
    void *items = list->items;
    if (!memory_grow(&items, list->count, &list->room, sizeof *list->items))
        return error_no_memory(error, "events", list->count * sizeof *list->items);
    list->items = items;
    list->items[list->count++] = *found;
    return MIEN_OK;
}

/* Those of one class, person by person. */
static mien_status find_class(const timeline *t, const sample_order *order,
                              const event_settings *settings, int class_index, event_list *list,
                              mien_error *error)
{
    mien_status status = MIEN_OK;
    bool open = false;
    expression_event now = {0};
    for (size_t i = 0; status == MIEN_OK && i < order->count; i++) {
        const timeline_sample *sample = &t->samples[order->samples[i]];
        double p = (double)timeline_row(t, order->samples[i])[class_index];
        double next_s = sample_order_to_next(t, order, i);
        if (!open && p >= settings->on) {
            open = true;
            now =
                (expression_event){sample->person, class_index, sample->time_s, sample->time_s, p};
        }
        if (!open)
            continue;
        bool goes_on = p >= settings->off;
        now.end_s = sample->time_s;
        now.peak = fmax(now.peak, p);
        if (goes_on && next_s < settings->gap_s)
            continue;
        open = false;
        status = add_event(list, &now, settings->gap_s, error);
    }
    return status;
}

static void leave_out_short(event_list *list, double hold_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].end_s - list->items[i].start_s >= hold_s)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static int by_start(const void *a, const void *b)
{
    const expression_event *first = a, *second = b;
    if (first->start_s != second->start_s)
        return first->start_s < second->start_s ? -1 : 1;
    if (first->person != second->person)
        return first->person < second->person ? -1 : 1;
    return first->class_index - second->class_index;
}

mien_status events_find(const timeline *t, const event_settings *settings, int without,
                        expression_event **events, size_t *count, mien_error *error)
{
    sample_order order;
    event_list list = {0};
    *events = NULL;
    *count = 0;
    mien_status status = sample_order_make(t, 0, &order, error);
    for (int c = 0; status == MIEN_OK && c < t->class_count; c++)
        if (c != without)
            status = find_class(t, &order, settings, c, &list, error);
    sample_order_free(&order);
    if (status == MIEN_OK)
        leave_out_short(&list, settings->hold_s);
    if (status != MIEN_OK || list.count == 0) {
        free(list.items);
        return status;
    }
    qsort(list.items, list.count, sizeof *list.items, by_start);
    *events = list.items;
    *count = list.count;
    return MIEN_OK;
}

/* ---- Scoring ---- */

typedef struct pair {
    size_t found, annotated;
    double overlap;
} pair;

static double overlap_of(const expression_event *a, const expression_event *b)
{
    double both = fmin(a->end_s, b->end_s) - fmax(a->start_s, b->start_s);
    double either = fmax(a->end_s, b->end_s) - fmin(a->start_s, b->start_s);
    return both > 0 ? both / either : 0;
}

static bool may_match(const expression_event *found, const expression_event *annotated)
{
    return found->class_index == annotated->class_index &&
           (annotated->person == 0 || annotated->person == found->person);
}

static int by_overlap(const void *a, const void *b)
{
    const pair *first = a, *second = b;
    if (first->overlap != second->overlap)
        return first->overlap > second->overlap ? -1 : 1;
    if (first->found != second->found)
        return first->found < second->found ? -1 : 1;
    return first->annotated < second->annotated ? -1 : 1;
}

/* Pairs of the same class and person that overlap enough, those that overlap most first. */
static mien_status collect_pairs(const expression_event *found, size_t found_count,
                                 const expression_event *annotated, size_t annotated_count,
                                 double overlap, pair **pairs, size_t *count, mien_error *error)
{
    void *items = NULL;
    size_t room = 0;
    for (size_t i = 0; i < found_count; i++)
        for (size_t j = 0; j < annotated_count; j++) {
            pair p = {i, j, overlap_of(&found[i], &annotated[j])};
            if (!may_match(&found[i], &annotated[j]) || !(p.overlap >= overlap))
                continue;
            if (!memory_grow(&items, *count, &room, sizeof p)) {
                free(items);
                return error_no_memory(error, "pairs of events", *count * sizeof p);
            }
            ((pair *)items)[(*count)++] = p;
        }
    *pairs = items;
    if (*count > 1)
        qsort(*pairs, *count, sizeof **pairs, by_overlap);
    return MIEN_OK;
}

/* One to one. taken_found, taken_annotated: all false before. */
static void match(const pair *pairs, size_t count, const expression_event *found, bool *taken_found,
                  bool *taken_annotated, event_scores *scores)
{
    for (size_t i = 0; i < count; i++) {
        const pair *p = &pairs[i];
        if (taken_found[p->found] || taken_annotated[p->annotated])
            continue;
        taken_found[p->found] = taken_annotated[p->annotated] = true;
        scores[found[p->found].class_index].matched++;
    }
}

static void finish_scores(event_scores *s)
{
    double either = (double)(s->found + s->annotated);
    s->precision = s->found > 0 ? (double)s->matched / (double)s->found : NAN;
    s->recall = s->annotated > 0 ? (double)s->matched / (double)s->annotated : NAN;
    s->f1 = either > 0 ? 2 * (double)s->matched / either : NAN;
}

static void sum_scores(event_scores *scores, int class_count, event_scores *all)
{
    *all = (event_scores){0};
    for (int c = 0; c < class_count; c++) {
        all->found += scores[c].found;
        all->annotated += scores[c].annotated;
        all->matched += scores[c].matched;
        finish_scores(&scores[c]);
    }
    finish_scores(all);
}

mien_status events_score(const expression_event *found, size_t found_count,
                         const expression_event *annotated, size_t annotated_count, double overlap,
                         int class_count, event_scores *scores, event_scores *all,
                         mien_error *error)
{
    pair *pairs = NULL;
    size_t pair_count = 0;
    mien_status status = collect_pairs(found, found_count, annotated, annotated_count, overlap,
                                       &pairs, &pair_count, error);
    bool *taken = memory_zeroed(found_count + annotated_count, sizeof *taken);
    if (status == MIEN_OK && taken == NULL)
        status = error_no_memory(error, "matched events", found_count + annotated_count);
    for (int c = 0; c < class_count; c++)
        scores[c] = (event_scores){0};
    for (size_t i = 0; i < found_count; i++)
        scores[found[i].class_index].found++;
    for (size_t i = 0; i < annotated_count; i++)
        scores[annotated[i].class_index].annotated++;
    if (status == MIEN_OK)
        match(pairs, pair_count, found, taken, taken + found_count, scores);
    sum_scores(scores, class_count, all);
    free(taken);
    free(pairs);
    return status;
}
