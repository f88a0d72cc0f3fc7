/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory: running takes none, and each allocation of reading, planning and starting a session may
 * fail without a leak. The linker leads the allocating functions here.
 */

#include "detector_graphs.h"

#include "nn/bf16_kernels.h"

static int allocations_left = -1; /* -1: never fails */
static int calls;                 /* of any function, freeing included */
static int blocks;                /* taken and not yet freed, from here on */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);

static bool fails_now(void)
{
    calls++;
    if (allocations_left > 0)
        allocations_left--;
    return allocations_left == 0;
}

static void *taken(void *memory)
{
    blocks += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : taken(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : taken(__real_calloc(count, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (fails_now())
        return NULL;
    void *moved = __real_realloc(memory, size);
    blocks += memory == NULL && moved != NULL;
    return moved;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails_now() ? NULL : taken(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *memory)
{
    calls++;
    blocks -= memory != NULL;
    __real_free(memory);
}

static void add_norm(message *graph)
{
    static const int64_t three[1] = {3};
    static const float values[3] = {1, 2, 0.5f};
    static const char *const names[] = {"ns", "nb", "nm", "nv"};
    for (int i = 0; i < 4; i++)
        add_floats(graph, names[i], three, 1, values, 3);
}

/* Every way in which the planner takes memory: folding, packing, twins, folded shapes, reference
 * steps, attributes of each kind, metadata. */
static message wide_model(void)
{
    message graph = small_graph();
    static const int64_t order[4] = {0, 2, 3, 1}, matrix[2] = {12, 3};
    float values[36] = {1, 2, 3};
    add_norm(&graph);
    add_floats(&graph, "g", matrix, 2, values, 36);
    add_floats(&graph, "k", (int64_t[4]){1, 3, 2, 2}, 4, values, 12);
    add_int64s(&graph, "one", (int64_t[1]){-1}, 1);
    add_int64s(&graph, "zero", (int64_t[1]){0}, 1);
    add_node(&graph, "BatchNormalization c ns nb nm nv > n");
    add_node(&graph, "Add n k > a");
    add_node(&graph, "Shape a > s");
    add_node(&graph, "Gather s zero > f");
    message concat = node_of("Concat f one > t");
    add_int(&concat, "axis", 0);
    put_message(&graph, 1, &concat);
    add_node(&graph, "Reshape a t > r");
    add_node(&graph, "Gemm r g > m");
    message transpose = node_of("Transpose a > u"), softmax = node_of("Softmax u > v");
    add_ints(&transpose, "perm", order, 4);
    add_int(&softmax, "axis", 3);
    put_message(&graph, 1, &transpose);
    put_message(&graph, 1, &softmax);
    add_node(&graph, "PRelu y k > p");
    add_output(&graph, "m");
    add_output(&graph, "v");
    add_output(&graph, "p");
    message model = model_of(&graph, 13), entry = {.size = 0};
    put_text(&entry, 1, "key");
    put_text(&entry, 2, "value");
    put_message(&model, 14, &entry);
    return model;
}

typedef struct opened {
    nn_model *model;
    nn_plan *plan;
    nn_session *session;
} opened;

static mien_status open_model(const message *bytes, const nn_kernels *kernels, nn_type precision,
                              opened *o, mien_error *error)
{
    *o = (opened){NULL, NULL, NULL};
    nn_plan_options options = {.kernels = kernels, .precision = precision};
    mien_status status = nn_model_read(bytes->bytes, bytes->size, &o->model, error);
    if (status == MIEN_OK)
        status = nn_plan_create(o->model, &options, &o->plan, error);
    if (status == MIEN_OK)
        status = nn_session_create(o->plan, &o->session, error);
    return status;
}

static void close_model(opened *o)
{
    nn_session_free(o->session);
    nn_plan_free(o->plan);
    nn_model_free(o->model);
}

static void survive(const message *bytes, const nn_kernels *kernels, nn_type precision)
{
    for (int first = 1; first < 2000; first++) {
        opened o;
        mien_error error;
        int before = blocks;
        allocations_left = first;
        mien_status status = open_model(bytes, kernels, precision, &o, &error);
        bool reached = allocations_left == 0;
        allocations_left = -1;
        close_model(&o);
        assert_int_equal(blocks, before);
        if (!reached) {
            assert_ok(status, &error);
            assert_in_range(first, 50, 1999);
            return;
        }
        assert_fails(MIEN_OUT_OF_MEMORY, status, &error, "out of memory");
    }
    fail();
}

static void opening_survives_every_failed_allocation(void **state)
{
    (void)state;
    message bytes = wide_model();
    survive(&bytes, NULL, NN_FLOAT);
    survive(&bytes, nn_kernels_best(), NN_FLOAT);
    message graph = heads_graph(false);
    bytes = model_of(&graph, 13);
    survive(&bytes, nn_kernels_best(), NN_FLOAT);
    graph = wide_graph(false);
    bytes = model_of(&graph, 13);
    survive(&bytes, nn_kernels_best(), NN_FLOAT);
    if (nn_bf16_kernels_with(nn_kernels_best()) == NULL)
        return;
    survive(&bytes, nn_kernels_best(), NN_BFLOAT16);
    graph = residual_graph();
    bytes = model_of(&graph, 13);
    survive(&bytes, nn_kernels_best(), NN_BFLOAT16);
}

static void running_takes_no_memory(void **state)
{
    (void)state;
    message bytes = wide_model();
    for (int with_kernels = 0; with_kernels < 2; with_kernels++) {
        opened o;
        mien_error error;
        assert_ok(open_model(&bytes, with_kernels ? nn_kernels_best() : NULL, NN_FLOAT, &o, &error),
                  &error);
        int before = calls;
        nn_session_run(o.session);
        nn_session_run(o.session);
        assert_int_equal(calls, before);
        close_model(&o);
    }
}

static void bad_files_leave_nothing_behind(void **state)
{
    (void)state;
    message whole = wide_model();
    for (size_t size = 1; size < whole.size; size += 3) {
        message part = whole;
        part.size = size;
        opened o;
        mien_error error;
        int before = blocks;
        (void)open_model(&part, nn_kernels_best(), NN_FLOAT, &o, &error);
        close_model(&o);
        assert_int_equal(blocks, before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_survives_every_failed_allocation),
        cmocka_unit_test(running_takes_no_memory),
        cmocka_unit_test(bad_files_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
