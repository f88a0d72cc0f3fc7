/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"
#include "opencv_goldens.h"
#include "pictures.h"

static void bilinear_is_opencvs_bit_for_bit(void **state)
{
    (void)state;
    mien_error error;
    for (size_t i = 0; i < sizeof bilinear_cases / sizeof *bilinear_cases; i++) {
        const struct bilinear_case *c = &bilinear_cases[i];
        mien_image src = random_picture(i + 1, c->width, c->height, format_with(c->channels));
        mien_image dst = new_picture(c->new_width, c->new_height, src.format);
        assert_ok(image_resize(&src, &dst, IMAGE_FILTER_BILINEAR, &error), &error);
        if (hash_picture(&dst) != c->hash)
            fail_msg("%d x %d x %d to %d x %d differs", c->width, c->height, c->channels,
                     c->new_width, c->new_height);
        mien_image_free(&src);
        mien_image_free(&dst);
    }
}

static void area_is_opencvs_within_one_level(void **state)
{
    (void)state;
    mien_error error;
    for (size_t i = 0; i < sizeof area_cases / sizeof *area_cases; i++) {
        const struct area_case *c = &area_cases[i];
        mien_image src = random_picture(100 + i, c->width, c->height, format_with(c->channels));
        mien_image dst = new_picture(c->new_width, c->new_height, src.format);
        assert_ok(image_resize(&src, &dst, IMAGE_FILTER_AREA, &error), &error);
        for (int k = 0; k < c->new_width * c->new_height * c->channels; k++)
            assert_in_range(dst.data[k] + 1, c->pixels[k], c->pixels[k] + 2);
        mien_image_free(&src);
        mien_image_free(&dst);
    }
}

static void the_same_size_is_a_copy(void **state)
{
    (void)state;
    mien_error error;
    mien_image src = random_picture(7, 13, 11, MIEN_PIXEL_BGRA8);
    mien_image dst = new_picture(13, 11, MIEN_PIXEL_BGRA8);
    assert_ok(image_resize(&src, &dst, IMAGE_FILTER_BILINEAR, &error), &error);
    assert_pixels_equal(&src, &dst);
    memset(dst.data, 0, dst.stride * 11);
    assert_ok(image_resize(&src, &dst, IMAGE_FILTER_AREA, &error), &error);
    assert_pixels_equal(&src, &dst);
    mien_image_free(&src);
    mien_image_free(&dst);
}

static void white_stays_white(void **state)
{
    (void)state;
    mien_error error;
    mien_image src = new_picture(37, 1000, MIEN_PIXEL_GRAY8);
    memset(src.data, 255, 37000);
    for (image_filter filter = IMAGE_FILTER_BILINEAR; filter <= IMAGE_FILTER_AREA; filter++)
        for (int side = 1; side <= 50; side++) {
            mien_image dst = new_picture(side, side, MIEN_PIXEL_GRAY8);
            assert_ok(image_resize(&src, &dst, filter, &error), &error);
            for (int i = 0; i < side * side; i++)
                assert_int_equal(dst.data[i], 255);
            mien_image_free(&dst);
        }
    mien_image_free(&src);
}

static void area_is_exact_with_the_longest_sides(void **state)
{
    (void)state;
    mien_error error;
    mien_image src = new_picture(65535, 1, MIEN_PIXEL_GRAY8);
    for (int x = 0; x < 65535; x++)
        src.data[x] = x % 3 == 0 ? 255 : 0;
    mien_image dst = new_picture(5, 1, MIEN_PIXEL_GRAY8);
    assert_ok(image_resize(&src, &dst, IMAGE_FILTER_AREA, &error), &error);
    for (int x = 0; x < 5; x++)
        assert_int_equal(dst.data[x], 85);
    mien_image_free(&src);
    mien_image_free(&dst);
}

static void strides_are_respected(void **state)
{
    (void)state;
    mien_error error;
    mien_image whole = random_picture(8, 40, 30, MIEN_PIXEL_RGB8);
    mien_image view;
    assert_ok(image_view(&whole, 11, 5, 17, 19, &view, &error), &error);
    mien_image copy = new_picture(17, 19, MIEN_PIXEL_RGB8);
    assert_ok(image_convert(&view, &copy, &error), &error);
    for (image_filter filter = IMAGE_FILTER_BILINEAR; filter <= IMAGE_FILTER_AREA; filter++) {
        mien_image from_view = new_picture(7, 9, MIEN_PIXEL_RGB8);
        mien_image from_copy = new_picture(7, 9, MIEN_PIXEL_RGB8);
        assert_ok(image_resize(&view, &from_view, filter, &error), &error);
        assert_ok(image_resize(&copy, &from_copy, filter, &error), &error);
        assert_pixels_equal(&from_view, &from_copy);
        mien_image_free(&from_view);
        mien_image_free(&from_copy);
    }
    mien_image_free(&copy);
    mien_image_free(&whole);
}

static void single_rows_are_those_of_the_whole(void **state)
{
    (void)state;
    mien_error error;
    mien_image src = random_picture(9, 61, 43, MIEN_PIXEL_GRAY8);
    static const int sizes[][2] = {{61, 43}, {60, 41}, {31, 17}, {7, 3}, {1, 1}, {90, 100}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int width = sizes[i][0], height = sizes[i][1], y = height / 3;
        mien_image whole = new_picture(width, height, MIEN_PIXEL_GRAY8);
        image_tap columns[90], rows[100];
        uint16_t scratch[62];
        uint8_t row[90];
        assert_ok(image_resize(&src, &whole, IMAGE_FILTER_BILINEAR, &error), &error);
        image_bilinear_taps(61, width, columns);
        image_bilinear_taps(43, height, rows);
        image_bilinear_row(&src, rows[y], columns, width, scratch, row);
        assert_memory_equal(row, pixel_at(&whole, 0, y), (size_t)width);
        mien_image_free(&whole);
    }
    mien_image_free(&src);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    mien_error error;
    mien_image src = new_picture(3, 2, MIEN_PIXEL_RGB8);
    mien_image dst = new_picture(2, 3, MIEN_PIXEL_BGR8);
    assert_fails(MIEN_INVALID_ARGUMENT, image_resize(&src, &dst, IMAGE_FILTER_AREA, &error), &error,
                 "different pixel formats");
    dst.format = MIEN_PIXEL_RGB8;
    assert_fails(MIEN_INVALID_ARGUMENT, image_resize(&src, &dst, (image_filter)7, &error), &error,
                 "unknown filter 7");
    mien_image_free(&src);
    mien_image_free(&dst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bilinear_is_opencvs_bit_for_bit),
        cmocka_unit_test(area_is_opencvs_within_one_level),
        cmocka_unit_test(the_same_size_is_a_copy),
        cmocka_unit_test(white_stays_white),
        cmocka_unit_test(area_is_exact_with_the_longest_sides),
        cmocka_unit_test(strides_are_respected),
        cmocka_unit_test(single_rows_are_those_of_the_whole),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
