/* SPDX-License-Identifier: Apache-2.0 */

/* Fails each allocation in turn; the linker leads the allocating functions here. */

#include "support.h"

#include "zoo/zoo.h"

static int allocations_left = -1; /* -1: never fails */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static bool fails_now(void)
{
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

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails_now() ? NULL : __real_aligned_alloc(alignment, size);
}

static void building_survives_every_failed_allocation(void **state)
{
    (void)state;
    const zoo_options options = {
        .classes = 2, .channels = 1, .height = 16, .width = 16, .width_multiplier = 0.05f};
    for (int first = 1; first < 100000; first++) {
        nn_graph graph;
        mien_error error;
        allocations_left = first;
        mien_status status = zoo_build("mobilenet_v1", &options, &graph, &error);
        bool reached = allocations_left == 0;
        allocations_left = -1;
        if (!reached) {
            assert_ok(status, &error);
            assert_in_range(first, 500, 5000);
            nn_graph_free(&graph);
            return;
        }
        assert_fails(MIEN_OUT_OF_MEMORY, status, &error, "mobilenet_v1: out of memory");
        assert_null(graph.values);
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(building_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
