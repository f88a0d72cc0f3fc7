/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/session_parts.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/chart_rows.h"
#include "eval/html.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_RUNS_OF_A_PERSON = 600 }; /* finer ones would not be seen */

static void put_shares(FILE *out, const session_findings *f)
{
    const timeline *t = f->story->timeline;
    chart_rows c = chart_rows_begin(out, "Share of time of each apparent expression", 0, 1,
                                    f->people_count, true);
    for (size_t i = 0; i < f->people_count; i++) {
        char name[SESSION_NAME_SIZE], title[SESSION_NAME_SIZE];
        double from = 0;
        chart_rows_name(&c, i, session_name_of(f, f->people[i].person, name));
        for (int k = 0; k < t->class_count && f->people[i].seen_s > 0; k++) {
            double share = f->people[i].share[k];
            snprintf(title, sizeof title, "%s %.1f %%", t->class_names[k], 100 * share);
            if (share > 0)
                chart_rows_bar(&c, i, from, from + share, f->colours[k], title);
            from += share;
        }
    }
    chart_rows_end(&c);
    chart_rows_legend(out, t->class_names, f->colours, (size_t)t->class_count);
}

static void put_people(FILE *out, const session_findings *f)
{
    char columns[160];
    snprintf(columns, sizeof columns,
             "person|first seen|last seen|seen for|happiness ratio|stress ratio||neutral under "
             "%g|to the camera",
             f->settings->person.neutral_threshold);
    session_begin_table(out, columns);
    for (size_t i = 0; i < f->people_count; i++) {
        const person_time *p = &f->people[i];
        char name[SESSION_NAME_SIZE];
        session_begin_row(out, session_name_of(f, p->person, name));
        session_cell_time(out, p->first_s);
        session_cell_time(out, p->last_s);
        session_cell_time(out, p->seen_s);
        session_cell_share(out, p->happiness_ratio);
        session_cell_share(out, p->stress_ratio);
        session_cell_text(out, session_words_of(p->stressed));
        session_cell_share(out, p->non_neutral);
        session_cell_share(out, p->facing);
        fputs("</tr>\n", out);
    }
    session_end_table(out);
}

/* The runs of all people, and how often one expression followed another. */
static mien_status put_runs(FILE *out, const session_findings *f, size_t *transitions,
                            mien_error *error)
{
    const timeline *t = f->story->timeline;
    size_t classes = (size_t)t->class_count;
    size_t *own = memory_zeroed(classes * classes, sizeof *own);
    if (own == NULL)
        return error_no_memory(error, "transitions", classes * classes * sizeof *own);
    mien_status status = MIEN_OK;
    person_settings settings = f->settings->person;
    settings.hold_s = fmax(settings.hold_s, t->length_s / MOST_RUNS_OF_A_PERSON);
    chart_rows c = chart_rows_begin(out, "Apparent expressions over time", 0, t->length_s,
                                    f->people_count, false);
    for (size_t i = 0; status == MIEN_OK && i < f->people_count; i++) {
        char name[SESSION_NAME_SIZE];
        expression_run *runs;
        size_t count;
        chart_rows_name(&c, i, session_name_of(f, f->people[i].person, name));
        status = person_runs(t, f->people[i].person, &settings, &runs, &count, error);
        for (size_t r = 0; r < count; r++)
            chart_rows_bar(&c, i, runs[r].start_s, runs[r].end_s, f->colours[runs[r].class_index],
                           t->class_names[runs[r].class_index]);
        person_transitions(runs, count, t->class_count, own);
        for (size_t k = 0; k < classes * classes; k++)
            transitions[k] += own[k];
        free(runs);
    }
    chart_rows_end(&c);
    chart_rows_legend(out, t->class_names, f->colours, classes);
    free(own);
    return status;
}

static void put_transitions(FILE *out, const session_findings *f, const size_t *transitions)
{
    const timeline *t = f->story->timeline;
    size_t most = 1;
    for (int i = 0; i < t->class_count * t->class_count; i++)
        most = transitions[i] > most ? transitions[i] : most;
    fputs("<h3>Changes</h3>\n<div class=\"scroll\"><table class=\"shaded\"><thead><tr><th "
          "scope=\"col\">from \342\206\223 to \342\206\222</th>",
          out);
    for (int k = 0; k < t->class_count; k++) {
        fputs("<th scope=\"col\">", out);
        html_text(out, t->class_names[k]);
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>\n", out);
    for (int from = 0; from < t->class_count; from++) {
        session_begin_row(out, t->class_names[from]);
        for (int to = 0; to < t->class_count; to++) {
            size_t count = transitions[from * t->class_count + to];
            fprintf(out, "<td style=\"--s:%.3f\">", (double)count / (double)most);
            if (from != to)
                fprintf(out, "%zu", count);
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    session_end_table(out);
}

mien_status session_people_section(FILE *out, const session_findings *f, mien_error *error)
{
    size_t classes = (size_t)f->story->timeline->class_count;
    size_t *transitions = memory_zeroed(classes * classes, sizeof *transitions);
    if (transitions == NULL)
        return error_no_memory(error, "transitions", classes * classes * sizeof *transitions);
    fputs("<section>\n", out);
    html_heading(out, "People",
                 "Each by the largest probability of the moment. A person who was "
                 "away for long comes back under another number.");
    fputs("<h3>Share of the time</h3>\n", out);
    put_shares(out, f);
    put_people(out, f);
    fputs("<h3>Over time</h3>\n", out);
    mien_status status = put_runs(out, f, transitions, error);
    if (status == MIEN_OK)
        put_transitions(out, f, transitions);
    fputs("</section>\n", out);
    free(transitions);
    return status;
}
