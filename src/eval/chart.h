/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_CHART_H
#define EVAL_CHART_H

/*
 * Line and bar charts as SVG for a page of eval/html.h, whose style gives them their colours. Write
 * errors stay in the stream.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A chart while it is written: a box in which x and y run from low to high. */
typedef struct chart {
    FILE *out;
    double x_low, x_high, y_low, y_high;
    bool y_logarithmic; /* y_low over 0 */
    int width, height;  /* of the box, in units of the picture */
} chart;

/*
 * Begins a chart: frame, grid, numbers at the axes, their names. Where a range is empty or not
 * finite it becomes 0..1. percent: the numbers at y are shares. title: for those who do not see it.
 */
typedef struct chart_axes {
    const char *title, *x_name, *y_name;
    double x_low, x_high, y_low, y_high;
    bool x_whole;       /* x takes whole numbers only */
    bool y_logarithmic; /* decades; y_low over 0 */
    bool square;        /* as high as wide */
    bool percent_x, percent_y;
} chart_axes;

chart chart_begin(FILE *out, const chart_axes *axes);
void chart_end(const chart *c);

/* A line through the points; where one is not finite the line is broken. colour: 0.., repeated. */
void chart_line(const chart *c, const double *x, const double *y, size_t count, int colour);

/* A dashed line. */
void chart_guide(const chart *c, double x1, double y1, double x2, double y2);

/* A dashed line from bottom to top with a name beside it. */
void chart_mark(const chart *c, double x, const char *name);

/* A bar from the foot of the box; title: shown when pointed at. */
void chart_bar(const chart *c, double x1, double x2, double y, int colour, double opacity,
               const char *title);

/* The colours of the lines with their names, in a list under the chart. */
void chart_legend(FILE *out, const char *const *names, const int *colours, size_t count);

/* Bars that lie, one for each name, with its number behind it. */
void chart_counts(FILE *out, const char *title, const char *const *names, const size_t *counts,
                  size_t count);

#endif
