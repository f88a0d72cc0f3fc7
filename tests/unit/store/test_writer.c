/* SPDX-License-Identifier: Apache-2.0 */

/* Writing while it goes on: what is lost when, and that it is told. */

#include "place.h"

#include "store/batch.h"

#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void pause_s(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static store_writer *begin(store *s)
{
    mien_error error;
    store_writer *writer;
    assert_ok(store_writer_open(s, &standard_session, &writer, NULL, &error), &error);
    return writer;
}

/* Writes go wrong until they are let. */
static void hinder(const place *p)
{
    place_tamper(p, "ALTER TABLE mien_sample RENAME TO away");
}

static void let(const place *p)
{
    place_tamper(p, "ALTER TABLE away RENAME TO mien_sample");
}

/* A sample every millisecond: sample i is of time i / 2 / 10 s, handed over after about i ms. */
static void write_for_ever(const place *p, int told)
{
    store *s = place_open(p);
    store_writer *writer = begin(s);
    for (int i = 0;; i++) {
        write_samples(writer, i, i + 1);
        if (write(told, &i, sizeof i) != sizeof i)
            _exit(1);
        pause_s(0.001);
    }
}

/* Kills a program that writes after so many seconds; returns how many samples it had handed over.
 */
static int kill_a_program(const place *p, double seconds)
{
    int told[2], last = -1, number;
    assert_int_equal(pipe(told), 0);
    pid_t program = fork();
    assert_true(program >= 0);
    if (program == 0)
        write_for_ever(p, told[1]);
    close(told[1]);
    double end_s = now_s() + seconds;
    while (now_s() < end_s && read(told[0], &number, sizeof number) == sizeof number)
        last = number;
    kill(program, SIGKILL);
    waitpid(program, NULL, 0);
    while (read(told[0], &number, sizeof number) == sizeof number)
        last = number;
    close(told[0]);
    return last + 1;
}

/* What is there of the killed program's session, the last of the store: how many of its samples,
 * all from the first on. */
static int check_killed(store *s, int64_t id, int written)
{
    store_record *record = read_session(s, id);
    int there = (int)record->timeline.count;
    print_message("%d of %d samples are there\n", there, written);
    assert_in_range(there, 1, written);
    for (int i = 0; i < there; i++)
        check_sample(&record->timeline, (size_t)i, i);
    assert_false(record->session.ended);
    assert_int_equal(record->session.people, 2);
    store_record_free(record);
    return there;
}

/* No more than the last second is lost; more only where the machine itself stood still meanwhile,
 * which it does not each time. */
static void test_killed(void **state)
{
    (void)state;
    place p = place_make();
    store_close(place_open(&p));
    int lost = INT_MAX, times = 0;
    while (lost > 1250 && times++ < 5) {
        int written = kill_a_program(&p, 2.5);
        store *s = place_open(&p);
        lost = written - check_killed(s, times, written);
        store_close(s);
    }
    assert_in_range(lost, 0, 1250); /* a second, and a bit */
    store *s = place_open(&p);
    write_session(s, &standard_session, 3); /* it goes on */
    store_close(s);
    place_remove(&p);
}

static void test_two_at_once(void **state)
{
    (void)state;
    place p = place_make();
    store *stores[2] = {place_open(&p), place_open(&p)};
    store_writer *writers[2] = {begin(stores[0]), begin(stores[1])};
    mien_error error;
    for (int i = 0; i < 300; i += 3) {
        write_samples(writers[0], i, i + 3);
        write_samples(writers[1], i, i + 3);
        pause_s(0.012);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_writer_trouble(writers[i], &error), MIEN_OK);
        assert_ok(store_writer_close(writers[i], &error), &error);
    }
    for (int i = 0; i < 2; i++) {
        store_record *record = read_session(stores[0], i + 1);
        assert_int_equal(record->timeline.count, 300);
        assert_int_equal(record->people[0].samples, 150); /* over two batches */
        assert_true(record->people[1].last_s == 0.1 * 149);
        store_record_free(record);
    }
    store_close(stores[0]);
    store_close(stores[1]);
    place_remove(&p);
}

static void test_what_fails_is_tried_again(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_writer *writer = begin(s);
    hinder(&p);
    write_samples(writer, 0, 10);
    pause_s(1.2);
    write_samples(writer, 10, 20);
    assert_fails(MIEN_IO, store_writer_trouble(writer, &error), &error, "mien_sample");
    assert_int_equal(store_writer_trouble(writer, &error), MIEN_OK); /* told once */
    let(&p);
    assert_ok(store_writer_close(writer, &error), &error);
    store_record *record = read_session(s, 1);
    assert_int_equal(record->timeline.count, 20);
    for (int i = 0; i < 20; i++)
        check_sample(&record->timeline, (size_t)i, i);
    assert_int_equal(record->people[0].samples, 10);
    assert_true(record->session.ended);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

/* The caller never waits; what the queue has no room for is counted. */
static void test_too_much(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    long long lost, all;
    store_writer *writer = begin(s);
    hinder(&p);
    double begin_s = now_s();
    write_samples(writer, 0, MANY);
    assert_true(now_s() - begin_s < 1);
    let(&p);
    assert_int_not_equal(store_writer_close(writer, &error), MIEN_OK);
    assert_int_equal(
        sscanf(error.message, "session 1 is not whole: %lld of its %lld samples", &lost, &all), 2);
    assert_int_equal(all, MANY);
    assert_true(lost >= MANY - 2 * 32768);
    store_record *record = read_session(s, 1);
    assert_int_equal(record->timeline.count, MANY - lost);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

/* As when a connection breaks off after the server has kept a batch, and before it can say so. */
static void test_a_batch_is_written_once(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    int64_t id;
    const timeline_sample sample = standard_sample(0);
    float probabilities[STANDARD_CLASSES];
    standard_probabilities(0, probabilities);
    const store_batch batch = {.number = 4,
                               .length_s = 5,
                               .sample_count = 1,
                               .samples = &sample,
                               .probabilities = probabilities,
                               .first_sample = 1,
                               .first_event = 1};
    assert_ok(batch_begin(s, &standard_session, &id, &error), &error);
    for (int i = 0; i < 2; i++)
        assert_ok(batch_write(s, id, STANDARD_CLASSES, &batch, &error), &error);
    store_record *record = read_session(s, id);
    assert_int_equal(record->timeline.count, 1);
    assert_int_equal(record->people[0].samples, 1);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

static void test_nothing_can_be_written(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_event event = {.kind = "notice", .text = "hello"};
    store_writer *writer = begin(s);
    hinder(&p);
    write_samples(writer, 0, 10);
    assert_ok(store_writer_event(writer, &event, &error), &error);
    assert_fails(MIEN_IO, store_writer_close(writer, &error), &error,
                 "10 of its 10 samples and 1 of its 1 events are lost, and it is not marked");
    let(&p);
    store_close(s);
    place_remove(&p);
}

static void test_deleted_meanwhile(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p), *other = place_open(&p);
    mien_error error;
    store_record *record;
    store_writer *writer = begin(s);
    write_samples(writer, 0, 10);
    assert_ok(store_delete(other, 1, &error), &error);
    assert_fails(MIEN_NOT_FOUND, store_writer_close(writer, &error), &error, "was deleted");
    assert_int_equal(store_read(other, 1, &record, &error), MIEN_NOT_FOUND);
    store_close(s);
    store_close(other);
    place_remove(&p);
}

int main(int argc, char **argv)
{
    place_choose(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_what_fails_is_tried_again),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_a_batch_is_written_once),
        cmocka_unit_test(test_nothing_can_be_written),
        cmocka_unit_test(test_deleted_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
