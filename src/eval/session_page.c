/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/session_page.h"

#include "eval/chart_rows.h"
#include "eval/html.h"
#include "eval/session_parts.h"

#include <stdlib.h>

session_settings session_defaults(void)
{
    return (session_settings){.person = person_defaults(),
                              .events = event_defaults(),
                              .group = group_defaults(),
                              .overlap = 0.5};
}

static void put_figure(FILE *out, double share, const char *name)
{
    fputs("<div><b>", out);
    session_put_share(out, share);
    fprintf(out, "</b><span>%s</span></div>\n", name);
}

static void put_figures(FILE *out, const session_findings *f)
{
    char length[CHART_TIME_SIZE], seen[CHART_TIME_SIZE];
    fprintf(out,
            "<div class=\"figures\">\n<div><b>%zu</b><span>people (tracks)</span></div>\n"
            "<div><b>%s</b><span>length</span></div>\n<div><b>%s</b><span>time that faces were "
            "seen, of all people</span></div>\n",
            f->people_count, chart_time(f->story->timeline->length_s, length),
            chart_time(f->ratios.seen_s, seen));
    put_figure(out, f->ratios.happiness_ratio, "happiness ratio (experimental)");
    put_figure(out, f->ratios.stress_ratio, "stress ratio (experimental)");
    fprintf(out,
            "<div><b>%s</b><span>apparent, of all people (experimental)</span></div>\n</div>\n",
            session_words_of(f->ratios.stressed));
}

static void put_facts(FILE *out, const session_findings *f)
{
    fputs("<section>\n", out);
    html_heading(out, "Session", NULL);
    report_facts(out, f->story->facts, f->story->fact_count);
    fputs("</section>\n", out);
}

/* Neutral is the grey, which is the last colour; the others take theirs in turn. */
static void choose_colours(session_findings *f)
{
    enum { GREY = 7 };
    int next = 0;
    for (int c = 0; c < f->roles.class_count; c++)
        f->colours[c] = c == f->roles.neutral ? GREY : next++ % GREY;
}

static mien_status find_all(session_findings *f, mien_error *error)
{
    const timeline *t = f->story->timeline;
    const session_settings *s = f->settings;
    f->roles = roles_of(t->class_names, t->class_count);
    choose_colours(f);
    mien_status status = person_time_all(t, &s->person, &f->people, &f->people_count, error);
    if (status == MIEN_OK)
        status = group_follow(t, &s->person, &s->group, &f->group, error);
    if (status == MIEN_OK)
        status = events_find(t, &s->events, f->roles.neutral, &f->events, &f->event_count, error);
    if (status == MIEN_OK)
        f->ratios = person_session_ratios(f->people, f->people_count, &s->person);
    return status;
}

static mien_status put_page(FILE *out, const session_findings *f, mien_error *error)
{
    html_begin(out, f->story->name);
    put_figures(out, f);
    put_facts(out, f);
    mien_status status = session_people_section(out, f, error);
    if (status == MIEN_OK)
        status = session_pictures_section(out, f, error);
    if (status == MIEN_OK)
        status = session_group_section(out, f, error);
    if (status == MIEN_OK)
        status = session_event_section(out, f, error);
    session_notes_section(out, f);
    session_formulas_section(out, f);
    html_end(out);
    return status;
}

mien_status session_page_write(FILE *out, const session_story *story,
                               const session_settings *settings, mien_error *error)
{
    session_findings f = {.story = story, .settings = settings};
    mien_status status = find_all(&f, error);
    if (status == MIEN_OK)
        status = put_page(out, &f, error);
    free(f.people);
    free(f.events);
    group_free(&f.group);
    return status;
}
