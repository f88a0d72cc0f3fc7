/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fails each allocation in turn, from the picture's bytes to its faces with their expressions:
 * every failure is reported as one, nothing leaks and nothing crashes.
 */

#include "wrapped.h"

#include <mien/mien.h>
#include <unistd.h>

static mien_status decode(const void *context, mien_error *error)
{
    const file_bytes *file = context;
    mien_image image;
    mien_status status =
        mien_image_decode(file->bytes, file->size, MIEN_PIXEL_RGB8, 0, &image, error);
    if (status != MIEN_OK)
        assert_null(image.data);
    mien_image_free(&image);
    return status;
}

static mien_status open_model(const void *context, mien_error *error)
{
    const file_bytes *file = context;
    mien_model *model;
    mien_status status = mien_model_open_memory(file->bytes, file->size, "tiny.onnx",
                                                "mien.unsure_below = 0.5\nmien.crop.margin = 0.1\n",
                                                NULL, &model, error);
    assert_true((model != NULL) == (status == MIEN_OK));
    mien_model_free(model);
    return status;
}

static mien_status open_cascade(const void *context, mien_error *error)
{
    const file_bytes *file = context;
    mien_detector *detector;
    mien_status status = mien_detector_open_memory(file->bytes, file->size, "cascade.xml", NULL,
                                                   NULL, &detector, error);
    assert_true((detector != NULL) == (status == MIEN_OK));
    mien_detector_free(detector);
    return status;
}

typedef struct analysis {
    const mien_model *model;
    const mien_detector *detector;
    mien_image image, small;
} analysis;

/* Two pictures one after another: memory that is kept grows in between. */
static mien_status analyze(const void *context, mien_error *error)
{
    const analysis *a = context;
    mien_analyzer *analyzer;
    const mien_face *faces;
    size_t count;
    mien_status status = mien_analyzer_create(a->model, a->detector, &analyzer, error);
    assert_true((analyzer != NULL) == (status == MIEN_OK));
    if (status == MIEN_OK)
        status = mien_analyzer_run(analyzer, &a->small, &faces, &count, error);
    if (status == MIEN_OK)
        status = mien_analyzer_run(analyzer, &a->image, &faces, &count, error);
    if (status == MIEN_OK) {
        assert_int_equal(count, 1);
        assert_true(faces[0].has_expression == (a->model != NULL));
    }
    mien_analyzer_free(analyzer);
    return status;
}

/* ---- Tests ---- */

static void jpeg_decoding(void **state)
{
    (void)state;
    file_bytes file = read_source("tests/fixtures/astronaut.jpg");
    fail_each("JPEG", decode, &file, 0);
    __real_free(file.bytes);
}

static void png_and_pgm_decoding(void **state)
{
    (void)state;
    file_bytes pgm = read_source("tests/fixtures/astronaut-gray.pgm");
    fail_each("PGM", decode, &pgm, 0);
    mien_image image;
    mien_error error;
    char path[] = P_tmpdir "/mien-oom-XXXXXX.png";
    int descriptor = mkstemps(path, 4);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_ok(mien_image_decode(pgm.bytes, pgm.size, MIEN_PIXEL_RGB8, 0, &image, &error), &error);
    assert_ok(mien_image_save(&image, path, &error), &error);
    mien_image_free(&image);
    file_bytes png = read_bytes(path);
    remove(path);
    fail_each("PNG", decode, &png, 0);
    __real_free(png.bytes);
    __real_free(pgm.bytes);
}

static mien_status save(const void *context, mien_error *error)
{
    const char *path = context;
    static uint8_t pixels[16 * 16 * 3];
    const mien_image image = {pixels, 16, 16, 16 * 3, MIEN_PIXEL_RGB8};
    mien_status status = mien_image_save(&image, path, error);
    assert_int_equal(remove(path) == 0, status == MIEN_OK);
    return status;
}

static void encoding(void **state)
{
    (void)state;
    static const char *const endings[] = {".jpg", ".png", ".pgm", ".ppm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char path[64];
        snprintf(path, sizeof path, P_tmpdir "/mien-oom-%ld%s", (long)getpid(), endings[i]);
        /* JPEG: giving back the room that was not needed may fail. */
        fail_each(endings[i], save, path, i == 0);
    }
}

static void opening_a_model(void **state)
{
    (void)state;
    file_bytes file = read_source("tests/fixtures/tiny-classifier.onnx");
    fail_each("model", open_model, &file, 0);
    __real_free(file.bytes);
}

/* In the caller's buffer. */
static const char *cascade_path(const char *name, char *path, size_t size)
{
    const char *folder = getenv("MIEN_CASCADES");
    snprintf(path, size, "%s/haarcascade_%s.xml",
             folder != NULL ? folder : "/usr/share/opencv4/haarcascades", name);
    return path;
}

static file_bytes read_cascade(const char *name)
{
    char path[512];
    return read_bytes(cascade_path(name, path, sizeof path));
}

static void opening_a_cascade(void **state)
{
    (void)state;
    file_bytes file = read_cascade("smile");
    fail_each("cascade", open_cascade, &file, 0);
    __real_free(file.bytes);
}

/* The part of the picture around the face, so that a run is short. */
static mien_image view_of_the_face(const mien_image *image)
{
    mien_image view = *image;
    int bytes = mien_pixel_size(image->format);
    view.data += (size_t)20 * image->stride + (size_t)(75 * bytes);
    view.width = view.height = 80;
    return view;
}

static void analyzing(void **state)
{
    (void)state;
    mien_error error;
    analysis a = {0};
    mien_model *model;
    mien_detector *detector;
    mien_image whole;
    const mien_detector_options options = {.scale_factor = 1.2, .min_neighbours = 2};
    file_bytes onnx = read_source("tests/fixtures/tiny-classifier.onnx");
    file_bytes xml = read_cascade("frontalface_default");
    file_bytes pgm = read_source("tests/fixtures/astronaut-gray.pgm");
    assert_ok(
        mien_model_open_memory(onnx.bytes, onnx.size, "tiny.onnx", NULL, NULL, &model, &error),
        &error);
    assert_ok(mien_detector_open_memory(xml.bytes, xml.size, "face.xml", NULL, &options, &detector,
                                        &error),
              &error);
    assert_ok(mien_image_decode(pgm.bytes, pgm.size, MIEN_PIXEL_RGB8, 0, &whole, &error), &error);
    a.image = a.small = view_of_the_face(&whole);
    a.small.height = 40;
    a.detector = detector;
    fail_each("faces", analyze, &a, 0);
    a.model = model;
    fail_each("faces with expressions", analyze, &a, 0);
    a.detector = NULL;
    fail_each("expressions", analyze, &a, 0);
    mien_image_free(&whole);
    mien_detector_free(detector);
    mien_model_free(model);
    __real_free(pgm.bytes);
    __real_free(xml.bytes);
    __real_free(onnx.bytes);
}

static mien_status analyze_files(const void *context, mien_error *error)
{
    const char *const *paths = context; /* model, detector, picture */
    mien_model *model = NULL;
    mien_detector *detector = NULL;
    mien_image image = {0};
    mien_analyzer *analyzer = NULL;
    const mien_face *faces;
    size_t count;
    const mien_detector_options options = {.min_size = 400};
    mien_status status = mien_model_open(paths[0], NULL, &model, error);
    if (status == MIEN_OK)
        status = mien_detector_open(paths[1], &options, &detector, error);
    if (status == MIEN_OK)
        status = mien_image_load(paths[2], MIEN_PIXEL_BGR8, 0, &image, error);
    if (status == MIEN_OK)
        status = mien_analyzer_create(model, detector, &analyzer, error);
    if (status == MIEN_OK)
        status = mien_analyzer_run(analyzer, &image, &faces, &count, error);
    mien_analyzer_free(analyzer);
    mien_image_free(&image);
    mien_detector_free(detector);
    mien_model_free(model);
    return status;
}

static void from_files(void **state)
{
    (void)state;
    char model[4096], detector[512], picture[4096];
    const char *const paths[] = {
        test_source_path("tests/fixtures/tiny-classifier.onnx", model, sizeof model),
        cascade_path("smile", detector, sizeof detector),
        test_source_path("tests/fixtures/astronaut-gray.pgm", picture, sizeof picture)};
    fail_each("files", analyze_files, paths, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpeg_decoding),     cmocka_unit_test(png_and_pgm_decoding),
        cmocka_unit_test(encoding),          cmocka_unit_test(opening_a_model),
        cmocka_unit_test(opening_a_cascade), cmocka_unit_test(analyzing),
        cmocka_unit_test(from_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
