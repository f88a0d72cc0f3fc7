/* SPDX-License-Identifier: Apache-2.0 */

/* mien report: a session that was kept -> a page, or tables for programs. */

#include "live/commands.h"

#include "live/session.h"
#include "live/session_faces.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "eval/session_page.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: mien report [OPTION ...] SESSION\n"
    "\n"
    "Writes a page about a session that was kept (mien live --session): what each person looked\n"
    "like over time, the group, events, and a few of the faces that it saved (mien live --save).\n"
    "One HTML file that opens offline. SESSION is its number (mien session list). All figures are\n"
    "experimental; the page says how they are made.\n"
    "\n"
    "  --store FILE|URL        where sessions are kept (default: your own)\n"
    "  --out FILE              the page (default session-N.html)\n"
    "  --csv                   no page: a row for each person\n"
    "  --events                no page: a row for each event\n"
    "  --annotations FILE      CSV (person,expression,start,end) to score the events against\n"
    "  --overlap SHARE         intersection over union that makes a match (default 0.5)\n"
    "  --event-from P          an event begins at this probability (default 0.6)\n"
    "  --event-to P            and lasts while it is at least this (default 0.5)\n"
    "  --event-hold SECONDS    shorter ones are none (default 1)\n"
    "  --stress-from RATIO     stress ratio from which somebody is called stressed (default 0.5)\n"
    "  --neutral-from P        neutral is what has at least this probability of it (default 0.5)\n"
    "  --window SECONDS        of the group's course (default 10)\n"
    "\n"
    "example: mien report 3 --out monday.html\n";

static const struct option long_options[] = {
    {"store", required_argument, NULL, 's'},
    {"out", required_argument, NULL, 'o'},
    {"csv", no_argument, NULL, 'c'},
    {"events", no_argument, NULL, 'e'},
    {"annotations", required_argument, NULL, 'a'},
    {"overlap", required_argument, NULL, 'O'},
    {"event-from", required_argument, NULL, 'f'},
    {"event-to", required_argument, NULL, 't'},
    {"event-hold", required_argument, NULL, 'H'},
    {"stress-from", required_argument, NULL, 'S'},
    {"neutral-from", required_argument, NULL, 'n'},
    {"window", required_argument, NULL, 'w'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

typedef enum report_form { REPORT_PAGE, REPORT_PEOPLE, REPORT_EVENTS } report_form;

/* Everything of one run of the command. */
typedef struct run {
    const char *command;
    const char *place, *out, *annotations_path;
    report_form form;
    bool asked_for_help;
    int64_t id;
    session_settings settings;
    store_record *record;
    expression_event *annotations;
    size_t annotation_count;
    session_pictures pictures; /* folder NULL: none were saved */
} run;

/* ---- Options ---- */

static int parse_number(run *r, int option)
{
    const struct {
        int option;
        const char *name;
        double low, high, *value;
    } numbers[] = {
        {'O', "--overlap", 0.001, 1, &r->settings.overlap},
        {'f', "--event-from", 0, 1, &r->settings.events.on},
        {'t', "--event-to", 0, 1, &r->settings.events.off},
        {'H', "--event-hold", 0, 86400, &r->settings.events.hold_s},
        {'S', "--stress-from", 0, 1, &r->settings.person.stress_threshold},
        {'n', "--neutral-from", 0, 1, &r->settings.person.neutral_threshold},
        {'w', "--window", 0.1, 86400, &r->settings.group.window_s},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].option == option)
            return cli_parse_real(r->command, numbers[i].name, optarg, numbers[i].low,
                                  numbers[i].high, numbers[i].value)
                       ? EXIT_DONE
                       : EXIT_USAGE;
    return cli_wrong_usage(r->command, "this option is not known or lacks its value");
}

static int parse_option(run *r, int option)
{
    switch (option) {
    case 's':
        r->place = optarg;
        break;
    case 'o':
        r->out = optarg;
        break;
    case 'c':
        r->form = REPORT_PEOPLE;
        break;
    case 'e':
        r->form = REPORT_EVENTS;
        break;
    case 'a':
        r->annotations_path = optarg;
        break;
    case 'h':
        r->asked_for_help = true;
        break;
    default:
        return parse_number(r, option);
    }
    return EXIT_DONE;
}

static int parse_arguments(run *r, int argc, char **argv)
{
    int option;
    int status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = parse_option(r, option);
    if (status != EXIT_DONE || r->asked_for_help)
        return status;
    if (optind + 1 != argc)
        return cli_wrong_usage(r->command, "name one session by its number");
    if (r->settings.events.off > r->settings.events.on)
        return cli_wrong_usage(r->command, "--event-to %g is over --event-from %g",
                               r->settings.events.off, r->settings.events.on);
    return session_parse_id(r->command, "session", argv[optind], &r->id);
}

/* ---- Reading ---- */

static mien_status read_annotations(run *r, mien_error *error)
{
    if (r->annotations_path == NULL)
        return MIEN_OK;
    FILE *stream = fopen(r->annotations_path, "r");
    if (stream == NULL)
        return error_set(error, MIEN_NOT_FOUND, "cannot open '%s': %s", r->annotations_path,
                         strerror(errno));
    const timeline *t = &r->record->timeline;
    mien_status status =
        events_read_csv(stream, r->annotations_path, t->class_names, t->class_count,
                        &r->annotations, &r->annotation_count, error);
    fclose(stream);
    return status;
}

static int read_session(run *r)
{
    char buffer[4096];
    mien_error error;
    store *kept = NULL;
    const char *place = session_place(r->place, false, buffer, sizeof buffer);
    if (place == NULL)
        return EXIT_FAILED;
    mien_status status = store_open(place, false, &kept, &error);
    if (status == MIEN_OK)
        status = store_read(kept, r->id, &r->record, &error);
    store_close(kept);
    if (status == MIEN_OK)
        status = read_annotations(r, &error);
    return status == MIEN_OK ? EXIT_DONE : cli_fail(&error);
}

/* ---- The page ---- */

static mien_status write_page(const run *r, FILE *out, session_person *people, session_note *notes,
                              mien_error *error)
{
    enum { FACTS = 6 };
    const store_session *session = &r->record->session;
    char started[32], kept[64];
    session_time_local(session->started_ms, started, sizeof started);
    snprintf(kept, sizeof kept, "for %d days", session->keep_days);
    const report_fact facts[FACTS] = {
        {"Started", started},
        {"Source", session->source},
        {"Model", session->model_name},
        {"Consent", session->consent},
        {"Kept", session->keep_days > 0 ? kept : "until somebody deletes it"},
        {"Ended", session->ended ? "as it should" : "it is being written, or broke off"},
    };
    session_story story = {.name = session->name,
                           .facts = facts,
                           .fact_count = FACTS,
                           .timeline = &r->record->timeline,
                           .people = people,
                           .person_count = r->record->person_count,
                           .notes = notes,
                           .note_count = r->record->event_count,
                           .annotations = r->annotations,
                           .annotation_count = r->annotation_count,
                           .pictures = r->pictures.folder != NULL ? &r->pictures : NULL};
    for (size_t i = 0; i < r->record->person_count; i++)
        people[i] = (session_person){r->record->people[i].id, r->record->people[i].label};
    for (size_t i = 0; i < r->record->event_count; i++)
        notes[i] = (session_note){r->record->events[i].time_s, r->record->events[i].text};
    return session_page_write(out, &story, &r->settings, error);
}

static mien_status page_text(const run *r, char **text, size_t *size, mien_error *error)
{
    session_person *people = memory_zeroed(r->record->person_count, sizeof *people);
    session_note *notes = memory_zeroed(r->record->event_count, sizeof *notes);
    FILE *out = open_memstream(text, size);
    mien_status status = MIEN_OK;
    if (people == NULL || notes == NULL || out == NULL)
        status = error_no_memory(error, "a page", sizeof *people);
    else
        status = write_page(r, out, people, notes, error);
    if (out != NULL && (fclose(out) != 0 && status == MIEN_OK))
        status = error_no_memory(error, "a page", *size);
    free(people);
    free(notes);
    return status;
}

/* Without them there is a page all the same. */
static mien_status read_pictures(run *r, mien_error *error)
{
    mien_status status = session_faces_read(r->record, &r->pictures, error);
    if (status == MIEN_OK || status == MIEN_OUT_OF_MEMORY)
        return status;
    fprintf(stderr, "mien: the page shows no faces: %s\n", error->message);
    return MIEN_OK;
}

static int write_page_file(run *r)
{
    char name[64], *text = NULL;
    size_t size = 0;
    mien_error error;
    snprintf(name, sizeof name, "session-%" PRId64 ".html", r->id);
    const char *path = r->out != NULL ? r->out : name;
    mien_status status = read_pictures(r, &error);
    if (status == MIEN_OK)
        status = page_text(r, &text, &size, &error);
    if (status == MIEN_OK)
        status = file_write_atomic(path, text, size, &error);
    free(text);
    if (status != MIEN_OK)
        return cli_fail(&error);
    fprintf(stderr, "mien: wrote %s\n", path);
    return EXIT_DONE;
}

/* ---- Tables ---- */

/* A share, or nothing where it is not known. */
static void put_share(double share)
{
    putchar(',');
    if (!isnan(share))
        printf("%.6f", share);
}

static void put_person(const run *r, const person_time *p)
{
    static const char *const decisions[] = {"", "no", "yes"};
    printf("%" PRId64 ",", p->person);
    output_field(stdout, session_label_of(r->record, p->person));
    printf(",%.3f,%.3f,%.3f,%zu", p->first_s, p->last_s, p->seen_s, p->samples);
    for (int c = 0; c < r->record->timeline.class_count; c++)
        put_share(p->share[c]);
    put_share(p->non_neutral);
    put_share(p->stress_ratio);
    put_share(p->happiness_ratio);
    printf(",%s", decisions[p->stressed]);
    put_share(p->facing);
    putchar('\n');
}

static int print_people(const run *r)
{
    const timeline *t = &r->record->timeline;
    mien_error error;
    person_time *people;
    size_t count;
    if (person_time_all(t, &r->settings.person, &people, &count, &error) != MIEN_OK)
        return cli_fail(&error);
    fputs("person,label,first,last,seen,samples", stdout);
    for (int c = 0; c < t->class_count; c++) {
        putchar(',');
        output_field(stdout, t->class_names[c]);
    }
    puts(",non_neutral,stress_ratio,happiness_ratio,stressed,facing");
    for (size_t i = 0; i < count; i++)
        put_person(r, &people[i]);
    free(people);
    return EXIT_DONE;
}

static int print_event_scores(const run *r, const expression_event *events, size_t count)
{
    const timeline *t = &r->record->timeline;
    mien_error error;
    event_scores scores[MIEN_MAX_CLASSES], all;
    if (events_score(events, count, r->annotations, r->annotation_count, r->settings.overlap,
                     t->class_count, scores, &all, &error) != MIEN_OK)
        return cli_fail(&error);
    fprintf(stderr,
            "mien: %zu found, %zu annotated, %zu matched: precision %.3f, recall %.3f, F1 "
            "%.3f\n",
            all.found, all.annotated, all.matched, all.precision, all.recall, all.f1);
    return EXIT_DONE;
}

static int print_events(const run *r)
{
    const timeline *t = &r->record->timeline;
    mien_error error;
    expression_event *events;
    size_t count;
    int neutral = roles_of(t->class_names, t->class_count).neutral;
    if (events_find(t, &r->settings.events, neutral, &events, &count, &error) != MIEN_OK)
        return cli_fail(&error);
    puts("person,label,expression,start,end,peak");
    for (size_t i = 0; i < count; i++) {
        printf("%" PRId64 ",", events[i].person);
        output_field(stdout, session_label_of(r->record, events[i].person));
        putchar(',');
        output_field(stdout, t->class_names[events[i].class_index]);
        printf(",%.3f,%.3f,%.6f\n", events[i].start_s, events[i].end_s, events[i].peak);
    }
    int status = r->annotations_path != NULL ? print_event_scores(r, events, count) : EXIT_DONE;
    free(events);
    return status;
}

int command_report(int argc, char **argv)
{
    run r = {.command = argv[0], .settings = session_defaults()};
    int status = parse_arguments(&r, argc, argv);
    if (status == EXIT_DONE && r.asked_for_help) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (status == EXIT_DONE)
        status = read_session(&r);
    if (status == EXIT_DONE)
        status = r.form == REPORT_PEOPLE   ? print_people(&r)
                 : r.form == REPORT_EVENTS ? print_events(&r)
                                           : write_page_file(&r);
    session_faces_free(&r.pictures);
    store_record_free(r.record);
    free(r.annotations);
    return status;
}
