/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"
#include "video/looks.h"

#include <math.h>
#include <mien/image.h>

#define EVERY_AREA ((1u << LOOKS_AREAS) - 1)

static mien_image make_image(int width, int height, mien_pixel_format format)
{
    mien_image image;
    mien_error error;
    assert_ok(mien_image_alloc(width, height, format, &image, &error), &error);
    return image;
}

static void paint(mien_image *image, int top, int bottom, uint8_t red, uint8_t green, uint8_t blue)
{
    for (int y = top; y < bottom; y++)
        for (int x = 0; x < image->width; x++) {
            uint8_t *pixel = image_row(image, y) + (size_t)x * 3;
            pixel[0] = red;
            pixel[1] = green;
            pixel[2] = blue;
        }
}

/* Hair over a face over a shirt. The side of the face is 40 pixels, its top edge at 50. */
static mien_image make_person(image_rect *face)
{
    mien_image image = make_image(100, 200, MIEN_PIXEL_RGB8);
    *face = (image_rect){30, 50, 40, 40};
    paint(&image, 0, 54, 60, 40, 20);
    paint(&image, 54, 100, 200, 160, 140);
    paint(&image, 100, 200, 10, 20, 120);
    return image;
}

static void assert_colour(const looks *l, int area, float red, float green, float blue)
{
    assert_true(l->colours[area][0] == red && l->colours[area][1] == green &&
                l->colours[area][2] == blue);
}

static double distance(const looks *a, const looks *b)
{
    double d;
    assert_true(looks_compare(a, b, &d));
    return d;
}

static void test_areas_of_a_person(void **state)
{
    (void)state;
    image_rect face;
    mien_image image = make_person(&face);
    looks l = looks_of(&image, &face);
    assert_int_equal(l.known, EVERY_AREA);
    assert_colour(&l, 0, 60, 40, 20);
    for (int i = 1; i < LOOKS_FIRST_OF_CLOTHES; i++)
        assert_colour(&l, i, 200, 160, 140);
    for (int i = LOOKS_FIRST_OF_CLOTHES; i < LOOKS_AREAS; i++)
        assert_colour(&l, i, 10, 20, 120);
    mien_image_free(&image);
}

/* Every area has its own place, to the pixel: the picture's red and green are its coordinates. */
static void test_places(void **state)
{
    (void)state;
    mien_image image = make_image(200, 200, MIEN_PIXEL_RGB8);
    for (int y = 0; y < 200; y++)
        for (int x = 0; x < 200; x++) {
            image_row(&image, y)[x * 3] = (uint8_t)x;
            image_row(&image, y)[x * 3 + 1] = (uint8_t)y;
        }
    image_rect face = {70, 30, 60, 60};
    looks l = looks_of(&image, &face);
    const double middles[LOOKS_AREAS][2] = {{0, -0.125},     {0, 0.35}, {0, 0.85},
                                            {-1.4 / 3, 1.7}, {0, 1.7},  {1.4 / 3, 1.7},
                                            {-1.4 / 3, 2.3}, {0, 2.3},  {1.4 / 3, 2.3}};
    for (int i = 0; i < LOOKS_AREAS; i++) {
        assert_true(fabs((double)l.colours[i][0] - (100 + 60 * middles[i][0] - 0.5)) < 0.6);
        assert_true(fabs((double)l.colours[i][1] - (30 + 60 * middles[i][1] - 0.5)) < 0.6);
    }
    mien_image_free(&image);
}

/* What lies outside is not known; boxes of any size do no harm. */
static void test_edge_of_the_picture(void **state)
{
    (void)state;
    image_rect face;
    mien_image image = make_person(&face);
    image_rect low = {30, 150, 40, 40}, left = {-30, 50, 40, 40};
    assert_int_equal(looks_of(&image, &low).known, 0x7);
    assert_int_equal(looks_of(&image, &left).known, 1u << 5 | 1u << 8);
    const image_rect odd[] = {{-3e38f, -3e38f, 3e38f, 3e38f}, {3e38f, 3e38f, 1e-30f, 1e-30f}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_int_equal(looks_of(&image, &odd[i]).known, 0);
    mien_image_free(&image);
}

static void test_other_formats_tell_nothing(void **state)
{
    (void)state;
    mien_image gray = make_image(100, 200, MIEN_PIXEL_GRAY8);
    image_rect face = {30, 50, 40, 40};
    assert_int_equal(looks_of(&gray, &face).known, 0);
    mien_image_free(&gray);
}

/* The formula of the header, computed with NumPy for the same numbers. */
static void test_distance(void **state)
{
    (void)state;
    looks a = {.known = EVERY_AREA}, b = {.known = EVERY_AREA};
    double none;
    for (int i = 0; i < LOOKS_AREAS; i++)
        for (int c = 0; c < 3; c++) {
            int first = (37 * i + 53 * c + 11) % 256, second = (91 * i + 29 * c + 7) % 256;
            a.colours[i][c] = (float)first;
            b.colours[i][c] = (float)(first + 0.1 * (second - first));
        }
    assert_true(fabs(distance(&a, &b) - 0.216781614) < 1e-6);
    assert_true(fabs(distance(&b, &a) - 0.216781614) < 1e-6);
    assert_true(distance(&a, &a) == 0);
    b.known = 0x117;
    assert_true(fabs(distance(&a, &b) - 0.296583011) < 1e-6);
    b.known = 0x7;
    assert_false(looks_compare(&a, &b, &none));
    assert_true(none == 1);
}

static void test_light_and_colour(void **state)
{
    (void)state;
    image_rect face;
    mien_image image = make_person(&face);
    looks l = looks_of(&image, &face), brighter = l, other = l, dark = {.known = EVERY_AREA};
    for (int i = 0; i < LOOKS_AREAS; i++)
        for (int c = 0; c < 3; c++)
            brighter.colours[i][c] *= 1.25f;
    assert_true(distance(&l, &brighter) < 1e-6);
    for (int i = LOOKS_FIRST_OF_CLOTHES; i < LOOKS_AREAS; i++)
        other.colours[i][2] = 30;
    assert_true(distance(&l, &other) > 0.3);
    assert_true(distance(&l, &dark) <= 1);
    assert_true(distance(&dark, &dark) == 0);
    mien_image_free(&image);
}

static void test_blending(void **state)
{
    (void)state;
    looks kept = {0}, now = {.known = 0x9};
    now.colours[0][0] = 100;
    now.colours[3][2] = 40;
    looks_blend(&kept, &now, 0.25f);
    assert_int_equal(kept.known, 0x9);
    assert_true(kept.colours[0][0] == 100 && kept.colours[3][2] == 40);
    now.known = 0x3;
    now.colours[0][0] = 200;
    now.colours[1][1] = 8;
    now.colours[3][2] = 0;
    looks_blend(&kept, &now, 0.25f);
    assert_int_equal(kept.known, 0xb);
    assert_true(kept.colours[0][0] == 125 && kept.colours[1][1] == 8);
    assert_true(kept.colours[3][2] == 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_areas_of_a_person),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_edge_of_the_picture),
        cmocka_unit_test(test_other_formats_tell_nothing),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_light_and_colour),
        cmocka_unit_test(test_blending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
