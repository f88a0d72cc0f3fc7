/* SPDX-License-Identifier: Apache-2.0 */

/* A session as it stands in a store, into memory. What a database holds may come from anywhere:
 * each value is looked at. */

#include "base/error.h"
#include "base/memory.h"
#include "store/internal.h"
#include "store/pack.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* How far the sum of the probabilities may be from 1. */
#define SUM_TOLERANCE 1e-3

typedef struct reading {
    store_record record; /* first: the caller's pointer is freed as the whole */
    keep kept;
    const char *class_names[MIEN_MAX_CLASSES];
    int class_count;
    bool found;
    store_person *people;
    store_event *events;
    timeline_sample *samples;
    float *probabilities;
    size_t people_room, event_room, sample_room, probability_room;
} reading;

/* An array with room for one more item. NULL when out of memory; then the old one stays. */
static void *with_room(void *items, size_t count, size_t *capacity, size_t item_size)
{
    return memory_grow(&items, count, capacity, item_size) ? items : NULL;
}

/* ---- Rows ---- */

static mien_status take_session(void *context, const store_value *row, size_t count,
                                mien_error *error)
{
    reading *r = context;
    r->found = true;
    return store_session_of_row(row, count, &r->kept, &r->record.session, error);
}

static mien_status take_class(void *context, const store_value *row, size_t count,
                              mien_error *error)
{
    reading *r = context;
    if (r->class_count == MIEN_MAX_CLASSES || !store_row_is(row, count, "it") ||
        row[0].integer != r->class_count + 1)
        return store_malformed(error, "classes");
    const char *name = keep_text(&r->kept, row[1].bytes, STORE_MAX_TEXT);
    if (name == NULL)
        return error_no_memory(error, "a class", row[1].size);
    r->class_names[r->class_count++] = name;
    return MIEN_OK;
}

static mien_status take_person(void *context, const store_value *row, size_t count,
                               mien_error *error)
{
    reading *r = context;
    size_t *people = &r->record.person_count;
    if (!store_row_is(row, count, "itrri") || row[0].integer < 1 || row[4].integer < 0)
        return store_malformed(error, "a person");
    void *grown = with_room(r->people, *people, &r->people_room, sizeof *r->people);
    if (grown == NULL)
        return error_no_memory(error, "people", *people * sizeof *r->people);
    r->people = grown;
    store_person person = {.id = row[0].integer,
                           .label = keep_text(&r->kept, row[1].bytes, STORE_MAX_NAME),
                           .first_s = row[2].real,
                           .last_s = row[3].real,
                           .samples = row[4].integer};
    if (person.label == NULL)
        return error_no_memory(error, "a name", row[1].size);
    r->people[(*people)++] = person;
    return MIEN_OK;
}

static mien_status take_event(void *context, const store_value *row, size_t count,
                              mien_error *error)
{
    reading *r = context;
    size_t *events = &r->record.event_count;
    if (!store_row_is(row, count, "rritt") || row[1].real < 0 || row[2].integer < 0)
        return store_malformed(error, "an event");
    void *grown = with_room(r->events, *events, &r->event_room, sizeof *r->events);
    if (grown == NULL)
        return error_no_memory(error, "events", *events * sizeof *r->events);
    r->events = grown;
    store_event event = {.time_s = row[0].real,
                         .length_s = row[1].real,
                         .person = row[2].integer,
                         .kind = keep_text(&r->kept, row[3].bytes, STORE_MAX_TEXT),
                         .text = keep_text(&r->kept, row[4].bytes, STORE_MAX_TEXT)};
    if (event.kind == NULL || event.text == NULL)
        return error_no_memory(error, "an event", row[4].size);
    r->events[(*events)++] = event;
    return MIEN_OK;
}

static bool are_probabilities(const float *values, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        if (!(values[i] >= 0 && values[i] <= 1))
            return false;
        sum += (double)values[i];
    }
    return fabs(sum - 1) <= SUM_TOLERANCE;
}

static bool is_sample(const reading *r, const store_value *row, size_t count)
{
    return store_row_is(row, count, "rirrrrrb") && row[0].real >= 0 && row[1].integer >= 1 &&
           row[7].size == pack_size(r->class_count);
}

static mien_status reserve_sample(reading *r, mien_error *error)
{
    size_t count = r->record.timeline.count;
    void *samples = with_room(r->samples, count, &r->sample_room, sizeof *r->samples);
    if (samples != NULL)
        r->samples = samples;
    void *probabilities = with_room(r->probabilities, count, &r->probability_room,
                                    (size_t)r->class_count * sizeof *r->probabilities);
    if (probabilities != NULL)
        r->probabilities = probabilities;
    if (samples == NULL || probabilities == NULL)
        return error_no_memory(error, "samples", count * sizeof *r->samples);
    return MIEN_OK;
}

static mien_status take_sample(void *context, const store_value *row, size_t count,
                               mien_error *error)
{
    reading *r = context;
    size_t samples = r->record.timeline.count, classes = (size_t)r->class_count;
    if (!is_sample(r, row, count))
        return store_malformed(error, "a sample");
    mien_status status = reserve_sample(r, error);
    if (status != MIEN_OK)
        return status;
    r->samples[samples] = (timeline_sample){.time_s = row[0].real,
                                            .person = row[1].integer,
                                            .x = (float)row[2].real,
                                            .y = (float)row[3].real,
                                            .width = (float)row[4].real,
                                            .height = (float)row[5].real,
                                            .facing = (float)row[6].real};
    float *probabilities = r->probabilities + samples * classes;
    pack_read(row[7].bytes, r->class_count, probabilities);
    if (!are_probabilities(probabilities, r->class_count))
        return store_malformed(error, "probabilities");
    r->record.timeline.count++;
    return MIEN_OK;
}

/* ---- A session ---- */

static mien_status read_parts(store *s, int64_t id, reading *r, mien_error *error)
{
    static const struct {
        const char *sql;
        store_take_row take;
    } parts[] = {
        {"SELECT " STORE_SESSION_COLUMNS "WHERE id = $1", take_session},
        {"SELECT number, name FROM mien_class WHERE session = $1 ORDER BY number", take_class},
        {"SELECT id, label, first_s, last_s, samples FROM mien_person WHERE session = $1"
         " ORDER BY id",
         take_person},
        {"SELECT time_s, length_s, person, kind, text FROM mien_event WHERE session = $1"
         " AND kind <> " STORE_PICTURES " ORDER BY time_s, number",
         take_event},
        {"SELECT time_s, person, x, y, width, height, facing, probabilities FROM mien_sample"
         " WHERE session = $1 ORDER BY time_s, number",
         take_sample},
    };
    const store_value value = store_integer(id);
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < sizeof parts / sizeof *parts; i++) {
        status = store_run(s, parts[i].sql, &value, 1, parts[i].take, r, NULL, error);
        if (status == MIEN_OK && !r->found)
            return error_set(error, MIEN_NOT_FOUND, "'%s' has no session %" PRId64, store_name(s),
                             id);
    }
    if (status == MIEN_OK && r->class_count == 0)
        return store_malformed(error, "a session without classes");
    return status;
}

/* Arrays have moved while they grew: pointers to them are set at the end. */
static void put_together(reading *r)
{
    timeline *line = &r->record.timeline;
    store_session *session = &r->record.session;
    if (line->count > 0)
        session->length_s = fmax(session->length_s, r->samples[line->count - 1].time_s);
    session->class_count = line->class_count = r->class_count;
    session->class_names = line->class_names = r->class_names;
    line->samples = r->samples;
    line->probabilities = r->probabilities;
    line->length_s = session->length_s;
    r->record.people = r->people;
    r->record.events = r->events;
}

mien_status store_read(store *s, int64_t id, store_record **out, mien_error *error)
{
    *out = NULL;
    reading *r = memory_zeroed(1, sizeof *r);
    if (r == NULL)
        return error_no_memory(error, "a session", sizeof *r);
    mien_status status = store_script(s, s->driver->begin_read, error);
    if (status == MIEN_OK)
        status = store_end(s, read_parts(s, id, r, error), error);
    if (status != MIEN_OK) {
        store_record_free(&r->record);
        return status == MIEN_NOT_FOUND ? status
                                        : error_prefix(error, status, "session %" PRId64, id);
    }
    put_together(r);
    *out = &r->record;
    return MIEN_OK;
}

void store_record_free(store_record *record)
{
    reading *r = (reading *)record;
    if (r == NULL)
        return;
    keep_free(&r->kept);
    free(r->people);
    free(r->events);
    free(r->samples);
    free(r->probabilities);
    free(r);
}
