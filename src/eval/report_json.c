/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "eval/json_text.h"
#include "eval/report_text.h"

#include <math.h>

static json_t *figure(double value)
{
    if (!isfinite(value))
        return json_null();
    return json_real(round(value * 1e6) / 1e6);
}

static json_t *count(size_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *interval(double low, double high)
{
    json_t *pair = json_array();
    bool complete = json_array_append_new(pair, figure(low)) == 0;
    complete &= json_array_append_new(pair, figure(high)) == 0;
    return json_text_finish(pair, complete);
}

static json_t *class_object(const eval_class_score *score, const char *name)
{
    json_t *object = json_object();
    bool complete = json_object_set_new(object, "name", json_text_name(name)) == 0;
    complete &= json_object_set_new(object, "support", count(score->support)) == 0;
    complete &= json_object_set_new(object, "predicted", count(score->predicted)) == 0;
    complete &= json_object_set_new(object, "precision", figure(score->precision)) == 0;
    complete &= json_object_set_new(object, "recall", figure(score->recall)) == 0;
    complete &= json_object_set_new(object, "specificity", figure(score->specificity)) == 0;
    complete &= json_object_set_new(object, "f1", figure(score->f1)) == 0;
    complete &= json_object_set_new(object, "roc_auc", figure(score->roc_auc)) == 0;
    return json_text_finish(object, complete);
}

static json_t *class_list(const eval_scores *scores, const char *const class_names[])
{
    json_t *list = json_array();
    bool complete = list != NULL;
    for (int c = 0; c < scores->class_count; c++)
        complete &=
            json_array_append_new(list, class_object(&scores->classes[c], class_names[c])) == 0;
    return json_text_finish(list, complete);
}

static json_t *confusion_row(const eval_scores *scores, int label)
{
    json_t *row = json_array();
    bool complete = row != NULL;
    for (int c = 0; c < scores->class_count; c++)
        complete &= json_array_append_new(row, count(scores->confusion[label][c])) == 0;
    return json_text_finish(row, complete);
}

static json_t *confusion_matrix(const eval_scores *scores)
{
    json_t *matrix = json_array();
    bool complete = matrix != NULL;
    for (int c = 0; c < scores->class_count; c++)
        complete &= json_array_append_new(matrix, confusion_row(scores, c)) == 0;
    return json_text_finish(matrix, complete);
}

static json_t *scores_object(const eval_scores *scores, const char *const class_names[])
{
    json_t *object = json_object();
    bool complete = json_object_set_new(object, "n", count(scores->n)) == 0;
    complete &= json_object_set_new(object, "accuracy", figure(scores->accuracy)) == 0;
    complete &= json_object_set_new(object, "accuracy_ci95",
                                    interval(scores->accuracy_low, scores->accuracy_high)) == 0;
    complete &=
        json_object_set_new(object, "balanced_accuracy", figure(scores->balanced_accuracy)) == 0;
    complete &= json_object_set_new(object, "macro_f1", figure(scores->macro_f1)) == 0;
    complete &= json_object_set_new(object, "macro_roc_auc", figure(scores->macro_roc_auc)) == 0;
    complete &= json_object_set_new(object, "nll", figure(scores->nll)) == 0;
    complete &= json_object_set_new(object, "brier", figure(scores->brier)) == 0;
    complete &= json_object_set_new(object, "ece", figure(scores->ece)) == 0;
    complete &= json_object_set_new(object, "ece_bins", json_integer(EVAL_ECE_BINS)) == 0;
    complete &= json_object_set_new(object, "classes", class_list(scores, class_names)) == 0;
    complete &= json_object_set_new(object, "confusion_matrix", confusion_matrix(scores)) == 0;
    return json_text_finish(object, complete);
}

mien_status eval_to_json(const eval_scores *scores, const char *const class_names[], char **text,
                         mien_error *error)
{
    *text = json_text_dump(scores_object(scores, class_names), JSON_REAL_PRECISION(15));
    if (*text == NULL)
        return error_set(error, MIEN_OUT_OF_MEMORY, "out of memory for the scores as JSON");
    return MIEN_OK;
}
