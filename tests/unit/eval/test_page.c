/* SPDX-License-Identifier: Apache-2.0 */

/* Parts of a report page: texts, pictures, charts, the log of a run. */

#include "support.h"

#include "eval/chart.h"
#include "eval/heat.h"
#include "eval/history.h"
#include "eval/html.h"
#include "image/image.h"

#include <math.h>

/* A page in memory. */
typedef struct memory_page {
    FILE *out;
    char *text;
    size_t size;
} memory_page;

static void open_page(memory_page *p)
{
    p->out = open_memstream(&p->text, &p->size);
    assert_non_null(p->out);
}

static const char *read_page(memory_page *p)
{
    assert_int_equal(fflush(p->out), 0);
    return p->text;
}

static void close_page(memory_page *p)
{
    fclose(p->out);
    free(p->text);
}

static void test_text_is_escaped(void **state)
{
    (void)state;
    memory_page p;
    open_page(&p);
    html_text(p.out, "<a href=\"x\">&\x01\xFF\xC3\xA4</a>");
    assert_string_equal(read_page(&p), "&lt;a href=&quot;x&quot;&gt;&amp;??\xC3\xA4&lt;/a&gt;");
    close_page(&p);
}

static uint8_t digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return (uint8_t)(strchr(digits, c) - digits);
}

static void test_a_picture_comes_back_out_of_its_uri(void **state)
{
    (void)state;
    mien_error error;
    mien_image image, back;
    uint8_t bytes[4096];
    size_t size = 0;
    memory_page p;
    open_page(&p);
    assert_ok(mien_image_alloc(5, 3, MIEN_PIXEL_RGB8, &image, &error), &error);
    for (int i = 0; i < 45; i++)
        image.data[i] = (uint8_t)(i * 37);
    assert_ok(html_picture(p.out, &image, "\"five\"", &error), &error);
    const char *text = read_page(&p), *at = strstr(text, "base64,");
    assert_non_null(
        strstr(text, "<img width=\"5\" height=\"3\" alt=\"&quot;five&quot;\" src=\"data:"));
    for (at += strlen("base64,"); *at != '"'; at += 4) {
        uint32_t group = (uint32_t)(digit(at[0]) << 18 | digit(at[1]) << 12);
        group |= at[2] != '=' ? (uint32_t)digit(at[2]) << 6 : 0;
        group |= at[3] != '=' ? digit(at[3]) : 0;
        for (int i = 0; i < 3 && (i == 0 || at[i + 1] != '='); i++)
            bytes[size++] = (uint8_t)(group >> (16 - 8 * i));
    }
    assert_ok(mien_image_decode(bytes, size, MIEN_PIXEL_RGB8, 0, &back, &error), &error);
    assert_memory_equal(back.data, image.data, 45);
    mien_image_free(&image);
    mien_image_free(&back);
    close_page(&p);
}

static void test_charts_of_strange_numbers(void **state)
{
    (void)state;
    static const double ranges[][2] = {
        {0, 0}, {5, 5}, {-3, -3}, {NAN, 1}, {INFINITY, -INFINITY}, {1e-30, 1e30}, {0, 1e-12}};
    double x[] = {1, 2, 3}, y[] = {NAN, 1e300, -INFINITY};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        memory_page p;
        open_page(&p);
        chart_axes axes = {.title = "a \"b\" <c>",
                           .x_name = "x",
                           .y_name = "y",
                           .x_low = ranges[i][0],
                           .x_high = ranges[i][1],
                           .y_low = ranges[i][0],
                           .y_high = ranges[i][1]};
        chart c = chart_begin(p.out, &axes);
        chart_line(&c, x, y, 3, 70);
        chart_mark(&c, 1, "m");
        chart_end(&c);
        const char *text = read_page(&p);
        assert_null(strstr(text, "nan"));
        assert_null(strstr(text, "inf"));
        assert_in_range(p.size, 100, 20000); /* no thousands of ticks */
        close_page(&p);
    }
}

static void test_heat(void **state)
{
    (void)state;
    mien_error error;
    mien_image face;
    const float map[] = {0, 1};
    uint8_t low[3], high[3];
    heat_colour(-5, low);
    heat_colour(7, high);
    assert_true(high[0] > low[0] && high[1] > low[1]);
    assert_ok(mien_image_alloc(8, 2, MIEN_PIXEL_RGB8, &face, &error), &error);
    memset(face.data, 100, 8 * 2 * 3);
    heat_lay_over(map, 1, 2, &face);
    for (int x = 1; x < 8; x++) /* red grows from left to right */
        assert_true(image_row(&face, 1)[3 * x] >= image_row(&face, 1)[3 * x - 3]);
    assert_int_equal(image_row(&face, 0)[21], lrintf(0.25f * 100 + 0.75f * high[0]));
    mien_image_free(&face);
}

static void test_signed_heat(void **state)
{
    (void)state;
    mien_error error;
    mien_image picture;
    /* Two channels of 2 x 2: what is furthest from 0 counts. */
    const float map[] = {0, -1, 2, 0.5f, 0, 0.5f, -4, 0.5f};
    assert_ok(heat_signed(map, 2, 2, 2, &picture, &error), &error);
    const uint8_t *first = image_row(&picture, 0), *second = image_row(&picture, 1);
    assert_in_range(first[0], 127, 128);
    assert_true(first[3] < 127 && second[0] == 0 && second[3] > 128);
    mien_image_free(&picture);
    const float nothing[4] = {0};
    assert_ok(heat_signed(nothing, 1, 2, 2, &picture, &error), &error);
    assert_in_range(picture.data[0], 127, 128);
    mien_image_free(&picture);
}

static const char log_text[] =
    "{\"stage\":\"a\",\"epoch\":1,\"loss\":2.0,\"validation_loss\":1.5,\"validation_accuracy\":0."
    "25,"
    "\"rate\":0.1,\"images_per_second\":100,\"more\":[1]}\n"
    "{\"stage\":\"a\",\"epoch\":2,\"loss\":1.0,\"validation_accuracy\":0.5}\n"
    "{\"stage\":\"b<\",\"epoch\":3,\"loss\":null,\"validation_accuracy\":0.5}\n"
    "{\"stage\":\"b<\",\"epo";

static void test_a_log(void **state)
{
    (void)state;
    mien_error error;
    history h;
    memory_page p;
    open_page(&p);
    assert_ok(history_read(log_text, strlen(log_text), "log", &h, &error), &error);
    assert_int_equal(h.count, 3);
    assert_float_equal(h.epochs[0].validation_loss, 1.5, 0);
    assert_true(isnan(h.epochs[1].rate) && isnan(h.epochs[2].loss));
    assert_int_equal(history_best(&h), 1);
    assert_ok(history_section(p.out, &h, &error), &error);
    const char *text = read_page(&p);
    assert_non_null(strstr(text, "3 epochs; best accuracy on the validation set 50.00"));
    assert_non_null(strstr(text, ">b&lt;</text>"));
    history_free(&h);
    close_page(&p);
}

static void test_broken_logs(void **state)
{
    (void)state;
    mien_error error;
    history h;
    assert_fails(MIEN_MALFORMED, history_read("{}\n[1]\n", 7, "log", &h, &error), &error,
                 "log, line 2");
    assert_fails(MIEN_MALFORMED, history_read("{}\n{\"a\n", 7, "log", &h, &error), &error,
                 "line 2: not a JSON object");
    assert_int_equal(h.count, 0);
    assert_ok(history_read("", 0, "log", &h, &error), &error);
    assert_int_equal(h.count, 0);
    history_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_escaped),
        cmocka_unit_test(test_a_picture_comes_back_out_of_its_uri),
        cmocka_unit_test(test_charts_of_strange_numbers),
        cmocka_unit_test(test_heat),
        cmocka_unit_test(test_signed_heat),
        cmocka_unit_test(test_a_log),
        cmocka_unit_test(test_broken_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
