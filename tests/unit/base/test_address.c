/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include "support.h"

static void assert_becomes(const char *text, const char *expected)
{
    char *clean = address_without_password(text);
    assert_non_null(clean);
    assert_string_equal(clean, expected);
    free(clean);
}

static void user_and_password_go(void **state)
{
    (void)state;
    assert_becomes("rtsp://user:secret@camera:554/one", "rtsp://camera:554/one");
    assert_becomes("rtsp://user@camera", "rtsp://camera");
    assert_becomes("http://a:p@ss@host/?q=x@y", "http://host/?q=x@y");
    assert_becomes("rtsp://u:p@camera: it ended", "rtsp://camera: it ended");
}

static void everything_else_stays(void **state)
{
    (void)state;
    assert_becomes("", "");
    assert_becomes("film@home.mp4", "film@home.mp4");
    assert_becomes("http://host/a@b", "http://host/a@b");
    assert_becomes("udp://@239.0.0.1:1234", "udp://239.0.0.1:1234");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_and_password_go),
        cmocka_unit_test(everything_else_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
