/* SPDX-License-Identifier: Apache-2.0 */

/* Settings of a network's input: what they say, what they default to, what is refused. */

#include "support.h"

#include "prep/prep.h"

static mien_status read_text(const char *text, int channels, int height, int width,
                             prep_settings *out, mien_error *error)
{
    setting_list list = {0};
    assert_ok(settings_read(&list, text, strlen(text), "test", error), error);
    mien_status status = prep_read_settings(&list, channels, height, width, out, error);
    settings_free(&list);
    return status;
}

static void nothing_said_means_the_usual(void **state)
{
    (void)state;
    prep_settings s;
    mien_error error;
    assert_ok(read_text("", 1, 48, 64, &s, &error), &error);
    assert_int_equal(s.format, PREP_GRAY);
    assert_int_equal(s.width, 64);
    assert_int_equal(s.height, 48);
    assert_true(s.mean[0] == 127.5f && s.scale[0] == 1 / 127.5f);
    assert_true(s.margin == 0 && s.square && s.alignment == PREP_ALIGN_NONE);
    assert_ok(read_text("", 3, 8, 8, &s, &error), &error);
    assert_int_equal(s.format, PREP_RGB);
    assert_int_equal(prep_input_floats(&s), 3 * 8 * 8);
}

static void everything_can_be_said(void **state)
{
    (void)state;
    prep_settings s;
    mien_error error;
    assert_ok(read_text("mien.input.format = bgr\n"
                        "mien.input.width = 112\n"
                        "mien.input.height = 96\n"
                        "mien.input.mean = 103.939, 116.779, 123.68\n"
                        "mien.input.scale = 0.0039\n"
                        "mien.crop.margin = 0.1\n"
                        "mien.crop.square = no\n"
                        "mien.crop.align = eyes\n",
                        3, 0, 0, &s, &error),
              &error);
    assert_int_equal(s.format, PREP_BGR);
    assert_int_equal(s.width, 112);
    assert_int_equal(s.height, 96);
    assert_true(s.mean[0] == 103.939f && s.mean[1] == 116.779f && s.mean[2] == 123.68f);
    assert_true(s.scale[0] == 0.0039f && s.scale[2] == 0.0039f);
    assert_true(s.margin == 0.1f && !s.square);
    assert_int_equal(s.alignment, PREP_ALIGN_EYES);
}

static void bad_values_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *key, *value;
    } cases[] = {
        {"mien.input.format = yuv", "mien.input.format", "yuv"},
        {"mien.input.width = 0", "mien.input.width", "'0'"},
        {"mien.input.width = 48.5", "mien.input.width", "48.5"},
        {"mien.input.height = 1000000", "mien.input.height", "1000000"},
        {"mien.input.height = -48", "mien.input.height", "-48"},
        {"mien.input.height = tall", "mien.input.height", "tall"},
        {"mien.input.mean = 1, 2", "mien.input.mean", "1, 2"},
        {"mien.input.mean = 1, 2, 3, 4", "mien.input.mean", "1, 2, 3, 4"},
        {"mien.input.mean = nan", "mien.input.mean", "nan"},
        {"mien.input.scale = 1e30", "mien.input.scale", "1e30"},
        {"mien.input.scale =", "mien.input.scale", "''"},
        {"mien.crop.margin = 50", "mien.crop.margin", "50"},
        {"mien.crop.margin = -0.5", "mien.crop.margin", "-0.5"},
        {"mien.crop.square = maybe", "mien.crop.square", "maybe"},
        {"mien.crop.align = nose", "mien.crop.align", "nose"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        prep_settings s;
        mien_error error;
        mien_status status = read_text(cases[i].text, 3, 48, 48, &s, &error);
        assert_fails(MIEN_MALFORMED, status, &error, cases[i].key);
        assert_fails(MIEN_MALFORMED, status, &error, cases[i].value);
    }
}

static void settings_that_do_not_fit_the_network_are_refused(void **state)
{
    (void)state;
    prep_settings s;
    mien_error error;
    assert_fails(MIEN_SHAPE, read_text("mien.input.format = gray", 3, 8, 8, &s, &error), &error,
                 "3 channels");
    assert_fails(MIEN_SHAPE, read_text("mien.input.format = rgb", 1, 8, 8, &s, &error), &error,
                 "1 channels");
    assert_fails(MIEN_SHAPE, read_text("", 4, 8, 8, &s, &error), &error, "4 channels");
    assert_fails(MIEN_SHAPE, read_text("mien.input.width = 9", 1, 8, 8, &s, &error), &error, "9x8");
    assert_fails(MIEN_SHAPE, read_text("mien.input.height = 9", 1, 8, 8, &s, &error), &error,
                 "8x9");
    assert_fails(MIEN_SHAPE, read_text("mien.input.height = 9", 1, 0, 0, &s, &error), &error,
                 "mien.input.width");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_means_the_usual),
        cmocka_unit_test(everything_can_be_said),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(settings_that_do_not_fit_the_network_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
