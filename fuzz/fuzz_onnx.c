/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads the bytes as a network. When it loads, plans it with the reference operators and with the
 * best kernels; when that is small, runs both.
 */

#include "nn/nn.h"

#include <stddef.h>
#include <stdint.h>

#define MOST_BYTES         ((size_t)16 << 20)
#define MOST_ARENA         ((size_t)1 << 18)
#define MOST_MULTIPLY_ADDS 1000000
#define MOST_STEPS         200

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct shaped {
    nn_plan *plan;
    nn_session *session;
} shaped;

static int64_t elements(const nn_shape *shape)
{
    int64_t count = 0;
    return nn_shape_elements(shape, &count) ? count : 0;
}

static bool is_small(const nn_plan *plan)
{
    return nn_plan_multiply_adds(plan) < MOST_MULTIPLY_ADDS &&
           nn_plan_arena_bytes(plan) < MOST_ARENA && nn_plan_step_count(plan) < MOST_STEPS;
}

static void fill_inputs(const nn_model *model, const shaped *s)
{
    for (size_t i = 0; i < nn_model_graph(model)->input_count; i++) {
        int64_t count = elements(nn_plan_input_shape(s->plan, i));
        float *input = nn_session_input(s->session, i);
        for (int64_t k = 0; k < count; k++)
            input[k] = (float)(k * 37 % 101 - 50) / 50;
    }
}

static shaped shape_and_run(const nn_model *model, const nn_kernels *kernels)
{
    shaped s = {NULL, NULL};
    mien_error error;
    nn_plan_options options = {.kernels = kernels, .max_bytes = MOST_BYTES};
    if (nn_plan_create(model, &options, &s.plan, &error) != MIEN_OK || !is_small(s.plan) ||
        nn_session_create(s.plan, &s.session, &error) != MIEN_OK)
        return s;
    fill_inputs(model, &s);
    nn_session_run(s.session);
    return s;
}

/* An address that is wrong must not go unnoticed. */
static void read_outputs(const nn_model *model, const shaped *s)
{
    for (size_t o = 0; o < nn_model_graph(model)->output_count; o++) {
        int64_t count = elements(nn_plan_output_shape(s->plan, o));
        const volatile float *output = nn_session_output(s->session, o);
        for (int64_t k = 0; k < count; k++)
            (void)output[k];
    }
}

static void free_shaped(shaped *s)
{
    nn_session_free(s->session);
    nn_plan_free(s->plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    nn_model *model;
    mien_error error;
    if (nn_model_read(bytes, size, &model, &error) != MIEN_OK)
        return 0;
    shaped reference = shape_and_run(model, NULL);
    shaped fast = shape_and_run(model, nn_kernels_best());
    if (reference.session != NULL)
        read_outputs(model, &reference);
    if (fast.session != NULL)
        read_outputs(model, &fast);
    free_shaped(&reference);
    free_shaped(&fast);
    nn_model_free(model);
    return 0;
}
