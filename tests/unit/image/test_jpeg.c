/* SPDX-License-Identifier: Apache-2.0 */
#include "cmyk_samples.h"
#include "image/codec/codec.h"
#include "image/image.h"
#include "pictures.h"

/* Blocks A to F of 8 x 8 pixels and one grey level each: ABC over DEF. */
enum { BLOCK = 8 };

static uint8_t level_of(char block)
{
    return (uint8_t)(20 + 40 * (block - 'A'));
}

static mien_image blocks_picture(mien_pixel_format format)
{
    mien_image image = new_picture(3 * BLOCK, 2 * BLOCK, format);
    size_t pixel = (size_t)mien_pixel_size(format);
    for (int y = 0; y < image.height; y++)
        for (int x = 0; x < image.width; x++)
            memset(image_row(&image, y) + (size_t)x * pixel,
                   level_of("ABCDEF"[y / BLOCK * 3 + x / BLOCK]), pixel);
    return image;
}

typedef struct file_bytes {
    uint8_t *bytes;
    size_t size;
} file_bytes;

static file_bytes encode_and_free(mien_image image, int quality)
{
    mien_error error;
    file_bytes file;
    assert_ok(image_encode_jpeg(&image, quality, &file.bytes, &file.size, &error), &error);
    mien_image_free(&image);
    return file;
}

static mien_image decode(const void *bytes, size_t size, mien_pixel_format format)
{
    mien_error error;
    mien_image image = {0};
    assert_ok(mien_image_decode(bytes, size, format, 0, &image, &error), &error);
    assert_int_equal(image.format, format);
    return image;
}

static void insert(file_bytes *file, size_t offset, const uint8_t *bytes, size_t size)
{
    file->bytes = realloc(file->bytes, file->size + size);
    memmove(file->bytes + offset + size, file->bytes + offset, file->size - offset);
    memcpy(file->bytes + offset, bytes, size);
    file->size += size;
}

static void add_exif(file_bytes *file, int orientation)
{
    const uint8_t segment[] = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,
                               'M',  'M',  0, 42, 0,   0,   0,   8,   0, 1,
                               0x01, 0x12, 0, 3,  0,   0,   0,   1,   0, (uint8_t)orientation,
                               0,    0,    0, 0,  0,   0};
    insert(file, 2, segment, sizeof segment);
}

/* Rows of blocks of the upright picture, separated by '/'. */
static void assert_blocks(const mien_image *image, const char *layout)
{
    int columns = (int)strcspn(layout, "/");
    int rows = ((int)strlen(layout) + 1) / (columns + 1);
    assert_int_equal(image->width, columns * BLOCK);
    assert_int_equal(image->height, rows * BLOCK);
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            int level = level_of(layout[y / BLOCK * (columns + 1) + x / BLOCK]);
            for (int c = 0; c < mien_pixel_size(image->format) && c < 3; c++)
                assert_in_range(pixel_at(image, x, y)[c] + 2, level, level + 4);
        }
}

/* What EXIF 2.32 says of rows and columns, written down by hand. */
static const char *const upright[] = {"ABC/DEF",  "CBA/FED",  "FED/CBA",  "DEF/ABC",
                                      "AD/BE/CF", "DA/EB/FC", "FC/EB/DA", "CF/BE/AD"};

static void all_orientations_are_applied(void **state)
{
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 95);
        add_exif(&file, orientation);
        for (mien_pixel_format format = MIEN_PIXEL_GRAY8; format <= MIEN_PIXEL_BGRA8; format++) {
            mien_image image = decode(file.bytes, file.size, format);
            assert_blocks(&image, upright[orientation - 1]);
            mien_image_free(&image);
        }
        free(file.bytes);
    }
}

/* A block of 8 x 8 pixels becomes one of 8/factor x 8/factor. */
static void pictures_are_reduced_while_enough_is_left(void **state)
{
    (void)state;
    static const struct {
        int least_side, factor;
    } cases[] = {{1, 8}, {3, 8}, {4, 4}, {6, 4}, {7, 2}, {12, 2}, {13, 1}, {24, 1}, {65535, 1}};
    mien_error error;
    for (int orientation = 1; orientation <= 8; orientation++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const char *layout = upright[orientation - 1];
            int columns = (int)strcspn(layout, "/"), block = BLOCK / cases[i].factor;
            file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 95);
            add_exif(&file, orientation);
            mien_image image;
            mien_image_reduction reduction;
            assert_ok(mien_image_decode_reduced(file.bytes, file.size, MIEN_PIXEL_RGB8, 0,
                                                cases[i].least_side, &image, &reduction, &error),
                      &error);
            assert_int_equal(reduction.factor, cases[i].factor);
            assert_int_equal(reduction.full_width, columns * BLOCK);
            assert_int_equal(reduction.full_width * reduction.full_height, 6 * BLOCK * BLOCK);
            assert_int_equal(image.width, columns * block);
            assert_int_equal(image.height * image.width, 6 * block * block);
            for (int y = 0; y < image.height; y++)
                for (int x = 0; x < image.width; x++) {
                    int level = level_of(layout[y / block * (columns + 1) + x / block]);
                    assert_in_range(pixel_at(&image, x, y)[1] + 2, level, level + 4);
                }
            mien_image_free(&image);
            free(file.bytes);
        }
}

static void a_reduced_picture_obeys_the_limits_of_the_whole_one(void **state)
{
    (void)state;
    mien_error error;
    mien_image image;
    mien_image_reduction reduction = {.factor = 9};
    file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 95);
    assert_fails(MIEN_LIMIT,
                 mien_image_decode_reduced(file.bytes, file.size, MIEN_PIXEL_RGB8, 24 * 16 - 1, 1,
                                           &image, &reduction, &error),
                 &error, "the limit is 383 pixels");
    assert_int_equal(reduction.factor, 0);
    assert_null(image.data);
    image = (mien_image){.width = 9};
    reduction.factor = 9;
    assert_fails(MIEN_INVALID_ARGUMENT,
                 mien_image_decode_reduced(file.bytes, file.size, MIEN_PIXEL_RGB8, 0, 0, &image,
                                           &reduction, &error),
                 &error, "longer side of 0 pixels");
    assert_int_equal(image.width, 0);
    assert_int_equal(reduction.factor, 0);
    free(file.bytes);
}

static void the_first_orientation_counts(void **state)
{
    (void)state;
    file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 95);
    add_exif(&file, 1);
    add_exif(&file, 6);
    mien_image image = decode(file.bytes, file.size, MIEN_PIXEL_RGB8);
    assert_blocks(&image, upright[5]);
    mien_image_free(&image);
    free(file.bytes);
}

static void grey_files_give_every_format(void **state)
{
    (void)state;
    file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_GRAY8), 95);
    for (mien_pixel_format format = MIEN_PIXEL_GRAY8; format <= MIEN_PIXEL_BGRA8; format++) {
        mien_image image = decode(file.bytes, file.size, format);
        assert_blocks(&image, "ABC/DEF");
        mien_image_free(&image);
    }
    free(file.bytes);
}

static void colours_come_in_the_wanted_order(void **state)
{
    (void)state;
    mien_image blue = new_picture(9, 7, MIEN_PIXEL_BGRA8);
    for (int i = 0; i < 9 * 7; i++)
        memcpy(blue.data + 4 * i, (uint8_t[]){230, 40, 20, 0}, 4);
    file_bytes file = encode_and_free(blue, 95);
    static const uint8_t expected[][4] = {[MIEN_PIXEL_RGB8] = {20, 40, 230},
                                          [MIEN_PIXEL_BGR8] = {230, 40, 20},
                                          [MIEN_PIXEL_RGBA8] = {20, 40, 230, 255},
                                          [MIEN_PIXEL_BGRA8] = {230, 40, 20, 255}};
    for (mien_pixel_format format = MIEN_PIXEL_RGB8; format <= MIEN_PIXEL_BGRA8; format++) {
        mien_image image = decode(file.bytes, file.size, format);
        for (int c = 0; c < mien_pixel_size(format); c++)
            assert_in_range(pixel_at(&image, 4, 3)[c] + 2, expected[format][c],
                            expected[format][c] + 4);
        mien_image_free(&image);
    }
    free(file.bytes);
}

/* The grey of a colour file is the conversion of its RGB, not the decoder's own luma. */
static void grey_equals_the_converted_colours(void **state)
{
    (void)state;
    mien_error error;
    file_bytes file = encode_and_free(random_picture(3, 33, 21, MIEN_PIXEL_RGB8), 60);
    mien_image gray = decode(file.bytes, file.size, MIEN_PIXEL_GRAY8);
    mien_image color = decode(file.bytes, file.size, MIEN_PIXEL_RGB8);
    mien_image converted = new_picture(33, 21, MIEN_PIXEL_GRAY8);
    assert_ok(image_convert(&color, &converted, &error), &error);
    assert_pixels_equal(&gray, &converted);
    mien_image_free(&gray);
    mien_image_free(&color);
    mien_image_free(&converted);
    free(file.bytes);
}

static void assert_cmyk(const uint8_t *bytes, size_t size, int tolerance)
{
    /* (255 - ink) * (255 - key) / 255 */
    static const int expected[2][3] = {{225, 49, 93}, {135, 235, 255}};
    mien_image image = decode(bytes, size, MIEN_PIXEL_RGB8);
    assert_int_equal(image.width, 16);
    assert_int_equal(image.height, 8);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 16; x++)
            for (int c = 0; c < 3; c++)
                assert_in_range(pixel_at(&image, x, y)[c] + tolerance, expected[x / 8][c],
                                expected[x / 8][c] + 2 * tolerance);
    mien_image_free(&image);
}

static void cmyk_becomes_rgb(void **state)
{
    (void)state;
    assert_cmyk(cmyk_adobe, sizeof cmyk_adobe, 2);
    assert_cmyk(ycck_adobe, sizeof ycck_adobe, 3);
    assert_cmyk(cmyk_plain, sizeof cmyk_plain, 2);
}

static void no_cut_file_is_delivered(void **state)
{
    (void)state;
    file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 90);
    for (size_t size = 3; size < file.size; size++) {
        uint8_t *cut = malloc(size);
        memcpy(cut, file.bytes, size);
        assert_decode_fails(MIEN_MALFORMED, cut, size, "JPEG");
        free(cut);
    }
    assert_decode_fails(MIEN_MALFORMED, file.bytes, file.size - 2, "Premature end");
    assert_decode_fails(MIEN_MALFORMED, file.bytes, 3, "before the size");
    free(file.bytes);
}

static size_t find_marker(const file_bytes *file, uint8_t marker)
{
    for (size_t i = 0; i + 1 < file->size; i++)
        if (file->bytes[i] == 0xFF && file->bytes[i + 1] == marker)
            return i;
    fail();
    return 0;
}

static void stray_bytes_are_tolerated_in_whole_files_only(void **state)
{
    (void)state;
    file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 95);
    insert(&file, find_marker(&file, 0xDB), (const uint8_t[]){0, 1, 2}, 3);
    mien_image image = decode(file.bytes, file.size, MIEN_PIXEL_RGB8);
    assert_blocks(&image, "ABC/DEF");
    mien_image_free(&image);
    assert_decode_fails(MIEN_MALFORMED, file.bytes, file.size - 2, "JPEG");
    free(file.bytes);
}

static void bytes_after_the_end_do_no_harm(void **state)
{
    (void)state;
    file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 95);
    insert(&file, file.size, (const uint8_t *)"trailing", 8);
    mien_image image = decode(file.bytes, file.size, MIEN_PIXEL_RGB8);
    assert_blocks(&image, "ABC/DEF");
    mien_image_free(&image);
    free(file.bytes);
}

static void patch_size(file_bytes *file, unsigned width, unsigned height)
{
    uint8_t *frame = file->bytes + find_marker(file, 0xC0);
    frame[5] = (uint8_t)(height >> 8);
    frame[6] = (uint8_t)height;
    frame[7] = (uint8_t)(width >> 8);
    frame[8] = (uint8_t)width;
}

static void lying_sizes_are_refused(void **state)
{
    (void)state;
    file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 95);
    patch_size(&file, 60000, 60000);
    assert_decode_fails(MIEN_LIMIT, file.bytes, file.size, "60000 x 60000");
    assert_decode_fails(MIEN_LIMIT, file.bytes, file.size, "100000000");
    patch_size(&file, 65535, 1);
    assert_decode_fails(MIEN_LIMIT, file.bytes, file.size, "65500");
    patch_size(&file, 0, 16);
    assert_decode_fails(MIEN_MALFORMED, file.bytes, file.size, "no pixels (0 x 16)");
    patch_size(&file, 24, 0);
    assert_decode_fails(MIEN_MALFORMED, file.bytes, file.size, "no pixels (24 x 0)");
    patch_size(&file, 24, 32);
    assert_decode_fails(MIEN_MALFORMED, file.bytes, file.size, "JPEG");
    free(file.bytes);
}

static void the_cap_is_the_callers(void **state)
{
    (void)state;
    mien_error error;
    mien_image image;
    file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 95);
    mien_status status =
        mien_image_decode(file.bytes, file.size, MIEN_PIXEL_RGB8, 24 * 16 - 1, &image, &error);
    assert_fails(MIEN_LIMIT, status, &error, "the limit is 383 pixels");
    assert_ok(mien_image_decode(file.bytes, file.size, MIEN_PIXEL_RGB8, 24 * 16, &image, &error),
              &error);
    mien_image_free(&image);
    free(file.bytes);
}

static void twelve_bit_files_are_unsupported(void **state)
{
    (void)state;
    file_bytes file = encode_and_free(blocks_picture(MIEN_PIXEL_RGB8), 95);
    file.bytes[find_marker(&file, 0xC0) + 4] = 12;
    assert_decode_fails(MIEN_UNSUPPORTED, file.bytes, file.size, "precision 12");
    free(file.bytes);
}

static void wrong_encoder_arguments_are_refused(void **state)
{
    (void)state;
    mien_error error;
    uint8_t pixel[4] = {0};
    uint8_t *bytes = pixel;
    size_t size = 1;
    mien_image image = {pixel, 1, 1, 4, MIEN_PIXEL_RGB8};
    assert_fails(MIEN_INVALID_ARGUMENT, image_encode_jpeg(&image, 101, &bytes, &size, &error),
                 &error, "quality 101");
    assert_null(bytes);
    assert_int_equal(size, 0);
    mien_image wide = {pixel, 65501, 1, 65501, MIEN_PIXEL_GRAY8};
    assert_fails(MIEN_LIMIT, image_encode_jpeg(&wide, 90, &bytes, &size, &error), &error, "65501");
    image.data = NULL;
    assert_fails(MIEN_INVALID_ARGUMENT, image_encode_jpeg(&image, 90, &bytes, &size, &error),
                 &error, "NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_orientations_are_applied),
        cmocka_unit_test(the_first_orientation_counts),
        cmocka_unit_test(pictures_are_reduced_while_enough_is_left),
        cmocka_unit_test(a_reduced_picture_obeys_the_limits_of_the_whole_one),
        cmocka_unit_test(grey_files_give_every_format),
        cmocka_unit_test(colours_come_in_the_wanted_order),
        cmocka_unit_test(grey_equals_the_converted_colours),
        cmocka_unit_test(cmyk_becomes_rgb),
        cmocka_unit_test(no_cut_file_is_delivered),
        cmocka_unit_test(stray_bytes_are_tolerated_in_whole_files_only),
        cmocka_unit_test(bytes_after_the_end_do_no_harm),
        cmocka_unit_test(lying_sizes_are_refused),
        cmocka_unit_test(the_cap_is_the_callers),
        cmocka_unit_test(twelve_bit_files_are_unsupported),
        cmocka_unit_test(wrong_encoder_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
