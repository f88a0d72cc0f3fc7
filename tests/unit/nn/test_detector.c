/* SPDX-License-Identifier: Apache-2.0 */

/* What the planner does with detectors: heads of few channels become one, layers that feed each
 * other work row by row. The numbers stay those of the reference. */

#include "detector_graphs.h"
#include "running.h"

#include <math.h>

static void assert_near(const running *expected, const running *actual)
{
    const nn_shape *shape;
    for (size_t o = 0; (shape = nn_plan_output_shape(expected->plan, o)) != NULL; o++) {
        const float *a = nn_session_output(expected->session, o);
        const float *b = nn_session_output(actual->session, o);
        for (int64_t i = 0; i < nn_elements(shape); i++)
            assert_true(fabsf(a[i] - b[i]) <= 1e-4f);
    }
}

/* Runs the graph on every set of kernels; each has so many steps of that name. */
static void agree(const message *graph, const char *name, size_t steps)
{
    const nn_kernels *kernels;
    nn_model *model = read_model(graph);
    running reference = run(model, NULL, NN_FLOAT, NULL);
    for (size_t i = 0; (kernels = nn_kernels_at(i)) != NULL; i++) {
        running fast = run(model, kernels, NN_FLOAT, NULL);
        assert_int_equal(steps_named(fast.plan, name), steps);
        assert_near(&reference, &fast);
        stop(&fast);
    }
    stop(&reference);
    nn_model_free(model);
}

static void heads_of_few_channels_become_one(void **state)
{
    (void)state;
    message graph = heads_graph(false);
    agree(&graph, "Conv", 2);
    agree(&graph, "Slice", 3);
}

static void a_head_that_is_read_early_stays_apart(void **state)
{
    (void)state;
    message graph = heads_graph(true);
    agree(&graph, "Conv", 4);
    agree(&graph, "Slice", 2);
}

static void layers_between_large_pictures_are_joined(void **state)
{
    (void)state;
    message graph = wide_graph(false);
    agree(&graph, "Conv, Conv, Conv, MaxPool", 1);
}

static void a_picture_that_others_read_is_made(void **state)
{
    (void)state;
    message graph = wide_graph(true);
    agree(&graph, "Conv, Conv", 1);
    agree(&graph, "Conv, MaxPool", 1);
}

static void a_team_writes_the_same_bits(void **state)
{
    (void)state;
    message graph = wide_graph(false);
    nn_model *model = read_model(&graph);
    team *workers;
    mien_error error;
    assert_ok(team_create(3, &workers, &error), &error);
    const nn_kernels *kernels;
    for (size_t i = 0; (kernels = nn_kernels_at(i)) != NULL; i++) {
        running alone = run(model, kernels, NN_FLOAT, NULL),
                shared = run(model, kernels, NN_FLOAT, workers);
        assert_true(nn_session_step_parts(shared.session, 0) > 1);
        assert_same_output(&alone, &shared, 0);
        stop(&alone);
        stop(&shared);
    }
    team_free(workers);
    nn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_of_few_channels_become_one),
        cmocka_unit_test(a_head_that_is_read_early_stays_apart),
        cmocka_unit_test(layers_between_large_pictures_are_joined),
        cmocka_unit_test(a_picture_that_others_read_is_made),
        cmocka_unit_test(a_team_writes_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
