/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures from and to files, and inputs that are no pictures. */
#include "base/file.h"
#include "pictures.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

static int make_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/mien_test_XXXXXX", parent != NULL ? parent : P_tmpdir);
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    file_list list = {0};
    file_list_add_folder(&list, folder, NULL);
    for (size_t i = 0; i < list.count; i++)
        unlink(list.paths[i]);
    file_list_free(&list);
    return rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void unknown_input_names_the_formats(void **state)
{
    (void)state;
    static const char formats[] = "JPEG, PNG, PGM (P2, P5) and PPM (P3, P6)";
    assert_decode_fails(MIEN_MALFORMED, "", 0, formats);
    assert_decode_fails(MIEN_MALFORMED, NULL, 0, "empty");
    assert_decode_fails(MIEN_UNSUPPORTED, "GIF89a", 6, formats);
    assert_decode_fails(MIEN_UNSUPPORTED, "GIF89a", 6, "47 49 46 38 39 61");
    assert_decode_fails(MIEN_UNSUPPORTED, "P", 1, formats);
    assert_decode_fails(MIEN_UNSUPPORTED, "P4 8 1 \n\n", 9, formats);
    assert_decode_fails(MIEN_UNSUPPORTED, "P\0 8 1 \n\n", 9, formats);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    mien_error error;
    mien_image image;
    assert_fails(MIEN_INVALID_ARGUMENT,
                 mien_image_decode("P5", 2, (mien_pixel_format)0, 0, &image, &error), &error,
                 "pixel format 0");
    assert_fails(MIEN_INVALID_ARGUMENT,
                 mien_image_decode("P5", 2, MIEN_PIXEL_RGB8, -5, &image, &error), &error, "-5");
    assert_int_equal(mien_image_decode("P5", 2, MIEN_PIXEL_RGB8, 0, NULL, NULL),
                     MIEN_INVALID_ARGUMENT);
    assert_fails(MIEN_INVALID_ARGUMENT, mien_image_load(NULL, MIEN_PIXEL_RGB8, 0, &image, &error),
                 &error, "path");
}

static void saved_pictures_load_again(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int tolerance;
    } files[] = {{"a.png", 0}, {"a.PPM", 0}, {"a.jpg", 3}, {"a.JPEG", 3}};
    mien_error error;
    mien_image image = new_picture(16, 16, MIEN_PIXEL_BGR8);
    for (int i = 0; i < 256; i++)
        memcpy(image.data + 3 * i, (uint8_t[]){200, 100, 50}, 3);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        mien_image again;
        assert_ok(mien_image_save(&image, path_of(files[i].name), &error), &error);
        assert_ok(mien_image_load(path_of(files[i].name), MIEN_PIXEL_BGR8, 0, &again, &error),
                  &error);
        for (int k = 0; k < 16 * 16 * 3; k++)
            assert_in_range(again.data[k] + files[i].tolerance, image.data[k],
                            image.data[k] + 2 * files[i].tolerance);
        mien_image_free(&again);
    }
    mien_image gray;
    assert_ok(mien_image_save(&image, path_of("a.pgm"), &error), &error);
    assert_ok(mien_image_load(path_of("a.pgm"), MIEN_PIXEL_GRAY8, 0, &gray, &error), &error);
    assert_int_equal(gray.data[0], 96); /* 0.299 * 50 + 0.587 * 100 + 0.114 * 200 = 96.45 */
    mien_image_free(&gray);
    mien_image_free(&image);
}

static void a_grey_picture_is_written_as_ppm(void **state)
{
    (void)state;
    mien_error error;
    mien_image gray = random_picture(3, 4, 3, MIEN_PIXEL_GRAY8);
    assert_ok(mien_image_save(&gray, path_of("gray.ppm"), &error), &error);
    uint8_t *bytes;
    size_t size;
    assert_ok(file_read(path_of("gray.ppm"), 1000, &bytes, &size, &error), &error);
    assert_memory_equal(bytes, "P6\n4 3\n255\n", 11);
    assert_int_equal(size, 11 + 4 * 3 * 3);
    free(bytes);
    mien_image_free(&gray);
}

static void load_names_the_file(void **state)
{
    (void)state;
    mien_error error;
    mien_image image;
    assert_fails(MIEN_NOT_FOUND,
                 mien_image_load(path_of("none.jpg"), MIEN_PIXEL_RGB8, 0, &image, &error), &error,
                 "none.jpg");
    assert_zeroed(&image);
    assert_ok(file_write_atomic(path_of("empty.jpg"), "", 0, &error), &error);
    assert_fails(MIEN_MALFORMED,
                 mien_image_load(path_of("empty.jpg"), MIEN_PIXEL_RGB8, 0, &image, &error), &error,
                 "empty.jpg': there is no picture");
    assert_fails(MIEN_IO, mien_image_load(folder, MIEN_PIXEL_RGB8, 0, &image, &error), &error,
                 folder);
}

static void save_fails_without_a_trace(void **state)
{
    (void)state;
    mien_error error;
    mien_image image = new_picture(2, 2, MIEN_PIXEL_RGB8);
    file_list before = {0};
    file_list after = {0};
    assert_ok(file_list_add_folder(&before, folder, &error), &error);
    assert_fails(MIEN_UNSUPPORTED, mien_image_save(&image, path_of("b.gif"), &error), &error,
                 "b.gif");
    assert_fails(MIEN_UNSUPPORTED, mien_image_save(&image, path_of("png"), &error), &error,
                 ".png, .pgm or .ppm");
    assert_fails(MIEN_IO, mien_image_save(&image, path_of("no/such/b.png"), &error), &error,
                 "no/such/b.png");
    assert_int_equal(mkdir(path_of("folder.png"), 0777), 0);
    assert_fails(MIEN_IO, mien_image_save(&image, path_of("folder.png"), &error), &error,
                 "folder.png");
    assert_int_equal(rmdir(path_of("folder.png")), 0);
    image.stride = 1;
    assert_fails(MIEN_INVALID_ARGUMENT, mien_image_save(&image, path_of("b.pgm"), &error), &error,
                 "stride of 1");
    assert_int_equal(mien_image_save(&image, NULL, NULL), MIEN_INVALID_ARGUMENT);
    assert_ok(file_list_add_folder(&after, folder, &error), &error);
    assert_int_equal(before.count, after.count);
    file_list_free(&before);
    file_list_free(&after);
    mien_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_input_names_the_formats),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(saved_pictures_load_again),
        cmocka_unit_test(a_grey_picture_is_written_as_ppm),
        cmocka_unit_test(load_names_the_file),
        cmocka_unit_test(save_fails_without_a_trace),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
