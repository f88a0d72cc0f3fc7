/* SPDX-License-Identifier: Apache-2.0 */
#include "data/sampler.h"
#include "support.h"

enum { COUNT = 1000, CLASSES = 5 };

static void take(sampler_kind kind, const int *labels, uint64_t seed, uint64_t epoch, size_t *order)
{
    mien_error error = {0};
    assert_ok(sampler_order(kind, labels, COUNT, CLASSES, seed, epoch, order, &error), &error);
}

static void in_order_is_in_order(void **state)
{
    (void)state;
    size_t order[COUNT];
    take(SAMPLER_IN_ORDER, NULL, 1, 1, order);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(order[i], i);
}

static void shuffles_take_each_once(void **state)
{
    (void)state;
    size_t order[COUNT], kept_places = 0;
    for (uint64_t epoch = 0; epoch < 20; epoch++) {
        int seen[COUNT] = {0};
        take(SAMPLER_SHUFFLED, NULL, 1, epoch, order);
        for (size_t i = 0; i < COUNT; i++) {
            assert_true(order[i] < COUNT);
            seen[order[i]]++;
            kept_places += order[i] == i;
        }
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_in_range(kept_places, 5, 45); /* one an epoch is to be expected */
}

static void orders_replay_by_seed_and_epoch(void **state)
{
    (void)state;
    int labels[COUNT];
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    size_t one[COUNT], other[COUNT];
    for (int kind = SAMPLER_SHUFFLED; kind <= SAMPLER_BALANCED; kind++) {
        take((sampler_kind)kind, labels, 7, 3, one);
        take((sampler_kind)kind, labels, 7, 3, other);
        assert_memory_equal(one, other, sizeof one);
        take((sampler_kind)kind, labels, 7, 4, other);
        assert_memory_not_equal(one, other, sizeof one);
        take((sampler_kind)kind, labels, 8, 3, other);
        assert_memory_not_equal(one, other, sizeof one);
    }
}

/* Class 0 has most samples, class 3 two, class 4 none. */
static void balanced_draws_classes_equally(void **state)
{
    (void)state;
    int labels[COUNT] = {0};
    labels[17] = labels[900] = 3;
    for (int i = 100; i < 400; i++)
        labels[i] = i % 3 == 0 ? 2 : 1;
    size_t order[COUNT], times[COUNT] = {0};
    for (uint64_t epoch = 0; epoch < 50; epoch++) {
        size_t counts[CLASSES] = {0}, of_first_half = 0;
        take(SAMPLER_BALANCED, labels, 5, epoch, order);
        for (size_t i = 0; i < COUNT; i++) {
            counts[labels[order[i]]]++;
            times[order[i]]++;
            of_first_half += i < COUNT / 2 && labels[order[i]] == 3;
        }
        for (int c = 0; c < 4; c++)
            assert_int_equal(counts[c], COUNT / 4);
        assert_int_equal(counts[4], 0);
        assert_in_range(of_first_half, 90, 160);
    }
    assert_in_range(times[17], 5800, 6700); /* half of 50 * 250 */
    for (size_t i = 0; i < COUNT; i++)
        if (labels[i] == 1)
            assert_in_range(times[i], 30, 100); /* 62.5 is to be expected */
}

static void bad_labels_are_refused(void **state)
{
    (void)state;
    mien_error error = {0};
    size_t order[3];
    const int labels[] = {0, 5, -1};
    assert_fails(MIEN_INVALID_ARGUMENT,
                 sampler_order(SAMPLER_BALANCED, labels, 3, 5, 1, 1, order, &error), &error,
                 "sample 1 has the label 5");
    assert_fails(MIEN_INVALID_ARGUMENT,
                 sampler_order(SAMPLER_BALANCED, labels, 3, 6, 1, 1, order, &error), &error,
                 "sample 2 has the label -1");
    assert_ok(sampler_order(SAMPLER_BALANCED, labels, 0, 5, 1, 1, order, &error), &error);
    assert_ok(sampler_order(SAMPLER_SHUFFLED, NULL, 0, 5, 1, 1, order, &error), &error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_is_in_order),
        cmocka_unit_test(shuffles_take_each_once),
        cmocka_unit_test(orders_replay_by_seed_and_epoch),
        cmocka_unit_test(balanced_draws_classes_equally),
        cmocka_unit_test(bad_labels_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
