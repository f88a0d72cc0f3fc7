/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "data/difference_hash.h"

#include <math.h>

enum { SIDE = 48 };

/* A smooth picture, another one for each number; brighter and of more contrast as asked. */
static mien_image draw(int number, int width, int height, double gain, double offset)
{
    mien_image image;
    mien_error error;
    assert_ok(mien_image_alloc(width, height, MIEN_PIXEL_GRAY8, &image, &error), &error);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double u = (x + 0.5) / width, v = (y + 0.5) / height;
            double value =
                60 * sin(9 * u + number) * cos(7 * v + 2 * number) + 30 * sin(25 * u * v);
            image.data[(size_t)y * image.stride + (size_t)x] =
                (uint8_t)(120 + offset + gain * value);
        }
    return image;
}

static difference_hash hash_of(mien_image image)
{
    difference_hash hash;
    mien_error error;
    assert_ok(difference_hash_of(&image, &hash, &error), &error);
    mien_image_free(&image);
    return hash;
}

/* A picture of 25x24 is its own small one: the bits can be counted by hand. */
static void test_bits(void **state)
{
    (void)state;
    mien_image image;
    mien_error error;
    assert_ok(mien_image_alloc(25, 24, MIEN_PIXEL_GRAY8, &image, &error), &error);
    for (int y = 0; y < 24; y++)
        for (int x = 0; x < 25; x++)
            image.data[(size_t)y * image.stride + (size_t)x] =
                (uint8_t)(y == 1 ? 10 * x : 250 - 10 * x);
    difference_hash hash = hash_of(image), expected = {{UINT64_C(0x0000ffffff000000)}};
    assert_memory_equal(&hash, &expected, sizeof hash);
}

static void test_what_looks_alike_is_near(void **state)
{
    (void)state;
    difference_hash plain = hash_of(draw(1, SIDE, SIDE, 1, 0));
    difference_hash brighter = hash_of(draw(1, SIDE, SIDE, 0.7, 30));
    difference_hash larger = hash_of(draw(1, 96, 96, 1, 0));
    difference_hash smaller = hash_of(draw(1, 20, 20, 1, 0));
    difference_hash other = hash_of(draw(2, SIDE, SIDE, 1, 0));
    assert_int_equal(difference_hash_distance(&plain, &plain), 0);
    assert_in_range(difference_hash_distance(&plain, &brighter), 0, 20);
    assert_in_range(difference_hash_distance(&plain, &larger), 0, 30);
    assert_in_range(difference_hash_distance(&plain, &smaller), 0, 80);
    assert_in_range(difference_hash_distance(&plain, &other), 150, DIFFERENCE_HASH_BITS);
}

static void test_finding(void **state)
{
    (void)state;
    mien_error error;
    dataset_sample first[] = {{.image = draw(1, SIDE, SIDE, 1, 0)},
                              {.image = draw(2, SIDE, SIDE, 1, 0)}};
    dataset_sample second[] = {{.image = draw(3, SIDE, SIDE, 1, 0)},
                               {.image = draw(2, SIDE, SIDE, 0.8, 20)}};
    dataset set = {.samples = first, .count = 2}, others = {.samples = second, .count = 2};
    bool near[2] = {true, false};
    assert_ok(difference_hash_find(&set, &others, 40, near, &error), &error);
    assert_false(near[0]);
    assert_true(near[1]);
    for (int i = 0; i < 2; i++) {
        mien_image_free(&first[i].image);
        mien_image_free(&second[i].image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_what_looks_alike_is_near),
        cmocka_unit_test(test_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
