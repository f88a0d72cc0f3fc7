/* SPDX-License-Identifier: Apache-2.0 */
#include "image/codec/codec.h"
#include "image/image.h"
#include "pictures.h"

static mien_image decode(const void *bytes, size_t size, mien_pixel_format format)
{
    mien_error error;
    mien_image image = {0};
    assert_ok(mien_image_decode(bytes, size, format, 0, &image, &error), &error);
    return image;
}

static void assert_decodes(const void *bytes, size_t size, mien_pixel_format format, int width,
                           int height, const uint8_t *pixels)
{
    mien_image image = decode(bytes, size, format);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    assert_memory_equal(image.data, pixels, image.stride * (size_t)height);
    mien_image_free(&image);
}

/* String literals without their zero byte. */
#define LITERAL(text) (text), sizeof(text) - 1

static void all_four_kinds_are_read(void **state)
{
    (void)state;
    const uint8_t gray[] = {0, 127, 255, 9, 10, 11};
    assert_decodes(LITERAL("P5\n3 2\n255\n\0\177\377\t\n\v"), MIEN_PIXEL_GRAY8, 3, 2, gray);
    assert_decodes(LITERAL("P2\n3 2\n255\n0 127 255\n9 10 11\n"), MIEN_PIXEL_GRAY8, 3, 2, gray);
    assert_decodes(LITERAL("P6 2 1 255\n\0\177\377\t\n\v"), MIEN_PIXEL_RGB8, 2, 1, gray);
    assert_decodes(LITERAL("P3 2 1 255 0 127 255 9 10 11"), MIEN_PIXEL_RGB8, 2, 1, gray);
    const uint8_t swapped[] = {255, 127, 0, 11, 10, 9};
    assert_decodes(LITERAL("P3 2 1 255 0 127 255 9 10 11"), MIEN_PIXEL_BGR8, 2, 1, swapped);
}

static void comments_are_skipped(void **state)
{
    (void)state;
    const uint8_t gray[] = {35, 7};
    assert_decodes(LITERAL("P5# a\n#b 9 9\r\n 2#c\n1\n# 5\n255\n#\a"), MIEN_PIXEL_GRAY8, 2, 1,
                   gray);
    assert_decodes(LITERAL("P2\n2 1 255 35 # grey\n7"), MIEN_PIXEL_GRAY8, 2, 1, gray);
}

static void every_largest_value_is_scaled(void **state)
{
    (void)state;
    assert_decodes(LITERAL("P5 2 1 65535\n\x12\xff\xff\xff"), MIEN_PIXEL_GRAY8, 2, 1,
                   (const uint8_t[]){0x12, 0xff});
    assert_decodes(LITERAL("P5 3 1 1023\n\x00\x00\x02\x00\x03\xff"), MIEN_PIXEL_GRAY8, 3, 1,
                   (const uint8_t[]){0, 128, 255}); /* 512 * 255 / 1023 = 127.6 */
    assert_decodes(LITERAL("P2 4 1 15 0 1 8 15"), MIEN_PIXEL_GRAY8, 4, 1,
                   (const uint8_t[]){0, 17, 136, 255});
    assert_decodes(LITERAL("P5 2 1 1\n\x00\x01"), MIEN_PIXEL_GRAY8, 2, 1,
                   (const uint8_t[]){0, 255});
    assert_decodes(LITERAL("P5 1 1 256\n\x00\x80"), MIEN_PIXEL_GRAY8, 1, 1, (const uint8_t[]){128});
}

static void broken_files_are_refused(void **state)
{
    (void)state;
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 "), "ends before its width");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 3"), "ends before its height");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 3 2 "), "largest value");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 3 x2 255\n"), "byte 0x78 at offset 5");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 -3 2 255\n"), "byte 0x2d");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 0 2 255\n"), "no pixels (0 x 2)");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 2 0 255\n"), "no pixels (2 x 0)");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 1 1 0\n\0"), "value 0 is not in");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 1 1 65536\n\0\0"), "65536");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 1 1 255"), "white space");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 1 1 255a"), "white space");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 3 2 255\n12345"), "need 6 bytes");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P6 3 2 999\n123456"), "there are 6");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P2 3 1 255\n1 2"), "cut short");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P2 3 1 255\n1   2 "), "next value");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P2 2 1 9\n3 10"), "10 is over");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P5 1 1 9\n\n"), "10 is over");
}

static void lying_sizes_are_refused(void **state)
{
    (void)state;
    assert_decode_fails(MIEN_LIMIT, LITERAL("P5 60000 60000 255\n"),
                        "60000 x 60000 pixels, the limit is 100000000");
    assert_decode_fails(MIEN_LIMIT, LITERAL("P5 65536 1 255\n"), "65535 pixels a side");
    assert_decode_fails(MIEN_LIMIT, LITERAL("P5 99999999999999999999999 1 255\n"), "a side");
    /* Under the cap, but far more than the file has. */
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P6 10000 10000 255\n"), "300000000");
    assert_decode_fails(MIEN_MALFORMED, LITERAL("P3 10000 10000 255\n"), "at least 599999999");
}

static void positions_are_given(void **state)
{
    (void)state;
    mien_error error;
    mien_image image;
    mien_status status =
        mien_image_decode(LITERAL("P5 3 x2 255\n"), MIEN_PIXEL_RGB8, 0, &image, &error);
    assert_int_equal(status, MIEN_MALFORMED);
    assert_int_equal(error.position, 5);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    mien_error error;
    for (mien_pixel_format format = MIEN_PIXEL_GRAY8; format <= MIEN_PIXEL_BGR8; format++) {
        mien_image image = random_picture(2, 7, 5, format);
        uint8_t *bytes;
        size_t size;
        assert_ok(image_encode_pnm(&image, &bytes, &size, &error), &error);
        assert_int_equal(bytes[1], format == MIEN_PIXEL_GRAY8 ? '5' : '6');
        mien_image again = decode(bytes, size, format);
        assert_pixels_equal(&image, &again);
        mien_image_free(&again);
        mien_image_free(&image);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_four_kinds_are_read),       cmocka_unit_test(comments_are_skipped),
        cmocka_unit_test(every_largest_value_is_scaled), cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(lying_sizes_are_refused),       cmocka_unit_test(positions_are_given),
        cmocka_unit_test(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
