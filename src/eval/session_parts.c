/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/session_parts.h"

#include "eval/chart_rows.h"
#include "eval/html.h"

#include <inttypes.h>
#include <math.h>

#define NONE "\342\200\223"

const char *session_name_of(const session_findings *f, int64_t person, char name[SESSION_NAME_SIZE])
{
    for (size_t i = 0; i < f->story->person_count; i++)
        if (f->story->people[i].id == person && f->story->people[i].label[0] != '\0') {
            snprintf(name, SESSION_NAME_SIZE, "%s (%" PRId64 ")", f->story->people[i].label,
                     person);
            return name;
        }
    snprintf(name, SESSION_NAME_SIZE, "person %" PRId64, person);
    return name;
}

const char *session_words_of(stress_decision decision)
{
    return decision == STRESS_YES  ? "stressed"
           : decision == STRESS_NO ? "not stressed"
                                   : "too short to say";
}

void session_put_share(FILE *out, double share)
{
    if (isnan(share))
        fputs(NONE, out);
    else
        fprintf(out, "%.1f" HTML_PERCENT, 100 * share);
}

void session_cell_share(FILE *out, double share)
{
    fputs("<td>", out);
    session_put_share(out, share);
    fputs("</td>", out);
}

void session_cell_time(FILE *out, double seconds)
{
    char text[CHART_TIME_SIZE];
    fprintf(out, "<td>%s</td>", chart_time(seconds, text));
}

void session_cell_text(FILE *out, const char *text)
{
    fputs("<td class=\"words\">", out);
    html_text(out, text);
    fputs("</td>", out);
}

void session_begin_row(FILE *out, const char *name)
{
    fputs("<tr><th scope=\"row\">", out);
    html_text(out, name);
    fputs("</th>", out);
}

void session_begin_table(FILE *out, const char *columns)
{
    fputs("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">", out);
    for (; *columns != '\0'; columns++)
        if (*columns == '|')
            fputs("</th><th scope=\"col\">", out);
        else
            putc(*columns, out);
    fputs("</th></tr></thead><tbody>\n", out);
}

void session_end_table(FILE *out)
{
    fputs("</tbody></table></div>\n", out);
}
