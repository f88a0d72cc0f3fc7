/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "base/utf8.h"

static void test_lengths(void **state)
{
    (void)state;
    assert_int_equal(utf8_length("a"), 1);
    assert_int_equal(utf8_length(""), 1);
    assert_int_equal(utf8_length("\xC3\xA4"), 2);
    assert_int_equal(utf8_length("\xE2\x82\xAC"), 3);
    assert_int_equal(utf8_length("\xF0\x9F\x99\x82"), 4);
    static const char *const broken[] = {"\x80",
                                         "\xC3",
                                         "\xC3z",
                                         "\xC0\xAF",
                                         "\xE0\x80\xAF",
                                         "\xED\xA0\x80",
                                         "\xEF\xBF\xBF",
                                         "\xE2\x82",
                                         "\xF0\x80\x80\x80",
                                         "\xF4\x90\x80\x80",
                                         "\xF5\x80\x80\x80",
                                         "\xFF"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_int_equal(utf8_length(broken[i]), 0);
}

static void test_clean(void **state)
{
    (void)state;
    char buffer[8];
    assert_string_equal(utf8_clean("a\xFF\xC3\xA4", buffer, sizeof buffer), "a?\xC3\xA4");
    assert_string_equal(utf8_clean("abcdefghij", buffer, sizeof buffer), "abcdefg");
    assert_string_equal(utf8_clean("abcdef\xC3\xA4", buffer, sizeof buffer), "abcdef");
    assert_string_equal(utf8_clean("", buffer, sizeof buffer), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
