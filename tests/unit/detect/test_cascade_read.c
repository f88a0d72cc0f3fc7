/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "cascades.h"

static mien_status read_text(const char *text, mien_error *error)
{
    cascade *model;
    mien_status status = cascade_read(text, strlen(text), "test.xml", &model, error);
    assert_true((status == MIEN_OK) == (model != NULL));
    cascade_free(model);
    return status;
}

/* The small cascade with the first occurrence of a piece replaced. */
static void replaced(const char *piece, const char *with, char *buffer, size_t size)
{
    const char *found = strstr(small_cascade, piece);
    if (found == NULL)
        fail_msg("'%s' is not in the small cascade", piece);
    snprintf(buffer, size, "%.*s%s%s", (int)(found - small_cascade), small_cascade, with,
             found + strlen(piece));
}

static void every_opencv_cascade_is_read(void **state)
{
    (void)state;
    static const char *const names[] = {"eye",
                                        "eye_tree_eyeglasses",
                                        "frontalcatface",
                                        "frontalcatface_extended",
                                        "frontalface_alt",
                                        "frontalface_alt2",
                                        "frontalface_alt_tree",
                                        "frontalface_default",
                                        "fullbody",
                                        "lefteye_2splits",
                                        "lowerbody",
                                        "profileface",
                                        "righteye_2splits",
                                        "russian_plate_number",
                                        "smile",
                                        "upperbody"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mien_error error;
        cascade *model;
        assert_ok(read_opencv_cascade(names[i], &model, &error), &error);
        cascade_free(model);
    }
}

static void other_kinds_are_unsupported_with_advice(void **state)
{
    (void)state;
    mien_error error;
    cascade *model;
    assert_fails(MIEN_UNSUPPORTED,
                 read_opencv_cascade("licence_plate_rus_16stages", &model, &error), &error,
                 "opencv_traincascade");
    assert_null(model);
    char text[4096];
    replaced("HAAR", "LBP", text, sizeof text);
    assert_fails(MIEN_UNSUPPORTED, read_text(text, &error), &error, "'LBP'; use a cascade");
    replaced("HAAR", "HOG", text, sizeof text);
    assert_fails(MIEN_UNSUPPORTED, read_text(text, &error), &error, "'HOG'");
    replaced("BOOST", "OTHER", text, sizeof text);
    assert_fails(MIEN_UNSUPPORTED, read_text(text, &error), &error, "'OTHER'");
    replaced("<!-- a comment -->", "<!DOCTYPE a>", text, sizeof text);
    assert_fails(MIEN_UNSUPPORTED, read_text(text, &error), &error, "document types");
}

static void a_damaged_part_is_named_with_its_position(void **state)
{
    (void)state;
    static const struct {
        const char *piece, *with, *message;
    } cases[] = {
        {"<stageType>BOOST</stageType>", "", "<stageType> is missing"},
        {"<featureType>HAAR</featureType>", "", "<featureType> is missing"},
        {"<width>8</width>", "", "must come before <features>"},
        {"<width>8", "<width>2", "must come before <features>"},
        {"<width>8", "<width>8.5", "8.5 is not a whole number"},
        {"<width>8", "<width>1e30", "is not a whole number"},
        {"<width>8</width>", "<width/>", "a value is missing"},
        {"<width>8", "<width>8 9", "more numbers"},
        {"<width>8", "<width>8<!-- -->9", "a single value is expected"},
        {"<stageNum>1", "<stageNum>2000000000", "announces 2000000000"},
        {"<_><maxWeakCount>2", "<_><maxWeakCount>3", "has 2 trees and announces 3"},
        {"<stageThreshold>-1.5e+00</stageThreshold>", "", "no <stageThreshold>"},
        {"-1.5e+00", "nan", "'nan' is not a finite number"},
        {"-1.5e+00", ".Inf", "'.Inf' is not a finite number"},
        {"-1.5e+00", "1e39", "'1e39' is not a finite number"},
        {"-1.5e+00", "1..5", "'1..5' is not a finite number"},
        {"-1.5e+00", "0x10", "'0x10' is not a finite number"},
        {"0 -1 0 1.1e-03", "0 -1 2 1.1e-03", "feature 2 does not exist, there are 2"},
        {"0 -1 0 1.1e-03", "0 -1 -1 1.1e-03", "feature -1 does not exist"},
        {"0 -1 0 1.1e-03", "0 -2 0 1.1e-03", "a tree of 2 leaves uses leaf 2"},
        {"0 -1 0 1.1e-03", "1 -1 0 1.1e-03", "a tree of 1 nodes uses node 1"},
        {"0 -1 0 1.1e-03", "0 -1 0", "a number is missing"},
        {"0 -1 0 1.1e-03", "", "a value is missing"},
        {"-1 -2 0 0.", "1 -2 0 0.", "node 1 of a tree is reached twice"},
        {"<leafValues>-.83 .73", "<leafValues>-.83", "a tree of 1 nodes has 1 leaves, not 2"},
        {"1 0 4 3 -1.", "5 0 4 3 -1.", "upright rectangle 5 0 4 3 is not within"},
        {"1 0 4 3 -1.", "-1 0 4 3 -1.", "upright rectangle -1 0 4 3"},
        {"1 0 4 3 -1.", "1 0 0 3 -1.", "upright rectangle 1 0 0 3"},
        {"1 0 4 3 -1.", "1073741823 0 1073741823 3 -1.", "is not within"},
        {"3 0 2 2 -1.", "1 0 2 2 -1.", "tilted rectangle 1 0 2 2 is not within"},
        {"3 0 2 2 -1.", "3 3 2 2 -1.", "tilted rectangle 3 3 2 2"},
        {"1 0 4 3 -1.", "1 0 4 3", "a number is missing"},
        {"<_>3 0 2 2 -1.</_><_>3 1 1 1 2.</_>", "", "a feature has no rectangle"},
        {"<_>3 1 1 1 2.</_>", "<_>3 1 1 1 1</_><_>3 1 1 1 1</_><_>3 1 1 1 1</_>",
         "more than 3 rectangles"},
        {"<features>", "<features>stray", "'stray' where an element is expected"},
        {"</features>", "</stages>", "</stages> where <features> should be closed"},
        {"</cascade></opencv_storage>", "", "the text ends before </cascade>"},
        {"</opencv_storage>", "</opencv_storage></a>", "</a> closes nothing"},
        {"<opencv_storage>", "<storage>", "<opencv_storage> is expected first"},
        {"<height>6", "<height>&six;", "a character that no cascade holds"},
        {" -->", "", "the comment is never closed"},
        {"?>", "", "the declaration is never closed"},
        {"type_id=", "type_id", "'=' is expected"},
        {"type_id=\"", "type_id=", "must be in quotes"},
        {"classifier\"", "classifier", "is never closed"},
        {"<height>", "<>", "a name is expected"},
        {"</height>", "</height", "'>' is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[4096];
        mien_error error = {.position = -1};
        replaced(cases[i].piece, cases[i].with, text, sizeof text);
        assert_fails(MIEN_MALFORMED, read_text(text, &error), &error, cases[i].message);
        assert_non_null(strstr(error.message, "'test.xml', byte "));
        assert_in_range(error.position, 0, strlen(text));
    }
}

static void the_position_is_that_of_the_bad_value(void **state)
{
    (void)state;
    char text[4096];
    mien_error error;
    replaced("6.2 -7.2", "6.2 what", text, sizeof text);
    assert_fails(MIEN_MALFORMED, read_text(text, &error), &error, "'what'");
    assert_int_equal(error.position, strstr(text, "what") - text);
}

static void every_cut_short_text_is_refused(void **state)
{
    (void)state;
    size_t whole = strlen(small_cascade) - 1; /* the last character is a line end */
    for (size_t size = 0; size < whole; size++) {
        mien_error error;
        cascade *model;
        char *copy = malloc(size != 0 ? size : 1); /* so that tools see a read past the end */
        assert_non_null(copy);
        memcpy(copy, small_cascade, size);
        mien_status status = cascade_read(copy, size, "cut", &model, &error);
        if (status != MIEN_MALFORMED && status != MIEN_UNSUPPORTED)
            fail_msg("%zu of %zu bytes were not refused", size, whole);
        assert_null(model);
        free(copy);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    char text[8192];
    mien_error error;
    replaced("<width>8", "<width>70000", text, sizeof text);
    assert_fails(MIEN_LIMIT, read_text(text, &error), &error, "70000 x 6");
    text[0] = '\0';
    for (int i = 0; i < 1000; i++)
        strcat(text, "<a>");
    assert_fails(MIEN_MALFORMED, read_text(text, &error), &error, "expected first");
    snprintf(text, sizeof text, "<opencv_storage>");
    for (int i = 0; i < 1000; i++)
        strcat(text, "<a>");
    assert_fails(MIEN_LIMIT, read_text(text, &error), &error, "nested deeper");
}

static void details_are_optional(void **state)
{
    (void)state;
    cascade *model;
    assert_int_equal(cascade_read("<a>", 3, "a", &model, NULL), MIEN_MALFORMED);
    assert_int_equal(cascade_read("", 0, "empty", &model, NULL), MIEN_MALFORMED);
    cascade_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_opencv_cascade_is_read),
        cmocka_unit_test(other_kinds_are_unsupported_with_advice),
        cmocka_unit_test(a_damaged_part_is_named_with_its_position),
        cmocka_unit_test(the_position_is_that_of_the_bad_value),
        cmocka_unit_test(every_cut_short_text_is_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(details_are_optional),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
