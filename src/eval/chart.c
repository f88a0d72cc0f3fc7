/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/chart.h"

#include "eval/html.h"

#include <math.h>

enum { LEFT = 56, RIGHT = 14, TOP = 12, BOTTOM = 42, WIDE = 450, HIGH = 230, COLOURS = 8 };

/* ---- Places ---- */

static double place_x(const chart *c, double x)
{
    return LEFT + (x - c->x_low) / (c->x_high - c->x_low) * c->width;
}

static double place_y(const chart *c, double y)
{
    double share = (y - c->y_low) / (c->y_high - c->y_low);
    if (c->y_logarithmic)
        share = log(y / c->y_low) / log(c->y_high / c->y_low);
    return TOP + c->height - fmin(fmax(share, 0), 1) * c->height;
}

static void settle_range(double *low, double *high)
{
    if (isfinite(*low) && isfinite(*high) && *high > *low)
        return;
    double middle = isfinite(*low) ? *low : 0;
    *low = middle != 0 ? middle - fabs(middle) / 2 : 0;
    *high = middle != 0 ? middle + fabs(middle) / 2 : 1;
}

/* ---- Axes ---- */

/* A step of 1, 2 or 5 times a power of ten that gives some five ticks. */
static double tick_step(double low, double high)
{
    double rough = (high - low) / 5, power = pow(10, floor(log10(rough)));
    double lead = rough / power;
    return power * (lead > 5 ? 10 : lead > 2 ? 5 : lead > 1 ? 2 : 1);
}

static void put_number(const chart *c, double value, bool percent)
{
    double shown = fabs(value) < 1e-12 ? 0 : value; /* the sum of steps may miss 0 */
    if (percent)
        fprintf(c->out, "%.3g" HTML_PERCENT, 100 * shown);
    else
        fprintf(c->out, "%.4g", shown);
}

static void draw_y_tick(const chart *c, double value, bool percent)
{
    double y = place_y(c, value);
    fprintf(c->out,
            "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
            "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
            LEFT, y, LEFT + c->width, y, LEFT - 6, y + 4);
    put_number(c, value, percent);
    fputs("</text>\n", c->out);
}

static void draw_x_tick(const chart *c, double value, bool percent)
{
    double x = place_x(c, value);
    fprintf(c->out,
            "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
            "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
            x, TOP, x, TOP + c->height, x, TOP + c->height + 16);
    put_number(c, value, percent);
    fputs("</text>\n", c->out);
}

static void draw_ticks(const chart *c, const chart_axes *axes)
{
    double step = tick_step(c->x_low, c->x_high);
    if (axes->x_whole && step < 1)
        step = 1;
    for (double x = ceil(c->x_low / step - 1e-9) * step; x <= c->x_high + step * 1e-6; x += step)
        draw_x_tick(c, x, axes->percent_x);
    if (c->y_logarithmic) {
        for (double y = pow(10, ceil(log10(c->y_low) - 1e-9)); y <= c->y_high * 1.000001; y *= 10)
            draw_y_tick(c, y, axes->percent_y);
        return;
    }
    step = tick_step(c->y_low, c->y_high);
    for (double y = ceil(c->y_low / step - 1e-9) * step; y <= c->y_high + step * 1e-6; y += step)
        draw_y_tick(c, y, axes->percent_y);
}

static void draw_names(const chart *c, const chart_axes *axes)
{
    fprintf(c->out,
            "<rect class=\"axis\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
            LEFT, TOP, c->width, c->height, LEFT + c->width / 2, TOP + c->height + 34);
    html_text(c->out, axes->x_name);
    fprintf(c->out,
            "</text><text transform=\"translate(13 %d) rotate(-90)\" "
            "text-anchor=\"middle\">",
            TOP + c->height / 2);
    html_text(c->out, axes->y_name);
    fputs("</text>\n", c->out);
}

chart chart_begin(FILE *out, const chart_axes *axes)
{
    chart c = {.out = out,
               .x_low = axes->x_low,
               .x_high = axes->x_high,
               .y_low = axes->y_low,
               .y_high = axes->y_high,
               .y_logarithmic = axes->y_logarithmic,
               .width = axes->square ? HIGH + 120 : WIDE,
               .height = axes->square ? HIGH + 120 : HIGH};
    settle_range(&c.x_low, &c.x_high);
    settle_range(&c.y_low, &c.y_high);
    c.y_logarithmic = c.y_logarithmic && c.y_low > 0;
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", LEFT + c.width + RIGHT,
            TOP + c.height + BOTTOM);
    html_text(out, axes->title);
    fputs("\">\n", out);
    draw_ticks(&c, axes);
    draw_names(&c, axes);
    return c;
}

void chart_end(const chart *c)
{
    fputs("</svg>\n", c->out);
}

/* ---- Content ---- */

void chart_line(const chart *c, const double *x, const double *y, size_t count, int colour)
{
    bool down = false;
    fprintf(c->out, "<path class=\"curve\" style=\"stroke:var(--c%d)%s\" d=\"", colour % COLOURS,
            colour / COLOURS % 2 != 0 ? ";stroke-dasharray:6 3" : "");
    for (size_t i = 0; i < count; i++) {
        bool there = isfinite(x[i]) && isfinite(y[i]) && (!c->y_logarithmic || y[i] > 0);
        if (there)
            fprintf(c->out, "%c%.1f %.1f", down ? 'L' : 'M', place_x(c, x[i]), place_y(c, y[i]));
        /* A point of its own is a line of no length, which round ends make visible. */
        if (there && !down && (i + 1 == count || !isfinite(y[i + 1])))
            fputs("h.1", c->out);
        down = there;
    }
    fputs("\" stroke-linecap=\"round\"/>\n", c->out);
}

void chart_guide(const chart *c, double x1, double y1, double x2, double y2)
{
    fprintf(c->out, "<line class=\"guide\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
            place_x(c, x1), place_y(c, y1), place_x(c, x2), place_y(c, y2));
}

/* The name stands on the side of the line that has more room. */
void chart_mark(const chart *c, double x, const char *name)
{
    double at = place_x(c, x);
    bool to_the_left = at > LEFT + 0.8 * c->width;
    fprintf(c->out,
            "<line class=\"guide\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
            "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">",
            at, TOP, at, TOP + c->height, to_the_left ? at - 4 : at + 4, TOP + 12,
            to_the_left ? "end" : "start");
    html_text(c->out, name);
    fputs("</text>\n", c->out);
}

void chart_bar(const chart *c, double x1, double x2, double y, int colour, double opacity,
               const char *title)
{
    double left = place_x(c, x1), top = place_y(c, y);
    fprintf(c->out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill-opacity=\"%.2f\" "
            "style=\"fill:var(--c%d)\"><title>",
            left, top, place_x(c, x2) - left, TOP + c->height - top, opacity, colour % COLOURS);
    html_text(c->out, title);
    fputs("</title></rect>\n", c->out);
}

void chart_legend(FILE *out, const char *const *names, const int *colours, size_t count)
{
    fputs("<p class=\"note\">", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out,
                "%s<span style=\"white-space:nowrap\"><span style=\"color:var(--c%d)\">%s"
                "</span> ",
                i > 0 ? " \302\240 " : "", colours[i] % COLOURS,
                colours[i] / COLOURS % 2 != 0 ? "\342\225\215\342\225\215"
                                              : "\342\224\201\342\224\201");
        html_text(out, names[i]);
        fputs("</span>", out);
    }
    fputs("</p>\n", out);
}

void chart_counts(FILE *out, const char *title, const char *const *names, const size_t *counts,
                  size_t count)
{
    const int row = 22, name_width = 130, bar_width = 280;
    size_t most = 1, all = 0;
    for (size_t i = 0; i < count; i++) {
        most = counts[i] > most ? counts[i] : most;
        all += counts[i];
    }
    fprintf(out, "<svg viewBox=\"0 0 520 %zu\" role=\"img\" aria-label=\"", count * (size_t)row);
    html_text(out, title);
    fputs("\">\n", out);
    for (size_t i = 0; i < count; i++) {
        double y = (double)(i * (size_t)row);
        double width = (double)counts[i] / (double)most * bar_width;
        fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%.0f\" text-anchor=\"end\">",
                name_width - 8, y + 15);
        html_text(out, names[i]);
        fprintf(out,
                "</text><rect x=\"%d\" y=\"%.0f\" width=\"%.1f\" height=\"%d\" "
                "style=\"fill:var(--c4)\"/><text x=\"%.1f\" y=\"%.0f\">%zu (%.1f" HTML_PERCENT
                ")</text>\n",
                name_width, y + 4, width, row - 8, name_width + width + 6, y + 15, counts[i],
                all > 0 ? 100.0 * (double)counts[i] / (double)all : 0.0);
    }
    fputs("</svg>\n", out);
}
