/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/session_parts.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/chart.h"
#include "eval/html.h"

#include <stdlib.h>

enum { MOST_ROWS = 200 };

typedef struct course_plot {
    const char *title, *y_name;
    double low, high;
    bool percent;
    const double *y;
    int colour;
} course_plot;

static void draw_course(FILE *out, const session_findings *f, const double *x, const course_plot *p)
{
    chart_axes axes = {.title = p->title,
                       .x_name = "minutes",
                       .y_name = p->y_name,
                       .x_high = f->story->timeline->length_s / 60,
                       .y_low = p->low,
                       .y_high = p->high,
                       .percent_y = p->percent};
    fprintf(out, "<div><h3>%s</h3>\n", p->title);
    chart c = chart_begin(out, &axes);
    if (p->low < 0)
        chart_guide(&c, 0, 0, axes.x_high, 0);
    chart_line(&c, x, p->y, f->group.window_count, p->colour);
    chart_end(&c);
    fputs("</div>\n", out);
}

static mien_status put_courses(FILE *out, const session_findings *f, mien_error *error)
{
    enum { MIDDLE, MOOD, ATTENTION, COLUMNS };
    size_t n = f->group.window_count;
    double *numbers = memory_zeroed(n, COLUMNS * sizeof *numbers);
    if (numbers == NULL)
        return error_no_memory(error, "the course of a group", n * COLUMNS * sizeof *numbers);
    for (size_t w = 0; w < n; w++) {
        const group_window *window = &f->group.windows[w];
        numbers[MIDDLE * n + w] = (window->start_s + window->end_s) / 120;
        numbers[MOOD * n + w] = window->mood;
        numbers[ATTENTION * n + w] = window->attention;
    }
    const course_plot plots[] = {
        {"Apparent mood", "mood", -1, 1, false, numbers + MOOD * n, 4},
        {"Faces to the camera", "attention", 0, 1, true, numbers + ATTENTION * n, 1},
    };
    fputs("<div class=\"pair\">\n", out);
    for (size_t p = 0; p < sizeof plots / sizeof *plots; p++)
        draw_course(out, f, numbers, &plots[p]);
    fputs("</div>\n", out);
    free(numbers);
    return MIEN_OK;
}

static void put_looks(FILE *out, const session_findings *f)
{
    fputs("<h3>People who may need a look</h3>\n", out);
    if (f->group.look_count == 0) {
        fputs("<p>Nobody stood out.</p>\n", out);
        return;
    }
    session_begin_table(out, "person|from|to|why");
    for (size_t i = 0; i < f->group.look_count && i < MOST_ROWS; i++) {
        const group_look *look = &f->group.looks[i];
        char name[SESSION_NAME_SIZE];
        session_begin_row(out, session_name_of(f, look->person, name));
        session_cell_time(out, look->start_s);
        session_cell_time(out, look->end_s);
        if (look->reason == LOOK_NEGATIVE)
            fprintf(out,
                    "<td class=\"words\">negative expressions, up to %.0f" HTML_PERCENT
                    "</td></tr>\n",
                    100 * look->value);
        else
            fprintf(out,
                    "<td class=\"words\">turned away while the others were not; to the camera down "
                    "to %.0f" HTML_PERCENT "</td></tr>\n",
                    100 * look->value);
    }
    session_end_table(out);
}

mien_status session_group_section(FILE *out, const session_findings *f, mien_error *error)
{
    char note[120];
    snprintf(note, sizeof note, "Means over the people, in windows of %g s. Experimental.",
             f->settings->group.window_s);
    fputs("<section>\n", out);
    html_heading(out, "Group", note);
    mien_status status = put_courses(out, f, error);
    put_looks(out, f);
    fputs("</section>\n", out);
    return status;
}
