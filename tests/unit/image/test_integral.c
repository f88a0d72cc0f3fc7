/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"
#include "opencv_goldens.h"
#include "pictures.h"

static void tables_are_opencvs(void **state)
{
    (void)state;
    mien_error error;
    for (size_t i = 0; i < sizeof integral_cases / sizeof *integral_cases; i++) {
        const struct integral_case *c = &integral_cases[i];
        mien_image gray = random_picture(200 + i, c->width, c->height, MIEN_PIXEL_GRAY8);
        size_t bytes = (size_t)(c->width + 1) * (size_t)(c->height + 1) * sizeof(int32_t);
        int32_t *sum = malloc(bytes);
        uint32_t *squares = malloc(bytes);
        int32_t *tilted = malloc(bytes);
        image_tables tables = {sum, squares, tilted, (size_t)c->width + 1, 0};
        assert_ok(image_integral(&gray, &tables, &error), &error);
        assert_int_equal(hash_bytes(sum, bytes), c->sum_hash);
        assert_int_equal(hash_bytes(squares, bytes), c->squares_hash);
        assert_int_equal(hash_bytes(tilted, bytes), c->tilted_hash);
        free(sum);
        free(squares);
        free(tilted);
        mien_image_free(&gray);
    }
}

static void odd_columns_may_stand_apart(void **state)
{
    (void)state;
    enum { HEIGHT = 9, STRIDE = 24, ODD = 12 };
    mien_error error;
    for (int width = 1; width <= 20; width++) {
        mien_image gray = random_picture(300 + (uint64_t)width, width, HEIGHT, MIEN_PIXEL_GRAY8);
        int32_t sum[2][(HEIGHT + 1) * STRIDE], tilted[2][(HEIGHT + 1) * STRIDE];
        uint32_t squares[2][(HEIGHT + 1) * STRIDE];
        for (size_t i = 0; i < 2; i++) {
            image_tables tables = {sum[i], squares[i], tilted[i], STRIDE, i == 0 ? 0 : ODD};
            assert_ok(image_integral(&gray, &tables, &error), &error);
        }
        for (int y = 0; y <= HEIGHT; y++)
            for (int x = 0; x <= width; x++) {
                int in_order = y * STRIDE + x, apart = y * STRIDE + x / 2 + x % 2 * ODD;
                assert_int_equal(sum[0][in_order], sum[1][apart]);
                assert_int_equal(squares[0][in_order], squares[1][apart]);
                assert_int_equal(tilted[0][in_order], tilted[1][apart]);
            }
        mien_image_free(&gray);
    }
}

static void any_table_may_be_absent(void **state)
{
    (void)state;
    mien_error error;
    uint8_t pixels[] = {1, 2, 3, 4, 5, 6};
    mien_image gray = {pixels, 3, 2, 3, MIEN_PIXEL_GRAY8};
    int32_t sum[12];
    image_tables only_sum = {.sum = sum, .stride = 4}, none = {0};
    assert_ok(image_integral(&gray, &only_sum, &error), &error);
    assert_int_equal(sum[11], 21);
    assert_int_equal(sum[6], 3);
    assert_ok(image_integral(&gray, &none, &error), &error);
}

static void wrong_pictures_are_refused(void **state)
{
    (void)state;
    mien_error error;
    image_tables none = {0};
    mien_image color = new_picture(3, 2, MIEN_PIXEL_RGB8);
    assert_fails(MIEN_INVALID_ARGUMENT, image_integral(&color, &none, &error), &error, "grey");
    /* The limit is checked before a pixel is touched, so a false view is enough. */
    mien_image large = {color.data, 4000, 2106, 4000, MIEN_PIXEL_GRAY8};
    assert_fails(MIEN_LIMIT, image_integral(&large, &none, &error), &error, "4000 x 2106");
    mien_image_free(&color);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_opencvs),
        cmocka_unit_test(odd_columns_may_stand_apart),
        cmocka_unit_test(any_table_may_be_absent),
        cmocka_unit_test(wrong_pictures_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
