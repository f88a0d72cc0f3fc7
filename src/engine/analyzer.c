/* SPDX-License-Identifier: Apache-2.0 */
#include <mien/analyzer.h>
#include <mien/mien.h>

#include "base/error.h"
#include "base/memory.h"
#include "engine/detector.h"
#include "engine/model.h"
#include "image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct mien_analyzer {
    const mien_model *model;
    const mien_detector *detector;
    team *team; /* of the detector and the model, those that want one; or NULL */
    detector_memory detector_memory;
    nn_session *session;
    prep_scratch prep;
    face_list boxes;
    mien_face *faces;
    size_t face_capacity;
};

const char *mien_version(void)
{
    return MIEN_VERSION;
}

mien_status mien_analyzer_create(const mien_model *model, const mien_detector *detector,
                                 mien_analyzer **out, mien_error *error)
{
    *out = NULL;
    mien_analyzer *analyzer = memory_zeroed(1, sizeof *analyzer);
    if (analyzer == NULL)
        return error_no_memory(error, "an analyzer", sizeof *analyzer);
    analyzer->model = model;
    analyzer->detector = detector;
    int detects = detector != NULL ? detector->threads : 1;
    int reads = model != NULL ? model->threads : 1;
    mien_status status = MIEN_OK;
    if (detects > 1 || reads > 1)
        status = team_create(detects > reads ? detects : reads, &analyzer->team, error);
    if (status == MIEN_OK && detector != NULL)
        status = detector_memory_create(detector, detects > 1 ? analyzer->team : NULL,
                                        &analyzer->detector_memory, error);
    if (status == MIEN_OK && model != NULL)
        status = nn_session_create_shared(model->network.plan, reads > 1 ? analyzer->team : NULL,
                                          &analyzer->session, error);
    if (status != MIEN_OK) {
        mien_analyzer_free(analyzer);
        return status;
    }
    *out = analyzer;
    return MIEN_OK;
}

void mien_analyzer_free(mien_analyzer *analyzer)
{
    if (analyzer == NULL)
        return;
    detector_memory_free(&analyzer->detector_memory);
    nn_session_free(analyzer->session);
    team_free(analyzer->team);
    prep_scratch_free(&analyzer->prep);
    face_list_free(&analyzer->boxes);
    free(analyzer->faces);
    free(analyzer);
}

static int left_to_right(const void *a, const void *b)
{
    const face_box *first = a, *second = b;
    if (first->x != second->x)
        return first->x < second->x ? -1 : 1;
    return first->y < second->y ? -1 : first->y > second->y;
}

static mien_status find_boxes(mien_analyzer *analyzer, const mien_image *image, mien_error *error)
{
    analyzer->boxes.count = 0;
    if (analyzer->detector == NULL) {
        face_box all = {.width = (float)image->width, .height = (float)image->height};
        return face_list_add(&analyzer->boxes, &all) ? MIEN_OK
                                                     : error_no_memory(error, "faces", sizeof all);
    }
    mien_status status = detector_run(analyzer->detector, &analyzer->detector_memory, image,
                                      &analyzer->boxes, error);
    if (status == MIEN_OK && analyzer->boxes.count > 1)
        qsort(analyzer->boxes.faces, analyzer->boxes.count, sizeof *analyzer->boxes.faces,
              left_to_right);
    return status;
}

static mien_face face_of(const face_box *box)
{
    mien_face face = {.x = box->x,
                      .y = box->y,
                      .width = box->width,
                      .height = box->height,
                      .detection_score = box->score,
                      .has_landmarks = box->has_landmarks};
    memcpy(face.landmarks, box->landmarks, sizeof face.landmarks);
    return face;
}

static mien_status read_expression(const mien_model *model, const nn_session *session,
                                   mien_face *face, mien_error *error)
{
    model_calibrate(model, nn_session_output(session, model->output), face->probabilities);
    for (int c = 0; c < model->class_count; c++)
        if (!isfinite(face->probabilities[c]))
            return error_set(error, MIEN_MALFORMED,
                             "the network's answer for '%s' is not a finite number",
                             model->class_names[c]);
    face->has_expression = true;
    model_choose_top(model, face);
    return MIEN_OK;
}

static mien_status classify(mien_analyzer *analyzer, const mien_image *image, mien_face *face,
                            mien_error *error)
{
    prep_face input = {.box = {face->x, face->y, face->width, face->height},
                       .has_eyes = face->has_landmarks};
    memcpy(input.eyes, face->landmarks, sizeof input.eyes);
    mien_status status = prep_fill(&analyzer->model->network.prep, image, &input, &analyzer->prep,
                                   nn_session_input(analyzer->session, 0), error);
    if (status != MIEN_OK)
        return status;
    nn_session_run(analyzer->session);
    return read_expression(analyzer->model, analyzer->session, face, error);
}

static mien_status reserve_faces(mien_analyzer *analyzer, size_t count, mien_error *error)
{
    if (count <= analyzer->face_capacity)
        return MIEN_OK;
    mien_face *faces = memory_zeroed(count, sizeof *faces);
    if (faces == NULL)
        return error_no_memory(error, "faces", count * sizeof *faces);
    free(analyzer->faces);
    analyzer->faces = faces;
    analyzer->face_capacity = count;
    return MIEN_OK;
}

mien_status mien_analyzer_run(mien_analyzer *analyzer, const mien_image *image,
                              const mien_face **faces, size_t *count, mien_error *error)
{
    *faces = NULL;
    *count = 0;
    mien_status status = image_check(image, error);
    if (status == MIEN_OK)
        status = find_boxes(analyzer, image, error);
    if (status == MIEN_OK)
        status = reserve_faces(analyzer, analyzer->boxes.count, error);
    for (size_t i = 0; status == MIEN_OK && i < analyzer->boxes.count; i++) {
        analyzer->faces[i] = face_of(&analyzer->boxes.faces[i]);
        if (analyzer->model != NULL)
            status = classify(analyzer, image, &analyzer->faces[i], error);
    }
    if (status != MIEN_OK)
        return status;
    *faces = analyzer->faces;
    *count = analyzer->boxes.count;
    return MIEN_OK;
}

mien_status mien_analyzer_read(mien_analyzer *analyzer, const mien_image *image, mien_face *face,
                               mien_error *error)
{
    if (analyzer->model == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "an analyzer without a model cannot read expressions");
    mien_status status = image_check(image, error);
    return status == MIEN_OK ? classify(analyzer, image, face, error) : status;
}
