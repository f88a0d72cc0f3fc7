/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_NN_RUNNING_H
#define TESTS_UNIT_NN_RUNNING_H

/* A network that has run once, on the same random input each time, and what its plan is made of. */

#include "onnx_bytes.h"

#include "nn/ref/ref.h"

typedef struct running {
    nn_plan *plan;
    nn_session *session;
} running;

static inline running run(const nn_model *model, const nn_kernels *kernels, nn_type precision,
                          team *workers)
{
    running r;
    mien_error error;
    test_random random = {7};
    nn_plan_options options = {.kernels = kernels, .precision = precision};
    assert_ok(nn_plan_create(model, &options, &r.plan, &error), &error);
    assert_ok(nn_session_create_shared(r.plan, workers, &r.session, &error), &error);
    int64_t count = nn_elements(nn_plan_input_shape(r.plan, 0));
    for (int64_t i = 0; i < count; i++)
        nn_session_input(r.session, 0)[i] = test_random_float(&random);
    nn_session_run(r.session);
    return r;
}

static inline void stop(running *r)
{
    nn_session_free(r->session);
    nn_plan_free(r->plan);
}

static inline nn_model *read_model(const message *graph)
{
    nn_model *model;
    mien_error error;
    assert_ok(read_graph(graph, &model, &error), &error);
    return model;
}

static inline size_t steps_named(const nn_plan *plan, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < nn_plan_step_count(plan); i++)
        count += strcmp(nn_plan_step_name(plan, i), name) == 0;
    return count;
}

/* The same bits in output `output`. */
static inline void assert_same_output(const running *a, const running *b, size_t output)
{
    int64_t count = nn_elements(nn_plan_output_shape(a->plan, output));
    assert_memory_equal(nn_session_output(a->session, output),
                        nn_session_output(b->session, output), (size_t)count * sizeof(float));
}

#endif
