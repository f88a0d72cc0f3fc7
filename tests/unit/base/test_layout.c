/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "base/layout.h"
#include "base/memory.h"

#include <stdint.h>

static size_t place(layout_item *items, size_t count)
{
    size_t total;
    mien_error error;
    assert_ok(layout_place(items, count, &total, &error), &error);
    return total;
}

static bool overlap(const layout_item *a, const layout_item *b)
{
    return a->first <= b->last && b->first <= a->last && a->offset < b->offset + b->bytes &&
           b->offset < a->offset + a->bytes;
}

/* A chain in which each link lives with its neighbours alone takes the two largest neighbours. */
static void test_a_chain(void **state)
{
    (void)state;
    layout_item items[] = {{640, 0, 1, 0}, {64, 1, 2, 0}, {1280, 2, 3, 0}, {1, 3, 4, 0}};
    assert_int_equal(place(items, 4), 1280 + 64);
    assert_int_equal(items[2].offset, 0);
    assert_int_equal(items[3].bytes, MEMORY_ALIGNMENT);
}

static void test_what_lives_together_lies_apart(void **state)
{
    (void)state;
    enum { COUNT = 60 };
    test_random random = {7};
    for (int round = 0; round < 50; round++) {
        layout_item items[COUNT];
        size_t sum = 0;
        for (int i = 0; i < COUNT; i++) {
            int first = test_random_int(&random, 0, 20);
            items[i] = (layout_item){.bytes = (size_t)test_random_int(&random, 0, 5000),
                                     .first = first,
                                     .last = first + test_random_int(&random, 0, 6)};
        }
        size_t total = place(items, COUNT);
        for (int i = 0; i < COUNT; i++) {
            sum += items[i].bytes;
            assert_true(items[i].offset % MEMORY_ALIGNMENT == 0);
            assert_true(items[i].offset + items[i].bytes <= total);
            for (int j = 0; j < i; j++)
                assert_false(overlap(&items[i], &items[j]));
        }
        assert_true(total < sum);
    }
}

static void test_limits(void **state)
{
    (void)state;
    size_t total;
    mien_error error;
    layout_item items[] = {{SIZE_MAX / 2, 0, 1, 0}, {SIZE_MAX / 2, 1, 2, 0}, {99, 0, 0, 0}};
    assert_int_equal(place(NULL, 0), 0);
    assert_fails(MIEN_LIMIT, layout_place(items, 3, &total, &error), &error, "memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_chain),
        cmocka_unit_test(test_what_lives_together_lies_apart),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
