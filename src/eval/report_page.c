/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/report_page.h"

#include "eval/chart.h"
#include "eval/curves.h"
#include "eval/html.h"

#include <math.h>

void report_facts(FILE *out, const report_fact *facts, size_t count)
{
    fputs("<div class=\"scroll\"><table class=\"facts\"><tbody>\n", out);
    for (size_t i = 0; i < count; i++) {
        fputs("<tr><th scope=\"row\">", out);
        html_text(out, facts[i].name);
        fputs("</th><td>", out);
        html_text(out, facts[i].value);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

/* ---- Figures ---- */

static void put_percent(FILE *out, double share)
{
    if (isnan(share))
        fputs("\342\200\223", out);
    else
        fprintf(out, "%.2f" HTML_PERCENT, 100 * share);
}

static void put_plain(FILE *out, double value)
{
    if (isnan(value))
        fputs("\342\200\223", out);
    else
        fprintf(out, "%.4f", value);
}

static void put_figure(FILE *out, const char *name, double value, bool percent)
{
    fputs("<div><b>", out);
    if (percent)
        put_percent(out, value);
    else
        put_plain(out, value);
    fprintf(out, "</b><span>%s</span></div>\n", name);
}

void report_figures(FILE *out, const report_scores *r)
{
    const eval_scores *s = r->scores;
    char interval[80], bins[64];
    snprintf(interval, sizeof interval,
             "accuracy (95" HTML_PERCENT " interval %.2f to %.2f" HTML_PERCENT ")",
             100 * s->accuracy_low, 100 * s->accuracy_high);
    snprintf(bins, sizeof bins, "expected calibration error, %d bins", EVAL_ECE_BINS);
    fputs("<div class=\"figures\">\n", out);
    fprintf(out, "<div><b>%zu</b><span>faces</span></div>\n", s->n);
    put_figure(out, interval, s->accuracy, true);
    if (r->plain != NULL)
        put_figure(out, "accuracy without the mirror image", r->plain->accuracy, true);
    put_figure(out, "macro recall (balanced accuracy)", s->balanced_accuracy, true);
    put_figure(out, "macro F1", s->macro_f1, true);
    put_figure(out, "macro ROC AUC", s->macro_roc_auc, false);
    put_figure(out, "log-loss", s->nll, false);
    put_figure(out, "Brier score", s->brier, false);
    put_figure(out, bins, s->ece, false);
    fputs("</div>\n", out);
}

/* ---- Tables ---- */

static void put_column_names(FILE *out, const report_scores *r, const char *corner)
{
    fprintf(out, "<thead><tr><th scope=\"col\">%s</th>", corner);
    for (int c = 0; c < r->scores->class_count; c++) {
        fputs("<th scope=\"col\">", out);
        html_text(out, r->class_names[c]);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n", out);
}

static void put_row_name(FILE *out, const char *name)
{
    fputs("<tr><th scope=\"row\">", out);
    html_text(out, name);
    fputs("</th>", out);
}

/* One matrix; shares: of the row, else counts. Both are shaded by the share. */
static void put_matrix(FILE *out, const report_scores *r, const char *caption, bool shares)
{
    const eval_scores *s = r->scores;
    fprintf(out, "<div class=\"scroll\"><table class=\"shaded\"><caption>%s</caption>\n", caption);
    put_column_names(out, r, "true \342\206\223 apparent \342\206\222");
    fputs("<tbody>\n", out);
    for (int label = 0; label < s->class_count; label++) {
        put_row_name(out, r->class_names[label]);
        for (int c = 0; c < s->class_count; c++) {
            size_t count = s->confusion[label][c], all = s->classes[label].support;
            double share = all > 0 ? (double)count / (double)all : 0;
            fprintf(out, "<td%s style=\"--s:%.3f\">", c == label ? " class=\"hit\"" : "", share);
            if (!shares)
                fprintf(out, "%zu", count);
            else if (all > 0)
                fprintf(out, "%.1f", 100 * share);
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

void report_confusion(FILE *out, const report_scores *r)
{
    fputs("<section>\n", out);
    html_heading(out, "Confusion matrix", "A row for each true class, a column for what appeared.");
    put_matrix(out, r, "counts", false);
    fputs("<p></p>\n", out);
    put_matrix(out, r, "shares of the row, %", true);
    fputs("</section>\n", out);
}

static void put_cell(FILE *out, double share)
{
    fputs("<td>", out);
    put_percent(out, share);
    fputs("</td>", out);
}

void report_classes(FILE *out, const report_scores *r)
{
    fputs("<section>\n", out);
    html_heading(out, "Classes", NULL);
    fputs("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">class</th>"
          "<th scope=\"col\">n</th><th scope=\"col\">apparent</th><th scope=\"col\">precision</th>"
          "<th scope=\"col\">recall</th><th scope=\"col\">specificity</th>"
          "<th scope=\"col\">F1</th><th scope=\"col\">ROC AUC</th></tr></thead>\n<tbody>\n",
          out);
    for (int c = 0; c < r->scores->class_count; c++) {
        const eval_class_score *score = &r->scores->classes[c];
        put_row_name(out, r->class_names[c]);
        fprintf(out, "<td>%zu</td><td>%zu</td>", score->support, score->predicted);
        put_cell(out, score->precision);
        put_cell(out, score->recall);
        put_cell(out, score->specificity);
        put_cell(out, score->f1);
        fputs("<td>", out);
        put_plain(out, score->roc_auc);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table></div>\n</section>\n", out);
}

/* ---- Curves ---- */

static mien_status draw_roc_curve(const chart *c, const report_scores *r, int index,
                                  mien_error *error)
{
    eval_roc_point points[EVAL_ROC_POINTS];
    double x[EVAL_ROC_POINTS], y[EVAL_ROC_POINTS];
    size_t count;
    mien_status status = eval_roc_curve(r->labels, r->probabilities, r->scores->n,
                                        r->scores->class_count, index, points, &count, error);
    for (size_t i = 0; status == MIEN_OK && i < count; i++) {
        x[i] = (double)points[i].false_positives;
        y[i] = (double)points[i].true_positives;
    }
    if (status == MIEN_OK && count > 0)
        chart_line(c, x, y, count, index);
    return status;
}

mien_status report_roc(FILE *out, const report_scores *r, mien_error *error)
{
    chart_axes axes = {.title = "ROC curves, each class against the rest",
                       .x_name = "false positives (1 \342\210\222 specificity)",
                       .y_name = "true positives (recall)",
                       .x_high = 1,
                       .y_high = 1,
                       .square = true};
    char texts[EVAL_MAX_CLASSES][64];
    const char *names[EVAL_MAX_CLASSES];
    int colours[EVAL_MAX_CLASSES];
    mien_status status = MIEN_OK;
    fputs("<section>\n", out);
    html_heading(out, "ROC curves",
                 "Each class against the rest; beside its name, the area under "
                 "its curve.");
    chart c = chart_begin(out, &axes);
    chart_guide(&c, 0, 0, 1, 1);
    for (int k = 0; status == MIEN_OK && k < r->scores->class_count; k++) {
        status = draw_roc_curve(&c, r, k, error);
        snprintf(texts[k], sizeof texts[k], "%.48s %.4f", r->class_names[k],
                 r->scores->classes[k].roc_auc);
        names[k] = texts[k];
        colours[k] = k;
    }
    chart_end(&c);
    if (status == MIEN_OK)
        chart_legend(out, names, colours, (size_t)r->scores->class_count);
    fputs("</section>\n", out);
    return status;
}

static void draw_reliability(FILE *out, const eval_bin *bins)
{
    chart_axes axes = {.title = "Reliability diagram",
                       .x_name = "confidence",
                       .y_name = "share that is right",
                       .x_high = 1,
                       .y_high = 1,
                       .square = true};
    double x[EVAL_ECE_BINS], y[EVAL_ECE_BINS];
    char text[96];
    chart c = chart_begin(out, &axes);
    for (int b = 0; b < EVAL_ECE_BINS; b++) {
        x[b] = bins[b].count > 0 ? bins[b].confidence : NAN;
        y[b] = bins[b].accuracy;
        snprintf(text, sizeof text, "%zu faces: confidence %.3f, right %.3f", bins[b].count,
                 bins[b].confidence, bins[b].accuracy);
        if (bins[b].count > 0)
            chart_bar(&c, (double)b / EVAL_ECE_BINS, (b + 1.0) / EVAL_ECE_BINS, bins[b].accuracy, 4,
                      0.35, text);
    }
    chart_guide(&c, 0, 0, 1, 1);
    chart_line(&c, x, y, EVAL_ECE_BINS, 0);
    chart_end(&c);
}

static void draw_confidences(FILE *out, const eval_bin *bins, size_t n)
{
    chart_axes axes = {.title = "Histogram of the confidence",
                       .x_name = "confidence",
                       .y_name = "share of the faces",
                       .x_high = 1,
                       .square = true,
                       .percent_y = true};
    char text[64];
    for (int b = 0; b < EVAL_ECE_BINS; b++)
        axes.y_high = fmax(axes.y_high, (double)bins[b].count / (double)n);
    axes.y_high *= 1.05;
    chart c = chart_begin(out, &axes);
    for (int b = 0; b < EVAL_ECE_BINS; b++) {
        snprintf(text, sizeof text, "%zu faces", bins[b].count);
        chart_bar(&c, (double)b / EVAL_ECE_BINS, (b + 1.0) / EVAL_ECE_BINS,
                  (double)bins[b].count / (double)n, 4, 0.7, text);
    }
    chart_end(&c);
}

void report_reliability(FILE *out, const report_scores *r)
{
    eval_bin bins[EVAL_ECE_BINS];
    const eval_scores *s = r->scores;
    eval_reliability(r->labels, r->probabilities, s->n, s->class_count, bins);
    fputs("<section>\n", out);
    html_heading(out, "Calibration",
                 "First, of the faces with a confidence, the share that is right: on the dashed "
                 "line the confidence means what it says. Then, how often a confidence occurs.");
    fputs("<div class=\"pair\">\n<div>", out);
    draw_reliability(out, bins);
    fputs("</div>\n<div>", out);
    draw_confidences(out, bins, s->n);
    fputs("</div>\n</div>\n</section>\n", out);
}

/* ---- Faces ---- */

static mien_status put_face(FILE *out, const report_face *f, mien_error *error)
{
    char alt[160];
    snprintf(alt, sizeof alt, "a face, true class %.60s", f->label);
    mien_status status = html_picture(out, f->face, alt, error);
    if (status == MIEN_OK && f->cam != NULL)
        status = html_picture(out, f->cam, "Grad-CAM", error);
    if (status == MIEN_OK && f->cam != NULL)
        status = html_picture(out, f->guided, "guided backpropagation", error);
    return status;
}

mien_status report_faces(FILE *out, const report_face *faces, size_t count, mien_error *error)
{
    mien_status status = MIEN_OK;
    fputs("<div class=\"faces\">\n", out);
    for (size_t i = 0; status == MIEN_OK && i < count; i++) {
        fputs(faces[i].cam != NULL ? "<figure class=\"maps\"><div>" : "<figure><div>", out);
        status = put_face(out, &faces[i], error);
        fputs("</div><figcaption>true <b>", out);
        html_text(out, faces[i].label);
        fputs("</b>, apparent <b>", out);
        html_text(out, faces[i].apparent);
        fprintf(out, "</b> %.1f" HTML_PERCENT "</figcaption></figure>\n",
                100 * faces[i].confidence);
    }
    fputs("</div>\n", out);
    return status;
}
