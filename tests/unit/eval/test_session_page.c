/* SPDX-License-Identifier: Apache-2.0 */

/* The page about a session. */

#include "support.h"

#include "eval/chart_rows.h"
#include "eval/session_page.h"

#include <math.h>

enum { CLASSES = 3, PEOPLE = 3, STEPS = 300 };

static const char *const names[CLASSES] = {"happy", "neutral", "sad"};

/* A minute and a half: the second person is happy for the middle third. */
typedef struct story_data {
    timeline_sample samples[PEOPLE * STEPS];
    float probabilities[PEOPLE * STEPS][CLASSES];
    timeline t;
} story_data;

static void tell(story_data *d)
{
    *d = (story_data){.t = {.class_count = CLASSES, .class_names = names, .length_s = 90}};
    for (int i = 0; i < STEPS; i++)
        for (int who = 0; who < PEOPLE; who++) {
            int top = who == 1 && i >= STEPS / 3 && i < 2 * STEPS / 3 ? 0 : 1;
            for (int c = 0; c < CLASSES; c++)
                d->probabilities[d->t.count][c] = c == top ? 0.8f : 0.1f;
            d->samples[d->t.count++] = (timeline_sample){
                .time_s = 0.3 * i, .person = who + 1, .width = 40, .height = 40, .facing = -1};
        }
    d->t.samples = d->samples;
    d->t.probabilities = d->probabilities[0];
}

static char *write_page(const session_story *story)
{
    char *text;
    size_t size;
    mien_error error;
    session_settings settings = session_defaults();
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_ok(session_page_write(out, story, &settings, &error), &error);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_says(const char *page, const char *words)
{
    if (strstr(page, words) == NULL)
        fail_msg("the page does not say '%s'", words);
}

static void test_a_page_tells_the_session(void **state)
{
    (void)state;
    story_data *d = malloc(sizeof *d);
    assert_non_null(d);
    tell(d);
    const report_fact facts[] = {{"Consent", "all three, <in writing>"}};
    const session_person people[] = {{2, "Ann & Bo"}};
    const session_note notes[] = {{12.5, "the camera sent nothing for 5 s"}};
    const expression_event annotations[] = {{0, 0, 31, 60, NAN}};
    session_story story = {"Monday", facts, 1, &d->t, people, 1, notes, 1, annotations, 1};
    char *page = write_page(&story);
    assert_says(page, "<h1>Monday</h1>");
    assert_says(page, "all three, &lt;in writing&gt;");
    assert_says(page, "<b>3</b><span>people");
    assert_says(page, "person 1");
    assert_says(page, "Ann &amp; Bo (2)");
    assert_says(page, "happy 33.4 %");
    assert_says(page, "the camera sent nothing");
    /* One event, from 30 s to 60 s, which meets the annotation. */
    assert_says(page, "<td class=\"words\">happy</td><td>30 s</td><td>60 s</td><td>30 s</td>");
    assert_says(page, "<td>1</td><td>1</td><td>1</td><td>100.0");
    assert_says(page, "</html>");
    free(page);
    free(d);
}

static void test_an_empty_session_has_a_page(void **state)
{
    (void)state;
    const timeline t = {.class_count = CLASSES, .class_names = names};
    session_story story = {.name = "nobody", .timeline = &t};
    char *page = write_page(&story);
    assert_says(page, "There were none.");
    assert_says(page, "Nobody stood out.");
    assert_null(strstr(page, "nan"));
    free(page);
}

static void test_times_are_for_people(void **state)
{
    (void)state;
    char text[CHART_TIME_SIZE];
    assert_string_equal(chart_time(0, text), "0 s");
    assert_string_equal(chart_time(75.5, text), "75.5 s");
    assert_string_equal(chart_time(725.2, text), "12:05");
    assert_string_equal(chart_time(3725, text), "1:02:05");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_page_tells_the_session),
        cmocka_unit_test(test_an_empty_session_has_a_page),
        cmocka_unit_test(test_times_are_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
