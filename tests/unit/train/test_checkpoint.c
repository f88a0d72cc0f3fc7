/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "train/checkpoint.h"

#include <sys/stat.h>
#include <unistd.h>

enum { IDENTITY = 77, FLOATS = 5 };

typedef struct numbers {
    float floats[FLOATS];
    int64_t counter;
} numbers;

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/mien-checkpoint-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path_of("run"));
    return rmdir(folder);
}

static const numbers written = {{1.5f, -2, 0, 1e-30f, 7}, 123456789};

/* The third array is empty, as an optimiser without state has it. */
static mien_status transfer(numbers *n, uint64_t identity, bool write, mien_error *error)
{
    const checkpoint_array arrays[] = {
        {n->floats, sizeof n->floats}, {&n->counter, sizeof n->counter}, {NULL, 0}};
    return write ? checkpoint_write(path_of("run"), identity, arrays, 3, error)
                 : checkpoint_read(path_of("run"), identity, arrays, 3, error);
}

static void write_good(void)
{
    numbers n = written;
    mien_error error;
    assert_ok(transfer(&n, IDENTITY, true, &error), &error);
}

static void assert_refused(uint64_t identity, mien_status expected, const char *part)
{
    numbers n = {{9, 9, 9, 9, 9}, 9};
    mien_error error;
    assert_fails(expected, transfer(&n, identity, false, &error), &error, part);
    assert_true(n.counter == 9 && n.floats[0] == 9 && n.floats[FLOATS - 1] == 9);
}

static void test_round_trip(void **state)
{
    (void)state;
    numbers n = {{0}, 0};
    mien_error error;
    write_good();
    assert_ok(transfer(&n, IDENTITY, false, &error), &error);
    assert_memory_equal(&n, &written, sizeof n);
}

static void test_missing(void **state)
{
    (void)state;
    unlink(path_of("run"));
    assert_refused(IDENTITY, MIEN_NOT_FOUND, "run");
}

static void test_another_run(void **state)
{
    (void)state;
    numbers n = written;
    mien_error error;
    const checkpoint_array fewer[] = {{n.floats, sizeof n.floats}};
    write_good();
    assert_refused(IDENTITY + 1, MIEN_MALFORMED, "another recipe");
    assert_fails(MIEN_MALFORMED, checkpoint_read(path_of("run"), IDENTITY, fewer, 1, &error),
                 &error, "another recipe");
}

static size_t load(unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path_of("run"), "rb");
    assert_non_null(file);
    size_t read = fread(bytes, 1, size, file);
    fclose(file);
    return read;
}

static void store(const unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path_of("run"), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void test_every_damaged_byte_is_seen(void **state)
{
    (void)state;
    unsigned char bytes[256];
    write_good();
    size_t size = load(bytes, sizeof bytes);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x10;
        store(bytes, size);
        assert_refused(IDENTITY, MIEN_MALFORMED, path_of("run"));
        bytes[i] ^= 0x10;
    }
}

static void test_every_truncation_is_seen(void **state)
{
    (void)state;
    unsigned char bytes[256] = {0};
    write_good();
    size_t size = load(bytes, sizeof bytes);
    for (size_t shorter = 0; shorter < size; shorter++) {
        store(bytes, shorter);
        assert_refused(IDENTITY, MIEN_MALFORMED, path_of("run"));
    }
    store(bytes, size + 1);
    assert_refused(IDENTITY, MIEN_MALFORMED, path_of("run"));
}

/* A write that cannot be done leaves the old file. */
static void test_failed_writes_leave_the_old_file(void **state)
{
    (void)state;
    numbers n = {{3}, 4};
    mien_error error;
    const checkpoint_array array = {&n, sizeof n};
    assert_fails(MIEN_IO, checkpoint_write(path_of("no/such"), IDENTITY, &array, 1, &error), &error,
                 "no");
    write_good();
    if (geteuid() != 0) {
        assert_int_equal(chmod(folder, 0500), 0);
        assert_int_equal(transfer(&n, IDENTITY, true, &error), MIEN_IO);
        assert_int_equal(chmod(folder, 0700), 0);
    }
    assert_ok(transfer(&n, IDENTITY, false, &error), &error);
    assert_memory_equal(&n, &written, sizeof n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_another_run),
        cmocka_unit_test(test_every_damaged_byte_is_seen),
        cmocka_unit_test(test_every_truncation_is_seen),
        cmocka_unit_test(test_failed_writes_leave_the_old_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
