/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"
#include "opencv_goldens.h"
#include "pictures.h"

static void gray_is_opencvs(void **state)
{
    (void)state;
    mien_error error;
    for (mien_pixel_format format = MIEN_PIXEL_RGB8; format <= MIEN_PIXEL_BGRA8; format++) {
        mien_image image = random_picture(300, 97, 101, format);
        mien_image gray = new_picture(97, 101, MIEN_PIXEL_GRAY8);
        assert_ok(image_convert(&image, &gray, &error), &error);
        assert_int_equal(hash_picture(&gray), gray_hashes[format - MIEN_PIXEL_RGB8]);
        mien_image_free(&gray);
        mien_image_free(&image);
    }
}

/* One pixel of red 10, green 20, blue 30 (alpha 40, or the grey 70) in every format. */
static const uint8_t one_pixel[][4] = {
    [MIEN_PIXEL_GRAY8] = {70},
    [MIEN_PIXEL_RGB8] = {10, 20, 30},
    [MIEN_PIXEL_BGR8] = {30, 20, 10},
    [MIEN_PIXEL_RGBA8] = {10, 20, 30, 40},
    [MIEN_PIXEL_BGRA8] = {30, 20, 10, 40},
};

static uint8_t expected_byte(mien_pixel_format from, mien_pixel_format to, int channel)
{
    bool from_has_alpha = from == MIEN_PIXEL_RGBA8 || from == MIEN_PIXEL_BGRA8;
    if (from == to)
        return one_pixel[from][channel];
    if (to == MIEN_PIXEL_GRAY8)
        return 18; /* 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15 */
    if (channel == 3 && !from_has_alpha)
        return 255;
    return from == MIEN_PIXEL_GRAY8 ? 70 : one_pixel[to][channel];
}

static void every_format_becomes_every_other(void **state)
{
    (void)state;
    mien_error error;
    for (mien_pixel_format from = MIEN_PIXEL_GRAY8; from <= MIEN_PIXEL_BGRA8; from++)
        for (mien_pixel_format to = MIEN_PIXEL_GRAY8; to <= MIEN_PIXEL_BGRA8; to++) {
            mien_image src = new_picture(3, 2, from);
            mien_image dst = new_picture(3, 2, to);
            size_t src_pixel = (size_t)mien_pixel_size(from);
            for (size_t i = 0; i < 6; i++)
                memcpy(src.data + i * src_pixel, one_pixel[from], src_pixel);
            assert_ok(image_convert(&src, &dst, &error), &error);
            int dst_pixel = mien_pixel_size(to);
            for (int i = 0; i < 6 * dst_pixel; i++)
                assert_int_equal(dst.data[i], expected_byte(from, to, i % dst_pixel));
            mien_image_free(&src);
            mien_image_free(&dst);
        }
}

static void gaps_between_rows_are_left_alone(void **state)
{
    (void)state;
    mien_error error;
    uint8_t src_bytes[2][16];
    uint8_t dst_bytes[2][8];
    memset(src_bytes, 200, sizeof src_bytes);
    memset(dst_bytes, 9, sizeof dst_bytes);
    mien_image src = {src_bytes[0], 4, 2, 16, MIEN_PIXEL_RGB8};
    mien_image dst = {dst_bytes[0], 4, 2, 8, MIEN_PIXEL_GRAY8};
    assert_ok(image_convert(&src, &dst, &error), &error);
    for (int y = 0; y < 2; y++)
        for (int x = 0; x < 8; x++)
            assert_int_equal(dst_bytes[y][x], x < 4 ? 200 : 9);
}

static void sizes_must_agree(void **state)
{
    (void)state;
    mien_error error;
    mien_image src = new_picture(3, 2, MIEN_PIXEL_RGB8);
    mien_image dst = new_picture(2, 3, MIEN_PIXEL_GRAY8);
    assert_fails(MIEN_INVALID_ARGUMENT, image_convert(&src, &dst, &error), &error,
                 "different sizes");
    mien_image_free(&src);
    mien_image_free(&dst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gray_is_opencvs),
        cmocka_unit_test(every_format_becomes_every_other),
        cmocka_unit_test(gaps_between_rows_are_left_alone),
        cmocka_unit_test(sizes_must_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
