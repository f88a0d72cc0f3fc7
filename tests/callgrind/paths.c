/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One run of a main path, for test_instructions.py to count.
 *
 *     paths KERNELS PICTURE cascade
 *     paths KERNELS PICTURE MODEL.onnx
 *
 * cascade: the faces of a picture by the default cascade. MODEL.onnx: the picture, as a face,
 * through that network.
 */

#include <mien/mien.h>

#include <stdio.h>
#include <string.h>

/* What callgrind counts; it is told the name. */
__attribute__((noinline)) static mien_status
measured(mien_analyzer *analyzer, const mien_image *picture, size_t *count, mien_error *error)
{
    const mien_face *faces;
    return mien_analyzer_run(analyzer, picture, &faces, count, error);
}

static mien_status open_path(const char *path, const char *kernels, mien_model **model,
                             mien_detector **detector, mien_error *error)
{
    mien_model_options model_options = {.kernels = kernels};
    mien_detector_options detector_options = {.kernels = kernels};
    if (strcmp(path, "cascade") == 0)
        return mien_detector_open(NULL, &detector_options, detector, error);
    return mien_model_open(path, &model_options, model, error);
}

/* The second run is the one that counts: the first one takes memory. */
static mien_status run_path(const mien_model *model, const mien_detector *detector,
                            const mien_image *picture, size_t *count, mien_error *error)
{
    mien_analyzer *analyzer;
    const mien_face *faces;
    mien_status status = mien_analyzer_create(model, detector, &analyzer, error);
    if (status == MIEN_OK)
        status = mien_analyzer_run(analyzer, picture, &faces, count, error);
    if (status == MIEN_OK)
        status = measured(analyzer, picture, count, error);
    mien_analyzer_free(analyzer);
    return status;
}

int main(int count, char **arguments)
{
    if (count != 4) {
        fputs("usage: paths KERNELS PICTURE cascade|MODEL.onnx\n", stderr);
        return 2;
    }
    mien_error error;
    mien_model *model = NULL;
    mien_detector *detector = NULL;
    mien_image picture;
    size_t faces = 0;
    mien_status status = mien_image_load(arguments[2], MIEN_PIXEL_GRAY8, 0, &picture, &error);
    if (status == MIEN_OK)
        status = open_path(arguments[3], arguments[1], &model, &detector, &error);
    if (status == MIEN_OK)
        status = run_path(model, detector, &picture, &faces, &error);
    if (status != MIEN_OK)
        fprintf(stderr, "paths: %s\n", error.message);
    mien_detector_free(detector);
    mien_model_free(model);
    mien_image_free(&picture);
    return status == MIEN_OK && faces > 0 ? 0 : 1;
}
