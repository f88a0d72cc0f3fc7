/* SPDX-License-Identifier: Apache-2.0 */

/* One plan, a session for each of four threads: the same numbers, bit for bit. */

#include "onnx_bytes.h"

#include <pthread.h>

#define THREADS 4
#define RUNS    50

/* Conv, Relu, Conv, Add of the first, MaxPool, GlobalAveragePool: places in the arena are reused.
 */
static message branching_graph(void)
{
    static const int64_t v[4] = {3, 3, 1, 1}, kernel[2] = {2, 2};
    static const float values[9] = {0.5f, -1, 0.25f, 1, 0.75f, -0.5f, 0.1f, 0.2f, 0.3f};
    message graph = {.size = 0}, small = small_graph();
    memcpy(graph.bytes, small.bytes, small.size); /* its y is an output, too */
    graph.size = small.size;
    add_floats(&graph, "v", v, 4, values, 9);
    add_node(&graph, "Conv y v > a");
    add_node(&graph, "Add a y > b");
    message pool = node_of("MaxPool b > p");
    add_ints(&pool, "kernel_shape", kernel, 2);
    put_message(&graph, 1, &pool);
    add_node(&graph, "GlobalAveragePool p > z");
    add_output(&graph, "z");
    return graph;
}

static void fill(nn_session *session, int seed)
{
    test_random random = {(uint64_t)seed * 2 + 1};
    float *x = nn_session_input(session, 0);
    for (int i = 0; i < 2 * 2 * 4 * 4; i++)
        x[i] = test_random_float(&random);
}

#define OUTPUTS (2 * 3 * 2 * 2 + 2 * 3)

static void read_outputs(const nn_session *session, float *outputs)
{
    memcpy(outputs, nn_session_output(session, 0), 24 * sizeof *outputs);
    memcpy(outputs + 24, nn_session_output(session, 1), 6 * sizeof *outputs);
}

typedef struct worker {
    const nn_plan *plan;
    const float (*expected)[OUTPUTS]; /* by seed */
    int first_seed;
    int wrong;
} worker;

static void *work(void *context)
{
    worker *w = context;
    nn_session *session;
    if (nn_session_create(w->plan, &session, NULL) != MIEN_OK) {
        w->wrong = -1;
        return NULL;
    }
    for (int run = 0; run < RUNS; run++) {
        float outputs[OUTPUTS];
        int seed = (w->first_seed + run) % THREADS;
        fill(session, seed);
        nn_session_run(session);
        read_outputs(session, outputs);
        w->wrong += memcmp(outputs, w->expected[seed], sizeof outputs) != 0;
    }
    nn_session_free(session);
    return NULL;
}

static void run_threads(const nn_kernels *kernels)
{
    message graph = branching_graph();
    nn_model *model;
    nn_plan *plan;
    nn_session *session;
    mien_error error;
    nn_shape shape = {4, {2, 2, 4, 4}};
    nn_plan_options options = {.input_shapes = &shape, .kernels = kernels};
    assert_ok(read_graph(&graph, &model, &error), &error);
    assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
    assert_ok(nn_session_create(plan, &session, &error), &error);
    float expected[THREADS][OUTPUTS];
    for (int seed = 0; seed < THREADS; seed++) {
        fill(session, seed);
        nn_session_run(session);
        read_outputs(session, expected[seed]);
    }
    worker workers[THREADS];
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) {
        workers[t] = (worker){plan, (const float(*)[OUTPUTS])expected, t, 0};
        assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
    }
    for (int t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        assert_int_equal(workers[t].wrong, 0);
    }
    nn_session_free(session);
    nn_plan_free(plan);
    nn_model_free(model);
}

static void threads_share_a_plan(void **state)
{
    (void)state;
    run_threads(NULL);
    const nn_kernels *kernels;
    for (size_t i = 0; (kernels = nn_kernels_at(i)) != NULL; i++)
        run_threads(kernels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
