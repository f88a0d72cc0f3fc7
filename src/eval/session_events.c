/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/session_parts.h"

#include "eval/chart_rows.h"
#include "eval/html.h"

enum { MOST_ROWS = 200 };

static void put_event_rows(FILE *out, const session_findings *f)
{
    session_begin_table(out, "person|expression|from|to|for|largest probability");
    for (size_t i = 0; i < f->event_count && i < MOST_ROWS; i++) {
        const expression_event *e = &f->events[i];
        char name[SESSION_NAME_SIZE];
        session_begin_row(out, session_name_of(f, e->person, name));
        session_cell_text(out, f->story->timeline->class_names[e->class_index]);
        session_cell_time(out, e->start_s);
        session_cell_time(out, e->end_s);
        session_cell_time(out, e->end_s - e->start_s);
        session_cell_share(out, e->peak);
        fputs("</tr>\n", out);
    }
    session_end_table(out);
    if (f->event_count > MOST_ROWS)
        fprintf(out, "<p class=\"note\">The first %d of %zu.</p>\n", MOST_ROWS, f->event_count);
}

static void put_scores_row(FILE *out, const char *name, const event_scores *s)
{
    session_begin_row(out, name);
    fprintf(out, "<td>%zu</td><td>%zu</td><td>%zu</td>", s->annotated, s->found, s->matched);
    session_cell_share(out, s->precision);
    session_cell_share(out, s->recall);
    session_cell_share(out, s->f1);
    fputs("</tr>\n", out);
}

static mien_status put_event_scores(FILE *out, const session_findings *f, mien_error *error)
{
    const session_story *story = f->story;
    event_scores scores[MIEN_MAX_CLASSES], all;
    mien_status status =
        events_score(f->events, f->event_count, story->annotations, story->annotation_count,
                     f->settings->overlap, story->timeline->class_count, scores, &all, error);
    if (status != MIEN_OK)
        return status;
    fprintf(out,
            "<h3>Against annotations</h3>\n<p class=\"note\">An event is found when intersection "
            "over union in time is at least %g.</p>\n",
            f->settings->overlap);
    session_begin_table(out, "expression|annotated|found|matched|precision|recall|F1");
    for (int c = 0; c < story->timeline->class_count; c++)
        if (scores[c].found + scores[c].annotated > 0)
            put_scores_row(out, story->timeline->class_names[c], &scores[c]);
    put_scores_row(out, "all", &all);
    session_end_table(out);
    return MIEN_OK;
}

mien_status session_event_section(FILE *out, const session_findings *f, mien_error *error)
{
    char note[160];
    snprintf(note, sizeof note,
             "An expression that reached %g and stayed over %g for at least %g s; not neutral.",
             f->settings->events.on, f->settings->events.off, f->settings->events.hold_s);
    fputs("<section>\n", out);
    html_heading(out, "Events", note);
    if (f->event_count > 0)
        put_event_rows(out, f);
    else
        fputs("<p>There were none.</p>\n", out);
    mien_status status = f->story->annotations != NULL ? put_event_scores(out, f, error) : MIEN_OK;
    fputs("</section>\n", out);
    return status;
}

void session_notes_section(FILE *out, const session_findings *f)
{
    if (f->story->note_count == 0)
        return;
    fputs("<section>\n", out);
    html_heading(out, "Notes", "What happened while the session ran.");
    session_begin_table(out, "at|what");
    for (size_t i = 0; i < f->story->note_count; i++) {
        char text[CHART_TIME_SIZE];
        session_begin_row(out, chart_time(f->story->notes[i].time_s, text));
        session_cell_text(out, f->story->notes[i].text);
        fputs("</tr>\n", out);
    }
    session_end_table(out);
    fputs("</section>\n", out);
}
