/* SPDX-License-Identifier: Apache-2.0 */

/* The line with stations made here: they count, sleep and fail as they are told. */

#include "support.h"

#include "base/error.h"
#include "video/clock.h"
#include "video/line.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { NEVER = -1 };

typedef struct work_plan {
    int frames;        /* before the end; NEVER: without end */
    int notice_after;  /* so many frames there is a notice, once */
    int fail[3];       /* the frame at which each station fails, or NEVER */
    double takes_s[3]; /* at each station */
    bool fetch_waits;  /* for the frame before to be found, so that none is dropped */
    int find_waits;    /* until so many were fetched */
    int64_t noticed, read;
    atomic_llong fetched, found; /* number of the last one */
    atomic_bool over;            /* nobody waits any more */
} work_plan;

static work_plan all_goes_well(int frames)
{
    return (work_plan){.frames = frames, .notice_after = NEVER, .fail = {NEVER, NEVER, NEVER}};
}

static void wait_for(const work_plan *plan, const atomic_llong *value, int64_t least)
{
    while (atomic_load(value) < least && !atomic_load(&plan->over))
        clock_sleep(0.0002);
}

static mien_status act(const work_plan *plan, int station, int64_t number, mien_error *error)
{
    if (plan->takes_s[station] > 0)
        clock_sleep(plan->takes_s[station]);
    if (number == plan->fail[station])
        return error_set(error, MIEN_IO, "station %d fails at %d", station, (int)number);
    return MIEN_OK;
}

static mien_status fetch(void *context, slot *s, mien_error *error)
{
    work_plan *plan = context;
    int64_t before = atomic_load(&plan->fetched);
    if (plan->fetch_waits)
        wait_for(plan, &plan->found, before);
    if (before == plan->notice_after && plan->noticed++ == 0) {
        s->kind = SLOT_NOTICE;
        error_set(&s->error, MIEN_OK, "a notice");
        return MIEN_OK;
    }
    s->kind = before == plan->frames ? SLOT_END : SLOT_FRAME;
    s->number = before + 1;
    s->find_s = 0;
    if (s->kind == SLOT_FRAME)
        atomic_store(&plan->fetched, s->number);
    return act(plan, 0, s->number, error);
}

static mien_status find(void *context, slot *s, mien_error *error)
{
    work_plan *plan = context;
    wait_for(plan, &plan->fetched, plan->find_waits);
    if (s->number <= atomic_load(&plan->found))
        return error_set(error, MIEN_MALFORMED, "frame %d comes out of order", (int)s->number);
    atomic_store(&plan->found, s->number);
    s->find_s = 1;
    return act(plan, 1, s->number, error);
}

static mien_status read_it(void *context, slot *s, mien_error *error)
{
    work_plan *plan = context;
    if (s->number <= plan->read)
        return error_set(error, MIEN_MALFORMED, "frame %d comes out of order", (int)s->number);
    plan->read = s->number;
    s->find_s += 2;
    return act(plan, 2, s->number, error);
}

static line *start(work_plan *plan, bool drops, bool one_thread)
{
    line *l;
    mien_error error;
    line_settings settings = {.fetch = fetch,
                              .find = find,
                              .read = read_it,
                              .context = plan,
                              .waiting = 2,
                              .drops = drops,
                              .one_thread = one_thread};
    assert_ok(line_start(&settings, &l, &error), &error);
    return l;
}

static void stop(line *l, work_plan *plan)
{
    atomic_store(&plan->over, true);
    line_stop(l);
}

static void expect_frame(const slot *s, int64_t number)
{
    assert_non_null(s);
    assert_int_equal(s->kind, SLOT_FRAME);
    assert_int_equal(s->number, number);
    assert_true(s->find_s == 3);
}

static void test_all_frames_in_order(void **state)
{
    (void)state;
    for (int one_thread = 0; one_thread < 2; one_thread++) {
        work_plan plan = all_goes_well(100);
        line *l = start(&plan, false, one_thread == 1);
        for (int i = 1; i <= 100; i++)
            expect_frame(line_next(l, INFINITY), i);
        assert_int_equal(line_next(l, INFINITY)->kind, SLOT_END);
        if (one_thread == 0)
            assert_null(line_next(l, 0.001));
        line_stop(l);
    }
}

/* Whoever is slowest, without dropping nothing is lost, and few run ahead. */
static void test_the_slow_are_waited_for(void **state)
{
    (void)state;
    for (int slow = 0; slow < 3; slow++) {
        work_plan plan = all_goes_well(20);
        plan.takes_s[slow] = 0.002;
        line *l = start(&plan, false, false);
        for (int i = 1; i <= 20; i++)
            expect_frame(line_next(l, INFINITY), i);
        assert_int_equal(line_next(l, INFINITY)->kind, SLOT_END);
        line_stop(l);
    }
}

static void test_slots_go_round(void **state)
{
    (void)state;
    const slot *seen[32];
    size_t count = 0;
    work_plan plan = all_goes_well(200);
    line *l = start(&plan, false, false);
    for (int i = 0; i < 200; i++) {
        const slot *s = line_next(l, INFINITY);
        size_t k = 0;
        while (k < count && seen[k] != s)
            k++;
        assert_true(k < 16);
        seen[k] = s;
        count = k == count ? count + 1 : count;
    }
    line_stop(l);
}

/* The first station found nobody ready for long: the newest get through, in order. */
static void test_the_oldest_are_dropped(void **state)
{
    (void)state;
    work_plan plan = all_goes_well(60);
    plan.find_waits = 60;
    line *l = start(&plan, true, false);
    const slot *first = line_next(l, INFINITY);
    if (first->number != 59) { /* somebody took it before the others came */
        assert_in_range(first->number, 1, 58);
        expect_frame(line_next(l, INFINITY), 59);
    }
    expect_frame(line_next(l, INFINITY), 60);
    assert_int_equal(line_next(l, INFINITY)->kind, SLOT_END);
    stop(l, &plan);
}

static void test_the_fast_lose_nothing(void **state)
{
    (void)state;
    work_plan plan = all_goes_well(30);
    plan.fetch_waits = true;
    line *l = start(&plan, true, false);
    for (int i = 1; i <= 30; i++)
        expect_frame(line_next(l, INFINITY), i);
    assert_int_equal(line_next(l, INFINITY)->kind, SLOT_END);
    stop(l, &plan);
}

/* What the caller holds stays as it is, however far the others get meanwhile. */
static void test_what_was_taken_stays(void **state)
{
    (void)state;
    work_plan plan = all_goes_well(NEVER);
    plan.takes_s[0] = 0.0005;
    line *l = start(&plan, true, false);
    for (int i = 0; i < 5; i++) {
        const slot *s = line_next(l, INFINITY);
        int64_t number = s->number;
        clock_sleep(0.015);
        expect_frame(s, number);
    }
    line_stop(l);
}

static void test_failures_come_after_the_frames_before(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        int station = i % 3;
        bool drops = i / 3 % 2 == 1, one_thread = i / 6 == 1;
        work_plan plan = all_goes_well(NEVER);
        plan.fail[station] = 7;
        plan.fetch_waits = drops && !one_thread;
        line *l = start(&plan, drops, one_thread);
        for (int k = 1; k < 7; k++)
            expect_frame(line_next(l, INFINITY), k);
        const slot *s = line_next(l, INFINITY);
        assert_int_equal(s->kind, SLOT_FAILURE);
        assert_fails(MIEN_IO, s->error.status, &s->error, "fails at 7");
        stop(l, &plan);
    }
}

static void test_a_notice_is_no_frame(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        work_plan plan = all_goes_well(6);
        plan.notice_after = 3;
        plan.fetch_waits = i == 1;
        line *l = start(&plan, i % 2 == 1, i / 2 == 1);
        int notices = 0, frames = 0;
        for (const slot *s = line_next(l, INFINITY); s->kind != SLOT_END;
             s = line_next(l, INFINITY)) {
            notices += s->kind == SLOT_NOTICE && strcmp(s->error.message, "a notice") == 0;
            frames += s->kind == SLOT_FRAME;
        }
        assert_int_equal(notices, 1);
        assert_int_equal(frames, 6);
        stop(l, &plan);
    }
}

static void test_nothing_in_time(void **state)
{
    (void)state;
    work_plan plan = all_goes_well(1);
    plan.takes_s[0] = 0.1;
    line *l = start(&plan, false, false);
    assert_null(line_next(l, 0));
    assert_null(line_next(l, 0.01));
    expect_frame(line_next(l, 5), 1);
    line_stop(l);
}

/* Whatever the stations are doing. */
static void test_stopping_in_the_middle(void **state)
{
    (void)state;
    for (int i = 0; i < 24; i++) {
        work_plan plan = all_goes_well(NEVER);
        plan.takes_s[i % 3] = 0.001;
        line *l = start(&plan, i % 2 == 1, false);
        for (int k = 0; k < i / 4; k++)
            assert_non_null(line_next(l, INFINITY));
        line_stop(l);
    }
    line_stop(NULL);
}

static mien_status fetch_with_signals_blocked(void *context, slot *s, mien_error *error)
{
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    s->kind =
        sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1 ? SLOT_END : SLOT_FRAME;
    (void)context;
    (void)error;
    return MIEN_OK;
}

static void test_signals_are_the_callers(void **state)
{
    (void)state;
    line *l;
    sigset_t mask;
    line_settings settings = {
        .fetch = fetch_with_signals_blocked, .find = find, .read = read_it, .waiting = 1};
    assert_ok(line_start(&settings, &l, NULL), NULL);
    assert_int_equal(line_next(l, INFINITY)->kind, SLOT_END);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGINT), 0);
    line_stop(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_frames_in_order),
        cmocka_unit_test(test_the_slow_are_waited_for),
        cmocka_unit_test(test_slots_go_round),
        cmocka_unit_test(test_the_oldest_are_dropped),
        cmocka_unit_test(test_the_fast_lose_nothing),
        cmocka_unit_test(test_what_was_taken_stays),
        cmocka_unit_test(test_failures_come_after_the_frames_before),
        cmocka_unit_test(test_a_notice_is_no_frame),
        cmocka_unit_test(test_nothing_in_time),
        cmocka_unit_test(test_stopping_in_the_middle),
        cmocka_unit_test(test_signals_are_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
