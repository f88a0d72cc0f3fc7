/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/sha256.h"
#include "data/loco.h"
#include "data/pack.h"
#include "fer_text.h"

#include <unistd.h>

/* More than a block. */
#define ROWS 300

static char path[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(path, P_tmpdir "/mien-pack-XXXXXX");
    int file = mkstemp(path);
    return file >= 0 ? close(file) : -1;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static dataset_split usage_of(size_t row)
{
    return row < ROWS - 20   ? DATASET_TRAINING
           : row < ROWS - 10 ? DATASET_PUBLIC_TEST
                             : DATASET_PRIVATE_TEST;
}

static void write_csv(text_file *file)
{
    FILE *stream = text_begin(file);
    fprintf(stream, "emotion,pixels,Usage\n");
    for (size_t row = 0; row < ROWS; row++)
        fprintf(stream, "%d,%s,%s\n", (int)(row % 7), pixel_text(FER_VALUES, (int)(row * row)),
                dataset_split_name(usage_of(row)));
    fclose(stream);
}

static void write_votes(text_file *file)
{
    FILE *stream = text_begin(file);
    fprintf(stream, VOTES_HEADER);
    for (size_t row = 0; row < ROWS; row++)
        fprintf(stream, "%s,%s,%d,3,0,0,1,0,0,0,%d,0\n", dataset_split_name(usage_of(row)),
                row % 50 == 0 ? "" : "a.png", (int)(row % 9), row % 3 == 0 ? 255 : 0);
    fclose(stream);
}

static mien_status pack(const text_file *pictures, const text_file *votes, bool with_private,
                        mien_error *error)
{
    fer_source csv = {fmemopen(pictures->bytes, pictures->size, "rb"), "faces.csv"};
    fer_source plus = {votes != NULL ? fmemopen(votes->bytes, votes->size, "rb") : NULL,
                       "votes.csv"};
    pack_report report;
    mien_status status =
        pack_write(&csv, votes != NULL ? &plus : NULL, with_private, path, &report, error);
    if (status == MIEN_OK)
        assert_int_equal(report.pictures, with_private ? ROWS : ROWS - 10);
    fer_source_close(&csv);
    fer_source_close(&plus);
    return status;
}

static void pack_rows(bool with_votes, bool with_private)
{
    text_file pictures, votes;
    mien_error error;
    write_csv(&pictures);
    write_votes(&votes);
    assert_ok(pack(&pictures, with_votes ? &votes : NULL, with_private, &error), &error);
    free(pictures.bytes);
    free(votes.bytes);
}

static void assert_same_sets(dataset *a, dataset *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->left_out, b->left_out);
    assert_int_equal(a->class_count, b->class_count);
    for (size_t i = 0; i < a->count; i++) {
        const dataset_sample *left = &a->samples[i], *right = &b->samples[i];
        assert_int_equal(left->label, right->label);
        assert_int_equal(left->row, right->row);
        assert_memory_equal(left->image.data, right->image.data, FER_VALUES);
        assert_int_equal(left->votes != NULL, right->votes != NULL);
        if (left->votes != NULL)
            assert_memory_equal(left->votes, right->votes,
                                (size_t)a->class_count * sizeof *left->votes);
    }
    dataset_free(a);
    dataset_free(b);
}

static void test_it_reads_like_the_csv_file(void **state)
{
    (void)state;
    static const dataset_split splits[] = {DATASET_ALL, DATASET_TRAINING, DATASET_PUBLIC_TEST,
                                           DATASET_PRIVATE_TEST};
    text_file pictures, votes;
    write_csv(&pictures);
    write_votes(&votes);
    pack_rows(true, true);
    mien_error error;
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
        dataset expected, set;
        assert_ok(read_bytes(pictures.bytes, pictures.size, NULL, splits[i], &expected, &error),
                  &error);
        assert_ok(dataset_read_fer_csv(path, splits[i], &set, &error), &error);
        assert_same_sets(&set, &expected);
        assert_ok(
            read_bytes(pictures.bytes, pictures.size, votes.bytes, splits[i], &expected, &error),
            &error);
        assert_ok(dataset_read_fer_plus(path, path, splits[i], &set, &error), &error);
        assert_same_sets(&set, &expected);
    }
    free(pictures.bytes);
    free(votes.bytes);
}

static void test_private_rows_stay_behind(void **state)
{
    (void)state;
    pack_rows(false, false);
    mien_error error;
    dataset set;
    assert_ok(dataset_read_fer_csv(path, DATASET_ALL, &set, &error), &error);
    assert_int_equal(set.count, ROWS - 10);
    dataset_free(&set);
    assert_fails(MIEN_NOT_FOUND, dataset_read_fer_csv(path, DATASET_PRIVATE_TEST, &set, &error),
                 &error, "no sample of the split 'PrivateTest'");
}

static void test_votes_that_are_not_there(void **state)
{
    (void)state;
    pack_rows(false, true);
    mien_error error;
    dataset set;
    assert_fails(MIEN_NOT_FOUND, dataset_read_fer_plus(path, path, DATASET_ALL, &set, &error),
                 &error, "--votes");
    assert_fails(MIEN_INVALID_ARGUMENT,
                 dataset_read_fer_plus(path, "/dev/null", DATASET_ALL, &set, &error), &error,
                 "name it for both");
}

static void test_what_does_not_fit(void **state)
{
    (void)state;
    text_file pictures, votes;
    mien_error error;
    write_csv(&pictures);
    FILE *stream = text_begin(&votes);
    fprintf(stream, VOTES_HEADER);
    for (size_t row = 0; row < ROWS; row++)
        fprintf(stream, "%s,a.png,300,0,0,0,0,0,0,0,0,0\n", dataset_split_name(usage_of(row)));
    fclose(stream);
    assert_fails(MIEN_LIMIT, pack(&pictures, &votes, true, &error), &error, "row 2 has 300");
    char header[] = "emotion,pixels,Usage\n";
    const text_file empty = {header, strlen(header), NULL};
    assert_fails(MIEN_NOT_FOUND, pack(&empty, NULL, true, &error), &error, "faces.csv");
    free(pictures.bytes);
    free(votes.bytes);
}

/* ---- Damage ---- */

static void write_bytes(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Writes the bytes with their sum as the file. */
static mien_status read_summed(uint8_t *bytes, size_t size, mien_error *error)
{
    char digest[SHA256_HEX_SIZE];
    sha256_hex(bytes, size - 64, digest);
    memcpy(bytes + size - 64, digest, 64);
    write_bytes(bytes, size);
    dataset set;
    mien_status status = dataset_read_fer_csv(path, DATASET_ALL, &set, error);
    if (status == MIEN_OK)
        dataset_free(&set);
    return status;
}

static void test_damage_is_seen(void **state)
{
    (void)state;
    pack_rows(true, true);
    uint8_t *bytes;
    size_t size;
    mien_error error;
    dataset set;
    assert_ok(file_read(path, 1 << 24, &bytes, &size, &error), &error);
    for (size_t at = 1; at < size; at += 4999) {
        bytes[at] ^= 0x40;
        write_bytes(bytes, size);
        assert_fails(MIEN_MALFORMED, dataset_read_fer_csv(path, DATASET_ALL, &set, &error), &error,
                     path);
        bytes[at] ^= 0x40;
    }
    for (size_t cut = 1; cut < size; cut += 9973) {
        write_bytes(bytes, cut);
        assert_fails(MIEN_MALFORMED, dataset_read_fer_csv(path, DATASET_ALL, &set, &error), &error,
                     path);
    }
    free(bytes);
}

/* Whose sum is right all the same: nothing is read that is not there. */
static void test_forged_bytes(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        mien_status status;
    } forged[] = {
        {1, 'x', MIEN_MALFORMED},    /* magic */
        {8, 2, MIEN_UNSUPPORTED},    /* version */
        {12, 64, MIEN_MALFORMED},    /* width */
        {20, 9, MIEN_MALFORMED},     /* votes a row */
        {24, 129, MIEN_MALFORMED},   /* pictures of a block */
        {27, 1, MIEN_MALFORMED},     /* the same */
        {31, 0x7f, MIEN_MALFORMED},  /* bytes of its pictures */
        {36, 0, MIEN_MALFORMED},     /* split of the first row */
        {37, 7, MIEN_MALFORMED},     /* its class */
        {32 + 17, 0, MIEN_MALFORMED} /* number of the second row: twice */
    };
    pack_rows(true, true);
    uint8_t *bytes;
    size_t size;
    mien_error error;
    assert_ok(file_read(path, 1 << 24, &bytes, &size, &error), &error);
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        uint8_t before = bytes[forged[i].at];
        bytes[forged[i].at] = forged[i].value;
        assert_fails(forged[i].status, read_summed(bytes, size, &error), &error, path);
        bytes[forged[i].at] = before;
    }
    for (size_t at = 32 + 128 * 17; at < 32 + 128 * 17 + 50; at++) { /* the pictures */
        bytes[at] ^= 0x10;
        read_summed(bytes, size, &error); /* refused or another picture, never more */
        bytes[at] ^= 0x10;
    }
    free(bytes);
}

/* ---- Pictures ---- */

static void check_loco(const uint8_t *pixels, int width, int height)
{
    mien_error error;
    size_t count = (size_t)width * (size_t)height;
    uint8_t *bytes = malloc(loco_bound(width, height)), *back = malloc(count);
    assert_true(bytes != NULL && back != NULL);
    size_t size = loco_encode(pixels, width, height, bytes);
    assert_in_range(size, 1, loco_bound(width, height));
    assert_ok(loco_decode(bytes, size, width, height, back, &error), &error);
    assert_memory_equal(pixels, back, count);
    assert_fails(MIEN_MALFORMED, loco_decode(bytes, size - 1, width, height, back, &error), &error,
                 "are needed");
    bytes[size] = 0;
    assert_fails(MIEN_MALFORMED, loco_decode(bytes, size + 1, width, height, back, &error), &error,
                 "are needed");
    free(bytes);
    free(back);
}

static void test_loco(void **state)
{
    (void)state;
    uint8_t pixels[40 * 30];
    test_random random = {7};
    for (int kind = 0; kind < 4; kind++) {
        for (int i = 0; i < 40 * 30; i++) { /* noise, the harshest checks, a ramp, nothing */
            int noise = test_random_int(&random, 0, 255);
            pixels[i] = (uint8_t)(kind == 0 ? noise : kind == 1 ? i % 2 * 255 : kind == 2 ? i : 9);
        }
        check_loco(pixels, 40, 30);
        check_loco(pixels, 30, 40);
        check_loco(pixels, 1, 1);
        check_loco(pixels, 1, 17);
        check_loco(pixels, 17, 1);
    }
}

/* By hand: every context begins with k = 2 and no correction. 3 after nothing is +3: 6 = 01 10.
 * Then 3 expected by the pixel to the left in another context (gradient of -3: level -2), 2 is -1,
 * turned by its sign to +1: 2 = 1 10. */
static void test_loco_bits(void **state)
{
    (void)state;
    const uint8_t pixels[2] = {3, 2};
    uint8_t bytes[16];
    assert_int_equal(loco_encode(pixels, 2, 1, bytes), 1);
    assert_int_equal(bytes[0], 0x6c); /* 0110 110 0 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_reads_like_the_csv_file),
        cmocka_unit_test(test_private_rows_stay_behind),
        cmocka_unit_test(test_votes_that_are_not_there),
        cmocka_unit_test(test_what_does_not_fit),
        cmocka_unit_test(test_damage_is_seen),
        cmocka_unit_test(test_forged_bytes),
        cmocka_unit_test(test_loco),
        cmocka_unit_test(test_loco_bits),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
