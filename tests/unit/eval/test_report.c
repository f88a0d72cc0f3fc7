/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/report_text.h"

#include "support.h"

#include <jansson.h>

static const char *const names[] = {"angry", "freudig-überrascht", "\xff"};

static void sample_scores(eval_scores *scores)
{
    static const int labels[] = {0, 0, 1};
    static const float probabilities[] = {0.75F, 0.25F, 0, 0.5F, 0.25F, 0.25F, 0.75F, 0.25F, 0};
    mien_error error;
    assert_ok(eval_score(labels, probabilities, 3, 3, scores, &error), &error);
}

static json_t *scores_as_json(void)
{
    eval_scores scores;
    sample_scores(&scores);
    mien_error error;
    char *text;
    assert_ok(eval_to_json(&scores, names, &text, &error), &error);
    assert_null(strchr(text, '\n'));
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    free(text);
    return object;
}

static void test_json_figures(void **state)
{
    (void)state;
    json_t *object = scores_as_json();
    int n, bins;
    double accuracy, low, high, balanced, f1, auc, nll, brier, ece;
    assert_int_equal(json_unpack(object, "{si sF s[FF!] sF sF sF sF sF sF si}", "n", &n, "accuracy",
                                 &accuracy, "accuracy_ci95", &low, &high, "balanced_accuracy",
                                 &balanced, "macro_f1", &f1, "macro_roc_auc", &auc, "nll", &nll,
                                 "brier", &brier, "ece", &ece, "ece_bins", &bins),
                     0);
    assert_int_equal(n, 3);
    assert_int_equal(bins, 15);
    assert_true(accuracy == 0.666667);
    assert_true(low == 0.207660 && high == 0.938508);
    assert_true(balanced == 0.5 && f1 == 0.4);
    json_decref(object);
}

static void test_json_classes(void **state)
{
    (void)state;
    json_t *object = scores_as_json();
    json_t *classes = json_object_get(object, "classes");
    assert_int_equal(json_array_size(classes), 3);
    json_t *first = json_array_get(classes, 0);
    json_t *second = json_array_get(classes, 1);
    json_t *third = json_array_get(classes, 2);
    assert_string_equal(json_string_value(json_object_get(first, "name")), "angry");
    assert_int_equal(json_integer_value(json_object_get(first, "support")), 2);
    assert_int_equal(json_integer_value(json_object_get(first, "predicted")), 3);
    assert_true(json_real_value(json_object_get(first, "precision")) == 0.666667);
    assert_true(json_is_real(json_object_get(first, "roc_auc")));
    assert_true(json_is_null(json_object_get(second, "precision")));
    assert_true(json_real_value(json_object_get(second, "specificity")) == 1.0);
    assert_true(json_is_null(json_object_get(third, "recall")));
    assert_true(json_is_null(json_object_get(third, "roc_auc")));
    assert_true(json_is_null(json_object_get(third, "f1")));
    json_decref(object);
}

static void test_json_names_are_utf8(void **state)
{
    (void)state;
    json_t *object = scores_as_json();
    json_t *classes = json_object_get(object, "classes");
    json_t *second = json_object_get(json_array_get(classes, 1), "name");
    json_t *third = json_object_get(json_array_get(classes, 2), "name");
    assert_string_equal(json_string_value(second), "freudig-überrascht");
    assert_string_equal(json_string_value(third), "?");
    json_decref(object);
}

static void test_json_confusion_matrix(void **state)
{
    (void)state;
    json_t *object = scores_as_json();
    int cells[9];
    assert_int_equal(json_unpack(json_object_get(object, "confusion_matrix"),
                                 "[[iii!][iii!][iii!]!]", &cells[0], &cells[1], &cells[2],
                                 &cells[3], &cells[4], &cells[5], &cells[6], &cells[7], &cells[8]),
                     0);
    static const int expected[9] = {2, 0, 0, 1, 0, 0, 0, 0, 0};
    assert_memory_equal(cells, expected, sizeof expected);
    json_decref(object);
}

/* The short form is what users and scripts search for. */
static void test_json_spelling(void **state)
{
    (void)state;
    eval_scores scores;
    sample_scores(&scores);
    char *text;
    assert_ok(eval_to_json(&scores, names, &text, NULL), NULL);
    static const char start[] = "{\"n\": 3, \"accuracy\": 0.666667, \"accuracy_ci95\": [";
    assert_memory_equal(text, start, sizeof start - 1);
    free(text);
}

static size_t allocations_left;

static void *failing_malloc(size_t size)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return malloc(size);
}

static void test_json_without_memory(void **state)
{
    (void)state;
    eval_scores scores;
    sample_scores(&scores);
    json_set_alloc_funcs(failing_malloc, free);
    mien_status status = MIEN_OUT_OF_MEMORY;
    size_t tries = 0;
    while (status == MIEN_OUT_OF_MEMORY && tries < 10000) {
        allocations_left = tries++;
        char *text = NULL;
        status = eval_to_json(&scores, names, &text, NULL);
        assert_true((text != NULL) == (status == MIEN_OK));
        free(text);
    }
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(status, MIEN_OK);
    assert_true(tries > 50);
}

static char *table_text(void)
{
    eval_scores scores;
    sample_scores(&scores);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    eval_print_table(stream, &scores, names);
    fclose(stream);
    return text;
}

static void test_table_figures(void **state)
{
    (void)state;
    char *text = table_text();
    assert_non_null(
        strstr(text, "accuracy                66.67%   (95 % interval 20.77% to 93.85%)"));
    assert_non_null(strstr(text, "macro F1                40.00%"));
    assert_non_null(strstr(text, "ECE (15 bins)"));
    assert_null(strstr(text, "nan"));
    free(text);
}

static int characters(const char *text, size_t length)
{
    int count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* Within a block of lines, all lines end in the same column, whatever the names. */
static void test_table_is_aligned(void **state)
{
    (void)state;
    char *text = table_text();
    const char *block = strstr(text, "class  ");
    assert_non_null(block);
    int width = characters(block, strcspn(block, "\n"));
    for (int line = 0; line < 4; line++) {
        size_t length = strcspn(block, "\n");
        assert_int_equal(characters(block, length), width);
        block += length + 1;
    }
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_figures),        cmocka_unit_test(test_json_classes),
        cmocka_unit_test(test_json_names_are_utf8), cmocka_unit_test(test_json_confusion_matrix),
        cmocka_unit_test(test_json_spelling),       cmocka_unit_test(test_json_without_memory),
        cmocka_unit_test(test_table_figures),       cmocka_unit_test(test_table_is_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
