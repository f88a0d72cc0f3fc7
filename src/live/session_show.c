/* SPDX-License-Identifier: Apache-2.0 */

/* mien session list, show and export. */

#include "live/session.h"

#include "base/error.h"
#include "eval/json_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define COMPACT (JSON_COMPACT | JSON_REAL_PRECISION(12))

/* ---- list ---- */

static void print_days(const store_session *session)
{
    if (session->keep_days == 0)
        fputs("   kept", stdout);
    else
        printf("%7" PRId64, store_days_left(session, session_now_ms()));
}

static void print_row(const store_session *session)
{
    char started[32];
    printf("%4" PRId64 "  %-19s  %8.1f s  %6" PRId64 "  %8" PRId64, session->id,
           session_time_local(session->started_ms, started, sizeof started), session->length_s,
           session->people, session->samples);
    print_days(session);
    fputs("  ", stdout);
    session_print_text(session->name);
    puts(session->ended ? "" : "  (running, or broke off)");
}

int session_list(const session_arguments *a, store *s)
{
    mien_error error;
    store_list *list;
    if (store_sessions(s, &list, &error) != MIEN_OK)
        return cli_fail(&error);
    int status = EXIT_DONE;
    if (a->format != OUTPUT_JSON && list->count > 0)
        puts("  id  started                  length  people   samples  days left  name");
    for (size_t i = 0; status == EXIT_DONE && i < list->count; i++) {
        if (a->format == OUTPUT_JSON)
            status = cli_print_json(session_json(&list->sessions[i]), COMPACT);
        else
            print_row(&list->sessions[i]);
    }
    store_list_free(list);
    return status;
}

/* ---- show ---- */

static void print_line(const char *what, const char *text)
{
    printf("%-10s", what);
    session_print_text(text);
    putchar('\n');
}

static void print_head(const store_session *session)
{
    char started[32];
    print_line("session", session->name);
    printf("%-10s%s, %.1f s%s\n", "started",
           session_time_local(session->started_ms, started, sizeof started), session->length_s,
           session->ended ? "" : " (running, or broke off)");
    print_line("source", session->source);
    print_line("model", session->model_name);
    print_line("consent", session->consent);
    if (session->keep_days == 0)
        print_line("kept", "until it is deleted");
    else
        printf("%-10s%d days, %" PRId64 " left\n", "kept", session->keep_days,
               store_days_left(session, session_now_ms()));
    session_print_pictures(session->pictures);
}

static void print_shares(const timeline *line, const double *shares)
{
    for (int c = 0; c < line->class_count; c++)
        if (shares[c] >= 0.005) {
            fputs("  ", stdout);
            session_print_text(line->class_names[c]);
            printf(" %.0f %%", 100 * shares[c]);
        }
    putchar('\n');
}

static void print_person(const timeline *line, const session_times *times,
                         const store_person *person)
{
    printf("  %3" PRId64 "  ", person->id);
    session_print_text(person->label);
    printf("%s%.1f to %.1f s, %" PRId64 " %s:", person->label[0] != '\0' ? ", " : "",
           person->first_s, person->last_s, person->samples,
           person->samples == 1 ? "sample" : "samples");
    print_shares(line, session_shares(times, person->id));
}

static void print_event(const store_event *event)
{
    printf("  %.1f s  ", event->time_s);
    session_print_text(event->kind);
    if (event->person != 0)
        printf(", person %" PRId64, event->person);
    if (event->length_s > 0)
        printf(", for %.1f s", event->length_s);
    fputs(": ", stdout);
    session_print_text(event->text);
    putchar('\n');
}

static void print_record(const store_record *record, const session_times *times)
{
    print_head(&record->session);
    puts("people");
    for (size_t i = 0; i < record->person_count; i++)
        print_person(&record->timeline, times, &record->people[i]);
    if (record->person_count > 1) {
        fputs("  all:", stdout);
        print_shares(&record->timeline, times->all.share);
    }
    if (record->event_count > 0)
        puts("events");
    for (size_t i = 0; i < record->event_count; i++)
        print_event(&record->events[i]);
}

/* A session as it was kept, and what is made of it. */
typedef struct told_session {
    store_record *record;
    session_times times;
    roles roles;
} told_session;

static void forget_session(told_session *told)
{
    session_times_free(&told->times);
    store_record_free(told->record);
}

/* The session that an argument names. Success: the caller ends it with forget_session. Failure: the
 * exit status, after a message; there is nothing to end. */
static int read_session(const session_arguments *a, store *s, told_session *told)
{
    int64_t id;
    mien_error error;
    *told = (told_session){0};
    int status = session_parse_id(a->command, "the session", a->names[0], &id);
    if (status != EXIT_DONE)
        return status;
    if (store_read(s, id, &told->record, &error) != MIEN_OK)
        return cli_fail(&error);
    const timeline *line = &told->record->timeline;
    told->roles = roles_of(line->class_names, line->class_count);
    if (session_times_of(line, &told->times, &error) == MIEN_OK)
        return EXIT_DONE;
    forget_session(told);
    return cli_fail(&error);
}

int session_show(const session_arguments *a, store *s)
{
    told_session told;
    int status = read_session(a, s, &told);
    if (status != EXIT_DONE)
        return status;
    if (a->format == OUTPUT_JSON)
        status = cli_print_json(session_record_json(told.record, &told.times), COMPACT);
    else
        print_record(told.record, &told.times);
    forget_session(&told);
    return status;
}

/* ---- export ---- */

static json_t *json_of_box(const timeline_sample *sample)
{
    const float box[] = {sample->x, sample->y, sample->width, sample->height};
    json_t *list = json_array();
    bool complete = list != NULL;
    for (size_t i = 0; i < 4; i++)
        complete &= json_array_append_new(list, json_real(round((double)box[i] * 100) / 100)) == 0;
    return json_text_finish(list, complete);
}

static json_t *json_of_probabilities(const timeline *line, size_t i)
{
    const float *values = line->probabilities + i * (size_t)line->class_count;
    json_t *list = json_array();
    bool complete = list != NULL;
    for (int c = 0; c < line->class_count; c++)
        complete &=
            json_array_append_new(list, json_real(round((double)values[c] * 1e6) / 1e6)) == 0;
    return json_text_finish(list, complete);
}

static json_t *json_of_sample(const told_session *told, size_t i)
{
    const timeline *line = &told->record->timeline;
    const timeline_sample *sample = &line->samples[i];
    json_t *facing =
        sample->facing < 0 ? json_null() : json_real(round((double)sample->facing * 1e4) / 1e4);
    json_t *expression =
        json_text_name(line->class_names[roles_top(&told->roles, timeline_row(line, i))]);
    json_t *object = json_object();
    bool complete =
        json_object_set_new(object, "time", json_real(round(sample->time_s * 1e6) / 1e6)) == 0;
    complete &= json_object_set_new(object, "person", json_integer(sample->person)) == 0;
    complete &= json_object_set_new(object, "box", json_of_box(sample)) == 0;
    complete &= json_object_set_new(object, "facing", facing) == 0;
    complete &= json_object_set_new(object, "expression", expression) == 0;
    complete &= json_object_set_new(object, "probabilities", json_of_probabilities(line, i)) == 0;
    return json_text_finish(object, complete);
}

/* {"session": ...}, then {"sample": ...} lines. */
static int print_wrapped(const char *key, json_t *value)
{
    json_t *object = json_object();
    bool complete = json_object_set_new(object, key, value) == 0;
    return cli_print_json(json_text_finish(object, complete), COMPACT);
}

static int export_json(const told_session *told)
{
    int status = print_wrapped("session", session_record_json(told->record, &told->times));
    for (size_t i = 0; status == EXIT_DONE && i < told->record->timeline.count; i++)
        status = print_wrapped("sample", json_of_sample(told, i));
    return status;
}

static void print_csv_row(const told_session *told, size_t i)
{
    const timeline *line = &told->record->timeline;
    const timeline_sample *sample = &line->samples[i];
    const float *values = timeline_row(line, i);
    int top = roles_top(&told->roles, values);
    printf("%.6f,%" PRId64 ",", sample->time_s, sample->person);
    output_field(stdout, session_label_of(told->record, sample->person));
    printf(",%.2f,%.2f,%.2f,%.2f,", (double)sample->x, (double)sample->y, (double)sample->width,
           (double)sample->height);
    if (sample->facing >= 0)
        printf("%.4f", (double)sample->facing);
    putchar(',');
    output_field(stdout, line->class_names[top]);
    printf(",%.6f", (double)values[top]);
    for (int c = 0; c < line->class_count; c++)
        printf(",%.6f", (double)values[c]);
    putchar('\n');
}

static int export_csv(const told_session *told)
{
    const timeline *line = &told->record->timeline;
    fputs("time,person,label,x,y,width,height,facing,expression,confidence", stdout);
    for (int c = 0; c < line->class_count; c++) {
        putchar(',');
        output_field(stdout, line->class_names[c]);
    }
    putchar('\n');
    for (size_t i = 0; i < line->count && !ferror(stdout); i++)
        print_csv_row(told, i);
    return EXIT_DONE;
}

int session_export(const session_arguments *a, store *s)
{
    told_session told;
    int status = read_session(a, s, &told);
    if (status != EXIT_DONE)
        return status;
    status = a->format == OUTPUT_CSV ? export_csv(&told) : export_json(&told);
    forget_session(&told);
    return status;
}
