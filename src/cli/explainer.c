/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explainer.h"

#include "base/error.h"
#include "base/memory.h"
#include "engine/model.h"
#include "eval/heat.h"
#include "image/image.h"
#include "train/saliency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct explainer {
    const mien_model *model;
    nn_model *network;
    saliency *saliency;
    prep_scratch scratch;
    float *map; /* (channels, height, width) */
};

mien_status explainer_create(const mien_model *model, const char *path, explainer **out,
                             mien_error *error)
{
    const prep_settings *prep = &model->network.prep;
    *out = NULL;
    explainer *e = memory_zeroed(1, sizeof *e);
    if (e == NULL)
        return error_no_memory(error, "an explanation", sizeof *e);
    e->model = model;
    e->map = memory_zeroed(prep_input_floats(prep), sizeof *e->map);
    mien_status status = e->map != NULL ? MIEN_OK
                                        : error_no_memory(error, "an explanation",
                                                          prep_input_floats(prep) * sizeof(float));
    if (status == MIEN_OK)
        status = engine_read_file(path, &e->network, error);
    if (status == MIEN_OK)
        status = saliency_create(e->network, model->output, prep->height, prep->width, &e->saliency,
                                 error);
    if (status != MIEN_OK) {
        explainer_free(e);
        return status;
    }
    *out = e;
    return MIEN_OK;
}

void explainer_free(explainer *e)
{
    if (e == NULL)
        return;
    saliency_free(e->saliency);
    nn_model_free(e->network);
    prep_scratch_free(&e->scratch);
    free(e->map);
    free(e);
}

const char *explainer_feature_map(const explainer *e)
{
    return saliency_feature_map(e->saliency);
}

void explanation_free(explanation *x)
{
    mien_image_free(&x->face);
    mien_image_free(&x->cam);
    mien_image_free(&x->guided);
}

static prep_face face_as_input(const mien_face *face)
{
    prep_face input = {.box = {face->x, face->y, face->width, face->height},
                       .has_eyes = face->has_landmarks};
    memcpy(input.eyes, face->landmarks, sizeof input.eyes);
    return input;
}

/* The model's preparation, for a larger or smaller picture of the same shape. */
static prep_settings scaled(const prep_settings *prep, int side)
{
    prep_settings result = *prep;
    int longer = prep->width > prep->height ? prep->width : prep->height;
    result.width = (int)fmax(1, round((double)prep->width * side / longer));
    result.height = (int)fmax(1, round((double)prep->height * side / longer));
    return result;
}

mien_status explainer_cut_out(const mien_model *model, const mien_image *image,
                              const mien_face *face, int side, mien_image *out, mien_error *error)
{
    *out = (mien_image){0};
    prep_settings prep = scaled(&model->network.prep, side);
    prep_face box = face_as_input(face);
    prep_scratch scratch = {0};
    float *input = memory_zeroed(prep_input_floats(&prep), sizeof *input);
    if (input == NULL)
        return error_no_memory(error, "a face", prep_input_floats(&prep) * sizeof *input);
    mien_status status = prep_fill(&prep, image, &box, &scratch, input, error);
    if (status == MIEN_OK)
        status = prep_picture(&prep, input, out, error);
    prep_scratch_free(&scratch);
    free(input);
    return status;
}

static mien_status copy_picture(const mien_image *from, mien_image *to, mien_error *error)
{
    mien_status status = mien_image_alloc(from->width, from->height, from->format, to, error);
    return status == MIEN_OK ? image_convert(from, to, error) : status;
}

/* The guided map of the last forward run, in the size of the face. */
static mien_status draw_guided(explainer *e, int index, const mien_image *face, mien_image *out,
                               mien_error *error)
{
    const prep_settings *prep = &e->model->network.prep;
    mien_image small = {0};
    saliency_gradient(e->saliency, (size_t)index, true, e->map);
    mien_status status = heat_signed(e->map, prep->format == PREP_GRAY ? 1 : 3, prep->height,
                                     prep->width, &small, error);
    if (status == MIEN_OK)
        status = mien_image_alloc(face->width, face->height, MIEN_PIXEL_RGB8, out, error);
    if (status == MIEN_OK)
        status = image_resize(&small, out, IMAGE_FILTER_BILINEAR, error);
    mien_image_free(&small);
    return status;
}

mien_status explainer_run(explainer *e, const mien_image *image, const mien_face *face, int index,
                          int side, explanation *out, mien_error *error)
{
    const prep_settings *prep = &e->model->network.prep;
    prep_face box = face_as_input(face);
    *out = (explanation){0};
    mien_status status =
        prep_fill(prep, image, &box, &e->scratch, saliency_input(e->saliency), error);
    if (status == MIEN_OK)
        status = explainer_cut_out(e->model, image, face, side, &out->face, error);
    if (status == MIEN_OK)
        status = copy_picture(&out->face, &out->cam, error);
    if (status == MIEN_OK) {
        saliency_forward(e->saliency);
        saliency_grad_cam(e->saliency, (size_t)index, e->map);
        heat_lay_over(e->map, prep->height, prep->width, &out->cam);
        status = draw_guided(e, index, &out->face, &out->guided, error);
    }
    if (status != MIEN_OK)
        explanation_free(out);
    return status;
}
