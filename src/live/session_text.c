/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions as texts and JSON. */

#include "live/session.h"

#include "eval/json_text.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define SCHEMA "mien.session/1"

/* ---- Texts ---- */

static const char *time_text(int64_t time_ms, bool utc, char *buffer, size_t size)
{
    /* A store may hold any number: only years of four digits are written. */
    const int64_t last_ms = INT64_C(253402300799999);
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    if (time_ms < 0 || time_ms > last_ms ||
        (utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts)) == NULL ||
        strftime(buffer, size, utc ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", &parts) == 0)
        snprintf(buffer, size, "?");
    return buffer;
}

const char *session_time_utc(int64_t time_ms, char *buffer, size_t size)
{
    return time_text(time_ms, true, buffer, size);
}

const char *session_time_local(int64_t time_ms, char *buffer, size_t size)
{
    return time_text(time_ms, false, buffer, size);
}

void session_print_text(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

/* ---- Shares ---- */

int session_top(const timeline *line, size_t i)
{
    const float *probabilities = line->probabilities + i * (size_t)line->class_count;
    int top = 0;
    for (int c = 1; c < line->class_count; c++)
        if (probabilities[c] > probabilities[top])
            top = c;
    return top;
}

void session_shares(const timeline *line, int64_t person, double *shares)
{
    size_t count = 0;
    for (int c = 0; c < line->class_count; c++)
        shares[c] = 0;
    for (size_t i = 0; i < line->count; i++) {
        if (person != 0 && line->samples[i].person != person)
            continue;
        shares[session_top(line, i)] += 1;
        count++;
    }
    for (int c = 0; c < line->class_count && count > 0; c++)
        shares[c] /= (double)count;
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
    session_time_utc(session->started_ms, started, sizeof started);
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

/* In the order of the classes. */
static json_t *json_of_shares(const timeline *line, int64_t person)
{
    double shares[MIEN_MAX_CLASSES];
    json_t *list = json_array();
    bool complete = list != NULL;
    session_shares(line, person, shares);
    for (int c = 0; c < line->class_count; c++)
        complete &= json_array_append_new(list, json_real(round(shares[c] * 1e6) / 1e6)) == 0;
    return json_text_finish(list, complete);
}

static json_t *json_of_person(const timeline *line, const store_person *person)
{
    json_t *object = json_object();
    bool complete = add(object, "id", json_integer(person->id));
    complete &= add(object, "label", json_text_name(person->label));
    complete &= add(object, "from", seconds(person->first_s));
    complete &= add(object, "to", seconds(person->last_s));
    complete &= add(object, "sample_count", json_integer(person->samples));
    complete &= add(object, "shares", json_of_shares(line, person->id));
    return json_text_finish(object, complete);
}

json_t *session_event_json(const store_event *event)
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

json_t *session_record_json(const store_record *record)
{
    json_t *object = session_json(&record->session);
    json_t *people = json_array(), *events = json_array();
    bool complete = object != NULL && people != NULL && events != NULL;
    for (size_t i = 0; i < record->person_count; i++)
        complete &= json_array_append_new(
                        people, json_of_person(&record->timeline, &record->people[i])) == 0;
    for (size_t i = 0; i < record->event_count; i++)
        complete &= json_array_append_new(events, session_event_json(&record->events[i])) == 0;
    complete &= add(object, "classes", json_of_classes(&record->timeline));
    complete &= add(object, "shares", json_of_shares(&record->timeline, 0));
    complete &= add(object, "people", people);
    complete &= add(object, "events", events);
    return json_text_finish(object, complete);
}
