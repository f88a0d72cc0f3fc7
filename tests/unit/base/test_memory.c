/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "support.h"

/* AddressSanitizer asks for it: an allocation that is too large is to return NULL, as without. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void sizes_are_checked(void **state)
{
    (void)state;
    size_t result = 0;
    assert_true(size_multiply(6, 7, &result));
    assert_int_equal(result, 42);
    assert_true(size_multiply(SIZE_MAX, 0, &result));
    assert_int_equal(result, 0);
    assert_false(size_multiply(SIZE_MAX / 2 + 1, 2, &result));
    assert_true(size_add(SIZE_MAX - 1, 1, &result));
    assert_true(result == SIZE_MAX);
    assert_false(size_add(SIZE_MAX, 1, &result));
}

static void zeroed_memory_is_zero(void **state)
{
    (void)state;
    uint8_t *bytes = memory_zeroed(100, 3);
    assert_non_null(bytes);
    for (int i = 0; i < 300; i++)
        assert_int_equal(bytes[i], 0);
    free(bytes);
    void *nothing = memory_zeroed(0, 8);
    assert_non_null(nothing);
    free(nothing);
    /* volatile: the compiler would warn of the size that is to be refused. */
    volatile size_t huge = SIZE_MAX / 2;
    assert_null(memory_zeroed(huge, 4));
}

static void aligned_memory_is_aligned(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 300; bytes += 37) {
        void *memory = memory_aligned(bytes);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % MEMORY_ALIGNMENT, 0);
        memset(memory, 1, bytes);
        free(memory);
    }
    volatile size_t huge = SIZE_MAX;
    assert_null(memory_aligned(huge));
}

static void strings_are_copied(void **state)
{
    (void)state;
    char *copy = memory_copy_string("mien");
    assert_string_equal(copy, "mien");
    free(copy);
    copy = memory_copy_bytes_as_string("mien", 2);
    assert_string_equal(copy, "mi");
    free(copy);
    copy = memory_copy_bytes_as_string(NULL, 0);
    assert_string_equal(copy, "");
    free(copy);
    volatile size_t huge = SIZE_MAX;
    assert_null(memory_copy_bytes_as_string("mien", huge));
}

static void arrays_grow_and_keep_their_items(void **state)
{
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    for (size_t count = 0; count < 1000; count++) {
        void *grown = items;
        assert_true(memory_grow(&grown, count, &capacity, sizeof *items));
        items = grown;
        assert_true(capacity > count);
        items[count] = (int)count;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_true(capacity <= 2048);
    free(items);
}

static void growing_too_far_changes_nothing(void **state)
{
    (void)state;
    int item = 5;
    void *items = &item;
    size_t capacity = SIZE_MAX / 4;
    assert_false(memory_grow(&items, capacity, &capacity, sizeof item));
    assert_ptr_equal(items, &item);
    assert_true(capacity == SIZE_MAX / 4);
    capacity = SIZE_MAX - 1;
    assert_false(memory_grow(&items, capacity, &capacity, 1));
    assert_ptr_equal(items, &item);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(zeroed_memory_is_zero),
        cmocka_unit_test(aligned_memory_is_aligned),
        cmocka_unit_test(strings_are_copied),
        cmocka_unit_test(arrays_grow_and_keep_their_items),
        cmocka_unit_test(growing_too_far_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
