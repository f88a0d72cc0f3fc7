/* SPDX-License-Identifier: Apache-2.0 */
#include "train/predict.h"

#include "base/error.h"
#include "base/file.h"
#include "nn/nn.h"
#include "prep/prep.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 16 };

/* A model on its way over a set. */
typedef struct predictor {
    nn_model *model;
    nn_plan *plan;
    nn_session *session;
    prep_settings prep;
    prep_scratch scratch;
    size_t output;
} predictor;

static mien_status read_preparation(predictor *p, mien_error *error)
{
    const nn_graph *graph = nn_model_graph(p->model);
    const nn_shape *shape = &graph->values[graph->inputs[0]].tensor.shape;
    setting_list settings = {0};
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < graph->metadata_count; i++)
        if (strncmp(graph->metadata[i].key, "mien.", 5) == 0)
            status =
                settings_set(&settings, graph->metadata[i].key, graph->metadata[i].value, error);
    if (status == MIEN_OK)
        status = prep_read_settings(&settings, (int)shape->dims[1], (int)shape->dims[2],
                                    (int)shape->dims[3], &p->prep, error);
    settings_free(&settings);
    return status;
}

static mien_status shape_model(predictor *p, int classes, mien_error *error)
{
    int channels = p->prep.format == PREP_GRAY ? 1 : 3;
    nn_shape shape = {4, {BATCH, channels, p->prep.height, p->prep.width}};
    nn_plan_options options = {.input_shapes = &shape, .kernels = nn_kernels_best()};
    mien_status status = nn_plan_create(p->model, &options, &p->plan, error);
    if (status != MIEN_OK)
        return status;
    int output = nn_plan_find_output(p->plan, "probabilities");
    if (output < 0)
        return error_set(error, MIEN_NOT_FOUND, "the model has no output 'probabilities'");
    p->output = (size_t)output;
    const nn_shape *found = nn_plan_output_shape(p->plan, p->output);
    if (found->rank != 2 || found->dims[1] != classes)
        return error_set(error, MIEN_SHAPE, "the model does not have %d classes", classes);
    return nn_session_create(p->plan, &p->session, error);
}

static mien_status open_predictor(const char *path, int classes, predictor *p, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(path, SIZE_MAX / 4, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = nn_model_read(bytes, size, &p->model, error);
    free(bytes);
    if (status == MIEN_OK)
        status = read_preparation(p, error);
    return status == MIEN_OK ? shape_model(p, classes, error) : status;
}

static void close_predictor(predictor *p)
{
    nn_session_free(p->session);
    nn_plan_free(p->plan);
    nn_model_free(p->model);
    prep_scratch_free(&p->scratch);
}

static mien_status predict_all(predictor *p, const dataset *set, size_t classes,
                               float *probabilities, mien_error *error)
{
    size_t floats = prep_input_floats(&p->prep);
    float *inputs = nn_session_input(p->session, 0);
    const float *outputs = nn_session_output(p->session, p->output);
    for (size_t first = 0; first < set->count; first += BATCH) {
        size_t n = set->count - first < BATCH ? set->count - first : BATCH;
        for (size_t i = 0; i < n; i++) {
            const mien_image *image = &set->samples[first + i].image;
            prep_face all = {.box = {0, 0, (float)image->width, (float)image->height}};
            mien_status status =
                prep_fill(&p->prep, image, &all, &p->scratch, inputs + i * floats, error);
            if (status != MIEN_OK)
                return status;
        }
        nn_session_run(p->session);
        memcpy(probabilities + first * classes, outputs, n * classes * sizeof *outputs);
    }
    return MIEN_OK;
}

mien_status train_predict(const char *model_path, const dataset *set, int classes,
                          float *probabilities, mien_error *error)
{
    predictor p = {0};
    mien_status status = open_predictor(model_path, classes, &p, error);
    if (status == MIEN_OK)
        status = predict_all(&p, set, (size_t)classes, probabilities, error);
    close_predictor(&p);
    return status;
}
