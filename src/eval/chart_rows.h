/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_CHART_ROWS_H
#define EVAL_CHART_ROWS_H

/* Rows of bars over one axis, such as people over time, as SVG for a page of eval/html.h. Write
 * errors stay in the stream. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct chart_rows {
    FILE *out;
    double low, high; /* of the axis */
    size_t count;
} chart_rows;

/* Begins a chart of count rows. title: for those who do not see it. percent: the axis is of shares;
 * else of seconds, shown as minutes and hours where they are many. Where the range is empty it
 * becomes 0..1. */
chart_rows chart_rows_begin(FILE *out, const char *title, double low, double high, size_t count,
                            bool percent);
void chart_rows_end(const chart_rows *c);

/* row: 0..count-1. */
void chart_rows_name(const chart_rows *c, size_t row, const char *name);

/* colour: as of chart_line; title: shown when pointed at, may be NULL. */
void chart_rows_bar(const chart_rows *c, size_t row, double from, double to, int colour,
                    const char *title);

/* The colours with their names, in a line. names, colours: (count). */
void chart_rows_legend(FILE *out, const char *const *names, const int *colours, size_t count);

/* Seconds for people: "75.5 s", "12:05" (minutes), "1:02:05". Returns text. */
#define CHART_TIME_SIZE 32
const char *chart_time(double seconds, char text[CHART_TIME_SIZE]);

#endif
