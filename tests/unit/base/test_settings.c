/* SPDX-License-Identifier: Apache-2.0 */

/* Lists of "key = value". */

#include "support.h"

#include "base/settings.h"

static setting_list read_list(const char *text)
{
    setting_list list = {0};
    mien_error error;
    assert_ok(settings_read(&list, text, strlen(text), "test", &error), &error);
    return list;
}

static void lines_are_read(void **state)
{
    (void)state;
    setting_list list = read_list("# a comment\n"
                                  "\n"
                                  "  a.key\t=  some words  # and a comment\r\n"
                                  "empty =\n"
                                  "sum = 1 = 1\n"
                                  "last = no end of line");
    assert_string_equal(settings_get(&list, "a.key"), "some words");
    assert_string_equal(settings_get(&list, "empty"), "");
    assert_string_equal(settings_get(&list, "sum"), "1 = 1");
    assert_string_equal(settings_get(&list, "last"), "no end of line");
    assert_null(settings_get(&list, "a"));
    assert_int_equal(list.count, 4);
    settings_free(&list);
    assert_null(settings_get(&list, "last"));
    settings_free(&list);
}

static void the_last_value_counts(void **state)
{
    (void)state;
    setting_list list = read_list("key = 1\nkey = 2\n");
    mien_error error;
    assert_string_equal(settings_get(&list, "key"), "2");
    assert_ok(settings_set(&list, "key", "3", &error), &error);
    assert_string_equal(settings_get(&list, "key"), "3");
    assert_int_equal(list.count, 1);
    settings_free(&list);
}

static void bad_lines_are_told_with_name_and_number(void **state)
{
    (void)state;
    setting_list list = {0};
    mien_error error;
    static const char no_equals[] = "a = 1\n\nnonsense\n", no_key[] = "= 1";
    assert_fails(MIEN_MALFORMED,
                 settings_read(&list, no_equals, strlen(no_equals), "m.mien", &error), &error,
                 "m.mien, line 3: 'nonsense'");
    assert_fails(MIEN_MALFORMED, settings_read(&list, no_key, strlen(no_key), "m.mien", &error),
                 &error, "line 1");
    assert_fails(MIEN_MALFORMED, settings_read(&list, "a = \0b", 6, "m.mien", &error), &error,
                 "not a text file");
    settings_free(&list);
}

static void too_many_settings_are_refused(void **state)
{
    (void)state;
    setting_list list = {0};
    mien_error error;
    char key[20];
    for (int i = 0; i < SETTINGS_MAX_ENTRIES; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_ok(settings_set(&list, key, "v", &error), &error);
    }
    assert_fails(MIEN_LIMIT, settings_set(&list, "more", "v", &error), &error, "1000");
    settings_free(&list);
}

static void numbers_are_read(void **state)
{
    (void)state;
    setting_list list = read_list("f = -1.5e2\ni = 42\nlist = 1, 2.5 ,3\none = 7\n");
    float f = 0, untouched = 9, three[3] = {0};
    int i = 0;
    mien_error error;
    assert_ok(settings_float(&list, "f", -1000, 0, &f, &error), &error);
    assert_true(f == -150);
    assert_ok(settings_int(&list, "i", 42, 42, &i, &error), &error);
    assert_int_equal(i, 42);
    assert_ok(settings_float(&list, "absent", 0, 1, &untouched, &error), &error);
    assert_true(untouched == 9);
    assert_ok(settings_floats(&list, "list", 0, 3, three, 3, &error), &error);
    assert_true(three[0] == 1 && three[1] == 2.5f && three[2] == 3);
    assert_ok(settings_floats(&list, "one", 0, 10, three, 3, &error), &error);
    assert_true(three[0] == 7 && three[1] == 7 && three[2] == 7);
    settings_free(&list);
}

static void bad_numbers_are_told_with_key_and_value(void **state)
{
    (void)state;
    static const char *const values[] = {"",      "x",  "1x",   "1 2",    "nan", "inf",
                                         "1e999", "11", "-1",   "1,2",    ",1",  "1,2,3,",
                                         "--1",   "1e", "1,,2", "1,2,3,4"};
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        setting_list list = {0};
        float f = 5, three[3] = {0};
        int i = 5;
        char quoted[20];
        mien_error error;
        snprintf(quoted, sizeof quoted, "key is '%s'", values[v]);
        assert_ok(settings_set(&list, "key", values[v], &error), &error);
        assert_fails(MIEN_MALFORMED, settings_float(&list, "key", 0, 10, &f, &error), &error,
                     quoted);
        assert_fails(MIEN_MALFORMED, settings_int(&list, "key", 0, 10, &i, &error), &error, quoted);
        assert_int_equal(i, 5);
        assert_fails(MIEN_MALFORMED, settings_floats(&list, "key", 0, 10, three, 3, &error), &error,
                     quoted);
        settings_free(&list);
    }
    setting_list list = read_list("half = 2.5");
    int i = 5;
    mien_error error;
    assert_fails(MIEN_MALFORMED, settings_int(&list, "half", 0, 10, &i, &error), &error, "whole");
    settings_free(&list);
}

static void choices_and_switches_are_read(void **state)
{
    (void)state;
    static const char *const names[] = {"red", "green", NULL};
    setting_list list = read_list("colour = green\non = yes\noff = no\nodd = Yes\n");
    int choice = 0;
    bool on = false, off = true, odd = true, absent = true;
    mien_error error;
    assert_ok(settings_choice(&list, "colour", names, &choice, &error), &error);
    assert_int_equal(choice, 1);
    assert_ok(settings_bool(&list, "on", &on, &error), &error);
    assert_ok(settings_bool(&list, "off", &off, &error), &error);
    assert_ok(settings_bool(&list, "absent", &absent, &error), &error);
    assert_true(on && !off && absent);
    assert_fails(MIEN_MALFORMED, settings_choice(&list, "on", names, &choice, &error), &error,
                 "setting on is 'yes', not one of red, green");
    assert_fails(MIEN_MALFORMED, settings_bool(&list, "odd", &odd, &error), &error, "'Yes'");
    assert_true(odd);
    settings_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(the_last_value_counts),
        cmocka_unit_test(bad_lines_are_told_with_name_and_number),
        cmocka_unit_test(too_many_settings_are_refused),
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(bad_numbers_are_told_with_key_and_value),
        cmocka_unit_test(choices_and_switches_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
