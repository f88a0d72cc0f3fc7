/* SPDX-License-Identifier: Apache-2.0 */

/* What a run tells when its device fails, or has no more memory; on the emulated device. */

#include "device_arrays.h"
#include "emulated.h"

#include "../trainer_support.h"

#define TINY                                                                                       \
    "architecture = fcn\nheight = 8\nwidth = 8\nmien.input.format = gray\nmien.input.mean = "      \
    "127.5\nmien.input.scale = 0.0078\nbatch = 4\nepochs = 1\nrate = 0.002\nclip_norm = 1\n"       \
    "average = 0.5\nsettle = 1\n"

/* When the next device fails, and which of its allocations does; negative: none. */
static long works_left, allocations_left;

static mien_status open_failing(train_device **out, mien_error *error)
{
    mien_status status = tables_f32()->memory->open(out, error);
    if (status == MIEN_OK)
        emulated_fail_after(*out, works_left);
    return status;
}

static void close_whole(train_device *closed)
{
    if (closed != NULL)
        assert_int_equal(emulated_blocks(closed), 0);
    tables_f32()->memory->close(closed);
}

static void *allocate_failing(train_device *on, size_t bytes)
{
    if (allocations_left >= 0 && allocations_left-- == 0)
        return NULL;
    return tables_f32()->memory->allocate(on, bytes);
}

static void *allocate_host_failing(train_device *on, size_t bytes)
{
    if (allocations_left >= 0 && allocations_left-- == 0)
        return NULL;
    return tables_f32()->memory->allocate_host(on, bytes);
}

/* Trains on such a device. */
static mien_status train_failing(long works, long allocations, mien_error *error)
{
    train_memory memory = *tables_f32()->memory;
    train_backend backend = *tables_f32();
    memory.open = open_failing;
    memory.close = close_whole;
    memory.allocate = allocate_failing;
    memory.allocate_host = allocate_host_failing;
    backend.memory = &memory;
    works_left = works;
    allocations_left = allocations;
    extras.backend = &backend;
    mien_status status = train(TINY, "failing", 0, NULL, error);
    if (status != MIEN_OK)
        unlink(path_of("failing", "checkpoint.bin"));
    return status;
}

/* From the first work to one of the last: the run ends with the device's own words. */
static void test_failures_are_told(void **state)
{
    (void)state;
    mien_error error;
    long works = 0;
    while (train_failing(works, -1, &error) != MIEN_OK) {
        assert_int_equal(error.status, MIEN_IO);
        assert_non_null(strstr(error.message, "as it was told to"));
        works += 1 + works / 8;
    }
    assert_in_range(works, 300, 100000);
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    mien_error error;
    long allocations = 0;
    while (train_failing(-1, allocations, &error) != MIEN_OK) {
        assert_int_equal(error.status, MIEN_OUT_OF_MEMORY);
        allocations++;
    }
    assert_in_range(allocations, 50, 1000);
}

static int begin(void **state)
{
    int failed = make_sets(state);
    training.count = 8;
    validation.count = 4;
    return failed;
}

static int end(void **state)
{
    training.count = 280;
    validation.count = 70;
    return free_sets(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RUN(test_failures_are_told),
                                       RUN(test_every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, begin, end);
}
