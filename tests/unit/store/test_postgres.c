/* SPDX-License-Identifier: Apache-2.0 */

/* What can happen on a server: connections that break off, addresses that are none, and traces of
 * what was deleted. */

#include "place.h"

#include <time.h>
#include <unistd.h>

static void refuse(const char *where, mien_status status, const char *message)
{
    mien_error error;
    store *s;
    assert_fails(status, store_open(where, true, &s, &error), &error, message);
    assert_null(s);
    assert_null(strstr(error.message, "secret"));
    assert_null(strchr(error.message, '\n'));
}

static void test_addresses(void **state)
{
    (void)state;
    refuse("postgresql://me:secret@[::1/x", MIEN_INVALID_ARGUMENT, "postgresql://user@host");
    refuse("postgres://me:secret@/x?colour=red", MIEN_INVALID_ARGUMENT, "not one that PostgreSQL");
    refuse("postgresql://me:secret@127.0.0.1:1/x", MIEN_IO, "refused");
    refuse("postgresql:///x?host=/nowhere&password=secret", MIEN_IO, "/nowhere");
    char unknown[512];
    snprintf(unknown, sizeof unknown, "%s&dbname=unknown", getenv("MIEN_TEST_POSTGRES"));
    refuse(unknown, MIEN_IO, "\"unknown\" does not exist");
}

static void test_name(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    assert_int_equal(strncmp(store_name(s), "postgresql://", 13), 0);
    assert_null(strchr(store_name(s), '?'));
    store_close(s);
    place_remove(&p);
}

/* All other connections to this database end. */
static void break_off(const place *p)
{
    place_tamper(p, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'mien' AND datname = current_database()"
                    " AND usename = current_user AND pid <> pg_backend_pid()");
}

static void test_a_broken_connection_is_made_anew(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_writer *writer;
    const struct timespec while_ = {1, 300000000};
    assert_ok(store_writer_open(s, &standard_session, &writer, NULL, &error), &error);
    write_samples(writer, 0, 50);
    nanosleep(&while_, NULL);
    break_off(&p);
    write_samples(writer, 50, 100);
    nanosleep(&while_, NULL);
    assert_fails(MIEN_IO, store_writer_trouble(writer, &error), &error, "postgresql://");
    write_samples(writer, 100, 150);
    assert_ok(store_writer_close(writer, &error), &error);
    store_record *record = read_session(s, 1);
    assert_int_equal(record->timeline.count, 150);
    for (int i = 0; i < 150; i++)
        check_sample(&record->timeline, (size_t)i, i);
    assert_int_equal(record->people[0].samples, 75);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

/* ---- Traces ---- */

/* Looks into the files of the tables, when the server is our own. */
static bool has_trace(const char *text)
{
    char command[512];
    snprintf(command, sizeof command, "grep -rqs -- '%s' '%s/base'", text,
             getenv("MIEN_TEST_POSTGRES_FOLDER"));
    return system(command) == 0;
}

static void test_deletion_leaves_no_trace(void **state)
{
    (void)state;
    static const char *const gone[] = {"name-gone", "consent-gone", "event-gone", "label-gone"};
    if (getenv("MIEN_TEST_POSTGRES_FOLDER") == NULL) {
        print_message("skipped: the files of this server are not here\n");
        return;
    }
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_writer *writer;
    store_session session = standard_session;
    session.name = gone[0];
    session.consent = gone[1];
    store_event event = {.kind = "notice", .text = gone[2]};
    assert_ok(store_writer_open(s, &session, &writer, NULL, &error), &error);
    write_samples(writer, 0, 3000);
    assert_ok(store_writer_event(writer, &event, &error), &error);
    assert_ok(store_writer_close(writer, &error), &error);
    assert_ok(store_label(s, 1, 1, gone[3], &error), &error);
    write_session(s, &standard_session, 300);
    place_tamper(&p, "ANALYZE");
    place_tamper(&p, "CHECKPOINT");
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_true(has_trace(gone[i]));
    assert_ok(store_delete(s, 1, &error), &error);
    assert_ok(store_scrub(s, &error), &error);
    place_tamper(&p, "CHECKPOINT");
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_false(has_trace(gone[i]));
    store_record *record = read_session(s, 2);
    assert_int_equal(record->timeline.count, 300);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

int main(void)
{
    char name[] = "test", server[] = "postgres", *arguments[] = {name, server, NULL};
    place_choose(2, arguments);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_a_broken_connection_is_made_anew),
        cmocka_unit_test(test_deletion_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
