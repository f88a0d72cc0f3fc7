/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/session_pictures.h"

#include "eval/chart_rows.h"
#include "eval/html.h"
#include "eval/session_parts.h"

#include <math.h>

/* ---- Choosing ---- */

/* How good a choice is: rarity first, then distance. */
typedef struct worth {
    size_t alike;      /* pictures of the same expression that are shown */
    double distance_s; /* in time, from the nearest that is shown */
} worth;

static worth worth_of(const picture_choice *candidate, const picture_choice *choices,
                      const size_t *shown, size_t shown_count)
{
    worth w = {0, HUGE_VAL};
    for (size_t i = 0; i < shown_count; i++) {
        const picture_choice *other = &choices[shown[i]];
        w.alike += other->class_index == candidate->class_index;
        w.distance_s = fmin(w.distance_s, fabs(other->time_s - candidate->time_s));
    }
    return w;
}

size_t picture_choose(const picture_choice *choices, size_t count, const size_t *shown,
                      size_t shown_count)
{
    size_t best = count;
    worth most = {0};
    for (size_t i = 0; i < count; i++) {
        if (choices[i].passed)
            continue;
        worth w = worth_of(&choices[i], choices, shown, shown_count);
        if (best == count || w.alike < most.alike ||
            (w.alike == most.alike && w.distance_s > most.distance_s)) {
            best = i;
            most = w;
        }
    }
    return best;
}

/* ---- The section ---- */

static mien_status put_picture(FILE *out, const session_findings *f, const session_picture *picture,
                               mien_error *error)
{
    char name[SESSION_NAME_SIZE], time[CHART_TIME_SIZE], words[SESSION_NAME_SIZE + 128];
    const char *expression = f->story->timeline->class_names[picture->class_index];
    chart_time(picture->time_s, time);
    snprintf(words, sizeof words, "%s at %s: %.64s", session_name_of(f, picture->person, name),
             time, expression);
    fputs("<figure>", out);
    mien_status status = html_picture(out, &picture->image, words, error);
    fprintf(out, "<figcaption><b>%s</b><br/>", time);
    html_text(out, expression);
    fputs("</figcaption></figure>\n", out);
    return status;
}

static mien_status put_person(FILE *out, const session_findings *f, int64_t person,
                              mien_error *error)
{
    const session_pictures *p = f->story->pictures;
    char name[SESSION_NAME_SIZE];
    bool begun = false;
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < p->count; i++) {
        if (p->images[i].person != person)
            continue;
        if (!begun) {
            fputs("<h3>", out);
            html_text(out, session_name_of(f, person, name));
            fputs("</h3>\n<div class=\"faces\">\n", out);
        }
        begun = true;
        status = put_picture(out, f, &p->images[i], error);
    }
    if (begun)
        fputs("</div>\n", out);
    return status;
}

static void put_missing(FILE *out, const session_pictures *p)
{
    if (!p->is_there)
        fputs("<p>That folder is not on the machine that wrote this page.</p>\n", out);
    if (p->gone > 0)
        fprintf(out, "<p class=\"note\">%zu that %s saved %s not there any more.</p>\n", p->gone,
                p->gone == 1 ? "was" : "were", p->gone == 1 ? "is" : "are");
    if (p->unreadable > 0)
        fprintf(out, "<p class=\"note\">%zu could not be read, and %s left out.</p>\n",
                p->unreadable, p->unreadable == 1 ? "is" : "are");
}

mien_status session_pictures_section(FILE *out, const session_findings *f, mien_error *error)
{
    const session_pictures *p = f->story->pictures;
    mien_status status = MIEN_OK;
    if (p == NULL || (p->is_there && p->saved + p->gone == 0))
        return status;
    fputs("<section>\n", out);
    html_heading(out, "Saved faces", NULL);
    fputs("<p class=\"note\">", out);
    if (p->count > 0)
        fprintf(out,
                "Up to %zu of each person, spread over time and apparent expressions, with the "
                "time of the source. ",
                p->of_a_person);
    if (p->is_there)
        fprintf(out, "%zu %s in ", p->saved, p->saved == 1 ? "picture lies" : "pictures lie");
    else
        fputs("Pictures were saved in ", out);
    html_text(out, p->folder);
    fputs(".</p>\n", out);
    for (size_t i = 0; status == MIEN_OK && i < f->people_count; i++)
        status = put_person(out, f, f->people[i].person, error);
    put_missing(out, p);
    fputs("</section>\n", out);
    return status;
}
