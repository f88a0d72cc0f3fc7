/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One model and one detector serve four threads at once, an analyzer each, and give what one thread
 * gives; and the threads that one analyzer has for each picture change nothing. Under
 * ThreadSanitizer this shows that nothing shared is written.
 */

#include "support.h"

#include <mien/mien.h>

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 3, MAX_FACES = 8 };

/* What one analyzer found in the whole picture and in a part of it. */
typedef struct found {
    mien_face faces[2][MAX_FACES];
    size_t counts[2];
} found;

typedef struct worker {
    const mien_model *model;
    const mien_detector *detector;
    const mien_image *pictures; /* (2) */
    int rounds;
    mien_status status;
    mien_error error;
    found found;
    pthread_t thread;
} worker;

static void analyze_both(worker *w, mien_analyzer *analyzer)
{
    for (int p = 0; p < 2 && w->status == MIEN_OK; p++) {
        const mien_face *faces;
        size_t count;
        w->status = mien_analyzer_run(analyzer, &w->pictures[p], &faces, &count, &w->error);
        if (w->status != MIEN_OK)
            return;
        w->found.counts[p] = count;
        memcpy(w->found.faces[p], faces, (count < MAX_FACES ? count : MAX_FACES) * sizeof *faces);
    }
}

static void *work(void *argument)
{
    worker *w = argument;
    mien_analyzer *analyzer = NULL;
    w->status = mien_analyzer_create(w->model, w->detector, &analyzer, &w->error);
    for (int i = 0; i < w->rounds && w->status == MIEN_OK; i++)
        analyze_both(w, analyzer);
    mien_analyzer_free(analyzer);
    return NULL;
}

static void assert_same(const found *expected, const found *actual)
{
    for (int p = 0; p < 2; p++) {
        assert_int_equal(actual->counts[p], expected->counts[p]);
        for (size_t i = 0; i < expected->counts[p] && i < MAX_FACES; i++) {
            const mien_face *a = &actual->faces[p][i], *e = &expected->faces[p][i];
            const float box_a[] = {a->x, a->y, a->width, a->height, a->detection_score};
            const float box_e[] = {e->x, e->y, e->width, e->height, e->detection_score};
            assert_memory_equal(box_a, box_e, sizeof box_a);
            assert_memory_equal(a->probabilities, e->probabilities, sizeof a->probabilities);
            assert_int_equal(a->top, e->top);
            assert_true(a->unsure == e->unsure);
        }
    }
}

static void compare_threads(const char *kernels, const mien_detector *detector,
                            const mien_image *pictures)
{
    char path[4096];
    mien_error error;
    mien_model *model;
    const mien_model_options options = {.kernels = kernels};
    test_source_path("tests/fixtures/tiny-classifier.onnx", path, sizeof path);
    assert_ok(mien_model_open(path, &options, &model, &error), &error);
    worker alone = {.model = model, .detector = detector, .pictures = pictures, .rounds = 1};
    work(&alone);
    assert_ok(alone.status, &alone.error);
    assert_int_equal(alone.found.counts[0], 1);
    worker workers[THREADS];
    for (int t = 0; t < THREADS; t++) {
        workers[t] = alone;
        workers[t].found = (found){0};
        workers[t].rounds = ROUNDS;
        assert_int_equal(pthread_create(&workers[t].thread, NULL, work, &workers[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(workers[t].thread, NULL);
    for (int t = 0; t < THREADS; t++) {
        assert_ok(workers[t].status, &workers[t].error);
        assert_same(&alone.found, &workers[t].found);
    }
    mien_model_free(model);
}

static void load_pictures(mien_image *whole, mien_image *pictures)
{
    char path[4096];
    mien_error error;
    test_source_path("tests/fixtures/astronaut-gray.pgm", path, sizeof path);
    assert_ok(mien_image_load(path, MIEN_PIXEL_RGB8, 0, whole, &error), &error);
    pictures[0] = pictures[1] = *whole;
    pictures[1].height /= 2;
}

static void threads_share_a_model_and_a_cascade(void **state)
{
    (void)state;
    mien_error error;
    mien_image whole, pictures[2];
    mien_detector *detector;
    const mien_detector_options options = {.scale_factor = 1.2, .min_size = 30};
    load_pictures(&whole, pictures);
    assert_ok(mien_detector_open(NULL, &options, &detector, &error), &error);
    compare_threads(NULL, detector, pictures);
    mien_detector_free(detector);
    mien_image_free(&whole);
}

static void threads_share_a_model_of_each_kernel_set(void **state)
{
    (void)state;
    mien_image whole, pictures[2];
    load_pictures(&whole, pictures);
    compare_threads("reference", NULL, pictures);
    compare_threads("generic", NULL, pictures);
    compare_threads(NULL, NULL, pictures);
    mien_image_free(&whole);
}

static void threads_share_a_detector_network(void **state)
{
    (void)state;
    char path[4096], sidecar[4096];
    mien_error error;
    mien_image whole, pictures[2];
    mien_detector *detector;
    if (test_shared_path("weights/face_detection_yunet_2023mar.onnx", path, sizeof path) == NULL)
        skip();
    test_source_path("models/sidecars/face_detection_yunet_2023mar.mien", sidecar, sizeof sidecar);
    const mien_detector_options options = {.sidecar = sidecar};
    load_pictures(&whole, pictures);
    assert_ok(mien_detector_open(path, &options, &detector, &error), &error);
    compare_threads(NULL, detector, pictures);
    mien_detector_free(detector);
    mien_image_free(&whole);
}

/* What an analyzer finds with a model and a detector opened for so many threads. */
static found analyze_shared(const mien_image *pictures, int model_threads, int detector_threads)
{
    char path[4096];
    mien_model *model;
    mien_detector *detector;
    mien_error error;
    const mien_model_options model_options = {.threads = model_threads};
    const mien_detector_options options = {
        .scale_factor = 1.2, .min_size = 30, .threads = detector_threads};
    test_source_path("models/mien.onnx", path, sizeof path);
    assert_ok(mien_model_open(path, &model_options, &model, &error), &error);
    assert_ok(mien_detector_open(NULL, &options, &detector, &error), &error);
    worker alone = {.model = model, .detector = detector, .pictures = pictures, .rounds = ROUNDS};
    work(&alone);
    assert_ok(alone.status, &alone.error);
    mien_detector_free(detector);
    mien_model_free(model);
    return alone.found;
}

static void threads_share_one_picture(void **state)
{
    (void)state;
    mien_image whole, pictures[2];
    load_pictures(&whole, pictures);
    found one = analyze_shared(pictures, 0, 0);
    assert_int_equal(one.counts[0], 1);
    static const int threads[][2] = {{2, 1}, {1, 3}, {3, 2}, {2, 5}};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        found more = analyze_shared(pictures, threads[i][0], threads[i][1]);
        assert_same(&one, &more);
    }
    mien_image_free(&whole);
}

static void wrong_numbers_of_threads_are_refused(void **state)
{
    (void)state;
    char path[4096];
    mien_error error;
    mien_model *model;
    mien_detector *detector;
    test_source_path("tests/fixtures/tiny-classifier.onnx", path, sizeof path);
    assert_fails(MIEN_INVALID_ARGUMENT,
                 mien_model_open(path, &(mien_model_options){.threads = 257}, &model, &error),
                 &error, "257 threads");
    assert_null(model);
    assert_fails(
        MIEN_INVALID_ARGUMENT,
        mien_detector_open(NULL, &(mien_detector_options){.threads = -1}, &detector, &error),
        &error, "-1 threads");
    assert_null(detector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_model_and_a_cascade),
        cmocka_unit_test(threads_share_a_model_of_each_kernel_set),
        cmocka_unit_test(threads_share_a_detector_network),
        cmocka_unit_test(threads_share_one_picture),
        cmocka_unit_test(wrong_numbers_of_threads_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
