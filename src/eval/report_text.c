/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/report_text.h"

#include <math.h>
#include <string.h>

#define FIGURE_WIDTH 12

/* Columns that UTF-8 text takes on a terminal, one a character. */
static int text_width(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static int digits_of(size_t value)
{
    int digits = 1;
    while (value >= 10) {
        value /= 10;
        digits++;
    }
    return digits;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int widest_name(const eval_scores *scores, const char *const class_names[])
{
    int width = 0;
    for (int c = 0; c < scores->class_count; c++)
        width = larger(width, text_width(class_names[c]));
    return width;
}

static void print_left(FILE *out, const char *text, int width)
{
    fprintf(out, "%s%*s", text, larger(width - text_width(text), 0), "");
}

static void print_right(FILE *out, const char *text, int width)
{
    fprintf(out, "%*s%s", larger(width - text_width(text), 0), "", text);
}

static void print_percent(FILE *out, double value, int width)
{
    if (isnan(value))
        print_right(out, "-", width);
    else
        fprintf(out, "%*.2f%%", width - 1, 100.0 * value);
}

static void print_plain(FILE *out, double value, int width)
{
    if (isnan(value))
        print_right(out, "-", width);
    else
        fprintf(out, "%*.4f", width, value);
}

static void print_percent_line(FILE *out, const char *name, double value)
{
    fprintf(out, "%-20s", name);
    print_percent(out, value, 10);
    fputc('\n', out);
}

static void print_plain_line(FILE *out, const char *name, double value)
{
    fprintf(out, "%-20s", name);
    print_plain(out, value, 10);
    fputc('\n', out);
}

static void print_overall(FILE *out, const eval_scores *scores)
{
    fprintf(out, "%-20s%10zu\n", "samples", scores->n);
    fprintf(out, "%-20s", "accuracy");
    print_percent(out, scores->accuracy, 10);
    fprintf(out, "   (95 %% interval %.2f%% to %.2f%%)\n", 100.0 * scores->accuracy_low,
            100.0 * scores->accuracy_high);
    print_percent_line(out, "balanced accuracy", scores->balanced_accuracy);
    print_percent_line(out, "macro F1", scores->macro_f1);
    print_plain_line(out, "macro ROC AUC", scores->macro_roc_auc);
    print_plain_line(out, "NLL", scores->nll);
    print_plain_line(out, "Brier score", scores->brier);
    char ece_name[32];
    snprintf(ece_name, sizeof ece_name, "ECE (%d bins)", EVAL_ECE_BINS);
    print_plain_line(out, ece_name, scores->ece);
}

static void print_class(FILE *out, const eval_class_score *score, const char *name, int name_width)
{
    print_left(out, name, name_width);
    fprintf(out, "%9zu%11zu", score->support, score->predicted);
    print_percent(out, score->precision, FIGURE_WIDTH);
    print_percent(out, score->recall, FIGURE_WIDTH);
    print_percent(out, score->specificity, FIGURE_WIDTH + 2);
    print_percent(out, score->f1, FIGURE_WIDTH);
    print_plain(out, score->roc_auc, FIGURE_WIDTH);
    fputc('\n', out);
}

static void print_classes(FILE *out, const eval_scores *scores, const char *const class_names[])
{
    int name_width = larger(widest_name(scores, class_names), text_width("class"));
    print_left(out, "class", name_width);
    fprintf(out, "%9s%11s%*s%*s%*s%*s%*s\n", "support", "predicted", FIGURE_WIDTH, "precision",
            FIGURE_WIDTH, "recall", FIGURE_WIDTH + 2, "specificity", FIGURE_WIDTH, "F1",
            FIGURE_WIDTH, "ROC AUC");
    for (int c = 0; c < scores->class_count; c++)
        print_class(out, &scores->classes[c], class_names[c], name_width);
}

static void print_confusion(FILE *out, const eval_scores *scores, const char *const class_names[])
{
    int name_width = widest_name(scores, class_names);
    int cell_width = larger(name_width, digits_of(scores->n)) + 2;
    fputs("confusion matrix (rows: true class, columns: predicted class)\n", out);
    print_left(out, "", name_width);
    for (int c = 0; c < scores->class_count; c++)
        print_right(out, class_names[c], cell_width);
    fputc('\n', out);
    for (int row = 0; row < scores->class_count; row++) {
        print_left(out, class_names[row], name_width);
        for (int c = 0; c < scores->class_count; c++)
            fprintf(out, "%*zu", cell_width, scores->confusion[row][c]);
        fputc('\n', out);
    }
}

void eval_print_table(FILE *out, const eval_scores *scores, const char *const class_names[])
{
    print_overall(out, scores);
    fputc('\n', out);
    print_classes(out, scores, class_names);
    fputc('\n', out);
    print_confusion(out, scores, class_names);
}
