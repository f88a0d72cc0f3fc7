/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions as texts and JSON. */

#include "live/session.h"
#include "live/when.h"

#include "eval/json_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SCHEMA "mien.session/1"

/* ---- Texts ---- */

const char *session_time_local(int64_t time_ms, char *buffer, size_t size)
{
    /* A store may hold any number: only years of four digits are written. */
    const int64_t last_ms = INT64_C(253402300799999);
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    if (time_ms < 0 || time_ms > last_ms || localtime_r(&seconds, &parts) == NULL ||
        strftime(buffer, size, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        snprintf(buffer, size, "?");
    return buffer;
}

void session_print_text(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

const char *session_label_of(const store_record *record, int64_t person)
{
    for (size_t i = 0; i < record->person_count; i++)
        if (record->people[i].id == person)
            return record->people[i].label;
    return "";
}

/* ---- Times ---- */

mien_status session_times_of(const timeline *line, session_times *out, mien_error *error)
{
    person_settings settings = person_defaults();
    *out = (session_times){0};
    mien_status status = person_time_all(line, &settings, &out->people, &out->count, error);
    if (status == MIEN_OK)
        out->all = person_session_ratios(out->people, out->count, &settings);
    return status;
}

void session_times_free(session_times *times)
{
    free(times->people);
    *times = (session_times){0};
}

const double *session_shares(const session_times *times, int64_t person)
{
    for (size_t i = 0; i < times->count; i++)
        if (times->people[i].person == person)
            return times->people[i].share;
    return times->all.share;
}

/* ---- JSON ---- */

static json_t *seconds(double time_s)
{
    return json_real(round(time_s * 1e6) / 1e6);
}

static bool add(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static json_t *json_of_model(const store_session *session)
{
    json_t *object = json_object();
    bool complete = add(object, "name", json_text_name(session->model_name));
    complete &= add(object, "sha256", json_text_name(session->model_sha256));
    return json_text_finish(object, complete);
}

json_t *session_json(const store_session *session)
{
    char started[32];
    when_utc((time_t)(session->started_ms / 1000), started);
    json_t *days = session->keep_days == 0
                       ? json_null()
                       : json_integer(store_days_left(session, session_now_ms()));
    json_t *object = json_object();
    bool complete = add(object, "schema", json_string(SCHEMA));
    complete &= add(object, "id", json_integer(session->id));
    complete &= add(object, "name", json_text_name(session->name));
    complete &= add(object, "started", json_string(started));
    complete &= add(object, "length", seconds(session->length_s));
    complete &= add(object, "ended", json_boolean(session->ended));
    complete &= add(object, "source", json_text_name(session->source));
    complete &= add(object, "model", json_of_model(session));
    complete &= add(object, "consent", json_text_name(session->consent));
    complete &= add(object, "keep_days", json_integer(session->keep_days));
    complete &= add(object, "days_left", days);
    complete &= add(object, "people_count", json_integer(session->people));
    complete &= add(object, "sample_count", json_integer(session->samples));
    complete &= add(object, "event_count", json_integer(session->events));
    return json_text_finish(object, complete);
}

static json_t *json_of_classes(const timeline *line)
{
    json_t *names = json_array();
    bool complete = names != NULL;
    for (int c = 0; c < line->class_count; c++)
        complete &= json_array_append_new(names, json_text_name(line->class_names[c])) == 0;
    return json_text_finish(names, complete);
}

/* In the order of the classes; null where no time was seen. */
static json_t *json_of_shares(const timeline *line, const double *shares)
{
    json_t *list = json_array();
    bool complete = list != NULL;
    for (int c = 0; c < line->class_count; c++)
        complete &= json_array_append_new(list, isnan(shares[c])
                                                    ? json_null()
                                                    : json_real(round(shares[c] * 1e6) / 1e6)) == 0;
    return json_text_finish(list, complete);
}

static json_t *json_of_person(const timeline *line, const session_times *times,
                              const store_person *person)
{
    json_t *object = json_object();
    bool complete = add(object, "id", json_integer(person->id));
    complete &= add(object, "label", json_text_name(person->label));
    complete &= add(object, "from", seconds(person->first_s));
    complete &= add(object, "to", seconds(person->last_s));
    complete &= add(object, "sample_count", json_integer(person->samples));
    complete &= add(object, "shares", json_of_shares(line, session_shares(times, person->id)));
    return json_text_finish(object, complete);
}

static json_t *json_of_event(const store_event *event)
{
    json_t *object = json_object();
    bool complete = add(object, "time", seconds(event->time_s));
    complete &= add(object, "length", seconds(event->length_s));
    complete &=
        add(object, "person", event->person != 0 ? json_integer(event->person) : json_null());
    complete &= add(object, "kind", json_text_name(event->kind));
    complete &= add(object, "text", json_text_name(event->text));
    return json_text_finish(object, complete);
}

json_t *session_record_json(const store_record *record, const session_times *times)
{
    json_t *object = session_json(&record->session);
    json_t *people = json_array(), *events = json_array();
    bool complete = object != NULL && people != NULL && events != NULL;
    for (size_t i = 0; i < record->person_count; i++)
        complete &= json_array_append_new(
                        people, json_of_person(&record->timeline, times, &record->people[i])) == 0;
    for (size_t i = 0; i < record->event_count; i++)
        complete &= json_array_append_new(events, json_of_event(&record->events[i])) == 0;
    complete &= add(object, "classes", json_of_classes(&record->timeline));
    complete &= add(object, "shares", json_of_shares(&record->timeline, times->all.share));
    complete &= add(object, "pictures", session_pictures_json(record->session.pictures));
    complete &= add(object, "people", people);
    complete &= add(object, "events", events);
    return json_text_finish(object, complete);
}
