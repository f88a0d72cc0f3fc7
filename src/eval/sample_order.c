/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/sample_order.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* What is sorted: a place with its person. */
typedef struct keyed {
    int64_t person;
    size_t place;
} keyed;

static int by_person_then_place(const void *a, const void *b)
{
    const keyed *first = a, *second = b;
    if (first->person != second->person)
        return first->person < second->person ? -1 : 1;
    return first->place < second->place ? -1 : first->place > second->place;
}

mien_status sample_order_make(const timeline *t, int64_t person, sample_order *out,
                              mien_error *error)
{
    *out = (sample_order){0};
    size_t count = 0;
    keyed *keys = memory_zeroed(t->count, sizeof *keys);
    size_t *samples = memory_zeroed(t->count, sizeof *samples);
    if (keys == NULL || samples == NULL) {
        free(keys);
        free(samples);
        return error_no_memory(error, "the samples of a session", t->count * sizeof *keys);
    }
    for (size_t i = 0; i < t->count; i++)
        if (person == 0 || t->samples[i].person == person)
            keys[count++] = (keyed){t->samples[i].person, i};
    if (count > 1)
        qsort(keys, count, sizeof *keys, by_person_then_place);
    for (size_t i = 0; i < count; i++)
        samples[i] = keys[i].place;
    free(keys);
    *out = (sample_order){samples, count};
    return MIEN_OK;
}

void sample_order_free(sample_order *order)
{
    free(order->samples);
    *order = (sample_order){0};
}

double sample_order_to_next(const timeline *t, const sample_order *order, size_t place)
{
    if (place + 1 == order->count)
        return INFINITY;
    const timeline_sample *now = &t->samples[order->samples[place]];
    const timeline_sample *next = &t->samples[order->samples[place + 1]];
    return next->person == now->person ? fmax(0, next->time_s - now->time_s) : INFINITY;
}
