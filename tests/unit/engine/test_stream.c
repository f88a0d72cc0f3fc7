/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A camera that moves over a picture: after the first round of frames an analyzer allocates
 * nothing. The linker leads the allocating functions here, to count them.
 */

#include "support.h"

#include <mien/mien.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

enum { FRAME_SIDE = 160, FACE_X = 150, FACE_Y = 40, WAY = 32, FRAMES = 2000 };

static long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    allocations++;
    return __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    return __real_aligned_alloc(alignment, size);
}

typedef struct fixture {
    mien_image picture;
    mien_model *model;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    char path[512];
    mien_error error;
    assert_ok(mien_image_load(test_source_path("tests/fixtures/astronaut.jpg", path, sizeof path),
                              MIEN_PIXEL_RGB8, 0, &f.picture, &error),
              &error);
    assert_ok(
        mien_model_open(test_source_path("tests/fixtures/tiny-classifier.onnx", path, sizeof path),
                        NULL, &f.model, &error),
        &error);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mien_image_free(&f->picture);
    mien_model_free(f->model);
    return 0;
}

/* A view of the picture that moves to and fro. */
static mien_image frame_at(const mien_image *picture, int number)
{
    int shift = number % (2 * WAY) < WAY ? number % WAY : WAY - number % WAY;
    mien_image view = *picture;
    view.data += (size_t)(FACE_Y + shift / 2) * picture->stride + (size_t)(FACE_X + shift) * 3;
    view.width = view.height = FRAME_SIDE;
    return view;
}

/* The number of faces in the frames first .. last - 1. */
static size_t analyze_frames(mien_analyzer *analyzer, const mien_image *picture, int first,
                             int last)
{
    size_t sum = 0;
    for (int i = first; i < last; i++) {
        mien_image frame = frame_at(picture, i);
        const mien_face *faces;
        size_t count;
        mien_error error;
        assert_ok(mien_analyzer_run(analyzer, &frame, &faces, &count, &error), &error);
        sum += count;
    }
    return sum;
}

static void check_stream(const fixture *f, const char *detector_path, int threads, int frames)
{
    mien_error error;
    mien_detector *detector;
    mien_analyzer *analyzer;
    mien_detector_options options = {.scale_factor = 1.3, .min_neighbours = 2, .threads = threads};
    assert_ok(mien_detector_open(detector_path, &options, &detector, &error), &error);
    assert_ok(mien_analyzer_create(f->model, detector, &analyzer, &error), &error);
    size_t seen = analyze_frames(analyzer, &f->picture, 0, 2 * WAY);
    assert_true(seen >= 2 * WAY);
    long before = allocations;
    seen = analyze_frames(analyzer, &f->picture, 2 * WAY, frames);
    assert_int_equal(allocations - before, 0);
    assert_true(seen >= (size_t)frames - 2 * WAY);
    mien_analyzer_free(analyzer);
    mien_detector_free(detector);
}

static void a_stream_through_a_cascade_allocates_nothing(void **state)
{
    check_stream(*state, NULL, 1, FRAMES);
}

static void a_stream_through_a_detector_network_allocates_nothing(void **state)
{
    char path[512];
    if (test_shared_path("weights/face_detection_yunet_2023mar.onnx", path, sizeof path) == NULL)
        skip();
    char folder[512];
    setenv("MIEN_DATA", test_source_path("models", folder, sizeof folder), 0);
    check_stream(*state, path, 1, 4 * WAY);
    check_stream(*state, path, 2, 4 * WAY);
}

static void whole_pictures_allocate_nothing(void **state)
{
    const fixture *f = *state;
    mien_error error;
    mien_analyzer *analyzer;
    assert_ok(mien_analyzer_create(f->model, NULL, &analyzer, &error), &error);
    analyze_frames(analyzer, &f->picture, 0, 1);
    long before = allocations;
    assert_int_equal(analyze_frames(analyzer, &f->picture, 1, FRAMES), FRAMES - 1);
    assert_int_equal(allocations - before, 0);
    mien_analyzer_free(analyzer);
}

#ifndef __SANITIZE_ADDRESS__

static long resident_pages(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages;
}

/* Decoding does allocate, and gives back all of it. */
static void decoding_again_and_again_takes_no_more_memory(void **state)
{
    (void)state;
    enum { DECODINGS = 400, MOST_PAGES = 64 };
    char path[512];
    long early = 0;
    test_source_path("tests/fixtures/astronaut.jpg", path, sizeof path);
    for (int i = 0; i < DECODINGS; i++) {
        mien_image picture;
        mien_error error;
        assert_ok(mien_image_load(path, MIEN_PIXEL_RGB8, 0, &picture, &error), &error);
        mien_image_free(&picture);
        if (i == DECODINGS / 10)
            early = resident_pages();
    }
    assert_true(resident_pages() - early <= MOST_PAGES);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_through_a_cascade_allocates_nothing),
        cmocka_unit_test(a_stream_through_a_detector_network_allocates_nothing),
        cmocka_unit_test(whole_pictures_allocate_nothing),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(decoding_again_and_again_takes_no_more_memory),
#endif
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
