/* SPDX-License-Identifier: Apache-2.0 */

/* What a store promises, on whatever database: sessions come back as they went in. */

#include "place.h"

/* ---- What goes in comes out ---- */

static void put_events(store_writer *writer)
{
    static const store_event events[] = {
        {.time_s = 4, .kind = "notice", .text = "the camera was away"},
        {.time_s = 1.5, .length_s = 2.25, .person = 2, .kind = "held", .text = "'; DROP TABLE x"},
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

static void check_sample(const timeline_sample *got, timeline_sample expected)
{
    assert_true(got->time_s == expected.time_s && got->person == expected.person);
    assert_true(got->x == expected.x && got->y == expected.y);
    assert_true(got->width == expected.width && got->height == expected.height);
    assert_true(got->facing == expected.facing);
}

static void check_timeline(const timeline *line)
{
    assert_int_equal(line->class_count, STANDARD_CLASSES);
    for (int c = 0; c < STANDARD_CLASSES; c++)
        assert_string_equal(line->class_names[c], standard_session.class_names[c]);
    assert_int_equal(line->count, 99);
    assert_true(line->length_s == 77.5);
    for (int i = 0; i < 99; i++) {
        float probabilities[STANDARD_CLASSES];
        check_sample(&line->samples[i], standard_sample(i));
        standard_probabilities(i, probabilities);
        assert_memory_equal(line->probabilities + i * STANDARD_CLASSES, probabilities,
                            sizeof probabilities);
    }
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
    assert_string_equal(record->events[0].text, "'; DROP TABLE x");
    assert_string_equal(record->events[1].text, "the camera was away");
}

static void test_a_session_comes_back(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    store_writer *writer;
    store_record *record;
    int64_t id;
    assert_ok(store_writer_open(s, &standard_session, &writer, &id, &error), &error);
    for (int i = 0; i < 99; i++) {
        float probabilities[STANDARD_CLASSES];
        timeline_sample sample = standard_sample(i);
        standard_probabilities(i, probabilities);
        assert_ok(store_writer_sample(writer, &sample, probabilities, &error), &error);
    }
    put_events(writer);
    store_writer_time(writer, 77.5);
    store_writer_time(writer, 3);
    assert_int_equal(store_writer_trouble(writer, &error), MIEN_OK);
    assert_ok(store_writer_close(writer, &error), &error);
    store_close(s); /* what is kept outlives the connection */
    s = place_open(&p);
    assert_ok(store_read(s, id, &record, &error), &error);
    check_facts(&record->session, id);
    check_timeline(&record->timeline);
    check_people_and_events(record);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

int main(int argc, char **argv)
{
    place_choose(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
