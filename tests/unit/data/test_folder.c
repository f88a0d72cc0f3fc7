/* SPDX-License-Identifier: Apache-2.0 */
#include "data/dataset.h"

#include "support.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, P_tmpdir "/mien-folder-XXXXXX");
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_folder(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void write_text(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* A grey picture of 2 x 1 whose first pixel is value. */
static void write_picture(const char *name, int value)
{
    char text[64];
    snprintf(text, sizeof text, "P2 2 1 255 %d 9\n", value);
    write_text(name, text);
}

static void test_classes_and_order(void **state)
{
    (void)state;
    make_folder("sad");
    make_folder("Happy");
    make_folder("fear");
    make_folder("sad/more");
    make_folder(".hidden");
    write_picture("sad/b.pgm", 40);
    write_picture("sad/a.pgm", 30);
    write_picture("sad/more/c.pgm", 50);
    write_picture("Happy/z.pgm", 10);
    write_picture("Happy/.hidden.pgm", 99);
    write_picture(".hidden/x.pgm", 99);
    write_text("README", "beside the classes");
    dataset set;
    mien_error error;
    assert_ok(dataset_read_folder(root, MIEN_PIXEL_GRAY8, &set, &error), &error);
    assert_int_equal(set.class_count, 3);
    assert_string_equal(set.class_names[0], "Happy");
    assert_string_equal(set.class_names[1], "fear");
    assert_string_equal(set.class_names[2], "sad");
    static const int labels[] = {0, 2, 2, 2};
    assert_int_equal(set.count, 4);
    assert_int_equal(set.left_out, 0);
    for (size_t i = 0; i < set.count; i++) {
        assert_int_equal(set.samples[i].row, i);
        assert_int_equal(set.samples[i].label, labels[i]);
        assert_int_equal(set.samples[i].image.data[0], 10 + 10 * (i + (i > 0)));
        assert_null(set.samples[i].votes);
    }
    assert_non_null(strstr(set.samples[3].path, "/sad/more/c.pgm"));
    dataset_free(&set);
}

static void test_colour_and_trailing_slash(void **state)
{
    (void)state;
    make_folder("a");
    write_picture("a/x.pgm", 7);
    char path[80];
    snprintf(path, sizeof path, "%s/", root);
    dataset set;
    mien_error error;
    assert_ok(dataset_read_folder(path, MIEN_PIXEL_RGB8, &set, &error), &error);
    assert_int_equal(set.samples[0].image.format, MIEN_PIXEL_RGB8);
    assert_string_equal(set.class_names[0], "a");
    assert_null(strstr(set.samples[0].path, "//"));
    dataset_free(&set);
}

static void assert_folder_fails(const char *path, mien_status expected, const char *message)
{
    dataset set;
    mien_error error;
    assert_fails(expected, dataset_read_folder(path, MIEN_PIXEL_GRAY8, &set, &error), &error,
                 message);
    assert_null(set.samples);
}

static void test_nothing_there(void **state)
{
    (void)state;
    assert_folder_fails("no/such/folder", MIEN_NOT_FOUND, "'no/such/folder'");
    assert_folder_fails(root, MIEN_NOT_FOUND, "has no sub-folders");
    write_picture("x.pgm", 1);
    assert_folder_fails(root, MIEN_NOT_FOUND, "has no sub-folders");
    make_folder("happy");
    assert_folder_fails(root, MIEN_NOT_FOUND, "hold no pictures");
}

static void test_file_that_is_no_picture(void **state)
{
    (void)state;
    make_folder("happy");
    write_picture("happy/a.pgm", 1);
    write_text("happy/notes.txt", "hello");
    assert_folder_fails(root, MIEN_UNSUPPORTED, "happy/notes.txt'");
}

static void test_long_class_name(void **state)
{
    (void)state;
    make_folder("a-class-name-of-thirty-two-bytes");
    assert_folder_fails(root, MIEN_LIMIT, "'a-class-name-of-thirty-two-bytes' is longer than 31");
}

static void test_too_many_classes(void **state)
{
    (void)state;
    for (int i = 0; i <= DATASET_MAX_CLASSES; i++) {
        char name[8];
        snprintf(name, sizeof name, "%02d", i);
        make_folder(name);
    }
    assert_folder_fails(root, MIEN_LIMIT, "class '64' is one too many");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_classes_and_order, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_colour_and_trailing_slash, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_nothing_there, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_file_that_is_no_picture, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_long_class_name, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_too_many_classes, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
