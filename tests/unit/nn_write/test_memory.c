/* SPDX-License-Identifier: Apache-2.0 */

/* Fails each allocation in turn; the linker leads the allocating functions here. */

#include "support.h"

#include "nn/build.h"
#include "nn/onnx_write.h"
#include "nn/quantize.h"

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

static mien_status build_every_layer(nn_graph *graph, mien_error *error)
{
    nn_builder b;
    nn_build_start(&b, graph, 3);
    int x = nn_build_input(&b, "input", 1, 12, NN_UNKNOWN_DIM);
    x = nn_build_conv(&b, x, (nn_build_conv_options){.outputs = 8, .kernel = 3, .bias = true});
    x = nn_build_clip(&b, nn_build_batch_norm(&b, x, 1e-3f), 0, 6);
    x = nn_build_hard_swish(&b, nn_build_depthwise(&b, x, 3, 2, NN_BUILD_SAME, true));
    const int both[] = {x, nn_build_add(&b, x, x)};
    x = nn_build_max_pool(&b, nn_build_concat(&b, both, 2), 2, 2, NN_BUILD_SAME);
    x = nn_build_multiply(&b, x, nn_build_global_average(&b, nn_build_relu(&b, x)));
    x = nn_build_flatten(&b, nn_build_global_average(&b, x));
    x = nn_build_dense(&b, nn_build_dropout(&b, x, 0.5f), 5);
    nn_build_output(&b, nn_build_softmax(&b, x), "probabilities");
    nn_build_output(&b, x, "logits");
    nn_build_output(&b, x, "logits again");
    nn_build_metadata(&b, "mien.classes", "a,b,c,d,e");
    return nn_build_finish(&b, error);
}

static void building_survives_every_failed_allocation(void **state)
{
    (void)state;
    for (int first = 1; first < 10000; first++) {
        nn_graph graph;
        mien_error error;
        allocations_left = first;
        mien_status status = build_every_layer(&graph, &error);
        bool reached = allocations_left == 0;
        allocations_left = -1;
        if (!reached) {
            assert_ok(status, &error);
            assert_in_range(first, 50, 1000);
            nn_graph_free(&graph);
            return;
        }
        assert_fails(MIEN_OUT_OF_MEMORY, status, &error, "out of memory");
        assert_null(graph.values);
    }
    fail();
}

static void writing_survives_every_failed_allocation(void **state)
{
    (void)state;
    nn_graph graph;
    mien_error error;
    assert_ok(build_every_layer(&graph, &error), &error);
    for (int first = 1; first < 10000; first++) {
        uint8_t *bytes;
        size_t size;
        allocations_left = first;
        mien_status status = onnx_write(&graph, ONNX_WEIGHTS_FLOAT16, &bytes, &size, &error);
        bool reached = allocations_left == 0;
        allocations_left = -1;
        if (!reached) {
            assert_ok(status, &error);
            assert_in_range(first, 8, 1000);
            free(bytes);
            nn_graph_free(&graph);
            return;
        }
        assert_fails(MIEN_OUT_OF_MEMORY, status, &error, "out of memory");
        assert_null(bytes);
    }
    fail();
}

static mien_status ramp(void *context, size_t index, float *input, mien_error *error)
{
    (void)context;
    (void)error;
    for (int i = 0; i < 12 * 12; i++)
        input[i] = (float)(i + (int)index) / 144;
    return MIEN_OK;
}

static void quantising_survives_every_failed_allocation(void **state)
{
    (void)state;
    nn_quantize_options options = {.method = NN_RANGE_PERCENTILE,
                                   .percentile = 0.99,
                                   .input_shape = {4, {1, 1, 12, 12}},
                                   .samples = 2,
                                   .source = ramp};
    for (int first = 1; first < 10000; first++) {
        nn_graph graph;
        mien_error error;
        size_t quantised;
        assert_ok(build_every_layer(&graph, &error), &error);
        allocations_left = first;
        mien_status status = nn_quantize(&graph, &options, &quantised, &error);
        bool reached = allocations_left == 0;
        allocations_left = -1;
        nn_graph_free(&graph);
        if (!reached) {
            assert_ok(status, &error);
            assert_in_range(first, 100, 9000);
            return;
        }
        assert_fails(MIEN_OUT_OF_MEMORY, status, &error, "out of memory");
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(building_survives_every_failed_allocation),
        cmocka_unit_test(writing_survives_every_failed_allocation),
        cmocka_unit_test(quantising_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
