/* SPDX-License-Identifier: Apache-2.0 */

/* What is made of people over time, against values worked out by hand. */

#include "eval/events.h"
#include "eval/group.h"
#include "eval/person_time.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"angry", "happy", "neutral", "sad"};

enum { ANGRY, HAPPY, NEUTRAL, SAD, CLASSES };

/* A timeline that samples are added to. */
typedef struct story {
    timeline_sample samples[400];
    float probabilities[400][CLASSES];
    timeline t;
} story;

static void begin(story *s, double length_s)
{
    *s = (story){.t = {.class_count = CLASSES, .class_names = names, .length_s = length_s}};
    s->t.samples = s->samples;
    s->t.probabilities = s->probabilities[0];
}

/* A face that is one class with probability p, the rest spread evenly. */
static void see(story *s, double time_s, int64_t person, int class_index, double p, double facing)
{
    s->samples[s->t.count] = (timeline_sample){
        .time_s = time_s, .person = person, .width = 50, .height = 50, .facing = (float)facing};
    for (int c = 0; c < CLASSES; c++)
        s->probabilities[s->t.count][c] = (float)(c == class_index ? p : (1 - p) / (CLASSES - 1));
    s->t.count++;
}

/* ---- Roles ---- */

static void test_roles_by_name(void **state)
{
    (void)state;
    static const char *const others[] = {"Happiness", "DISGUSTED", "surprise", "Contempt"};
    roles r = roles_of(others, 4);
    assert_int_equal(r.happy, 0);
    assert_int_equal(r.neutral, -1);
    assert_true(!r.negative[0] && r.negative[1] && !r.negative[2] && r.negative[3]);
    r = roles_of(names, CLASSES);
    const float p[] = {0.3F, 0.2F, 0.4F, 0.1F};
    assert_int_equal(roles_top(&r, p), NEUTRAL);
    assert_int_equal(roles_gate(&r, p, 0.4F), NEUTRAL);
    assert_int_equal(roles_gate(&r, p, 0.5), ANGRY);
    assert_float_equal(roles_valence(&r, p), -0.2, 1e-6);
    assert_float_equal(roles_negative(&r, p), 0.4, 1e-6);
}

/* ---- One person ---- */

static void test_shares_are_of_time_and_not_of_samples(void **state)
{
    (void)state;
    story s;
    mien_error error;
    person_time *people;
    size_t count;
    begin(&s, 60);
    see(&s, 0, 1, SAD, 0.7, 1);       /* holds 0.5 s */
    see(&s, 0.2, 2, HAPPY, 0.7, -1);  /* holds for no time: the last of its person */
    see(&s, 0.5, 1, HAPPY, 0.7, 0.5); /* 1 s at most, though the next comes after 9.5 s */
    see(&s, 10, 1, NEUTRAL, 0.7, -1); /* 0.5 s */
    see(&s, 10.5, 1, SAD, 0.7, 1);
    person_settings settings = person_defaults();
    settings.least_s = 2;
    assert_ok(person_time_all(&s.t, &settings, &people, &count, &error), &error);
    assert_int_equal(count, 2);
    const person_time *p = &people[0];
    assert_int_equal(p->person, 1);
    assert_int_equal(p->samples, 4);
    assert_float_equal(p->first_s, 0, 0);
    assert_float_equal(p->last_s, 10.5, 0);
    assert_float_equal(p->seen_s, 2, 1e-9);
    assert_float_equal(p->share[SAD], 0.25, 1e-9);
    assert_float_equal(p->share[HAPPY], 0.5, 1e-9);
    assert_float_equal(p->mean[HAPPY], 0.5 * 0.7 + 0.5 * 0.1, 1e-6);
    assert_float_equal(p->non_neutral, 0.75, 1e-9);
    assert_float_equal(p->stress_ratio, 0.25, 1e-9);
    assert_float_equal(p->happiness_ratio, 0.5, 1e-9);
    assert_float_equal(p->facing, (0.5 * 1 + 1 * 0.5) / 1.5, 1e-6);
    assert_int_equal(p->stressed, STRESS_NO);
    assert_int_equal(people[1].stressed, STRESS_UNDECIDED);
    assert_true(isnan(people[1].stress_ratio));
    session_ratios all = person_session_ratios(people, count, &settings);
    assert_float_equal(all.seen_s, 2, 1e-9);
    assert_float_equal(all.stress_ratio, 0.25, 1e-9);
    assert_float_equal(all.share[HAPPY], 0.5, 1e-9);
    settings.stress_threshold = 0.25;
    assert_int_equal(person_session_ratios(people, count, &settings).stressed, STRESS_YES);
    free(people);
}

static void test_a_flicker_is_no_change(void **state)
{
    (void)state;
    static const int looks[] = {NEUTRAL, HAPPY, NEUTRAL, NEUTRAL, NEUTRAL, NEUTRAL, NEUTRAL,
                                HAPPY,   HAPPY, HAPPY,   HAPPY,   HAPPY,   HAPPY};
    story s;
    mien_error error;
    expression_run *runs;
    size_t count, transitions[CLASSES * CLASSES];
    begin(&s, 60);
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        see(&s, 0.1 * (double)i, 7, looks[i], 0.7, -1);
    see(&s, 30, 7, SAD, 0.7, -1); /* after a time out of sight: a run, but no transition */
    see(&s, 30.6, 7, SAD, 0.7, -1);
    person_settings settings = person_defaults();
    settings.max_gap_s = 0.65;
    assert_ok(person_runs(&s.t, 7, &settings, &runs, &count, &error), &error);
    assert_int_equal(count, 3);
    assert_int_equal(runs[0].class_index, NEUTRAL);
    assert_float_equal(runs[0].start_s, 0, 1e-9);
    assert_float_equal(runs[0].end_s, 0.7, 1e-9);
    assert_int_equal(runs[1].class_index, HAPPY);
    assert_float_equal(runs[1].end_s, 1.2 + 0.65, 1e-9);
    assert_int_equal(runs[2].class_index, SAD);
    person_transitions(runs, count, CLASSES, transitions);
    for (int i = 0; i < CLASSES * CLASSES; i++)
        assert_int_equal(transitions[i], i == NEUTRAL * CLASSES + HAPPY);
    free(runs);
    assert_ok(person_runs(&s.t, 8, &settings, &runs, &count, &error), &error);
    assert_null(runs);
}

/* ---- Events ---- */

static void test_events_have_two_thresholds_and_a_length(void **state)
{
    (void)state;
    static const double happy[] = {0.4, 0.7, 0.55, 0.52, 0.65, 0.3, 0.7, 0.9, 0.2, 0.1,
                                   0.1, 0.1, 0.7,  0.7,  0.1,  0.1, 0.1, 0.1, 0.1, 0.1};
    story s;
    mien_error error;
    expression_event *events;
    size_t count;
    begin(&s, 60);
    for (size_t i = 0; i < sizeof happy / sizeof *happy; i++)
        see(&s, 0.3 * (double)i, 3, HAPPY, happy[i], -1);
    event_settings settings = event_defaults();
    assert_ok(events_find(&s.t, &settings, NEUTRAL, &events, &count, &error), &error);
    assert_int_equal(count, 1); /* the gap of 0.3 s is bridged; 0.6 s later on are too short */
    assert_int_equal(events[0].person, 3);
    assert_int_equal(events[0].class_index, HAPPY);
    assert_float_equal(events[0].start_s, 0.3, 1e-9);
    assert_float_equal(events[0].end_s, 2.4, 1e-9);
    assert_float_equal(events[0].peak, 0.9, 1e-6);
    free(events);
    settings.gap_s = 0.29; /* now every sample stands alone */
    assert_ok(events_find(&s.t, &settings, -1, &events, &count, &error), &error);
    assert_int_equal(count, 0);
    assert_null(events);
}

static void test_events_are_scored_one_to_one(void **state)
{
    (void)state;
    const expression_event found[] = {
        {1, HAPPY, 0, 10, 1}, {1, HAPPY, 11, 12, 1}, {2, SAD, 0, 10, 1}, {2, HAPPY, 30, 40, 1}};
    const expression_event annotated[] = {{1, HAPPY, 4, 12, NAN},  /* 6 of 12: a match just so */
                                          {0, SAD, 1, 10, NAN},    /* of anyone */
                                          {1, HAPPY, 30, 40, NAN}, /* another person */
                                          {1, ANGRY, 0, 1, NAN}};
    event_scores scores[CLASSES], all;
    mien_error error;
    assert_int_equal(events_score(found, 4, annotated, 4, 0.5, CLASSES, scores, &all, &error),
                     MIEN_OK);
    assert_int_equal(all.matched, 2);
    assert_float_equal(all.precision, 0.5, 1e-9);
    assert_float_equal(all.recall, 0.5, 1e-9);
    assert_float_equal(all.f1, 0.5, 1e-9);
    assert_float_equal(scores[HAPPY].precision, 1.0 / 3, 1e-9);
    assert_float_equal(scores[HAPPY].recall, 0.5, 1e-9);
    assert_float_equal(scores[HAPPY].f1, 0.4, 1e-9);
    assert_float_equal(scores[SAD].f1, 1, 1e-9);
    assert_true(isnan(scores[ANGRY].precision) && scores[ANGRY].recall == 0);
    assert_true(isnan(scores[NEUTRAL].f1));
}

static mien_status read_annotations(const char *text, expression_event **events, size_t *count,
                                    mien_error *error)
{
    FILE *stream = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(stream);
    mien_status status = events_read_csv(stream, "notes.csv", names, CLASSES, events, count, error);
    fclose(stream);
    return status;
}

static void test_annotations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *row, *words;
    } wrong[] = {{"1,glad,0,1\n", "glad"},    {"1,happy,2,1\n", "after its start"},
                 {"0,happy,0,1\n", "person"}, {"1,happy,-1,1\n", "-1"},
                 {"1,happy,0,1s\n", "1s"},    {"1,happy,nan,1\n", "nan"}};
    expression_event *events;
    size_t count;
    mien_error error;
    assert_int_equal(read_annotations("start,end,person,expression\n0.5,2,,happy\n3,4,12,sad\n",
                                      &events, &count, &error),
                     MIEN_OK);
    assert_int_equal(count, 2);
    assert_int_equal(events[0].person, 0);
    assert_int_equal(events[0].class_index, HAPPY);
    assert_float_equal(events[0].start_s, 0.5, 0);
    assert_int_equal(events[1].person, 12);
    free(events);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[100];
        snprintf(text, sizeof text, "person,expression,start,end\n%s", wrong[i].row);
        assert_int_equal(read_annotations(text, &events, &count, &error), MIEN_MALFORMED);
        assert_non_null(strstr(error.message, wrong[i].words));
        assert_non_null(strstr(error.message, "row 2"));
        assert_null(events);
    }
}

/* ---- Groups ---- */

/* Three people for 20 s, ten samples a second: one looks sad in the second half, one looks away. */
static void test_a_group_and_who_stands_out(void **state)
{
    (void)state;
    story *s = malloc(sizeof *s);
    mien_error error;
    group_course course;
    assert_non_null(s);
    begin(s, 20);
    for (int i = 0; i <= 100; i++) {
        double time_s = 0.2 * i;
        see(s, time_s, 1, i < 50 ? NEUTRAL : SAD, 0.94, 0.9);
        see(s, time_s, 2, HAPPY, 0.94, -1);
        see(s, time_s, 3, NEUTRAL, 0.94, i % 5 == 0 ? 0.9 : 0.1);
    }
    person_settings person = person_defaults();
    group_settings settings = group_defaults();
    settings.look_s = 10;
    assert_ok(group_follow(&s->t, &person, &settings, &course, &error), &error);
    assert_int_equal(course.window_count, 2);
    assert_int_equal(course.windows[1].there, 3);
    assert_float_equal(course.windows[0].attention, (1 + 1 + 0.2) / 3, 1e-6);
    assert_float_equal(course.windows[0].mood, ((0.02 - 0.04) * 2 + 0.94 - 0.04) / 3, 1e-6);
    assert_float_equal(course.windows[1].negative, (0.96 + 0.04 + 0.04) / 3, 1e-6);
    assert_int_equal(course.look_count, 2);
    assert_int_equal(course.looks[0].person, 3);
    assert_int_equal(course.looks[0].reason, LOOK_AWAY);
    assert_float_equal(course.looks[0].end_s, 20, 1e-9);
    assert_float_equal(course.looks[0].value, 0.2, 1e-6);
    assert_int_equal(course.looks[1].person, 1);
    assert_int_equal(course.looks[1].reason, LOOK_NEGATIVE);
    assert_float_equal(course.looks[1].start_s, 10, 1e-9);
    assert_float_equal(course.looks[1].value, 0.96, 1e-6);
    group_free(&course);
    settings.look_s = 20;
    assert_ok(group_follow(&s->t, &person, &settings, &course, &error), &error);
    assert_int_equal(course.look_count, 1);
    assert_int_equal(course.looks[0].person, 3);
    group_free(&course);
    free(s);
}

static void test_nobody_is_no_failure(void **state)
{
    (void)state;
    story s;
    mien_error error;
    group_course course;
    person_time *people;
    expression_event *events;
    size_t count;
    begin(&s, 0);
    person_settings person = person_defaults();
    group_settings group = group_defaults();
    event_settings settings = event_defaults();
    assert_ok(person_time_all(&s.t, &person, &people, &count, &error), &error);
    assert_null(people);
    assert_ok(events_find(&s.t, &settings, -1, &events, &count, &error), &error);
    assert_ok(group_follow(&s.t, &person, &group, &course, &error), &error);
    assert_true(course.window_count == 1 && isnan(course.windows[0].mood));
    group_free(&course);
    s.t.length_s = 1e12;
    assert_int_equal(group_follow(&s.t, &person, &group, &course, &error), MIEN_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles_by_name),
        cmocka_unit_test(test_shares_are_of_time_and_not_of_samples),
        cmocka_unit_test(test_a_flicker_is_no_change),
        cmocka_unit_test(test_events_have_two_thresholds_and_a_length),
        cmocka_unit_test(test_events_are_scored_one_to_one),
        cmocka_unit_test(test_annotations_are_read),
        cmocka_unit_test(test_a_group_and_who_stands_out),
        cmocka_unit_test(test_nobody_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
