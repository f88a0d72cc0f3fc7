/* SPDX-License-Identifier: Apache-2.0 */
#include "image/codec/codec.h"
#include "image/image.h"
#include "pictures.h"
#include "png_samples.h"

enum { WIDTH = 5, HEIGHT = 4 };

/* The formula of make_goldens.py. */
static int sample(int x, int y, int channel, int depth)
{
    return ((14099 * x + 9973 * y + 7777 * channel) % 65536) >> (16 - depth);
}

static uint8_t to_8_bits(int value, int depth)
{
    return (uint8_t)(depth == 16 ? value >> 8 : value * 255 / ((1 << depth) - 1));
}

static void expect_palette(const struct png_case *c, int x, int y, uint8_t rgba[4])
{
    int i = sample(x, y, 0, c->depth);
    int entries_with_alpha = (1 << c->depth) < 6 ? 1 << c->depth : 6;
    rgba[0] = (uint8_t)(37 * i);
    rgba[1] = (uint8_t)(255 - 11 * i);
    rgba[2] = (uint8_t)(i * i);
    rgba[3] = (uint8_t)(c->transparent && i < entries_with_alpha ? 255 - 40 * i : 255);
}

static void expect(const struct png_case *c, int x, int y, uint8_t rgba[4])
{
    if (c->color_type == 3) {
        expect_palette(c, x, y, rgba);
        return;
    }
    bool is_color = (c->color_type & 2) != 0;
    bool is_key_color = c->transparent;
    for (int k = 0; k < 3; k++) {
        int channel = is_color ? k : 0;
        rgba[k] = to_8_bits(sample(x, y, channel, c->depth), c->depth);
        is_key_color &= sample(x, y, channel, c->depth) == sample(1, 1, channel, c->depth);
    }
    rgba[3] = is_key_color ? 0 : 255;
    if ((c->color_type & 4) != 0)
        rgba[3] = to_8_bits(sample(x, y, is_color ? 3 : 1, c->depth), c->depth);
}

static void assert_case(const struct png_case *c, mien_pixel_format format)
{
    mien_error error;
    mien_image image = {0};
    assert_ok(mien_image_decode(c->bytes, c->size, format, 0, &image, &error), &error);
    mien_image expected = new_picture(WIDTH, HEIGHT, MIEN_PIXEL_RGBA8);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            expect(c, x, y, expected.data + 4 * (y * WIDTH + x));
    mien_image converted = new_picture(WIDTH, HEIGHT, format);
    assert_ok(image_convert(&expected, &converted, &error), &error);
    if (memcmp(image.data, converted.data, converted.stride * HEIGHT) != 0)
        fail_msg("%s as format %d differs", c->name, (int)format);
    mien_image_free(&converted);
    mien_image_free(&expected);
    mien_image_free(&image);
}

static void every_kind_of_file_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof png_cases / sizeof *png_cases; i++)
        for (mien_pixel_format format = MIEN_PIXEL_GRAY8; format <= MIEN_PIXEL_BGRA8; format++)
            assert_case(&png_cases[i], format);
}

static void no_cut_file_is_delivered(void **state)
{
    (void)state;
    /* 12 bytes of IEND, and before them the CRC of the pixels, may be missing. */
    for (size_t i = 0; i < sizeof png_cases / sizeof *png_cases; i++)
        for (size_t size = 8; size < png_cases[i].size - 17; size++) {
            uint8_t *cut = malloc(size);
            memcpy(cut, png_cases[i].bytes, size);
            mien_image image;
            assert_int_equal(mien_image_decode(cut, size, MIEN_PIXEL_RGB8, 0, &image, NULL),
                             MIEN_MALFORMED);
            free(cut);
        }
    assert_decode_fails(MIEN_MALFORMED, png_2_8, sizeof png_2_8 - 30, "PNG: end of stream");
}

static uint32_t crc(const uint8_t *bytes, size_t size)
{
    uint32_t value = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        value ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            value = (value >> 1) ^ (0xEDB88320u & (0u - (value & 1)));
    }
    return ~value;
}

static void put_32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void refuse_size(uint32_t width, uint32_t height, mien_status expected, const char *part)
{
    uint8_t file[sizeof png_2_8];
    memcpy(file, png_2_8, sizeof file);
    put_32(file + 16, width);
    put_32(file + 20, height);
    put_32(file + 29, crc(file + 12, 17));
    assert_decode_fails(expected, file, sizeof file, part);
}

static void lying_sizes_are_refused(void **state)
{
    (void)state;
    refuse_size(60000, 60000, MIEN_LIMIT, "60000 x 60000 pixels, the limit is 100000000");
    refuse_size(65536, 1, MIEN_LIMIT, "65535 pixels a side");
    refuse_size(0, 4, MIEN_MALFORMED, "no pixels");
    refuse_size(5, 0, MIEN_MALFORMED, "no pixels");
    refuse_size(0xFFFFFFFFu, 1, MIEN_MALFORMED, "2^31");
    refuse_size(5, 400, MIEN_MALFORMED, "PNG");
}

static void damage_is_found(void **state)
{
    (void)state;
    uint8_t file[sizeof png_2_8];
    memcpy(file, png_2_8, sizeof file);
    file[sizeof file - 22] ^= 0x40; /* inside the pixels */
    assert_decode_fails(MIEN_MALFORMED, file, sizeof file, "PNG");
    memcpy(file, png_2_8, sizeof file);
    file[24] = 7; /* bit depth */
    put_32(file + 29, crc(file + 12, 17));
    assert_decode_fails(MIEN_MALFORMED, file, sizeof file, "PNG");
}

/* The sample with one more chunk after its header; the checksum may be false. */
static uint8_t *with_chunk(const char *type, size_t length, bool checksum_is_right, size_t *size)
{
    *size = sizeof png_2_8 + 12 + length;
    uint8_t *file = calloc(1, *size);
    memcpy(file, png_2_8, 33);
    put_32(file + 33, (uint32_t)length);
    memcpy(file + 37, type, 4);
    put_32(file + 41 + length, crc(file + 37, length + 4) + (checksum_is_right ? 0 : 1));
    memcpy(file + 45 + length, png_2_8 + 33, sizeof png_2_8 - 33);
    return file;
}

static void texts_and_profiles_are_skipped_unread(void **state)
{
    (void)state;
    static const char *const types[] = {"tEXt", "zTXt", "iCCP", "eXIf", "sPLT", "abCd"};
    mien_error error;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t size;
        uint8_t *file = with_chunk(types[i], (size_t)9 << 16, i % 2 == 0, &size);
        mien_image image;
        assert_ok(mien_image_decode(file, size, MIEN_PIXEL_RGB8, 0, &image, &error), &error);
        assert_int_equal(image.width, WIDTH);
        mien_image_free(&image);
        free(file);
    }
}

static void strange_critical_chunks_are_refused(void **state)
{
    (void)state;
    size_t size;
    uint8_t *file = with_chunk("ABCD", 5, true, &size);
    assert_decode_fails(MIEN_MALFORMED, file, size, "PNG");
    free(file);
    file = with_chunk("ABCD", (size_t)2 << 20, true, &size);
    assert_decode_fails(MIEN_MALFORMED, file, size, "PNG");
    free(file);
    file = with_chunk("PLTE", 5, true, &size);
    assert_decode_fails(MIEN_MALFORMED, file, size, "PNG");
    free(file);
}

typedef mien_status encoder(const mien_image *image, uint8_t **bytes, size_t *size,
                            mien_error *error);

static void check_what_is_read_again(encoder *encode)
{
    mien_error error;
    for (mien_pixel_format format = MIEN_PIXEL_GRAY8; format <= MIEN_PIXEL_BGRA8; format++) {
        mien_image whole = random_picture(4, 23, 17, format);
        mien_image view;
        assert_ok(image_view(&whole, 3, 2, 19, 11, &view, &error), &error);
        uint8_t *bytes;
        size_t size;
        assert_ok(encode(&view, &bytes, &size, &error), &error);
        mien_image again = {0};
        mien_pixel_format stored = format == MIEN_PIXEL_GRAY8 ? format : MIEN_PIXEL_RGB8;
        assert_ok(mien_image_decode(bytes, size, stored, 0, &again, &error), &error);
        mien_image expected = new_picture(19, 11, stored);
        assert_ok(image_convert(&view, &expected, &error), &error);
        assert_pixels_equal(&again, &expected);
        mien_image_free(&expected);
        mien_image_free(&again);
        mien_image_free(&whole);
        free(bytes);
    }
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    check_what_is_read_again(image_encode_png);
    check_what_is_read_again(image_encode_png_fast);
}

static void wrong_encoder_arguments_are_refused(void **state)
{
    (void)state;
    mien_error error;
    mien_image image = {NULL, 1, 1, 4, MIEN_PIXEL_RGB8};
    uint8_t *bytes = (uint8_t *)&image;
    size_t size = 1;
    assert_fails(MIEN_INVALID_ARGUMENT, image_encode_png(&image, &bytes, &size, &error), &error,
                 "NULL");
    assert_null(bytes);
    assert_int_equal(size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_file_is_read),
        cmocka_unit_test(no_cut_file_is_delivered),
        cmocka_unit_test(lying_sizes_are_refused),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(texts_and_profiles_are_skipped_unread),
        cmocka_unit_test(strange_critical_chunks_are_refused),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(wrong_encoder_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
