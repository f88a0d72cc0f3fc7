/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/detector.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "detect/decode.h"
#include "image/image.h"
#include "nn/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CASCADE "haarcascade_frontalface_default.xml"
#define TINY_YOLO_CELL  32
#define TINY_YOLO_SIDE  416

static const int yunet_strides[YUNET_LEVELS] = {8, 16, 32};

/* ---- Opening ---- */

static mien_status open_cascade(const void *bytes, size_t size, const char *name,
                                const mien_detector_options *options, mien_detector *detector,
                                mien_error *error)
{
    detector->kind = DETECTOR_CASCADE;
    cascade_options *wanted = &detector->cascade_options;
    *wanted = cascade_default_options();
    if (options->scale_factor != 0)
        wanted->scale_factor = options->scale_factor;
    if (options->min_neighbours != 0)
        wanted->min_neighbours = options->min_neighbours > 0 ? options->min_neighbours : 0;
    wanted->min_width = wanted->min_height = options->min_size;
    wanted->max_width = wanted->max_height = options->max_size;
    if (!(wanted->scale_factor > 1))
        return error_set(error, MIEN_INVALID_ARGUMENT, "the scale factor is %g, not over 1",
                         wanted->scale_factor);
    detector->cascade_kernels = cascade_kernels_find(options->kernels);
    if (detector->cascade_kernels == NULL)
        return error_set(error, MIEN_NOT_FOUND, "there are no kernels '%.40s' for this processor",
                         options->kernels);
    return cascade_read(bytes, size, name, &detector->cascade, error);
}

static mien_status find_yunet_outputs(mien_detector *detector, mien_error *error)
{
    static const char *const names[4] = {"cls", "obj", "bbox", "kps"};
    static const int numbers[4] = {1, 1, 4, 10};
    const nn_plan *plan = detector->network.plan;
    for (int level = 0; level < YUNET_LEVELS; level++)
        for (int i = 0; i < 4; i++) {
            char name[16];
            int stride = yunet_strides[level];
            snprintf(name, sizeof name, "%s_%d", names[i], stride);
            int output = nn_plan_find_output(plan, name);
            int64_t cells = (int64_t)(detector->network.prep.height / stride) *
                            (detector->network.prep.width / stride);
            int64_t elements;
            if (output < 0 ||
                !nn_shape_elements(nn_plan_output_shape(plan, (size_t)output), &elements) ||
                elements != cells * numbers[i])
                return error_set(error, MIEN_SHAPE,
                                 "it is no YuNet detector: it has no output '%s' of %lld numbers",
                                 name, (long long)(cells * numbers[i]));
            detector->yunet_outputs[level][i] = output;
        }
    return MIEN_OK;
}

static mien_status check_tiny_yolo(mien_detector *detector, mien_error *error)
{
    const prep_settings *prep = &detector->network.prep;
    const nn_shape *shape = nn_plan_output_shape(detector->network.plan, 0);
    char text[NN_SHAPE_TEXT_SIZE];
    if (shape->rank != 4 || shape->dims[1] != 25 ||
        shape->dims[2] != prep->height / TINY_YOLO_CELL ||
        shape->dims[3] != prep->width / TINY_YOLO_CELL)
        return error_set(error, MIEN_SHAPE,
                         "it is no tiny YOLO detector: its output is %s, not 1x25x%dx%d",
                         nn_shape_text(shape, text), prep->height / TINY_YOLO_CELL,
                         prep->width / TINY_YOLO_CELL);
    float anchors[10];
    mien_status status = settings_floats(&detector->network.settings, "mien.detector.anchors", 1e-3,
                                         1e3, anchors, 10, error);
    if (status == MIEN_OK &&
        settings_get(&detector->network.settings, "mien.detector.anchors") == NULL)
        return error_set(error, MIEN_NOT_FOUND, "its settings lack mien.detector.anchors");
    memcpy(detector->anchors, anchors, sizeof anchors);
    return status;
}

static mien_status read_detector_settings(mien_detector *detector,
                                          const mien_detector_options *options, mien_error *error)
{
    static const char *const kinds[] = {"yunet", "tiny-yolo", NULL};
    const setting_list *s = &detector->network.settings;
    int kind = -1;
    mien_status status = settings_choice(s, "mien.detector", kinds, &kind, error);
    if (status != MIEN_OK)
        return status;
    if (kind < 0)
        return error_set(error, MIEN_NOT_FOUND,
                         "it does not say which detector it is: give a sidecar file with the line "
                         "\"mien.detector = yunet\" or \"tiny-yolo\" (docs/MODEL_FORMAT.md)");
    detector->kind = kind == 0 ? DETECTOR_YUNET : DETECTOR_TINY_YOLO;
    detector->min_score = kind == 0 ? 0.7f : 0.5f;
    detector->overlap = kind == 0 ? 0.3f : 0.4f;
    status = settings_float(s, "mien.detector.score", 0, 1, &detector->min_score, error);
    if (status == MIEN_OK)
        status = settings_float(s, "mien.detector.overlap", 0, 1, &detector->overlap, error);
    if (options->min_score != 0)
        detector->min_score = options->min_score;
    if (status != MIEN_OK)
        return status;
    return kind == 0 ? find_yunet_outputs(detector, error) : check_tiny_yolo(detector, error);
}

static mien_status open_network(const void *bytes, size_t size, const char *name,
                                const char *sidecar, const mien_detector_options *options,
                                mien_detector *detector, mien_error *error)
{
    detector->min_size = options->min_size;
    detector->max_size = options->max_size;
    const engine_network_options network_options = {.sidecar_text = sidecar,
                                                    .name = name,
                                                    .kernels = options->kernels,
                                                    .side = TINY_YOLO_SIDE,
                                                    .width = options->input_width,
                                                    .height = options->input_height};
    mien_status status =
        engine_network_read(bytes, size, &network_options, &detector->network, error);
    if (status != MIEN_OK)
        return status;
    status = read_detector_settings(detector, options, error);
    return status == MIEN_OK ? MIEN_OK : error_prefix(error, status, "%s", name);
}

/* All networks here halve their picture five times. */
static bool is_input_side(int side)
{
    return side >= 0 && side <= 4096 && side % 32 == 0;
}

static mien_status check_options(const mien_detector_options *options, mien_error *error)
{
    if (!is_input_side(options->input_width) || !is_input_side(options->input_height))
        return error_set(
            error, MIEN_INVALID_ARGUMENT,
            "a detector's input must be multiples of 32 up to 4096, not %d x %d pixels",
            options->input_width, options->input_height);
    if (options->min_size < 0 || options->max_size < 0 ||
        (options->max_size != 0 && options->max_size < options->min_size))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the size of faces must lie in a range, not %d to %d pixels",
                         options->min_size, options->max_size);
    if (options->threads < 0 || options->threads > TEAM_MOST_MEMBERS)
        return error_set(error, MIEN_INVALID_ARGUMENT, "%d threads for a picture, not 1 to %d",
                         options->threads, TEAM_MOST_MEMBERS);
    if (!(options->min_score >= 0 && options->min_score <= 1))
        return error_set(error, MIEN_INVALID_ARGUMENT, "the least score is %g, not 0 to 1",
                         (double)options->min_score);
    return MIEN_OK;
}

mien_status mien_detector_open_memory(const void *bytes, size_t size, const char *name,
                                      const char *sidecar, const mien_detector_options *options,
                                      mien_detector **out, mien_error *error)
{
    static const mien_detector_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    *out = NULL;
    mien_status status = check_options(options, error);
    if (status != MIEN_OK)
        return status;
    mien_detector *detector = memory_zeroed(1, sizeof *detector);
    if (detector == NULL)
        return error_no_memory(error, name, sizeof *detector);
    detector->threads = options->threads > 0 ? options->threads : 1;
    const char *extension = file_extension(name);
    if (strcmp(extension, "xml") == 0)
        status = open_cascade(bytes, size, name, options, detector, error);
    else if (strcmp(extension, "onnx") == 0)
        status = open_network(bytes, size, name, sidecar, options, detector, error);
    else
        status = error_set(error, MIEN_UNSUPPORTED,
                           "'%s' is no detector: its name must end in .xml (cascade) or .onnx "
                           "(network)",
                           name);
    if (status != MIEN_OK) {
        mien_detector_free(detector);
        return status;
    }
    *out = detector;
    return MIEN_OK;
}

/* The first place that has the default cascade, in the caller's buffer. NULL: none has. */
static const char *find_default_cascade(const char *data_folder, char *path, size_t size)
{
    const char *folders[] = {
        engine_data_folder(data_folder), getenv("MIEN_CASCADES"), "/usr/share/opencv4/haarcascades",
        "/usr/local/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (folders[i] == NULL)
            continue;
        snprintf(path, size, "%s/%s", folders[i], DEFAULT_CASCADE);
        if (file_exists(path))
            return path;
    }
    return NULL;
}

mien_status mien_detector_open(const char *path, const mien_detector_options *options,
                               mien_detector **out, mien_error *error)
{
    static const mien_detector_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    *out = NULL;
    char default_path[4096];
    if (path == NULL)
        path = find_default_cascade(options->data_folder, default_path, sizeof default_path);
    if (path == NULL)
        return error_set(error, MIEN_NOT_FOUND,
                         "the default face detector %s is not installed: install the package "
                         "opencv-data, or name a detector",
                         DEFAULT_CASCADE);
    uint8_t *bytes;
    size_t size;
    char *sidecar = NULL;
    mien_status status = file_read(path, ONNX_MAX_FILE_SIZE, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    if (strcmp(file_extension(path), "onnx") == 0)
        status = engine_find_sidecar(path, options->sidecar, options->data_folder, &sidecar, error);
    if (status == MIEN_OK)
        status = mien_detector_open_memory(bytes, size, path, sidecar, options, out, error);
    free(sidecar);
    free(bytes);
    return status;
}

void mien_detector_free(mien_detector *detector)
{
    if (detector == NULL)
        return;
    cascade_free(detector->cascade);
    engine_network_free(&detector->network);
    free(detector);
}

/* ---- Running ---- */

mien_status detector_memory_create(const mien_detector *detector, team *workers,
                                   detector_memory *memory, mien_error *error)
{
    *memory = (detector_memory){0};
    if (detector->kind == DETECTOR_CASCADE)
        return cascade_searcher_create(detector->cascade, detector->cascade_kernels, workers,
                                       &memory->searcher, error);
    return nn_session_create_shared(detector->network.plan, workers, &memory->session, error);
}

void detector_memory_free(detector_memory *memory)
{
    mien_image_free(&memory->gray);
    cascade_searcher_free(memory->searcher);
    nn_session_free(memory->session);
    prep_scratch_free(&memory->prep);
    face_list_free(&memory->found);
}

static mien_status run_cascade(const mien_detector *detector, detector_memory *memory,
                               const mien_image *image, face_list *list, mien_error *error)
{
    const mien_image *gray = image;
    mien_status status = MIEN_OK;
    if (image->format != MIEN_PIXEL_GRAY8) {
        if (memory->gray.width != image->width || memory->gray.height != image->height) {
            mien_image_free(&memory->gray);
            status = mien_image_alloc(image->width, image->height, MIEN_PIXEL_GRAY8, &memory->gray,
                                      error);
        }
        if (status == MIEN_OK)
            status = image_convert(image, &memory->gray, error);
        gray = &memory->gray;
    }
    if (status == MIEN_OK)
        status = cascade_search(memory->searcher, gray, &detector->cascade_options, list, error);
    return status;
}

/* The network sees the picture at its top left, fitted in; the rest is black. */
static mien_status fill_input(const mien_detector *detector, detector_memory *memory,
                              const mien_image *image, float pixels_per_cell, mien_error *error)
{
    prep_settings prep = detector->network.prep;
    prep.square = false;
    prep.margin = 0;
    prep_face all = {
        .box = {0, 0, (float)prep.width * pixels_per_cell, (float)prep.height * pixels_per_cell}};
    float *input = nn_session_input(memory->session, 0);
    mien_status status = prep_fill(&prep, image, &all, &memory->prep, input, error);
    if (status != MIEN_OK)
        return status;
    int channels = prep.format == PREP_GRAY ? 1 : 3;
    int used_columns = (int)((float)image->width / pixels_per_cell + 0.5f);
    int used_rows = (int)((float)image->height / pixels_per_cell + 0.5f);
    for (int c = 0; c < channels; c++) {
        float black = (0 - prep.mean[c]) * prep.scale[c];
        for (int y = 0; y < prep.height; y++, input += prep.width)
            for (int x = y < used_rows ? used_columns : 0; x < prep.width; x++)
                input[x] = black;
    }
    return MIEN_OK;
}

static bool decode(const mien_detector *detector, const nn_session *session, face_list *list)
{
    const prep_settings *prep = &detector->network.prep;
    if (detector->kind == DETECTOR_TINY_YOLO)
        return tiny_yolo_decode(nn_session_output(session, 0), prep->height / TINY_YOLO_CELL,
                                prep->width / TINY_YOLO_CELL, detector->anchors, TINY_YOLO_CELL,
                                detector->min_score, list);
    yunet_level levels[YUNET_LEVELS];
    for (int i = 0; i < YUNET_LEVELS; i++) {
        const int *outputs = detector->yunet_outputs[i];
        levels[i] = (yunet_level){.stride = yunet_strides[i],
                                  .rows = prep->height / yunet_strides[i],
                                  .columns = prep->width / yunet_strides[i],
                                  .cls = nn_session_output(session, (size_t)outputs[0]),
                                  .obj = nn_session_output(session, (size_t)outputs[1]),
                                  .bbox = nn_session_output(session, (size_t)outputs[2]),
                                  .kps = nn_session_output(session, (size_t)outputs[3])};
    }
    return yunet_decode(levels, YUNET_LEVELS, detector->min_score, list);
}

/* From pixels of the network's input to pixels of the picture. */
static void rescale(face_box *face, float factor)
{
    face->x *= factor;
    face->y *= factor;
    face->width *= factor;
    face->height *= factor;
    for (int i = 0; i < FACE_LANDMARKS; i++) {
        face->landmarks[i][0] *= factor;
        face->landmarks[i][1] *= factor;
    }
}

static bool size_fits(const mien_detector *detector, const face_box *face)
{
    return face->width >= (float)detector->min_size &&
           (detector->max_size == 0 || face->width <= (float)detector->max_size);
}

static mien_status run_network(const mien_detector *detector, detector_memory *memory,
                               const mien_image *image, face_list *list, mien_error *error)
{
    const prep_settings *prep = &detector->network.prep;
    float by_width = (float)image->width / (float)prep->width;
    float by_height = (float)image->height / (float)prep->height;
    float factor = by_width > by_height ? by_width : by_height;
    mien_status status = fill_input(detector, memory, image, factor, error);
    if (status != MIEN_OK)
        return status;
    nn_session_run(memory->session);
    face_list *found = &memory->found;
    found->count = 0;
    bool decoded = decode(detector, memory->session, found);
    if (decoded)
        face_list_suppress(found, detector->overlap);
    for (size_t i = 0; decoded && i < found->count; i++) {
        rescale(&found->faces[i], factor);
        if (size_fits(detector, &found->faces[i]))
            decoded = face_list_add(list, &found->faces[i]);
    }
    return decoded ? MIEN_OK : error_no_memory(error, "faces", sizeof(face_box));
}

mien_status detector_run(const mien_detector *detector, detector_memory *memory,
                         const mien_image *image, face_list *list, mien_error *error)
{
    if (detector->kind == DETECTOR_CASCADE)
        return run_cascade(detector, memory, image, list, error);
    return run_network(detector, memory, image, list, error);
}
