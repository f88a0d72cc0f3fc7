/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "base/team.h"

#include <stdatomic.h>
#include <time.h>

#define MOST_PIECES 300

/* How often each piece was done, and who is at work. */
typedef struct job {
    atomic_int done[MOST_PIECES];
    atomic_bool at_work[8];
    atomic_int wrong;
    int size;
} job;

static void do_piece(void *context, int piece, int member)
{
    job *j = context;
    if (member < 0 || member >= j->size || atomic_exchange(&j->at_work[member], true))
        atomic_fetch_add(&j->wrong, 1);
    atomic_fetch_add(&j->done[piece], 1);
    atomic_store(&j->at_work[member], false);
}

static void run_and_check(team *t, int pieces)
{
    static job j;
    memset(&j, 0, sizeof j);
    j.size = team_size(t);
    team_run(t, pieces, do_piece, &j);
    assert_int_equal(j.wrong, 0);
    for (int i = 0; i < MOST_PIECES; i++)
        assert_int_equal(j.done[i], i < pieces);
}

static void each_piece_is_done_once(void **state)
{
    (void)state;
    for (int members = 1; members <= 5; members++) {
        mien_error error;
        team *t;
        assert_ok(team_create(members, &t, &error), &error);
        assert_in_range(team_size(t), 1, members);
        for (int run = 0; run < 300; run++)
            run_and_check(t, run);
        team_free(t);
    }
    run_and_check(NULL, 7);
    assert_int_equal(team_size(NULL), 1);
}

static void sleep_ms(int ms)
{
    struct timespec time = {0, ms * 1000000L};
    nanosleep(&time, NULL);
}

static double processor_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static void an_idle_team_sleeps_and_wakes(void **state)
{
    (void)state;
    mien_error error;
    team *t;
    assert_ok(team_create(4, &t, &error), &error);
    run_and_check(t, 100);
    sleep_ms(30);
    double before = processor_ms();
    sleep_ms(200);
    assert_true(processor_ms() - before < 20);
    for (int run = 0; run < 20; run++) {
        run_and_check(t, 1 + run * 3);
        sleep_ms(run % 3);
    }
    team_free(t);
}

/* The first piece lasts until another thread has done the second. */
static void wait_for_the_second(void *context, int piece, int member)
{
    atomic_int *second = context;
    (void)member;
    if (piece == 1)
        atomic_store(second, 1);
    while (piece == 0 && atomic_load(second) == 0)
        sleep_ms(1);
}

static void members_work_at_the_same_time(void **state)
{
    (void)state;
    mien_error error;
    team *t;
    assert_ok(team_create(2, &t, &error), &error);
    if (team_size(t) == 2)
        for (int run = 0; run < 10; run++) {
            atomic_int second = 0;
            team_run(t, 2, wait_for_the_second, &second);
            assert_int_equal(second, 1);
        }
    team_free(t);
}

static void wrong_sizes_are_refused(void **state)
{
    (void)state;
    mien_error error;
    team *t;
    assert_fails(MIEN_INVALID_ARGUMENT, team_create(0, &t, &error), &error, "0 threads");
    assert_null(t);
    assert_fails(MIEN_INVALID_ARGUMENT, team_create(257, &t, &error), &error, "257 threads");
    team_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_piece_is_done_once),
        cmocka_unit_test(an_idle_team_sleeps_and_wakes),
        cmocka_unit_test(members_work_at_the_same_time),
        cmocka_unit_test(wrong_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
