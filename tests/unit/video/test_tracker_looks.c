/* SPDX-License-Identifier: Apache-2.0 */

/* Who is who where motion alone does not tell: crossings, and people who come back. */

#include "support.h"
#include "video/tracker.h"

#include <math.h>

#define FRAME_S 0.04

enum { MOST = 4 };

/* A room with a camera: who is seen at a time, and the ids that they get. */
typedef struct room {
    tracker *tracker;
    double time_s;
    image_rect boxes[MOST];
    looks looks[MOST];
    int64_t ids[MOST];
    size_t count;
    bool blind; /* looks are not told */
} room;

static room make_room(double remember_s)
{
    mien_error error;
    room r = {0};
    tracker_settings settings = tracker_defaults();
    settings.remember_s = remember_s;
    assert_ok(tracker_create(&settings, &r.tracker, &error), &error);
    return r;
}

/* Hair, face and clothes of one of several people; no two are alike. */
static looks looks_number(int number)
{
    static const float clothes[][3] = {
        {200, 40, 40}, {40, 60, 180}, {60, 150, 60}, {220, 220, 220}};
    looks l = {.known = (1u << LOOKS_AREAS) - 1};
    for (int i = 0; i < LOOKS_AREAS; i++)
        for (int c = 0; c < 3; c++)
            l.colours[i][c] = i < LOOKS_FIRST_OF_CLOTHES
                                  ? 150.0f - 30.0f * (float)c - 20.0f * (float)number
                                  : clothes[number][c];
    return l;
}

static void enter(room *r, double x, double y, looks l)
{
    r->boxes[r->count] = (image_rect){(float)x, (float)y, 60, 60};
    r->looks[r->count++] = l;
}

/* One frame with those who entered since the last one. Nobody's id is another's. */
static void pass_frame(room *r)
{
    mien_error error;
    assert_ok(tracker_update(r->tracker, r->time_s, r->boxes, r->blind ? NULL : r->looks, r->count,
                             r->ids, &error),
              &error);
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(r->ids[i] == 0 || r->ids[i] != r->ids[j]);
    r->time_s += FRAME_S;
    r->count = 0;
}

static void pass_empty(room *r, double seconds)
{
    for (double end = r->time_s + seconds; r->time_s < end;)
        pass_frame(r);
}

/* Somebody stays for half a second; returns the id. */
static int64_t stay(room *r, double x, looks l)
{
    for (int i = 0; i < 12; i++) {
        enter(r, x, 100, l);
        pass_frame(r);
    }
    return r->ids[0];
}

/* Two at once. */
static void stay_both(room *r, double x, looks l, double other_x, looks other)
{
    for (int i = 0; i < 12; i++) {
        enter(r, x, 100, l);
        enter(r, other_x, 100, other);
        pass_frame(r);
    }
}

/* ---- Crossings ---- */

/* The places of two people at a time, 0..1. */
typedef void walk(double t, double *first, double *second);

static void walk_evenly(double t, double *first, double *second)
{
    *first = 100 + 400 * t;
    *second = 500 - 400 * t;
}

static void walk_faster_and_faster(double t, double *first, double *second)
{
    *first = 100 + 400 * t * t;
    *second = 500 - 400 * t * t;
}

/* They meet and go back where they came from. */
static void turn_back(double t, double *first, double *second)
{
    double way = 400 * (0.5 - fabs(0.5 - t));
    *first = 100 + way;
    *second = 500 - way;
}

/* The first is hidden behind the second when they are close. The number of frames in which one of
 * them has an id that is not the one of the beginning. */
static int cross(walk *where, bool blind)
{
    room r = make_room(30);
    int wrong = 0;
    r.blind = blind;
    for (int i = 0; i <= 100; i++) {
        double first, second;
        where(i / 100.0, &first, &second);
        bool hidden = fabs(first - second) < 50;
        enter(&r, second, 104, looks_number(1));
        if (!hidden)
            enter(&r, first, 100, looks_number(0));
        pass_frame(&r);
        wrong += r.ids[0] != 0 && r.ids[0] != 1;
        wrong += !hidden && r.ids[1] != 0 && r.ids[1] != 2;
    }
    wrong += (int)tracker_people(r.tracker) - 2;
    tracker_free(r.tracker);
    return wrong;
}

static void test_crossing_behind_another(void **state)
{
    (void)state;
    assert_int_equal(cross(walk_evenly, false), 0);
    assert_int_equal(cross(walk_faster_and_faster, false), 0);
}

static void test_meeting_and_turning_back(void **state)
{
    (void)state;
    assert_true(cross(turn_back, true) > 0); /* by motion they have walked on */
    assert_int_equal(cross(turn_back, false), 0);
}

/* Where nobody competes, the looks of those who are there decide nothing. */
static void test_new_clothes_without_competitors(void **state)
{
    (void)state;
    room r = make_room(30);
    test_random random = {.state = 7};
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 3; k++)
            enter(&r, 100 + 150 * k + 3 * (double)test_random_float(&random), 100,
                  looks_number(test_random_int(&random, 0, 3)));
        pass_frame(&r);
        for (int k = 0; k < 3; k++)
            assert_int_equal(r.ids[k], i < 2 ? 0 : k + 1);
    }
    tracker_free(r.tracker);
}

/* ---- Coming back ---- */

static void test_back_after_ten_seconds(void **state)
{
    (void)state;
    room r = make_room(30);
    assert_int_equal(stay(&r, 100, looks_number(0)), 1);
    pass_empty(&r, 10);
    looks brighter = looks_number(0);
    for (int i = 0; i < LOOKS_AREAS; i++)
        for (int c = 0; c < 3; c++)
            brighter.colours[i][c] *= 1.15f;
    assert_int_equal(stay(&r, 500, brighter), 1);
    assert_int_equal(tracker_people(r.tracker), 1);
    pass_empty(&r, 5);
    assert_int_equal(stay(&r, 100, looks_number(0)), 1);
    tracker_free(r.tracker);
}

static void test_a_stranger_comes_instead(void **state)
{
    (void)state;
    room r = make_room(30);
    assert_int_equal(stay(&r, 100, looks_number(0)), 1);
    pass_empty(&r, 10);
    assert_int_equal(stay(&r, 100, looks_number(1)), 2);
    assert_int_equal(stay(&r, 600, looks_number(0)), 1); /* the other one is still remembered */
    tracker_free(r.tracker);
}

static void test_two_come_back_at_once(void **state)
{
    (void)state;
    room r = make_room(30);
    stay_both(&r, 100, looks_number(0), 500, looks_number(1));
    assert_true(r.ids[0] == 1 && r.ids[1] == 2);
    pass_empty(&r, 10);
    stay_both(&r, 120, looks_number(1), 400, looks_number(0));
    assert_true(r.ids[0] == 2 && r.ids[1] == 1);
    assert_int_equal(tracker_people(r.tracker), 2);
    tracker_free(r.tracker);
}

/* Rather a new id than a wrong one. */
static void test_look_alikes(void **state)
{
    (void)state;
    room r = make_room(30);
    stay_both(&r, 100, looks_number(0), 500, looks_number(0));
    pass_empty(&r, 5);
    assert_int_equal(stay(&r, 100, looks_number(0)), 3); /* one of two */
    tracker_free(r.tracker);
    r = make_room(30);
    assert_int_equal(stay(&r, 100, looks_number(0)), 1);
    pass_empty(&r, 5);
    stay_both(&r, 100, looks_number(0), 500, looks_number(0)); /* two instead of one */
    assert_true(r.ids[0] == 2 && r.ids[1] == 3);
    tracker_free(r.tracker);
}

static void test_nobody_is_in_two_places(void **state)
{
    (void)state;
    room r = make_room(30);
    assert_int_equal(stay(&r, 100, looks_number(0)), 1);
    stay_both(&r, 100, looks_number(0), 500, looks_number(0));
    assert_true(r.ids[0] == 1 && r.ids[1] == 2);
    tracker_free(r.tracker);
}

static void test_how_long_and_how_far(void **state)
{
    (void)state;
    const double remember_s[] = {30, 30, 0}, away_s[] = {29, 31, 3};
    for (size_t i = 0; i < 3; i++) {
        room r = make_room(remember_s[i]);
        size_t count;
        assert_int_equal(stay(&r, 100, looks_number(0)), 1);
        pass_empty(&r, away_s[i]);
        tracker_tracks(r.tracker, &count);
        assert_int_equal(count, i == 0);
        assert_int_equal(stay(&r, 100, looks_number(0)), i == 0 ? 1 : 2);
        tracker_free(r.tracker);
    }
    room r = make_room(30);
    assert_int_equal(stay(&r, 100, looks_number(0)), 1);
    assert_int_equal(stay(&r, 3000, looks_number(0)), 2); /* 48 faces away at once */
    tracker_free(r.tracker);
}

static void test_without_clothes_nobody_is_known(void **state)
{
    (void)state;
    room r = make_room(30);
    looks head = looks_number(0);
    head.known = (1u << LOOKS_FIRST_OF_CLOTHES) - 1;
    assert_int_equal(stay(&r, 100, head), 1);
    pass_empty(&r, 5);
    assert_int_equal(stay(&r, 100, head), 2);
    tracker_free(r.tracker);
}

/* A clock that jumps forward is a while away; one that jumps back is another time. */
static void test_jumps_of_time(void **state)
{
    (void)state;
    const double jumps_s[] = {12, 100, -12};
    for (size_t i = 0; i < 3; i++) {
        room r = make_room(30);
        r.time_s = 1000;
        assert_int_equal(stay(&r, 100, looks_number(0)), 1);
        r.time_s += jumps_s[i];
        assert_int_equal(stay(&r, 100, looks_number(0)), i == 0 ? 1 : 2);
        tracker_free(r.tracker);
    }
}

/* However many pass by, what is remembered of them is bounded. */
static void test_a_crowd_that_passed(void **state)
{
    (void)state;
    room r = make_room(3600);
    size_t count;
    for (int i = 0; i < TRACKER_MOST_AWAY + 50; i++) {
        for (int k = 0; k < 3; k++) {
            enter(&r, 300.0 * i, 100, looks_number(i % MOST));
            pass_frame(&r);
        }
    }
    pass_empty(&r, 3);
    const track *tracks = tracker_tracks(r.tracker, &count);
    assert_int_equal(count, TRACKER_MOST_AWAY);
    assert_int_equal(tracks[count - 1].id, TRACKER_MOST_AWAY + 50);
    tracker_free(r.tracker);
}

/* People come, go and pass each other at random: an id is never in two places (pass_frame looks),
 * and none is ever that of somebody who looks different. */
static void test_a_busy_room(void **state)
{
    (void)state;
    room r = make_room(30);
    test_random random = {.state = 11};
    int64_t id_of[MOST] = {0};
    double x[MOST] = {100, 400, 700, 1000};
    bool is_here[MOST] = {true, true, true, true};
    for (int i = 0; i < 5000; i++) {
        int who[MOST], count = 0;
        for (int k = 0; k < MOST; k++) {
            if (test_random_int(&random, 0, 99) == 0) {
                is_here[k] = !is_here[k];
                x[k] = is_here[k] ? 100 + 300.0 * k : x[k];
            }
            x[k] += 4 * (double)test_random_float(&random);
            if (is_here[k]) {
                who[count++] = k;
                enter(&r, x[k], 100, looks_number(k));
            }
        }
        pass_frame(&r);
        for (int k = 0; k < count; k++) {
            if (r.ids[k] != 0 && id_of[who[k]] == 0)
                id_of[who[k]] = r.ids[k];
            assert_true(r.ids[k] == 0 || r.ids[k] == id_of[who[k]]);
        }
    }
    assert_int_equal(tracker_people(r.tracker), MOST);
    tracker_free(r.tracker);
}

static void test_settings(void **state)
{
    (void)state;
    tracker *t;
    mien_error error;
    tracker_settings settings = tracker_defaults();
    settings.remember_s = -1;
    assert_fails(MIEN_INVALID_ARGUMENT, tracker_create(&settings, &t, &error), &error,
                 "remembers -1 s");
    settings = tracker_defaults();
    settings.max_looks = NAN;
    assert_fails(MIEN_INVALID_ARGUMENT, tracker_create(&settings, &t, &error), &error, "looks nan");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crossing_behind_another),
        cmocka_unit_test(test_meeting_and_turning_back),
        cmocka_unit_test(test_new_clothes_without_competitors),
        cmocka_unit_test(test_back_after_ten_seconds),
        cmocka_unit_test(test_a_stranger_comes_instead),
        cmocka_unit_test(test_two_come_back_at_once),
        cmocka_unit_test(test_look_alikes),
        cmocka_unit_test(test_nobody_is_in_two_places),
        cmocka_unit_test(test_how_long_and_how_far),
        cmocka_unit_test(test_without_clothes_nobody_is_known),
        cmocka_unit_test(test_jumps_of_time),
        cmocka_unit_test(test_a_crowd_that_passed),
        cmocka_unit_test(test_a_busy_room),
        cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
