/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"
#include "pictures.h"

#include <math.h>

static double clamp(double value, double high)
{
    return value < 0 ? 0 : value > high ? high : value;
}

/* Bilinear sampling as a sum over all pixels with tent weights: slow, and shares no code. */
static double slow_sample(const mien_image *src, double x, double y, int channel)
{
    double column = clamp(x - 0.5, src->width - 1);
    double row = clamp(y - 0.5, src->height - 1);
    double sum = 0;
    for (int v = 0; v < src->height; v++)
        for (int u = 0; u < src->width; u++) {
            double weight_x = 1 - fabs(column - u);
            double weight_y = 1 - fabs(row - v);
            if (weight_x > 0 && weight_y > 0)
                sum += weight_x * weight_y * pixel_at(src, u, v)[channel];
        }
    return sum;
}

static void warp_agrees_with_slow_sampling(void **state)
{
    (void)state;
    mien_error error;
    test_random random = {31};
    for (int round = 0; round < 40; round++) {
        int channels = (const int[]){1, 3, 4}[round % 3];
        mien_image src = random_picture((uint64_t)round + 1, test_random_int(&random, 1, 15),
                                        test_random_int(&random, 1, 15), format_with(channels));
        mien_image dst = new_picture(test_random_int(&random, 1, 12),
                                     test_random_int(&random, 1, 12), src.format);
        double inverse[6];
        for (int i = 0; i < 6; i++)
            inverse[i] = 1.5 * test_random_float(&random) * (i % 3 == 2 ? 8 : 1);
        assert_ok(image_warp_affine(&src, inverse, &dst, &error), &error);
        for (int y = 0; y < dst.height; y++)
            for (int x = 0; x < dst.width; x++)
                for (int c = 0; c < channels; c++) {
                    double u = inverse[0] * (x + 0.5) + inverse[1] * (y + 0.5) + inverse[2];
                    double v = inverse[3] * (x + 0.5) + inverse[4] * (y + 0.5) + inverse[5];
                    double expected = slow_sample(&src, u, v, c);
                    assert_true(fabs(pixel_at(&dst, x, y)[c] - expected) < 0.51);
                }
        mien_image_free(&src);
        mien_image_free(&dst);
    }
}

static void a_shift_by_whole_pixels_repeats_the_edge(void **state)
{
    (void)state;
    mien_error error;
    uint8_t row[] = {10, 20, 30, 40};
    uint8_t shifted[4];
    mien_image src = {row, 4, 1, 4, MIEN_PIXEL_GRAY8};
    mien_image dst = {shifted, 4, 1, 4, MIEN_PIXEL_GRAY8};
    assert_ok(image_warp_affine(&src, (double[]){1, 0, 2, 0, 1, 0}, &dst, &error), &error);
    assert_memory_equal(shifted, ((uint8_t[]){30, 40, 40, 40}), 4);
    assert_ok(image_warp_affine(&src, (double[]){-1, 0, 4, 0, 1, 0}, &dst, &error), &error);
    assert_memory_equal(shifted, ((uint8_t[]){40, 30, 20, 10}), 4);
}

static void a_scale_agrees_with_resize(void **state)
{
    (void)state;
    mien_error error;
    mien_image src = random_picture(9, 30, 20, MIEN_PIXEL_GRAY8);
    mien_image warped = new_picture(13, 17, MIEN_PIXEL_GRAY8);
    mien_image resized = new_picture(13, 17, MIEN_PIXEL_GRAY8);
    const double inverse[6] = {30.0 / 13, 0, 0, 0, 20.0 / 17, 0};
    assert_ok(image_warp_affine(&src, inverse, &warped, &error), &error);
    assert_ok(image_resize(&src, &resized, IMAGE_FILTER_BILINEAR, &error), &error);
    for (int i = 0; i < 13 * 17; i++)
        assert_in_range(warped.data[i] + 1, resized.data[i], resized.data[i] + 2);
    mien_image_free(&src);
    mien_image_free(&warped);
    mien_image_free(&resized);
}

static void odd_matrices_are_safe(void **state)
{
    (void)state;
    mien_error error;
    mien_image src = random_picture(9, 3, 3, MIEN_PIXEL_RGB8);
    mien_image dst = new_picture(5, 5, MIEN_PIXEL_RGB8);
    double inverse[6] = {1e308, -1e308, 1e308, -1e308, 1e308, -1e308};
    assert_ok(image_warp_affine(&src, inverse, &dst, &error), &error);
    inverse[4] = NAN;
    assert_fails(MIEN_INVALID_ARGUMENT, image_warp_affine(&src, inverse, &dst, &error), &error,
                 "entry 4");
    mien_image_free(&src);
    mien_image_free(&dst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warp_agrees_with_slow_sampling),
        cmocka_unit_test(a_shift_by_whole_pixels_repeats_the_edge),
        cmocka_unit_test(a_scale_agrees_with_resize),
        cmocka_unit_test(odd_matrices_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
