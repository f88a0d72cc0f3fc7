/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/chart_rows.h"

#include "eval/html.h"

#include <math.h>

enum { NAMES = 110, WIDE = 880, ROW = 24, BAR = 16, FOOT = 24, COLOURS = 8 };

const char *chart_time(double seconds, char text[CHART_TIME_SIZE])
{
    if (seconds < 120) {
        snprintf(text, CHART_TIME_SIZE, "%.3g s", seconds);
        return text;
    }
    long long whole = (long long)fmin(round(seconds), 1e15);
    if (whole < 3600)
        snprintf(text, CHART_TIME_SIZE, "%lld:%02lld", whole / 60, whole % 60);
    else
        snprintf(text, CHART_TIME_SIZE, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                 whole % 60);
    return text;
}

static double place(const chart_rows *c, double at)
{
    double share = (at - c->low) / (c->high - c->low);
    return NAMES + fmin(fmax(share, 0), 1) * WIDE;
}

/* Seconds between two lines, of those that clocks are read by, so that there are at most ten. */
static double time_step(double length_s)
{
    static const double steps[] = {0.1, 0.2, 0.5, 1,   2,   5,    10,   15,   30,
                                   60,  120, 300, 600, 900, 1800, 3600, 7200, 14400};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (length_s / steps[i] <= 10)
            return steps[i];
    return 86400 * ceil(length_s / 864000);
}

static void draw_grid(const chart_rows *c, bool percent)
{
    double step = percent ? 0.2 : time_step(c->high - c->low);
    for (int i = 0; c->low + i * step <= c->high + step * 1e-6; i++) {
        double at = c->low + i * step, x = place(c, at);
        char text[CHART_TIME_SIZE];
        fprintf(c->out,
                "<line class=\"grid\" x1=\"%.1f\" y1=\"0\" x2=\"%.1f\" y2=\"%zu\"/>"
                "<text x=\"%.1f\" y=\"%zu\" text-anchor=\"%s\">",
                x, x, c->count * ROW, x, c->count * ROW + 16,
                i == 0                    ? "start"
                : x > NAMES + WIDE - 20.0 ? "end"
                                          : "middle");
        if (percent)
            fprintf(c->out, "%.0f" HTML_PERCENT, 100 * at);
        else
            fputs(chart_time(at, text), c->out);
        fputs("</text>\n", c->out);
    }
}

chart_rows chart_rows_begin(FILE *out, const char *title, double low, double high, size_t count,
                            bool percent)
{
    chart_rows c = {.out = out, .low = low, .high = high, .count = count};
    if (!(isfinite(low) && isfinite(high) && high > low)) {
        c.low = 0;
        c.high = 1;
    }
    fprintf(out, "<svg class=\"wide\" viewBox=\"0 0 %d %zu\" role=\"img\" aria-label=\"",
            NAMES + WIDE + 4, count * ROW + FOOT);
    html_text(out, title);
    fputs("\">\n", out);
    draw_grid(&c, percent);
    return c;
}

void chart_rows_end(const chart_rows *c)
{
    fputs("</svg>\n", c->out);
}

void chart_rows_name(const chart_rows *c, size_t row, const char *name)
{
    fprintf(c->out, "<text class=\"name\" x=\"%d\" y=\"%zu\" text-anchor=\"end\">", NAMES - 8,
            row * ROW + BAR);
    html_text(c->out, name);
    fputs("</text>\n", c->out);
}

void chart_rows_bar(const chart_rows *c, size_t row, double from, double to, int colour,
                    const char *title)
{
    double left = place(c, from);
    fprintf(c->out,
            "<rect x=\"%.1f\" y=\"%zu\" width=\"%.1f\" height=\"%d\" style=\"fill:var(--c%d)\"",
            left, row * ROW + 4, fmax(place(c, to) - left, 0.3), BAR, colour % COLOURS);
    if (title == NULL) {
        fputs("/>\n", c->out);
        return;
    }
    fputs("><title>", c->out);
    html_text(c->out, title);
    fputs("</title></rect>\n", c->out);
}

void chart_rows_legend(FILE *out, const char *const *names, const int *colours, size_t count)
{
    fputs("<p class=\"note\">", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out,
                "%s<span style=\"white-space:nowrap\"><span style=\"color:var(--c%d)\">\342\226\240"
                "</span> ",
                i > 0 ? " \302\240 " : "", colours[i] % COLOURS);
        html_text(out, names[i]);
        fputs("</span>", out);
    }
    fputs("</p>\n", out);
}
