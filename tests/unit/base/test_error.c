/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "support.h"

static void every_status_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(mien_status_name(MIEN_OK), "ok");
    assert_string_equal(mien_status_name(MIEN_OUT_OF_MEMORY), "out of memory");
    assert_string_equal(mien_status_name(MIEN_SHAPE), "shapes do not fit");
    for (int i = MIEN_OK; i <= MIEN_SHAPE; i++)
        for (int j = MIEN_OK; j < i; j++)
            assert_string_not_equal(mien_status_name((mien_status)i),
                                    mien_status_name((mien_status)j));
    assert_string_equal(mien_status_name((mien_status)1000), "unknown status");
}

static void details_are_filled_in(void **state)
{
    (void)state;
    mien_error error;
    assert_int_equal(error_set(&error, MIEN_LIMIT, "%d over %s", 7, "six"), MIEN_LIMIT);
    assert_int_equal(error.status, MIEN_LIMIT);
    assert_int_equal(error.position, -1);
    assert_string_equal(error.message, "7 over six");
    assert_int_equal(error_set_at(&error, MIEN_MALFORMED, 1234567890123, "bad"), MIEN_MALFORMED);
    assert_int_equal(error.position, 1234567890123);
    assert_string_equal(error.message, "bad");
    assert_int_equal(error_no_memory(&error, "a picture", 42), MIEN_OUT_OF_MEMORY);
    assert_string_equal(error.message, "out of memory for a picture (42 bytes)");
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, MIEN_IO, "unheard"), MIEN_IO);
    assert_int_equal(error_set_at(NULL, MIEN_IO, 1, "unheard"), MIEN_IO);
    assert_int_equal(error_prefix(NULL, MIEN_IO, "unheard"), MIEN_IO);
    assert_int_equal(error_no_memory(NULL, "x", 1), MIEN_OUT_OF_MEMORY);
}

static void a_prefix_keeps_the_rest(void **state)
{
    (void)state;
    mien_error error;
    error_set_at(&error, MIEN_MALFORMED, 9, "no pixels");
    assert_int_equal(error_prefix(&error, MIEN_MALFORMED, "'%s'", "a.jpg"), MIEN_MALFORMED);
    assert_string_equal(error.message, "'a.jpg': no pixels");
    assert_int_equal(error.position, 9);
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    mien_error error;
    char text[2 * MIEN_ERROR_MESSAGE_SIZE];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&error, MIEN_IO, "%s", text);
    assert_int_equal(strlen(error.message), MIEN_ERROR_MESSAGE_SIZE - 1);
    error_prefix(&error, MIEN_IO, "file");
    assert_int_equal(strlen(error.message), MIEN_ERROR_MESSAGE_SIZE - 1);
    assert_memory_equal(error.message, "file: xxx", 9);
    error_prefix(&error, MIEN_IO, "%s", text);
    assert_int_equal(strlen(error.message), MIEN_ERROR_MESSAGE_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name), cmocka_unit_test(details_are_filled_in),
        cmocka_unit_test(nobody_has_to_listen),    cmocka_unit_test(a_prefix_keeps_the_rest),
        cmocka_unit_test(long_messages_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
