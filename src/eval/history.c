/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/history.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/chart.h"
#include "eval/html.h"

#include <jansson.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Reading ---- */

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static mien_status add_epoch(history *h, const json_t *object, mien_error *error)
{
    void *epochs = h->epochs;
    if (!memory_grow(&epochs, h->count, &h->capacity, sizeof *h->epochs))
        return error_no_memory(error, "a log", sizeof *h->epochs);
    h->epochs = epochs;
    history_epoch *epoch = &h->epochs[h->count++];
    *epoch = (history_epoch){.loss = number_of(object, "loss"),
                             .validation_loss = number_of(object, "validation_loss"),
                             .accuracy = number_of(object, "validation_accuracy"),
                             .rate = number_of(object, "rate"),
                             .images_per_second = number_of(object, "images_per_second")};
    const char *stage = json_string_value(json_object_get(object, "stage"));
    snprintf(epoch->stage, sizeof epoch->stage, "%s", stage != NULL ? stage : "");
    return MIEN_OK;
}

mien_status history_read(const char *text, size_t size, const char *name, history *out,
                         mien_error *error)
{
    *out = (history){0};
    mien_status status = MIEN_OK;
    const char *newline;
    for (size_t at = 0, line = 1;
         status == MIEN_OK && (newline = memchr(text + at, '\n', size - at)) != NULL; line++) {
        json_error_t fault;
        json_t *object = json_loadb(text + at, (size_t)(newline - text) - at, 0, &fault);
        if (json_is_object(object))
            status = add_epoch(out, object, error);
        else
            status = error_set(error, MIEN_MALFORMED, "%s, line %zu: not a JSON object (%.100s)",
                               name, line, object != NULL ? "another value" : fault.text);
        json_decref(object);
        at = (size_t)(newline - text) + 1;
    }
    if (status != MIEN_OK)
        history_free(out);
    return status;
}

void history_free(history *h)
{
    free(h->epochs);
    *h = (history){0};
}

size_t history_best(const history *h)
{
    size_t best = 0;
    for (size_t i = 1; i < h->count; i++)
        if (h->epochs[i].accuracy > h->epochs[best].accuracy || isnan(h->epochs[best].accuracy))
            best = i;
    return best;
}

/* ---- Drawing ---- */

enum { MOST_LINES = 2 };

/* A chart of up to two columns of the log. */
typedef struct plot {
    const char *title, *y_name;
    const char *names[MOST_LINES];
    double *columns[MOST_LINES]; /* (count) */
    size_t lines;
    bool from_zero, percent;
} plot;

static void find_range(const plot *p, size_t count, chart_axes *axes)
{
    axes->y_low = p->from_zero ? 0 : INFINITY;
    axes->y_high = -INFINITY;
    for (size_t l = 0; l < p->lines; l++)
        for (size_t i = 0; i < count; i++) {
            axes->y_low = fmin(axes->y_low, p->columns[l][i]);
            axes->y_high = fmax(axes->y_high, p->columns[l][i]);
        }
    double room = (axes->y_high - axes->y_low) * 0.05;
    axes->y_high += 2.5 * room; /* for the names of the marks */
    axes->y_low -= p->from_zero ? 0 : room;
}

/* Where stages begin, and the best epoch. */
static void mark_epochs(const chart *c, const history *h)
{
    for (size_t i = 0; i < h->count; i++)
        if (i > 0 && strcmp(h->epochs[i].stage, h->epochs[i - 1].stage) != 0)
            chart_mark(c, (double)i + 0.5, h->epochs[i].stage);
    if (h->count > 1)
        chart_mark(c, (double)history_best(h) + 1, "best");
}

static void draw_plot(FILE *out, const history *h, const double *epochs, const plot *p)
{
    static const int colours[MOST_LINES] = {4, 0};
    chart_axes axes = {.title = p->title,
                       .x_name = "epoch",
                       .y_name = p->y_name,
                       .x_low = 1,
                       .x_high = (double)h->count,
                       .x_whole = true,
                       .percent_y = p->percent};
    find_range(p, h->count, &axes);
    fputs("<div><h3>", out);
    html_text(out, p->title);
    fputs("</h3>\n", out);
    chart c = chart_begin(out, &axes);
    mark_epochs(&c, h);
    for (size_t l = 0; l < p->lines; l++)
        chart_line(&c, epochs, p->columns[l], h->count, colours[l]);
    chart_end(&c);
    if (p->lines > 1)
        chart_legend(out, p->names, colours, p->lines);
    fputs("</div>\n", out);
}

static void put_summary(FILE *out, const history *h)
{
    size_t best = history_best(h);
    fprintf(out, "<p>%zu epochs", h->count);
    if (isfinite(h->epochs[best].accuracy))
        fprintf(out,
                "; best accuracy on the validation set %.2f" HTML_PERCENT " in epoch %zu (stage ",
                100 * h->epochs[best].accuracy, best + 1);
    else
        fputs(" (stage ", out);
    html_text(out, h->epochs[best].stage);
    fputs(").</p>\n", out);
}

mien_status history_section(FILE *out, const history *h, mien_error *error)
{
    enum { EPOCH, LOSS, VALIDATION_LOSS, ACCURACY, RATE, SPEED, COLUMNS };
    size_t n = h->count;
    double *numbers = memory_zeroed(n, COLUMNS * sizeof *numbers);
    if (numbers == NULL)
        return error_no_memory(error, "curves", n * COLUMNS * sizeof *numbers);
    double *columns[COLUMNS];
    for (int k = 0; k < COLUMNS; k++)
        columns[k] = numbers + (size_t)k * n;
    for (size_t i = 0; i < n; i++) {
        columns[EPOCH][i] = (double)i + 1;
        columns[LOSS][i] = h->epochs[i].loss;
        columns[VALIDATION_LOSS][i] = h->epochs[i].validation_loss;
        columns[ACCURACY][i] = h->epochs[i].accuracy;
        columns[RATE][i] = h->epochs[i].rate;
        columns[SPEED][i] = h->epochs[i].images_per_second;
    }
    const plot plots[] = {
        {"Loss",
         "loss",
         {"training", "validation"},
         {columns[LOSS], columns[VALIDATION_LOSS]},
         2,
         false,
         false},
        {"Accuracy on the validation set", "accuracy", {NULL}, {columns[ACCURACY]}, 1, false, true},
        {"Learning rate", "rate", {NULL}, {columns[RATE]}, 1, true, false},
        {"Speed of training", "images per second", {NULL}, {columns[SPEED]}, 1, true, false},
    };
    fputs("<section>\n", out);
    html_heading(out, "Training", NULL);
    put_summary(out, h);
    fputs("<div class=\"pair\">\n", out);
    for (size_t p = 0; p < sizeof plots / sizeof *plots; p++)
        draw_plot(out, h, columns[EPOCH], &plots[p]);
    fputs("</div>\n</section>\n", out);
    free(numbers);
    return MIEN_OK;
}
