/* SPDX-License-Identifier: Apache-2.0 */

/* A prepared input turned back into a picture shows the pixels that it was made of. */

#include "support.h"

#include "prep/prep.h"

#include <math.h>

enum { SIDE = 5 };

static mien_image noise(mien_pixel_format format)
{
    mien_image image;
    mien_error error;
    test_random random = {77};
    assert_ok(mien_image_alloc(SIDE, SIDE, format, &image, &error), &error);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE * mien_pixel_size(format); x++)
            image_row(&image, y)[x] = (uint8_t)test_random_int(&random, 0, 255);
    return image;
}

static void check_round_trip(prep_format format)
{
    mien_error error;
    prep_scratch scratch = {0};
    float input[3 * SIDE * SIDE];
    mien_image source = noise(format == PREP_GRAY ? MIEN_PIXEL_GRAY8 : MIEN_PIXEL_RGB8), shown;
    prep_settings prep = {.format = format,
                          .width = SIDE,
                          .height = SIDE,
                          .mean = {103.9f, 116.8f, 123.7f},
                          .scale = {0.017f, 1, 0.5f}};
    prep_face face = {.box = {0, 0, SIDE, SIDE}};
    assert_ok(prep_fill(&prep, &source, &face, &scratch, input, &error), &error);
    assert_ok(prep_picture(&prep, input, &shown, &error), &error);
    assert_int_equal(shown.format, MIEN_PIXEL_RGB8);
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < 3; c++) {
            const uint8_t *row = image_row(&source, i / SIDE);
            uint8_t expected = format == PREP_GRAY ? row[i % SIDE] : row[3 * (i % SIDE) + c];
            assert_int_equal(image_row(&shown, i / SIDE)[3 * (i % SIDE) + c], expected);
        }
    prep_scratch_free(&scratch);
    mien_image_free(&source);
    mien_image_free(&shown);
}

static void test_round_trips(void **state)
{
    (void)state;
    check_round_trip(PREP_GRAY);
    check_round_trip(PREP_RGB);
    check_round_trip(PREP_BGR);
}

static void test_values_outside_are_cut_off(void **state)
{
    (void)state;
    mien_error error;
    mien_image shown;
    float input[] = {-1e30f, 1e30f, NAN};
    prep_settings prep = {
        .format = PREP_GRAY, .width = 3, .height = 1, .mean = {127.5f}, .scale = {0.01f}};
    assert_ok(prep_picture(&prep, input, &shown, &error), &error);
    assert_int_equal(shown.data[0], 0);
    assert_int_equal(shown.data[3], 255);
    mien_image_free(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_values_outside_are_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
