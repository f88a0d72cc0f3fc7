/* SPDX-License-Identifier: Apache-2.0 */
#include "mien_wasm.h"

#include <emscripten.h>
#include <stdlib.h>
#include <string.h>

EMSCRIPTEN_KEEPALIVE mien_error *mien_wasm_error_create(void)
{
    return calloc(1, sizeof(mien_error));
}

EMSCRIPTEN_KEEPALIVE const char *mien_wasm_error_message(const mien_error *error)
{
    return error->message;
}

EMSCRIPTEN_KEEPALIVE const char *mien_wasm_error_name(const mien_error *error)
{
    return mien_status_name(error->status);
}

EMSCRIPTEN_KEEPALIVE mien_model *mien_wasm_model_open(const void *bytes, size_t size,
                                                      const char *name, const char *sidecar,
                                                      const char *kernels, mien_error *error)
{
    mien_model *model;
    mien_model_open_memory(bytes, size, name, sidecar, kernels, &model, error);
    return model;
}

EMSCRIPTEN_KEEPALIVE void mien_wasm_model_free(mien_model *model)
{
    mien_model_free(model);
}

EMSCRIPTEN_KEEPALIVE int mien_wasm_class_count(const mien_model *model)
{
    return mien_model_class_count(model);
}

EMSCRIPTEN_KEEPALIVE const char *mien_wasm_class_name(const mien_model *model, int index)
{
    return mien_model_class_name(model, index);
}

EMSCRIPTEN_KEEPALIVE mien_detector *mien_wasm_detector_open(const void *bytes, size_t size,
                                                            const char *name, const char *sidecar,
                                                            double scale_factor, int min_neighbours,
                                                            int min_size, int max_size,
                                                            float min_score, mien_error *error)
{
    mien_detector_options options = {.scale_factor = scale_factor,
                                     .min_neighbours = min_neighbours,
                                     .min_size = min_size,
                                     .max_size = max_size,
                                     .min_score = min_score};
    mien_detector *detector;
    mien_detector_open_memory(bytes, size, name, sidecar, &options, &detector, error);
    return detector;
}

EMSCRIPTEN_KEEPALIVE void mien_wasm_detector_free(mien_detector *detector)
{
    mien_detector_free(detector);
}

EMSCRIPTEN_KEEPALIVE mien_analyzer *
mien_wasm_analyzer_create(const mien_model *model, const mien_detector *detector, mien_error *error)
{
    mien_analyzer *analyzer;
    mien_analyzer_create(model, detector, &analyzer, error);
    return analyzer;
}

EMSCRIPTEN_KEEPALIVE void mien_wasm_analyzer_free(mien_analyzer *analyzer)
{
    mien_analyzer_free(analyzer);
}

EMSCRIPTEN_KEEPALIVE int mien_wasm_analyze(mien_analyzer *analyzer, uint8_t *pixels, int width,
                                           int height, int format, const mien_face **faces,
                                           mien_error *error)
{
    mien_image image = {.data = pixels,
                        .width = width,
                        .height = height,
                        .stride = (size_t)width * (size_t)mien_pixel_size(format),
                        .format = format};
    size_t count;
    if (mien_analyzer_run(analyzer, &image, faces, &count, error) != MIEN_OK)
        return -1;
    return (int)count;
}

EMSCRIPTEN_KEEPALIVE void mien_wasm_read_face(const mien_face *faces, int index, float *values)
{
    const mien_face *face = &faces[index];
    const float before[] = {
        face->x, face->y, face->width, face->height, face->detection_score, face->has_landmarks};
    const float after[] = {face->has_expression, (float)face->top, face->confidence, face->unsure};
    memcpy(values, before, sizeof before);
    memcpy(values + 6, face->landmarks, sizeof face->landmarks);
    memcpy(values + 16, after, sizeof after);
    memcpy(values + 20, face->probabilities, sizeof face->probabilities);
}
