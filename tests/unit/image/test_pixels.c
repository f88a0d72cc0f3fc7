/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"
#include "pictures.h"

static void pixel_sizes(void **state)
{
    (void)state;
    assert_int_equal(mien_pixel_size(MIEN_PIXEL_GRAY8), 1);
    assert_int_equal(mien_pixel_size(MIEN_PIXEL_RGB8), 3);
    assert_int_equal(mien_pixel_size(MIEN_PIXEL_BGR8), 3);
    assert_int_equal(mien_pixel_size(MIEN_PIXEL_RGBA8), 4);
    assert_int_equal(mien_pixel_size(MIEN_PIXEL_BGRA8), 4);
    assert_int_equal(mien_pixel_size((mien_pixel_format)0), 0);
    assert_int_equal(mien_pixel_size((mien_pixel_format)99), 0);
}

static void a_new_picture_is_black(void **state)
{
    (void)state;
    mien_image image = new_picture(7, 5, MIEN_PIXEL_RGB8);
    assert_true(image.stride >= 21);
    for (size_t i = 0; i < image.stride * 5; i++)
        assert_int_equal(image.data[i], 0);
    mien_image_free(&image);
    assert_zeroed(&image);
    mien_image_free(&image);
    mien_image_free(NULL);
}

static void alloc_refuses(mien_status expected, int width, int height, mien_pixel_format format,
                          const char *part)
{
    mien_error error;
    mien_image image;
    memset(&image, 0x55, sizeof image);
    mien_status status = mien_image_alloc(width, height, format, &image, &error);
    assert_fails(expected, status, &error, part);
    assert_zeroed(&image);
}

static void impossible_pictures_are_refused(void **state)
{
    (void)state;
    alloc_refuses(MIEN_INVALID_ARGUMENT, 0, 3, MIEN_PIXEL_GRAY8, "0 x 3");
    alloc_refuses(MIEN_INVALID_ARGUMENT, 3, -1, MIEN_PIXEL_GRAY8, "3 x -1");
    alloc_refuses(MIEN_INVALID_ARGUMENT, 3, 3, (mien_pixel_format)9, "pixel format 9");
    alloc_refuses(MIEN_LIMIT, 65536, 1, MIEN_PIXEL_GRAY8, "65535");
    alloc_refuses(MIEN_LIMIT, 1, 65536, MIEN_PIXEL_GRAY8, "1 x 65536");
    assert_int_equal(mien_image_alloc(1, 1, MIEN_PIXEL_GRAY8, NULL, NULL), MIEN_INVALID_ARGUMENT);
}

static void check_refuses(mien_image image, mien_status expected, const char *part)
{
    mien_error error;
    assert_fails(expected, image_check(&image, &error), &error, part);
}

static void pictures_of_callers_are_checked(void **state)
{
    (void)state;
    uint8_t pixels[64] = {0};
    mien_image good = {pixels, 4, 4, 16, MIEN_PIXEL_RGB8};
    assert_int_equal(image_check(&good, NULL), MIEN_OK);
    assert_int_equal(image_check(NULL, NULL), MIEN_INVALID_ARGUMENT);
    mien_image bad = good;
    bad.data = NULL;
    check_refuses(bad, MIEN_INVALID_ARGUMENT, "NULL");
    bad = good;
    bad.stride = 11;
    check_refuses(bad, MIEN_INVALID_ARGUMENT, "stride of 11 bytes");
    bad = good;
    bad.stride = SIZE_MAX / 2;
    check_refuses(bad, MIEN_INVALID_ARGUMENT, "do not fit");
    bad = good;
    bad.width = 0;
    check_refuses(bad, MIEN_INVALID_ARGUMENT, "0 x 4");
    bad = good;
    bad.height = 70000;
    check_refuses(bad, MIEN_LIMIT, "70000");
    bad = good;
    bad.format = (mien_pixel_format)-1;
    check_refuses(bad, MIEN_INVALID_ARGUMENT, "pixel format -1");
}

static void a_view_shares_pixels(void **state)
{
    (void)state;
    mien_error error;
    mien_image image = random_picture(5, 9, 7, MIEN_PIXEL_RGB8);
    mien_image view;
    assert_ok(image_view(&image, 2, 3, 7, 4, &view, &error), &error);
    assert_ptr_equal(view.data, pixel_at(&image, 2, 3));
    assert_int_equal(view.stride, image.stride);
    assert_int_equal(view.width, 7);
    assert_int_equal(view.height, 4);
    static const int outside[][4] = {{-1, 0, 2, 2}, {0, -1, 2, 2}, {3, 0, 7, 1},
                                     {0, 4, 1, 4},  {0, 0, 0, 1},  {2147483647, 0, 1, 1}};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        const int *box = outside[i];
        mien_status status = image_view(&image, box[0], box[1], box[2], box[3], &view, &error);
        assert_fails(MIEN_INVALID_ARGUMENT, status, &error, "not inside a picture of 9 x 7");
    }
    mien_image_free(&image);
}

static void a_mirror_swaps_left_and_right(void **state)
{
    (void)state;
    mien_error error;
    for (int channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1) {
        mien_image image = random_picture(6, 5, 3, format_with(channels));
        mien_image mirrored = new_picture(5, 3, image.format);
        assert_ok(image_mirror(&image, &mirrored, &error), &error);
        for (int y = 0; y < 3; y++)
            for (int x = 0; x < 5; x++)
                assert_memory_equal(pixel_at(&mirrored, x, y), pixel_at(&image, 4 - x, y),
                                    (size_t)channels);
        mien_image_free(&mirrored);
        mirrored = new_picture(4, 3, image.format);
        assert_fails(MIEN_INVALID_ARGUMENT, image_mirror(&image, &mirrored, &error), &error,
                     "different sizes (5 x 3 and 4 x 3)");
        mien_image_free(&mirrored);
        mien_image_free(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixel_sizes),
        cmocka_unit_test(a_new_picture_is_black),
        cmocka_unit_test(impossible_pictures_are_refused),
        cmocka_unit_test(pictures_of_callers_are_checked),
        cmocka_unit_test(a_view_shares_pixels),
        cmocka_unit_test(a_mirror_swaps_left_and_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
