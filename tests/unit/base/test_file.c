/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

/* Each test has an empty folder of its own. */
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
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

/* Valid until eight more calls. */
static const char *path_of(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    mien_error error;
    assert_ok(file_write_atomic(path_of(name), text, strlen(text), &error), &error);
}

static void assert_content(const char *name, const char *text)
{
    mien_error error;
    uint8_t *bytes;
    size_t size;
    assert_ok(file_read(path_of(name), 1000, &bytes, &size, &error), &error);
    assert_int_equal(size, strlen(text));
    assert_string_equal((const char *)bytes, text);
    free(bytes);
}

static void assert_file_count(size_t count)
{
    mien_error error;
    file_list list = {0};
    assert_ok(file_list_add_folder(&list, folder, &error), &error);
    assert_int_equal(list.count, count);
    file_list_free(&list);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    put("a", "first");
    assert_content("a", "first");
    put("a", "");
    assert_content("a", "");
    assert_file_count(1);
}

static void new_files_have_the_usual_rights(void **state)
{
    (void)state;
    mode_t mask = umask(027);
    put("a", "text");
    struct stat info;
    assert_int_equal(stat(path_of("a"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(umask(mask), 027);
}

static void refuse_read(const char *path, size_t max_bytes, mien_status expected, const char *part)
{
    mien_error error;
    uint8_t *bytes = (uint8_t *)folder;
    size_t size = 1;
    assert_fails(expected, file_read(path, max_bytes, &bytes, &size, &error), &error, part);
    assert_null(bytes);
    assert_int_equal(size, 0);
}

static void unreadable_files_are_named(void **state)
{
    (void)state;
    put("a", "text");
    refuse_read(path_of("none"), 10, MIEN_NOT_FOUND, "none");
    refuse_read(path_of("a/b"), 10, MIEN_NOT_FOUND, "a/b");
    refuse_read(folder, 10, MIEN_IO, folder);
}

static void the_size_limit_holds(void **state)
{
    (void)state;
    mien_error error;
    uint8_t *bytes;
    size_t size;
    put("ten", "0123456789");
    assert_ok(file_read(path_of("ten"), 10, &bytes, &size, &error), &error);
    assert_int_equal(size, 10);
    assert_int_equal(bytes[10], 0);
    free(bytes);
    refuse_read(path_of("ten"), 9, MIEN_LIMIT, "has 10 bytes, the limit is 9");
}

/* A pipe that holds size bytes, closed at its far end. */
static int pipe_with(size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char byte = 'p';
    for (size_t i = 0; i < size; i++)
        assert_int_equal(write(ends[1], &byte, 1), 1);
    close(ends[1]);
    return ends[0];
}

static void pipes_are_read_to_their_end(void **state)
{
    (void)state;
    mien_error error;
    uint8_t *bytes;
    size_t size;
    int descriptor = pipe_with(5000);
    assert_ok(file_read_descriptor(descriptor, "pipe", 5000, &bytes, &size, &error), &error);
    assert_int_equal(size, 5000);
    assert_int_equal(bytes[4999], 'p');
    free(bytes);
    close(descriptor);
    descriptor = pipe_with(5000);
    assert_fails(MIEN_LIMIT,
                 file_read_descriptor(descriptor, "the pipe", 4999, &bytes, &size, &error), &error,
                 "'the pipe' has more than 4999 bytes");
    assert_null(bytes);
    close(descriptor);
}

static void input_of_unknown_length_grows(void **state)
{
    (void)state;
    mien_error error;
    uint8_t *bytes;
    size_t size;
    int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_true(zeros >= 0);
    assert_fails(MIEN_LIMIT, file_read_descriptor(zeros, "zeros", 1000000, &bytes, &size, &error),
                 &error, "more than 1000000 bytes");
    close(zeros);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    mien_error error;
    put("a", "old");
    struct rlimit usual;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    struct rlimit tiny = {100, usual.rlim_max};
    void (*usual_action)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    char text[1000] = "new";
    mien_status status = file_write_atomic(path_of("a"), text, sizeof text, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    signal(SIGXFSZ, usual_action);
    assert_fails(MIEN_IO, status, &error, path_of("a"));
    assert_content("a", "old");
    assert_file_count(1);
}

static void a_folder_in_the_way_stays(void **state)
{
    (void)state;
    mien_error error;
    assert_int_equal(mkdir(path_of("a"), 0777), 0);
    put("a/b", "inside");
    assert_fails(MIEN_IO, file_write_atomic(path_of("a"), "x", 1, &error), &error, path_of("a"));
    assert_fails(MIEN_IO, file_write_atomic(path_of("none/b"), "x", 1, &error), &error, "none/b");
    assert_content("a/b", "inside");
    assert_file_count(1);
}

static void folders_and_files_are_told_apart(void **state)
{
    (void)state;
    put("a", "");
    assert_true(file_is_folder(folder));
    assert_false(file_is_folder(path_of("a")));
    assert_false(file_is_folder(path_of("none")));
    assert_true(file_exists(path_of("a")));
    assert_true(file_exists(folder));
    assert_false(file_exists(path_of("none")));
}

static void a_folder_is_listed_in_order(void **state)
{
    (void)state;
    mien_error error;
    assert_int_equal(mkdir(path_of("b"), 0777), 0);
    assert_int_equal(mkdir(path_of("b/deep"), 0777), 0);
    assert_int_equal(mkdir(path_of(".hidden"), 0777), 0);
    static const char *const names[] = {"z", "b/deep/1", "b-", "B", "a10", "a9", "b/2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put(names[i], "x");
    put(".hidden/x", "x");
    put(".x", "x");
    assert_int_equal(symlink(folder, path_of("loop")), 0);
    assert_int_equal(symlink("a9", path_of("link")), 0);
    assert_int_equal(symlink("none", path_of("dangling")), 0);
    static const char *const expected[] = {"B", "a10", "a9", "b-", "b/2", "b/deep/1", "link", "z"};
    file_list list = {0};
    assert_ok(file_list_add(&list, "zz before", &error), &error);
    assert_ok(file_list_add_folder(&list, folder, &error), &error);
    assert_int_equal(list.count, 1 + sizeof expected / sizeof *expected);
    assert_string_equal(list.paths[0], "zz before");
    for (size_t i = 1; i < list.count; i++)
        assert_string_equal(list.paths[i], path_of(expected[i - 1]));
    file_list_free(&list);
    assert_null(list.paths);
    assert_int_equal(list.count, 0);
}

static void a_slash_at_the_end_is_not_doubled(void **state)
{
    (void)state;
    mien_error error;
    put("a", "x");
    file_list list = {0};
    assert_ok(file_list_add_folder(&list, path_of(""), &error), &error);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.paths[0], path_of("a"));
    file_list_free(&list);
}

static void what_cannot_be_listed_costs_nothing_else(void **state)
{
    (void)state;
    mien_error error;
    file_list list = {0};
    assert_ok(file_list_add(&list, "kept", &error), &error);
    assert_fails(MIEN_NOT_FOUND, file_list_add_folder(&list, path_of("none"), &error), &error,
                 "none");
    put("a", "x");
    assert_fails(MIEN_IO, file_list_add_folder(&list, path_of("a"), &error), &error, path_of("a"));
    char deep[300] = "0";
    for (int i = 0; i < 40; i++) {
        assert_int_equal(mkdir(path_of(deep), 0777), 0);
        strcat(deep, "/d");
    }
    assert_fails(MIEN_LIMIT, file_list_add_folder(&list, folder, &error), &error, "folders deep");
    assert_int_equal(list.count, 2);
    assert_string_equal(list.paths[0], "kept");
    assert_string_equal(list.paths[1], path_of("a"));
    file_list_free(&list);
}

static void names_and_extensions_are_found(void **state)
{
    (void)state;
    assert_string_equal(file_name("a/b/c.png"), "c.png");
    assert_string_equal(file_name("c.png"), "c.png");
    assert_string_equal(file_name("a/"), "");
    assert_string_equal(file_extension("a.b/c.tar.gz"), "gz");
    assert_string_equal(file_extension("a.b/c"), "");
    assert_string_equal(file_extension("a/.hidden"), "");
    assert_string_equal(file_extension("a."), "");
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_written_is_read),
        IN_FOLDER(new_files_have_the_usual_rights),
        IN_FOLDER(unreadable_files_are_named),
        IN_FOLDER(the_size_limit_holds),
        cmocka_unit_test(pipes_are_read_to_their_end),
        cmocka_unit_test(input_of_unknown_length_grows),
        IN_FOLDER(a_failed_write_leaves_the_old_file),
        IN_FOLDER(a_folder_in_the_way_stays),
        IN_FOLDER(folders_and_files_are_told_apart),
        IN_FOLDER(a_folder_is_listed_in_order),
        IN_FOLDER(a_slash_at_the_end_is_not_doubled),
        IN_FOLDER(what_cannot_be_listed_costs_nothing_else),
        cmocka_unit_test(names_and_extensions_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
