/* SPDX-License-Identifier: Apache-2.0 */
#include "image/codec/formats.h"
#include "pictures.h"

/* A TIFF block with an unrelated entry and the orientation. */
static const uint8_t little[] = {'I',  'I',  42, 0, 8, 0, 0, 0, 2,   0,       /* header, count */
                                 0x0F, 0x01, 2,  0, 1, 0, 0, 0, 'x', 0, 0, 0, /* make */
                                 0x12, 0x01, 3,  0, 1, 0, 0, 0, 6,   0, 0, 0, /* orientation */
                                 0,    0,    0,  0};
static const uint8_t big[] = {'M', 'M', 0, 42, 0, 0,   0, 8, 0, 2,    0x01, 0x0F, 0,
                              2,   0,   0, 0,  1, 'x', 0, 0, 0, 0x01, 0x12, 0,    3,
                              0,   0,   0, 1,  0, 8,   0, 0, 0, 0,    0,    0};

static void both_byte_orders_are_read(void **state)
{
    (void)state;
    assert_int_equal(exif_orientation(little, sizeof little), 6);
    assert_int_equal(exif_orientation(big, sizeof big), 8);
}

/* In memory of exactly this size, so that a sanitizer sees a read beyond it. */
static int orientation_of_copy(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size != 0 ? size : 1);
    memcpy(copy, bytes, size);
    int orientation = exif_orientation(copy, size);
    free(copy);
    return orientation;
}

static void a_cut_block_is_safe(void **state)
{
    (void)state;
    for (size_t size = 0; size <= sizeof little; size++)
        assert_int_equal(orientation_of_copy(little, size), size >= 34 ? 6 : 1);
}

static int with_byte(size_t index, uint8_t value)
{
    uint8_t block[sizeof little];
    memcpy(block, little, sizeof little);
    block[index] = value;
    return orientation_of_copy(block, sizeof block);
}

static void broken_blocks_mean_upright(void **state)
{
    (void)state;
    assert_int_equal(with_byte(0, 'X'), 1); /* byte order */
    assert_int_equal(with_byte(2, 43), 1);  /* magic */
    assert_int_equal(with_byte(7, 255), 1); /* directory far outside */
    assert_int_equal(with_byte(4, 37), 1);  /* directory at the last byte */
    assert_int_equal(with_byte(8, 1), 1);   /* orientation beyond the count */
    assert_int_equal(with_byte(9, 255), 6); /* more entries than fit */
    assert_int_equal(with_byte(24, 4), 1);  /* not a SHORT */
    assert_int_equal(with_byte(30, 0), 1);  /* values outside 1..8 */
    assert_int_equal(with_byte(30, 9), 1);
    assert_int_equal(with_byte(31, 1), 1);
}

static void random_bytes_are_safe(void **state)
{
    (void)state;
    test_random random = {77};
    for (int round = 0; round < 20000; round++) {
        uint8_t block[sizeof big];
        memcpy(block, round % 2 == 0 ? little : big, sizeof block);
        for (int i = 0; i < 3; i++)
            block[test_random_int(&random, 4, sizeof block - 1)] =
                (uint8_t)test_random_next(&random);
        size_t size = (size_t)test_random_int(&random, 0, sizeof block);
        assert_in_range(orientation_of_copy(block, size), 1, 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_byte_orders_are_read),
        cmocka_unit_test(a_cut_block_is_safe),
        cmocka_unit_test(broken_blocks_mean_upright),
        cmocka_unit_test(random_bytes_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
