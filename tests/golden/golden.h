/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GOLDEN_GOLDEN_H
#define TESTS_GOLDEN_GOLDEN_H

/* Reading the golden values of this folder, and running networks on the inputs they were made
 * with. */

#include "support.h"

#include "base/file.h"
#include "nn/nn.h"

/* onnx_writer.numbers: pseudo-random numbers in -scale..scale. */
static inline void golden_numbers(uint32_t seed, float scale, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(((double)(seed >> 8) / 8388608.0 - 1.0) * (double)scale);
    }
}

static inline size_t golden_elements(const nn_shape *shape)
{
    int64_t elements = 0;
    assert_true(nn_shape_elements(shape, &elements));
    return (size_t)elements;
}

/* A file below the root of the sources; *bytes is freed by the caller. */
static inline size_t golden_read(const char *name, uint8_t **bytes)
{
    char path[600];
    size_t size;
    mien_error error;
    assert_ok(file_read(test_source_path(name, path, sizeof path), 1 << 26, bytes, &size, &error),
              &error);
    return size;
}

/* "reference", then the sets of this machine; *done after the last. */
static inline const nn_kernels *golden_kernels(size_t index, const char **name, bool *done)
{
    const nn_kernels *kernels = index == 0 ? NULL : nn_kernels_at(index - 1);
    *done = index != 0 && kernels == NULL;
    *name = kernels != NULL ? kernels->name : "reference";
    return kernels;
}

/* A network shaped, its inputs filled, run once. */
typedef struct golden_run {
    nn_plan *plan;
    nn_session *session;
} golden_run;

static inline mien_status golden_start(const nn_model *model, const nn_shape *shapes,
                                       const nn_kernels *kernels, float scale, golden_run *run,
                                       mien_error *error)
{
    nn_plan_options options = {.input_shapes = shapes, .kernels = kernels};
    *run = (golden_run){0};
    mien_status status = nn_plan_create(model, &options, &run->plan, error);
    if (status == MIEN_OK)
        status = nn_session_create(run->plan, &run->session, error);
    if (status != MIEN_OK) {
        nn_plan_free(run->plan);
        return status;
    }
    for (size_t i = 0; i < nn_model_graph(model)->input_count; i++)
        golden_numbers(100 + (uint32_t)i, scale, nn_session_input(run->session, i),
                       golden_elements(nn_plan_input_shape(run->plan, i)));
    nn_session_run(run->session);
    return MIEN_OK;
}

static inline void golden_stop(golden_run *run)
{
    nn_session_free(run->session);
    nn_plan_free(run->plan);
}

#endif
