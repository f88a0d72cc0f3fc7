/* SPDX-License-Identifier: Apache-2.0 */

/* Fails each allocation in turn; the linker leads the allocating functions here. */

#include "support.h"

#include "cascades.h"
#include "detect/decode.h"

#include <stdatomic.h>

static int allocations_left = -1; /* -1: never fails */
static atomic_int allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool fails_now(void)
{
    allocations++;
    if (allocations_left > 0)
        allocations_left--;
    return allocations_left == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails_now() ? NULL : __real_realloc(memory, size);
}

static void reading_survives_every_failed_allocation(void **state)
{
    (void)state;
    for (int first = 1; first < 1000; first++) {
        cascade *model;
        mien_error error;
        allocations_left = first;
        mien_status status =
            cascade_read(small_cascade, strlen(small_cascade), "small", &model, &error);
        bool reached = allocations_left == 0;
        allocations_left = -1;
        if (status == MIEN_OK)
            cascade_free(model);
        else
            assert_fails(MIEN_OUT_OF_MEMORY, status, &error, "out of memory");
        if (!reached) {
            assert_int_equal(status, MIEN_OK);
            assert_in_range(first, 5, 100);
            return;
        }
        assert_int_equal(status, MIEN_OUT_OF_MEMORY);
    }
    fail();
}

static void detecting_survives_every_failed_allocation(void **state)
{
    (void)state;
    mien_error error;
    cascade *model;
    assert_ok(read_opencv_cascade("smile", &model, &error), &error);
    mien_image picture = read_astronaut();
    cascade_options options = {.scale_factor = 1.5, .min_neighbours = 1};
    for (int first = 1; first < 1000; first++) {
        face_list list = {0};
        face_box before = {.x = 1};
        assert_true(face_list_add(&list, &before));
        allocations_left = first;
        mien_status status = cascade_detect(model, &picture, &options, &list, &error);
        bool reached = allocations_left == 0;
        allocations_left = -1;
        assert_int_equal(status, reached ? MIEN_OUT_OF_MEMORY : MIEN_OK);
        assert_true(reached ? list.count == 1 : list.count > 1);
        face_list_free(&list);
        if (!reached) {
            free(picture.data);
            cascade_free(model);
            return;
        }
    }
    fail();
}

/* A failure leaves the searcher as good as new. */
static void searching_goes_on_after_every_failed_allocation(void **state)
{
    (void)state;
    mien_error error;
    cascade *model;
    assert_ok(read_opencv_cascade("smile", &model, &error), &error);
    mien_image picture = read_astronaut();
    cascade_options options = {.scale_factor = 1.5, .min_neighbours = 1};
    for (int first = 1; first < 1000; first++) {
        face_list list = {0}, again = {0};
        cascade_searcher *searcher;
        assert_ok(
            cascade_searcher_create(model, cascade_kernels_find(NULL), NULL, &searcher, &error),
            &error);
        allocations_left = first;
        mien_status status = cascade_search(searcher, &picture, &options, &list, &error);
        bool reached = allocations_left == 0;
        allocations_left = -1;
        assert_int_equal(status, reached ? MIEN_OUT_OF_MEMORY : MIEN_OK);
        assert_ok(cascade_search(searcher, &picture, &options, &again, &error), &error);
        assert_true(again.count > 0);
        face_list_free(&list);
        face_list_free(&again);
        cascade_searcher_free(searcher);
        if (!reached) {
            free(picture.data);
            cascade_free(model);
            return;
        }
    }
    fail();
}

static void a_stream_of_pictures_allocates_nothing(void **state)
{
    (void)state;
    mien_error error;
    cascade *model;
    assert_ok(read_opencv_cascade("frontalface_default", &model, &error), &error);
    mien_image picture = read_astronaut();
    cascade_options options = cascade_default_options();
    for (int threads = 1; threads <= 2; threads++) {
        team *workers;
        cascade_searcher *searcher;
        face_list list = {0};
        assert_ok(team_create(threads, &workers, &error), &error);
        assert_ok(
            cascade_searcher_create(model, cascade_kernels_find(NULL), workers, &searcher, &error),
            &error);
        int before = 0;
        for (int run = 0; run < 30; run++) {
            if (run == 20) /* by now every thread has met most windows that there are */
                before = allocations;
            list.count = 0;
            assert_ok(cascade_search(searcher, &picture, &options, &list, &error), &error);
            assert_int_equal(list.count, 1);
        }
        /* A thread may still meet more windows than ever before, and double its list. */
        assert_in_range(allocations - before, 0, threads == 1 ? 0 : 2);
        face_list_free(&list);
        cascade_searcher_free(searcher);
        team_free(workers);
    }
    free(picture.data);
    cascade_free(model);
}

static void decoding_survives_a_failed_allocation(void **state)
{
    (void)state;
    const float one[1] = {1.0f}, box[4] = {0}, points[10] = {0};
    yunet_level level = {8, 1, 1, one, one, box, points};
    float map[25] = {0};
    static const float anchors[5][2] = {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
    face_list list = {0};
    allocations_left = 1;
    assert_false(yunet_decode(&level, 1, 0.5f, &list));
    allocations_left = 1;
    assert_false(tiny_yolo_decode(map, 1, 1, anchors, 32.0f, 0.5f, &list));
    allocations_left = -1;
    assert_int_equal(list.count, 0);
    face_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_survives_every_failed_allocation),
        cmocka_unit_test(detecting_survives_every_failed_allocation),
        cmocka_unit_test(searching_goes_on_after_every_failed_allocation),
        cmocka_unit_test(a_stream_of_pictures_allocates_nothing),
        cmocka_unit_test(decoding_survives_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
