/* SPDX-License-Identifier: Apache-2.0 */

/* Whole pipelines over raw frames of the one committed face, which walks. */

#include "support.h"

#include "image/image.h"
#include "video/clock.h"
#include "video/pipeline.h"

#include <math.h>
#include <mien/detector.h>
#include <stdatomic.h>
#include <unistd.h>

enum { SIDE = 200, STEP = 4, FRAMES = 12 };

static char path[] = "/tmp/mien-pipeline-XXXXXX";
static mien_model *model;
static mien_detector *detector;

static int write_walk(void)
{
    char source[512];
    mien_image image;
    const char *from = test_source_path("tests/fixtures/astronaut-gray.pgm", source, sizeof source);
    if (mien_image_load(from, MIEN_PIXEL_GRAY8, 0, &image, NULL) != MIEN_OK)
        return 1;
    FILE *file = fdopen(mkstemp(path), "wb");
    for (int i = 0; i < FRAMES; i++)
        for (int y = 0; y < SIDE; y++)
            fwrite(image_row(&image, y) + (size_t)STEP * (size_t)i, 1, SIDE, file);
    mien_image_free(&image);
    return fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    char file[512];
    mien_error error;
    test_source_path("tests/fixtures/tiny-classifier.onnx", file, sizeof file);
    if (write_walk() != 0 || mien_model_open(file, NULL, &model, &error) != MIEN_OK)
        return 1;
    mien_detector_options options = {.scale_factor = 1.3, .min_size = 48}; /* fast */
    return mien_detector_open(NULL, &options, &detector, &error) != MIEN_OK;
}

static int tear_down(void **state)
{
    (void)state;
    mien_model_free(model);
    mien_detector_free(detector);
    return unlink(path);
}

static pipeline_settings walk(void)
{
    pipeline_settings settings = {.people = {.every = 1, .smooth_s = 0.2}};
    assert_ok(video_raw_parse("200x200:gray@25", &settings.source.raw, NULL), NULL);
    return settings;
}

static pipeline *start(const pipeline_settings *settings)
{
    pipeline *p;
    mien_error error;
    assert_ok(pipeline_open(path, model, detector, settings, &p, &error), &error);
    return p;
}

static pipeline_event next(pipeline *p, pipeline_frame *frame)
{
    pipeline_event event;
    mien_error error;
    assert_ok(pipeline_next(p, INFINITY, &event, frame, &error), &error);
    return event;
}

typedef struct result {
    double time_s;
    size_t count;
    person who;
} result;

static int run(const pipeline_settings *settings, result *results)
{
    pipeline *p = start(settings);
    pipeline_frame frame;
    int count = 0;
    memset(results, 0, FRAMES * sizeof *results);
    while (next(p, &frame) == PIPELINE_FRAME) {
        assert_in_range(count, 0, FRAMES - 1);
        assert_int_equal(frame.number, count + 1);
        assert_true(frame.dropped == 0 && frame.delay_s >= 0 && frame.find_s >= 0);
        assert_int_equal(frame.image->width, SIDE);
        results[count].time_s = frame.time_s;
        results[count].count = frame.count;
        if (frame.count > 0)
            results[count].who = frame.people[0];
        count++;
    }
    assert_int_equal(next(p, &frame), PIPELINE_END);
    assert_int_equal(pipeline_people(p), 1);
    assert_false(pipeline_is_live(p));
    pipeline_close(p);
    return count;
}

static bool same_person(const person *a, const person *b)
{
    return a->id == b->id && a->predicted == b->predicted && a->face.x == b->face.x &&
           a->face.width == b->face.width && a->face.top == b->face.top &&
           memcmp(a->face.probabilities, b->face.probabilities, sizeof a->face.probabilities) == 0;
}

static void test_threads_change_nothing(void **state)
{
    (void)state;
    for (int every = 1; every <= 3; every++) {
        result alone[FRAMES], threads[FRAMES];
        pipeline_settings settings = walk();
        settings.people.every = every;
        settings.one_thread = true;
        assert_int_equal(run(&settings, alone), FRAMES);
        settings.one_thread = false;
        assert_int_equal(run(&settings, threads), FRAMES);
        for (int i = 0; i < FRAMES; i++) {
            assert_true(alone[i].time_s == threads[i].time_s && alone[i].time_s == i * 0.04);
            assert_int_equal(alone[i].count, threads[i].count);
            assert_true(same_person(&alone[i].who, &threads[i].who));
        }
        assert_int_equal(alone[FRAMES - 1].who.id, 1);
    }
}

/* The picture that was handed out is the frame's own until the next call, and its memory is one of
 * a few. */
static void test_pictures(void **state)
{
    (void)state;
    pipeline_settings settings = walk();
    pipeline *p = start(&settings);
    pipeline_frame frame;
    uint8_t before[SIDE * 3], *seen[FRAMES];
    size_t count = 0;
    for (int i = 0; i < FRAMES; i++) {
        assert_int_equal(next(p, &frame), PIPELINE_FRAME);
        memcpy(before, image_row(frame.image, 99), sizeof before);
        clock_sleep(0.005);
        assert_memory_equal(before, image_row(frame.image, 99), sizeof before);
        size_t k = 0;
        while (k < count && seen[k] != frame.image->data)
            k++;
        seen[k] = frame.image->data;
        count = k == count ? count + 1 : count;
    }
    assert_in_range(count, 1, FRAMES - 1);
    pipeline_close(p);
}

static void test_played_live(void **state)
{
    (void)state;
    pipeline_settings settings = walk();
    settings.live = true;
    pipeline *p = start(&settings);
    pipeline_frame frame;
    pipeline_event event;
    double start_s = clock_now_s();
    int frames = 0, nothing = 0;
    assert_true(pipeline_is_live(p));
    do {
        assert_ok(pipeline_next(p, 0.001, &event, &frame, NULL), NULL);
        nothing += event == PIPELINE_NOTHING;
        if (event == PIPELINE_FRAME) {
            frames++;
            assert_int_equal(frame.number - frames, frame.dropped);
            assert_true(clock_now_s() - start_s >= frame.time_s - 1e-3);
        }
    } while (event != PIPELINE_END);
    assert_in_range(frames, 1, FRAMES);
    assert_true(nothing > 0);
    pipeline_close(p);
}

static void test_rate(void **state)
{
    (void)state;
    pipeline_settings settings = walk();
    pipeline *p;
    mien_error error;
    settings.rate = 5;
    assert_fails(MIEN_INVALID_ARGUMENT, pipeline_open(path, model, detector, &settings, &p, &error),
                 &error, "is a file");
    assert_null(p);
    settings.live = true;
    p = start(&settings);
    pipeline_frame frame;
    int frames = 0;
    for (; next(p, &frame) == PIPELINE_FRAME; frames++)
        assert_true(fabs(frame.time_s - frames * 0.2) < 1e-9);
    assert_int_equal(frames, 3);
    pipeline_close(p);
}

static bool is_set(void *context)
{
    return atomic_load((atomic_bool *)context);
}

static void test_stopping(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        atomic_bool stop = false;
        pipeline_settings settings = walk();
        settings.one_thread = i % 2 == 1;
        settings.live = i / 2 == 1;
        settings.source.stopped = is_set;
        settings.source.context = &stop;
        pipeline *p = start(&settings);
        pipeline_frame frame;
        assert_int_equal(next(p, &frame), PIPELINE_FRAME);
        atomic_store(&stop, true);
        while (next(p, &frame) == PIPELINE_FRAME)
            ;
        assert_int_equal(next(p, &frame), PIPELINE_END);
        assert_null(frame.image);
        pipeline_close(p);
    }
}

static void test_closing_at_any_time(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        pipeline_settings settings = walk();
        pipeline_frame frame;
        settings.live = i % 2 == 1;
        pipeline *p = start(&settings);
        for (int k = 0; k < i / 2; k++)
            next(p, &frame);
        pipeline_close(p);
    }
    pipeline_close(NULL);
}

static void test_settings(void **state)
{
    (void)state;
    pipeline *p;
    mien_error error;
    pipeline_settings settings = walk();
    settings.people.every = 0;
    assert_fails(MIEN_INVALID_ARGUMENT, pipeline_open(path, model, detector, &settings, &p, &error),
                 &error, "every 0");
    settings = walk();
    settings.people.smooth_s = -1;
    assert_fails(MIEN_INVALID_ARGUMENT, pipeline_open(path, model, detector, &settings, &p, &error),
                 &error, "-1 s");
    settings = walk();
    assert_fails(MIEN_NOT_FOUND,
                 pipeline_open("/no/such.mp4", model, detector, &settings, &p, &error), &error,
                 "no file '/no/such.mp4'");
    assert_null(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_played_live),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_closing_at_any_time),
        cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
