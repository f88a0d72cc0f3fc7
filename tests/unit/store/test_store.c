/* SPDX-License-Identifier: Apache-2.0 */

/* What a store promises, on whatever database: sessions come back as they went in, what is deleted
 * is gone, and what is no session of mien is refused. */

#include "place.h"

#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)

/* ---- What goes in comes out ---- */

static void put_events(store_writer *writer)
{
    static const store_event events[] = {
        {.time_s = 4, .kind = "notice", .text = "the camera was away"},
        {.time_s = 1.5, .length_s = 2.25, .person = 2, .kind = "held", .text = "sad for a while"},
    };
    mien_error error;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        assert_ok(store_writer_event(writer, &events[i], &error), &error);
}

static void check_facts(const store_session *got, int64_t id)
{
    assert_int_equal(got->id, id);
    assert_string_equal(got->name, standard_session.name);
    assert_string_equal(got->consent, standard_session.consent);
    assert_int_equal(got->started_ms, standard_session.started_ms);
    assert_string_equal(got->source, standard_session.source);
    assert_string_equal(got->model_name, standard_session.model_name);
    assert_string_equal(got->model_sha256, standard_session.model_sha256);
    assert_int_equal(got->keep_days, 30);
    assert_true(got->ended);
    assert_int_equal(got->people, 2);
    assert_int_equal(got->samples, 99);
    assert_int_equal(got->events, 2);
    assert_true(got->length_s == 77.5);
}

static void check_timeline(const timeline *line)
{
    assert_int_equal(line->class_count, STANDARD_CLASSES);
    for (int c = 0; c < STANDARD_CLASSES; c++)
        assert_string_equal(line->class_names[c], standard_session.class_names[c]);
    assert_int_equal(line->count, 99);
    assert_true(line->length_s == 77.5);
    for (int i = 0; i < 99; i++)
        check_sample(line, (size_t)i, i);
}

static void check_people_and_events(const store_record *record)
{
    assert_int_equal(record->person_count, 2);
    assert_int_equal(record->people[0].id, 1);
    assert_string_equal(record->people[0].label, "");
    assert_int_equal(record->people[0].samples, 50);
    assert_int_equal(record->people[1].samples, 49);
    assert_true(record->people[1].first_s == 0 && record->people[1].last_s == 0.1 * 48);
    assert_int_equal(record->event_count, 2); /* by time */
    assert_true(record->events[0].time_s == 1.5 && record->events[0].length_s == 2.25);
    assert_int_equal(record->events[0].person, 2);
    assert_string_equal(record->events[0].kind, "held");
    assert_string_equal(record->events[0].text, "sad for a while");
    assert_string_equal(record->events[1].text, "the camera was away");
}

static void test_a_session_comes_back(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_writer *writer;
    int64_t id;
    assert_ok(store_writer_open(s, &standard_session, &writer, &id, &error), &error);
    write_samples(writer, 0, 99);
    put_events(writer);
    store_writer_time(writer, 77.5);
    store_writer_time(writer, 3);
    assert_int_equal(store_writer_trouble(writer, &error), MIEN_OK);
    assert_ok(store_writer_close(writer, &error), &error);
    store_close(s); /* what is kept outlives the connection */
    s = place_open(&p);
    store_record *record = read_session(s, id);
    check_facts(&record->session, id);
    check_timeline(&record->timeline);
    check_people_and_events(record);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

static void test_a_session_without_anybody(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    store_record *record = read_session(s, write_session(s, &standard_session, 0));
    assert_int_equal(record->timeline.count, 0);
    assert_int_equal(record->person_count, 0);
    assert_true(record->timeline.length_s == 0 && record->session.ended);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

/* Texts that are bytes to some, statements to others. */
static void test_any_text(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    char most[STORE_MAX_NAME + 1] = "";
    memset(most, 'x', STORE_MAX_NAME);
    const struct {
        const char *in, *out;
    } texts[] = {
        {"Robert'); DROP TABLE mien_session; --", "Robert'); DROP TABLE mien_session; --"},
        {"$1 ? %s %n \\x00 \"a\" `b` \\", "$1 ? %s %n \\x00 \"a\" `b` \\"},
        {"two\nlines\tand \r\x01", "two\nlines\tand \r\x01"},
        {"Zo\xc3\xab \xf0\x9f\x99\x82", "Zo\xc3\xab \xf0\x9f\x99\x82"},
        {"Zo\xeb \xff\xed\xa0\x80", "Zo? ????"},
        {most, most},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        store_session session = standard_session;
        session.name = session.consent = session.source = session.model_name = texts[i].in;
        store_record *record = read_session(s, write_session(s, &session, 2));
        assert_string_equal(record->session.name, texts[i].out);
        assert_string_equal(record->session.consent, texts[i].out);
        assert_string_equal(record->session.source, texts[i].out);
        assert_string_equal(record->session.model_name, texts[i].out);
        store_record_free(record);
        mien_error error;
        assert_ok(store_label(s, (int64_t)i + 1, 2, texts[i].in, &error), &error);
        record = read_session(s, (int64_t)i + 1);
        assert_string_equal(record->people[1].label, texts[i].out);
        store_record_free(record);
    }
    store_close(s);
    place_remove(&p);
}

/* ---- Pictures ---- */

/* Where they lie is kept, and is no event. */
static void test_the_place_of_pictures(void **state)
{
    (void)state;
    static const char folder[] = "/Zo\xc3\xab's faces/20261121-134556-767";
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_writer *writer;
    store_list *list;
    store_session session = standard_session;
    int64_t id;
    char *where;
    session.pictures = folder;
    assert_ok(store_writer_open(s, &session, &writer, &id, &error), &error);
    put_events(writer);
    assert_ok(store_writer_close(writer, &error), &error);
    int64_t none = write_session(s, &standard_session, 1);
    store_record *record = read_session(s, id);
    assert_string_equal(record->session.pictures, folder);
    assert_int_equal(record->session.events, 2);
    assert_int_equal(record->event_count, 2);
    store_record_free(record);
    assert_ok(store_sessions(s, &list, &error), &error);
    assert_string_equal(list->sessions[0].pictures, folder);
    assert_string_equal(list->sessions[1].pictures, "");
    store_list_free(list);
    const char *const expected[] = {folder, "", ""};
    const int64_t ids[] = {id, none, 99};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(store_pictures(s, ids[i], &where, &error), &error);
        assert_string_equal(where, expected[i]);
        free(where);
    }
    store_close(s);
    place_remove(&p);
}

static void test_places_that_are_refused(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_writer *writer;
    store_list *list;
    static char many[STORE_MAX_TEXT + 2];
    memset(many, '/', STORE_MAX_TEXT + 1);
    store_session session = standard_session;
    session.pictures = many;
    assert_fails(MIEN_LIMIT, store_writer_open(s, &session, &writer, NULL, &error), &error,
                 "4097 bytes");
    session.pictures = "/caf\xe9/20261121-134556-767";
    assert_fails(MIEN_INVALID_ARGUMENT, store_writer_open(s, &session, &writer, NULL, &error),
                 &error, "not UTF-8");
    assert_ok(store_sessions(s, &list, &error), &error);
    assert_int_equal(list->count, 0);
    store_list_free(list);
    store_close(s);
    place_remove(&p);
}

/* ---- Lists, days, labels ---- */

static void test_list(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_list *list;
    assert_ok(store_sessions(s, &list, &error), &error);
    assert_int_equal(list->count, 0);
    store_list_free(list);
    write_session(s, &standard_session, 5);
    write_session(s, &standard_session, 1);
    assert_ok(store_sessions(s, &list, &error), &error);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->sessions[0].id, 1);
    assert_int_equal(list->sessions[0].samples, 5);
    assert_int_equal(list->sessions[1].people, 1);
    assert_string_equal(list->sessions[1].name, standard_session.name);
    store_list_free(list);
    store_close(s);
    place_remove(&p);
}

static void test_days_left(void **state)
{
    (void)state;
    store_session session = standard_session;
    int64_t start = session.started_ms;
    assert_int_equal(store_days_left(&session, start), 30);
    assert_int_equal(store_days_left(&session, start + 1), 30);
    assert_int_equal(store_days_left(&session, start + DAY_MS), 29);
    assert_int_equal(store_days_left(&session, start + 30 * DAY_MS - 1), 1);
    assert_int_equal(store_days_left(&session, start + 30 * DAY_MS), 0);
    assert_int_equal(store_days_left(&session, start + 40 * DAY_MS), -10);
}

static void test_labels(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    char many[STORE_MAX_NAME + 2] = "";
    memset(many, 'x', STORE_MAX_NAME + 1);
    write_session(s, &standard_session, 4);
    assert_ok(store_label(s, 1, 2, "Ben", &error), &error);
    store_record *record = read_session(s, 1);
    assert_string_equal(record->people[0].label, "");
    assert_string_equal(record->people[1].label, "Ben");
    store_record_free(record);
    assert_fails(MIEN_NOT_FOUND, store_label(s, 1, 3, "x", &error), &error, "a person 3");
    assert_fails(MIEN_NOT_FOUND, store_label(s, 7, 1, "x", &error), &error, "no session 7");
    assert_fails(MIEN_LIMIT, store_label(s, 1, 1, many, &error), &error, "201 bytes");
    store_close(s);
    place_remove(&p);
}

/* ---- Deletion ---- */

static void test_delete(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_record *record;
    write_session(s, &standard_session, 40);
    write_session(s, &standard_session, 30);
    assert_ok(store_delete(s, 2, &error), &error);
    assert_ok(store_scrub(s, &error), &error);
    assert_fails(MIEN_NOT_FOUND, store_delete(s, 2, &error), &error, "no session 2");
    assert_fails(MIEN_NOT_FOUND, store_read(s, 2, &record, &error), &error, "no session 2");
    assert_null(record);
    assert_int_equal(write_session(s, &standard_session, 1), 3); /* not 2 again */
    record = read_session(s, 1);
    assert_int_equal(record->timeline.count, 40);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

/* ---- What is refused ---- */

static void refuse(store *s, const store_session *session, mien_status status, const char *message)
{
    mien_error error;
    store_writer *writer;
    assert_fails(status, store_writer_open(s, session, &writer, NULL, &error), &error, message);
    assert_null(writer);
}

static void test_sessions_that_are_refused(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    char *much = malloc(STORE_MAX_CONSENT + 2);
    memset(much, 'x', STORE_MAX_CONSENT + 1);
    much[STORE_MAX_CONSENT + 1] = '\0';
    store_session session = standard_session;
    session.consent = " \n";
    refuse(s, &session, MIEN_INVALID_ARGUMENT, "who agreed to it");
    session.consent = much;
    refuse(s, &session, MIEN_LIMIT, "65537 bytes");
    session = standard_session;
    session.name = "";
    refuse(s, &session, MIEN_INVALID_ARGUMENT, "a name");
    session.name = much;
    refuse(s, &session, MIEN_LIMIT, "at most 200");
    session = standard_session;
    session.class_count = 0;
    refuse(s, &session, MIEN_INVALID_ARGUMENT, "0 classes");
    session.class_count = MIEN_MAX_CLASSES + 1;
    refuse(s, &session, MIEN_INVALID_ARGUMENT, "65 classes");
    session = standard_session;
    session.keep_days = -1;
    refuse(s, &session, MIEN_INVALID_ARGUMENT, "-1 days");
    free(much);
    store_list *list;
    mien_error error;
    assert_ok(store_sessions(s, &list, &error), &error);
    assert_int_equal(list->count, 0);
    store_list_free(list);
    store_close(s);
    place_remove(&p);
}

static void test_numbers_that_are_refused(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_writer *writer;
    float good[STANDARD_CLASSES] = {0.25f, 0.25f, 0.5f}, bad[STANDARD_CLASSES] = {NAN, 0.5f, 0.5f};
    assert_ok(store_writer_open(s, &standard_session, &writer, NULL, &error), &error);
    timeline_sample sample = standard_sample(0);
    assert_fails(MIEN_INVALID_ARGUMENT, store_writer_sample(writer, &sample, bad, &error), &error,
                 "person 1");
    sample.person = 0;
    assert_fails(MIEN_INVALID_ARGUMENT, store_writer_sample(writer, &sample, good, &error), &error,
                 "person 0");
    sample = standard_sample(0);
    sample.time_s = INFINITY;
    assert_fails(MIEN_INVALID_ARGUMENT, store_writer_sample(writer, &sample, good, &error), &error,
                 "inf s");
    store_event event = {.time_s = 1, .length_s = -1, .kind = "held", .text = ""};
    assert_fails(MIEN_INVALID_ARGUMENT, store_writer_event(writer, &event, &error), &error, "held");
    assert_ok(store_writer_close(writer, &error), &error);
    store_close(s);
    place_remove(&p);
}

static void refuse_store(const place *p, bool create, mien_status status, const char *message)
{
    mien_error error;
    store *s;
    assert_fails(status, store_open(p->where, create, &s, &error), &error, message);
    assert_null(s);
}

static void test_stores_that_are_refused(void **state)
{
    (void)state;
    place p = place_make();
    refuse_store(&p, false, MIEN_NOT_FOUND, "no store");
    store_close(place_open(&p));
    place_tamper(&p, "UPDATE mien_schema SET version = 2");
    refuse_store(&p, true, MIEN_UNSUPPORTED, "version 2, this mien knows version 1: use the newer");
    place_tamper(&p, "DELETE FROM mien_schema");
    refuse_store(&p, true, MIEN_UNSUPPORTED, "damaged");
    place_remove(&p);
    p = place_make();
    place_tamper(&p, "CREATE TABLE mien_person (name text)");
    refuse_store(&p, false, MIEN_NOT_FOUND, "no store");
    refuse_store(&p, true, MIEN_UNSUPPORTED, "another program");
    place_tamper(&p, "INSERT INTO mien_person VALUES ('still there')");
    place_remove(&p);
}

/* Somebody has changed the tables by hand. */
static void test_what_is_no_session(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "UPDATE mien_session SET length_s = -1",
        "UPDATE mien_session SET keep_days = 1000000000",
        "DELETE FROM mien_class",
        "DELETE FROM mien_class WHERE number = 2",
        "INSERT INTO mien_class VALUES (1, 4, 'one too many')",
        "UPDATE mien_person SET samples = -1 WHERE id = 1",
        "INSERT INTO mien_person VALUES (1, 0, 'nobody', 0, 0, 1)",
        "UPDATE mien_sample SET person = 0",
        "UPDATE mien_sample SET time_s = -5",
        "UPDATE mien_sample SET probabilities = probabilities || probabilities",
        "INSERT INTO mien_event VALUES (1, 0, 1, -1, 0, 'held', '')",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        place p = place_make();
        store *s = place_open(&p);
        mien_error error;
        store_record *record;
        write_session(s, &standard_session, 8);
        place_tamper(&p, changes[i]);
        assert_fails(MIEN_MALFORMED, store_read(s, 1, &record, &error), &error, "session 1: ");
        assert_null(record);
        assert_ok(store_delete(s, 1, &error), &error); /* it may go all the same */
        store_close(s);
        place_remove(&p);
    }
}

/* ---- Several programs ---- */

static void test_many_make_the_store_at_once(void **state)
{
    (void)state;
    enum { PROGRAMS = 6 };
    place p = place_make();
    pid_t programs[PROGRAMS];
    for (int i = 0; i < PROGRAMS; i++) {
        programs[i] = fork();
        assert_true(programs[i] >= 0);
        if (programs[i] == 0) {
            store *s = place_open(&p);
            write_session(s, &standard_session, 10);
            store_close(s);
            _exit(0);
        }
    }
    int failed = 0;
    for (int i = 0; i < PROGRAMS; i++) {
        int status;
        assert_int_equal(waitpid(programs[i], &status, 0), programs[i]);
        failed += status != 0;
    }
    assert_int_equal(failed, 0);
    store *s = place_open(&p);
    for (int i = 0; i < PROGRAMS; i++) {
        store_record *record = read_session(s, i + 1);
        assert_int_equal(record->timeline.count, 10);
        store_record_free(record);
    }
    store_close(s);
    place_remove(&p);
}

int main(int argc, char **argv)
{
    place_choose(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_comes_back),
        cmocka_unit_test(test_a_session_without_anybody),
        cmocka_unit_test(test_any_text),
        cmocka_unit_test(test_the_place_of_pictures),
        cmocka_unit_test(test_places_that_are_refused),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_days_left),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_sessions_that_are_refused),
        cmocka_unit_test(test_numbers_that_are_refused),
        cmocka_unit_test(test_stores_that_are_refused),
        cmocka_unit_test(test_what_is_no_session),
        cmocka_unit_test(test_many_make_the_store_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
