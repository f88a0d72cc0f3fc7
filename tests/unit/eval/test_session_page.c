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
    session_story story = {"Monday", facts, 1, &d->t, people, 1, notes, 1, annotations, 1, NULL};
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

/* ---- Saved faces ---- */

/* The order in which pictures would be shown. */
static void assert_order(picture_choice *choices, size_t count, const size_t *expected)
{
    size_t shown[16];
    assert_true(count <= 16);
    for (size_t i = 0; i < count; i++) {
        shown[i] = picture_choose(choices, count, shown, i);
        assert_int_equal(shown[i], expected[i]);
        choices[shown[i]].passed = true;
    }
    assert_int_equal(picture_choose(choices, count, shown, count), count);
}

static void test_faces_are_spread_over_expressions_and_time(void **state)
{
    (void)state;
    /* The first; the other expressions, the furthest of each; then far from all that are there. */
    picture_choice choices[] = {
        {.time_s = 0, .class_index = 1},  {.time_s = 1, .class_index = 1},
        {.time_s = 5, .class_index = 0},  {.time_s = 40, .class_index = 1},
        {.time_s = 50, .class_index = 1}, {.time_s = 60, .class_index = 0},
        {.time_s = 90, .class_index = 1}, {.time_s = 100, .class_index = 1},
    };
    assert_order(choices, 8, (const size_t[]){0, 5, 7, 2, 3, 4, 6, 1});
    picture_choice same[] = {{.time_s = 3}, {.time_s = 3}, {.time_s = 3}};
    assert_order(same, 3, (const size_t[]){0, 1, 2});
    assert_int_equal(picture_choose(NULL, 0, NULL, 0), 0);
}

static void test_what_cannot_be_shown_is_passed(void **state)
{
    (void)state;
    picture_choice choices[] = {{.time_s = 0}, {.time_s = 1, .passed = true}, {.time_s = 2}};
    size_t shown[] = {0};
    choices[0].passed = true;
    assert_int_equal(picture_choose(choices, 3, shown, 1), 2);
    assert_int_equal(picture_choose(choices, 3, NULL, 0), 2);
}

static char *write_pictures(story_data *d, session_pictures *pictures)
{
    tell(d);
    session_story story = {.name = "faces", .timeline = &d->t, .pictures = pictures};
    return write_page(&story);
}

static void test_saved_faces_are_shown(void **state)
{
    (void)state;
    story_data *d = malloc(sizeof *d);
    assert_non_null(d);
    uint8_t pixels[12] = {255};
    const mien_image image = {pixels, 2, 2, 6, MIEN_PIXEL_RGB8};
    session_picture images[] = {{2, 30, 0, image}, {2, 725.2, 1, image}, {9, 0, 0, image}};
    char folder[] = "/a & b";
    session_pictures pictures = {folder, true, 40, 1, 2, 6, 3, images};
    char *page = write_pictures(d, &pictures);
    assert_says(page, "Up to 6 of each person, spread over time and apparent expressions");
    assert_says(page, "40 pictures lie in /a &amp; b.");
    assert_says(page, "<h3>person 2</h3>\n<div class=\"faces\">\n<figure><img width=\"2\"");
    assert_says(page, "alt=\"person 2 at 12:05: neutral\"");
    assert_says(page, "<b>30 s</b><br/>happy");
    assert_says(page, "1 that was saved is not there any more.");
    assert_says(page, "2 could not be read, and are left out.");
    assert_null(strstr(page, "person 9"));
    free(page);
    pictures = (session_pictures){.folder = folder};
    page = write_pictures(d, &pictures);
    assert_says(page, "Pictures were saved in /a &amp; b.");
    assert_says(page, "That folder is not on the machine");
    free(page);
    pictures.is_there = true; /* and none was saved */
    page = write_pictures(d, &pictures);
    assert_null(strstr(page, "Saved faces"));
    free(page);
    free(d);
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
        cmocka_unit_test(test_faces_are_spread_over_expressions_and_time),
        cmocka_unit_test(test_what_cannot_be_shown_is_passed),
        cmocka_unit_test(test_saved_faces_are_shown),
        cmocka_unit_test(test_times_are_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
