/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"
#include "video/tracker.h"

#include <math.h>

static tracker *make_tracker(void)
{
    tracker *t;
    mien_error error;
    assert_ok(tracker_create(NULL, &t, &error), &error);
    return t;
}

static void update(tracker *t, double time_s, const image_rect *boxes, size_t count, int64_t *ids)
{
    mien_error error;
    assert_ok(tracker_update(t, time_s, boxes, NULL, count, ids, &error), &error);
}

static image_rect at(double x, double y, double side)
{
    return (image_rect){(float)x, (float)y, (float)side, (float)side};
}

/* One face at a place, for some frames at 25 a second; returns its last id. */
static int64_t stay(tracker *t, double *time_s, image_rect box, int frames)
{
    int64_t id = 0;
    for (int i = 0; i < frames; i++, *time_s += 0.04)
        update(t, *time_s, &box, 1, &id);
    return id;
}

static void pass_empty(tracker *t, double *time_s, double seconds)
{
    for (double end = *time_s + seconds; *time_s < end; *time_s += 0.04)
        update(t, *time_s, NULL, 0, NULL);
}

static size_t living(const tracker *t)
{
    size_t count;
    tracker_tracks(t, &count);
    return count;
}

static void test_confirmed_after_three_boxes(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    image_rect faces[] = {at(300, 50, 40), at(10, 50, 40)};
    for (int i = 0; i < 10; i++) {
        int64_t ids[2];
        update(t, i * 0.04, faces, 2, ids);
        assert_int_equal(ids[0], i < 2 ? 0 : 1);
        assert_int_equal(ids[1], i < 2 ? 0 : 2);
    }
    assert_int_equal(tracker_people(t), 2);
    tracker_free(t);
}

/* Two people walk through each other; the boxes come in the order of their places. */
static void test_crossing(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    for (int i = 0; i <= 100; i++) {
        image_rect right = at(100 + 3.0 * i, 100, 60), left = at(400 - 3.0 * i, 110, 64);
        bool swapped = left.x < right.x;
        image_rect boxes[] = {swapped ? left : right, swapped ? right : left};
        int64_t ids[2];
        update(t, i * 0.04, boxes, 2, ids);
        if (i >= 2) {
            assert_int_equal(ids[swapped ? 1 : 0], 1);
            assert_int_equal(ids[swapped ? 0 : 1], 2);
        }
    }
    tracker_free(t);
}

/* Half a second behind a pillar while walking on; then the place is the predicted one. */
static void test_occlusion_while_moving(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    for (int i = 0; i < 60; i++) {
        image_rect box = at(100 + 4.0 * i, 100, 50);
        int64_t id = 1;
        bool hidden = i >= 25 && i < 38;
        update(t, i * 0.04, &box, hidden ? 0 : 1, &id);
        assert_int_equal(id, i < 2 ? 0 : 1);
    }
    assert_int_equal(tracker_people(t), 1);
    tracker_free(t);
}

/* The same through prediction alone, as between frames that are searched. */
static void test_prediction_follows_the_motion(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    for (int i = 0; i < 30; i++) {
        image_rect box = at(100 + 4.0 * i, 200 - 2.0 * i, 50);
        int64_t id;
        update(t, i * 0.04, &box, 1, &id);
    }
    for (int i = 30; i < 35; i++) {
        size_t count;
        assert_ok(tracker_predict(t, i * 0.04, NULL), NULL);
        const track *tracks = tracker_tracks(t, &count);
        assert_int_equal(count, 1);
        assert_true(tracks[0].seen && tracks[0].id == 1);
        assert_true(fabs((double)tracks[0].box.x - (100 + 4.0 * i)) < 2);
        assert_true(fabs((double)tracks[0].box.y - (200 - 2.0 * i)) < 2);
    }
    tracker_free(t);
}

/* The rate of the frames does not matter: two boxes a second of somebody who walks slowly. */
static void test_few_frames_a_second(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    for (int i = 0; i < 20; i++) {
        image_rect box = at(100 + 20.0 * i, 100, 60);
        int64_t id;
        update(t, i * 0.5, &box, 1, &id);
        assert_int_equal(id, i < 2 ? 0 : 1);
    }
    tracker_free(t);
}

/* A frame every five seconds: longer than a track lives without a box, but nobody was missed. */
static void test_a_frame_now_and_then(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    image_rect box = at(100, 100, 60);
    for (int i = 0; i < 6; i++) {
        int64_t id;
        update(t, i * 5, &box, 1, &id);
        assert_int_equal(id, i < 2 ? 0 : 1);
    }
    tracker_free(t);
}

static void test_leaving_and_ids_never_reused(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    double time_s = 0;
    assert_int_equal(stay(t, &time_s, at(10, 10, 40), 5), 1);
    pass_empty(t, &time_s, 1.5);
    assert_int_equal(stay(t, &time_s, at(10, 10, 40), 1), 1);
    pass_empty(t, &time_s, 2.2);
    assert_int_equal(living(t), 0);
    assert_int_equal(stay(t, &time_s, at(10, 10, 40), 5), 2);
    tracker_free(t);
}

static void test_appearing_beside_another(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    double time_s = 0;
    stay(t, &time_s, at(100, 100, 50), 10);
    for (int i = 0; i < 5; i++, time_s += 0.04) {
        image_rect boxes[] = {at(40, 100, 50), at(100, 100, 50)};
        int64_t ids[2];
        update(t, time_s, boxes, 2, ids);
        assert_int_equal(ids[0], i < 2 ? 0 : 2);
        assert_int_equal(ids[1], 1);
    }
    tracker_free(t);
}

/* A false alarm of one frame gets no id and is forgotten soon. */
static void test_false_alarms(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    double time_s = 0;
    assert_int_equal(stay(t, &time_s, at(500, 300, 30), 1), 0);
    assert_int_equal(stay(t, &time_s, at(100, 100, 50), 20), 1);
    assert_int_equal(living(t), 1);
    assert_int_equal(tracker_people(t), 1);
    tracker_free(t);
}

/* A detector that jitters by a tenth of the face, misses every fifth frame, and gives the boxes in
 * any order, on four people who sit side by side. */
static void test_jitter(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    test_random random = {.state = 99};
    int64_t id_of[4] = {0};
    for (int i = 0; i < 500; i++) {
        image_rect boxes[4];
        int64_t ids[4];
        size_t who[4], count = 0;
        int first = test_random_int(&random, 0, 3);
        for (int k = 0; k < 4; k++) {
            size_t p = (size_t)(first + k) % 4;
            if (test_random_int(&random, 0, 4) == 0)
                continue;
            who[count] = p;
            boxes[count++] = at(50 + 60.0 * (double)p + 4 * (double)test_random_float(&random),
                                80 + 4 * (double)test_random_float(&random),
                                40 + 4 * (double)test_random_float(&random));
        }
        update(t, i * 0.04, boxes, count, ids);
        for (size_t k = 0; k < count; k++) {
            assert_true(id_of[who[k]] == 0 || id_of[who[k]] == ids[k]);
            id_of[who[k]] = ids[k];
        }
    }
    assert_int_equal(tracker_people(t), 4);
    tracker_free(t);
}

/* A clock that jumps ends all tracks; one that stumbles does not. */
static void test_jumps_of_time(void **state)
{
    (void)state;
    const double jumps_s[] = {36000, -36000};
    tracker *t = make_tracker();
    double time_s = 100000;
    image_rect box = at(10, 10, 40);
    assert_int_equal(stay(t, &time_s, box, 5), 1);
    time_s -= 0.2;
    assert_int_equal(stay(t, &time_s, box, 5), 1);
    for (int i = 0; i < 2; i++) {
        time_s += jumps_s[i];
        assert_int_equal(stay(t, &time_s, box, 1), 0);
        assert_int_equal(living(t), 1);
        assert_int_equal(stay(t, &time_s, box, 4), i + 2);
    }
    time_s += 36000;
    assert_ok(tracker_predict(t, time_s, NULL), NULL);
    assert_int_equal(living(t), 0);
    tracker_free(t);
}

static void test_bad_input_changes_nothing(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    mien_error error;
    int64_t ids[2];
    double time_s = 0;
    stay(t, &time_s, at(10, 10, 40), 5);
    image_rect good = at(10, 10, 40);
    const image_rect bad[] = {
        {NAN, 0, 10, 10}, {0, INFINITY, 10, 10}, {0, 0, 0, 10}, {0, 0, 10, -1}, {0, 0, NAN, 10}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        image_rect boxes[] = {good, bad[i]};
        assert_fails(MIEN_INVALID_ARGUMENT, tracker_update(t, time_s, boxes, NULL, 2, ids, &error),
                     &error, "box 1");
    }
    assert_fails(MIEN_INVALID_ARGUMENT, tracker_update(t, NAN, &good, NULL, 1, ids, &error), &error,
                 "nan");
    assert_fails(MIEN_INVALID_ARGUMENT, tracker_predict(t, INFINITY, &error), &error, "inf");
    assert_int_equal(stay(t, &time_s, good, 1), 1);
    assert_int_equal(living(t), 1);
    tracker_free(t);
}

/* The largest numbers that a box can hold: anything but a hang or a crash. */
static void test_enormous_boxes(void **state)
{
    (void)state;
    tracker *t = make_tracker();
    image_rect boxes[] = {
        {-3e38f, 3e38f, 3e38f, 3e38f}, {3e38f, 0, 1e-30f, 1e-30f}, {0, 0, 1e-30f, 3e38f}};
    for (int i = 0; i < 6; i++) {
        int64_t ids[3];
        update(t, i, boxes, 3, ids);
    }
    tracker_free(t);
}

static void test_settings(void **state)
{
    (void)state;
    tracker *t;
    mien_error error;
    tracker_settings settings = tracker_defaults();
    settings.confirm_hits = 0;
    assert_fails(MIEN_INVALID_ARGUMENT, tracker_create(&settings, &t, &error), &error, "0 hits");
    assert_null(t);
    settings = tracker_defaults();
    settings.keep_s = NAN;
    assert_fails(MIEN_INVALID_ARGUMENT, tracker_create(&settings, &t, &error), &error, "nan s");
    settings = tracker_defaults();
    settings.confirm_hits = 1;
    assert_ok(tracker_create(&settings, &t, &error), &error);
    double time_s = 0;
    assert_int_equal(stay(t, &time_s, at(0, 0, 9), 1), 1);
    tracker_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confirmed_after_three_boxes),
        cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_occlusion_while_moving),
        cmocka_unit_test(test_prediction_follows_the_motion),
        cmocka_unit_test(test_few_frames_a_second),
        cmocka_unit_test(test_a_frame_now_and_then),
        cmocka_unit_test(test_leaving_and_ids_never_reused),
        cmocka_unit_test(test_appearing_beside_another),
        cmocka_unit_test(test_false_alarms),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_jumps_of_time),
        cmocka_unit_test(test_bad_input_changes_nothing),
        cmocka_unit_test(test_enormous_boxes),
        cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
