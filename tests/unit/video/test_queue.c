/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"
#include "video/clock.h"
#include "video/queue.h"

#include <math.h>
#include <pthread.h>

static queue *make(size_t capacity)
{
    queue *q;
    mien_error error;
    assert_ok(queue_create(capacity, &q, &error), &error);
    return q;
}

static void test_order(void **state)
{
    (void)state;
    int items[8];
    queue *q = make(3);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            assert_true(queue_push(q, &items[round + i]));
        for (int i = 0; i < 2; i++)
            assert_ptr_equal(queue_pop(q, 0), &items[round + i]);
        assert_ptr_equal(queue_pop(q, INFINITY), &items[round + 2]);
    }
    for (int i = 0; i < 3; i++)
        assert_true(queue_push(q, &items[i]));
    assert_ptr_equal(queue_pop_newest(q, 0), &items[2]);
    assert_ptr_equal(queue_pop(q, 0), &items[0]);
    queue_free(q);
}

static void test_the_oldest_goes(void **state)
{
    (void)state;
    int items[5];
    void *oldest;
    queue *q = make(2);
    for (int i = 0; i < 5; i++) {
        assert_true(queue_push_over(q, &items[i], &oldest));
        assert_ptr_equal(oldest, i < 2 ? NULL : &items[i - 2]);
    }
    assert_ptr_equal(queue_pop(q, 0), &items[3]);
    assert_ptr_equal(queue_pop(q, 0), &items[4]);
    queue_free(q);
}

static void test_waiting_ends(void **state)
{
    (void)state;
    queue *q = make(1);
    double start_s = clock_now_s();
    assert_null(queue_pop(q, -1));
    assert_null(queue_pop(q, 0.02));
    assert_true(clock_now_s() - start_s >= 0.02);
    queue_free(q);
}

static void test_closed(void **state)
{
    (void)state;
    int item;
    void *oldest = &item;
    queue *q = make(1);
    assert_true(queue_push(q, &item));
    queue_close(q);
    assert_false(queue_push(q, &item));
    assert_false(queue_push_over(q, &item, &oldest));
    assert_null(oldest);
    assert_null(queue_pop(q, INFINITY));
    assert_null(queue_pop_newest(q, INFINITY));
    queue_free(q);
}

static void *push_one(void *argument)
{
    static int item;
    return queue_push(argument, &item) ? &item : NULL;
}

/* Who waits for room gets it, or is told that there will be none. */
static void test_waiting_for_room(void **state)
{
    (void)state;
    for (int close = 0; close < 2; close++) {
        int first;
        pthread_t thread;
        void *pushed;
        queue *q = make(1);
        assert_true(queue_push(q, &first));
        assert_int_equal(pthread_create(&thread, NULL, push_one, q), 0);
        clock_sleep(0.01);
        if (close == 1)
            queue_close(q);
        else
            assert_ptr_equal(queue_pop(q, 0), &first);
        pthread_join(thread, &pushed);
        assert_true((pushed == NULL) == (close == 1));
        queue_free(q);
    }
}

static void *consume(void *argument)
{
    queue *q = argument;
    uintptr_t sum = 0;
    for (int *item = queue_pop(q, INFINITY); item != NULL && *item >= 0;
         item = queue_pop(q, INFINITY))
        sum = sum * 31 + (uintptr_t)*item;
    return (void *)sum;
}

static void test_two_threads(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static int items[COUNT + 1];
    pthread_t thread;
    queue *q = make(3);
    uintptr_t expected = 0;
    void *got;
    assert_int_equal(pthread_create(&thread, NULL, consume, q), 0);
    for (int i = 0; i < COUNT; i++) {
        items[i] = i % 7;
        expected = expected * 31 + (uintptr_t)items[i];
        assert_true(queue_push(q, &items[i]));
    }
    items[COUNT] = -1;
    assert_true(queue_push(q, &items[COUNT]));
    pthread_join(thread, &got);
    assert_true((uintptr_t)got == expected);
    queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_the_oldest_goes),
        cmocka_unit_test(test_waiting_ends),
        cmocka_unit_test(test_closed),
        cmocka_unit_test(test_waiting_for_room),
        cmocka_unit_test(test_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
