/* SPDX-License-Identifier: Apache-2.0 */
#include "fer_text.h"

#include <unistd.h>

static void assert_pixels(const dataset_sample *sample, int first)
{
    assert_int_equal(sample->image.width, 48);
    assert_int_equal(sample->image.height, 48);
    assert_int_equal(sample->image.format, MIEN_PIXEL_GRAY8);
    for (int y = 0; y < 48; y++)
        for (int x = 0; x < 48; x++)
            assert_int_equal(sample->image.data[(size_t)y * sample->image.stride + (size_t)x],
                             (first + y * 48 + x) % 256);
}

static void write_four_rows(FILE *out)
{
    fprintf(out, "emotion,pixels,Usage\n");
    fprintf(out, "0,%s,Training\n", pixel_text(FER_VALUES, 1));
    fprintf(out, "6,%s,PublicTest\n", pixel_text(FER_VALUES, 2));
    fprintf(out, "3,%s,PrivateTest\n", pixel_text(FER_VALUES, 3));
    fprintf(out, "4,%s,PrivateTest\n", pixel_text(FER_VALUES, 4));
}

static void test_splits(void **state)
{
    (void)state;
    static const struct {
        dataset_split split;
        size_t count, first_row;
        int first_label;
    } expected[] = {{DATASET_ALL, 4, 0, 0},
                    {DATASET_TRAINING, 1, 0, 0},
                    {DATASET_PUBLIC_TEST, 1, 1, 6},
                    {DATASET_PRIVATE_TEST, 2, 2, 3}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        text_file file;
        write_four_rows(text_begin(&file));
        dataset set;
        mien_error error;
        assert_ok(read_text(&file, expected[i].split, &set, &error), &error);
        assert_int_equal(set.class_count, 7);
        assert_int_equal(set.left_out, 0);
        assert_int_equal(set.count, expected[i].count);
        assert_int_equal(set.samples[0].row, expected[i].first_row);
        assert_int_equal(set.samples[0].label, expected[i].first_label);
        assert_null(set.samples[0].path);
        assert_null(set.samples[0].votes);
        assert_pixels(&set.samples[0], (int)expected[i].first_row + 1);
        dataset_free(&set);
        assert_null(set.samples);
    }
}

static void test_class_names(void **state)
{
    (void)state;
    static const char *const names[] = {"angry", "disgust",  "fear",   "happy",
                                        "sad",   "surprise", "neutral"};
    text_file file;
    write_four_rows(text_begin(&file));
    dataset set;
    assert_ok(read_text(&file, DATASET_ALL, &set, NULL), NULL);
    for (int c = 0; c < 7; c++)
        assert_string_equal(set.class_names[c], names[c]);
    dataset_free(&set);
}

static void test_split_names(void **state)
{
    (void)state;
    for (int i = DATASET_ALL; i <= DATASET_PRIVATE_TEST; i++) {
        dataset_split split;
        assert_true(dataset_split_parse(dataset_split_name((dataset_split)i), &split));
        assert_int_equal(split, i);
    }
    dataset_split split;
    assert_true(dataset_split_parse("PrivateTest", &split));
    assert_int_equal(split, DATASET_PRIVATE_TEST);
    assert_false(dataset_split_parse("privatetest", &split));
    assert_false(dataset_split_parse("", &split));
}

/* Files as other programs write them, all with the same single picture. */
static void test_dialects(void **state)
{
    (void)state;
    static const char *const headers_and_rows[] = {
        "emotion,pixels,Usage\r\n5,%s,PublicTest\r\n", /* CRLF */
        "emotion,pixels,Usage\n5,%s,PublicTest",       /* no last line end */
        "emotion,pixels,Usage\n5,\"%s\",PublicTest\n", /* quoted */
        "\"emotion\",\"pixels\",\"Usage\"\n\"5\",\"%s\",\"PublicTest\"\n",
        "emotion, Usage, pixels\n5, PublicTest, %s\n", /* blanks, another order */
        "emotion,pixels,Usage\n5, %s ,PublicTest \n",
        "id,emotion,pixels,Usage,note\n1,5,%s,PublicTest,\"a, b and \"\"c\"\"\"\n", /* more columns
                                                                                     */
        "\357\273\277emotion,pixels,Usage\n5,%s,PublicTest\n", /* byte order mark */
        "emotion,pixels,Usage\n\n5,%s,PublicTest\n\n ",        /* blank lines */
    };
    for (size_t i = 0; i < sizeof headers_and_rows / sizeof *headers_and_rows; i++) {
        const char *split_at = strstr(headers_and_rows[i], "%s");
        text_file file;
        FILE *out = text_begin(&file);
        fwrite(headers_and_rows[i], 1, (size_t)(split_at - headers_and_rows[i]), out);
        fprintf(out, "%s%s", pixel_text(FER_VALUES, 9), split_at + 2);
        dataset set;
        mien_error error;
        assert_ok(read_text(&file, DATASET_PUBLIC_TEST, &set, &error), &error);
        assert_int_equal(set.count, 1);
        assert_int_equal(set.samples[0].label, 5);
        assert_int_equal(set.samples[0].row, 0);
        assert_pixels(&set.samples[0], 9);
        dataset_free(&set);
    }
}

static void test_many_rows_cross_the_buffer(void **state)
{
    (void)state;
    text_file file;
    FILE *out = text_begin(&file);
    fprintf(out, "emotion,pixels,Usage\n");
    for (int i = 0; i < 200; i++)
        fprintf(out, "%d,%s,%s\n", i % 7, pixel_text(FER_VALUES, i),
                i % 2 != 0 ? "Training" : "PrivateTest");
    dataset set;
    mien_error error;
    assert_ok(read_text(&file, DATASET_PRIVATE_TEST, &set, &error), &error);
    assert_int_equal(set.count, 100);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(set.samples[i].row, 2 * i);
        assert_int_equal(set.samples[i].label, 2 * i % 7);
        assert_pixels(&set.samples[i], 2 * i);
    }
    dataset_free(&set);
}

static void assert_text_fails(const char *text, mien_status expected, const char *message)
{
    dataset set;
    mien_error error;
    assert_fails(expected, read_bytes(text, strlen(text), NULL, DATASET_ALL, &set, &error), &error,
                 message);
    assert_null(set.samples);
    assert_int_equal(set.count, 0);
}

static void test_bad_headers(void **state)
{
    (void)state;
    assert_text_fails("\n", MIEN_MALFORMED, "'faces.csv' is empty");
    assert_text_fails("emotion,pixels\n", MIEN_MALFORMED,
                      "row 1, column 'Usage': the header has no such column");
    assert_text_fails("\n\nhello\n", MIEN_MALFORMED, "row 3, column 'emotion'");
    assert_text_fails("emotion,pixels,Usage,pixels\n", MIEN_MALFORMED,
                      "column 'pixels': the header has this column twice");
    assert_text_fails("emotion,\"pixels,Usage\n", MIEN_MALFORMED,
                      "row 1: the quote before field 2");
    assert_text_fails("emotion,\"pixels\"x,Usage\n", MIEN_MALFORMED,
                      "row 1: text after the closing quote of field 2");
    assert_text_fails("emotion,pixels,Usage\n", MIEN_NOT_FOUND, "no sample of the split 'all'");
}

static void test_empty_file(void **state)
{
    (void)state;
    text_file file;
    text_begin(&file);
    dataset set;
    mien_error error;
    assert_fails(MIEN_MALFORMED, read_text(&file, DATASET_ALL, &set, &error), &error, "is empty");
}

static void test_split_without_samples(void **state)
{
    (void)state;
    text_file file;
    FILE *out = text_begin(&file);
    fprintf(out, "emotion,pixels,Usage\n0,%s,Training\n", pixel_text(FER_VALUES, 0));
    dataset set;
    mien_error error;
    assert_fails(MIEN_NOT_FOUND, read_text(&file, DATASET_PRIVATE_TEST, &set, &error), &error,
                 "no sample of the split 'PrivateTest' (1 rows in all");
}

/* A good row 2 and then this one, which is row 3. */
static void assert_row_fails(const char *row, const char *message)
{
    text_file file;
    FILE *out = text_begin(&file);
    fprintf(out, "emotion,pixels,Usage\n0,%s,Training\n", pixel_text(FER_VALUES, 0));
    fprintf(out, "%s", row);
    dataset set;
    mien_error error;
    assert_fails(MIEN_MALFORMED, read_text(&file, DATASET_ALL, &set, &error), &error, message);
    assert_null(set.samples);
}

static void test_bad_rows(void **state)
{
    (void)state;
    assert_row_fails("1,1 2 3,Training\n", "row 3, column 'pixels': 3 values");
    assert_row_fails("1,,Training\n", "row 3, column 'pixels': 0 values");
    assert_row_fails("1,1 256 3,Training\n", "column 'pixels': value 2 is '256'");
    assert_row_fails("1,1 99999999999999999999 3,Training\n", "value 2 is '99999999999999999999'");
    assert_row_fails("1,1 -2 3,Training\n", "value 2 is '-2'");
    assert_row_fails("1,1 2 3.5,Training\n", "value 3 is '3.5'");
    assert_row_fails("7,1,Training\n", "row 3, column 'emotion': '7' is not a class from 0 to 6");
    assert_row_fails("-1,1,Training\n", "column 'emotion': '-1'");
    assert_row_fails(",1,Training\n", "column 'emotion': ''");
    assert_row_fails("happy,1,Training\n", "column 'emotion': 'happy'");
    assert_row_fails("1,1,Test\n", "row 3, column 'Usage': 'Test' is not Training");
    assert_row_fails("1,1,all\n", "column 'Usage': 'all'");
    assert_row_fails("1,1,\x01\xff\n", "column 'Usage': '?\?'");
    assert_row_fails("1,1\n", "row 3: 2 columns where the header has 3");
    assert_row_fails("1,1,Training,\n", "row 3: 4 columns where the header has 3");
    assert_row_fails("1,\"1,Training\n", "row 3: the quote before field 2 is not closed");
}

static void test_too_many_pixels(void **state)
{
    (void)state;
    text_file file;
    FILE *out = text_begin(&file);
    fprintf(out, "emotion,pixels,Usage\n0,%s,Training\n", pixel_text(FER_VALUES + 1, 0));
    dataset set;
    mien_error error;
    assert_fails(MIEN_MALFORMED, read_text(&file, DATASET_ALL, &set, &error), &error,
                 "row 2, column 'pixels': more than 2304 values");
    assert_int_equal(error.position, strlen("emotion,pixels,Usage\n"));
}

static void test_zero_bytes(void **state)
{
    (void)state;
    static const char bytes[] = "emotion,pixels,Usage\n0,1 2\0 3,Training\n";
    dataset set;
    mien_error error;
    assert_fails(MIEN_MALFORMED,
                 read_bytes(bytes, sizeof bytes - 1, NULL, DATASET_PUBLIC_TEST, &set, &error),
                 &error, "row 2: a zero byte");
}

static void test_overlong_lines(void **state)
{
    (void)state;
    static const size_t lengths[] = {CSV_MAX_LINE + 1, (size_t)1 << 18, (size_t)1 << 20};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        text_file file;
        FILE *out = text_begin(&file);
        fprintf(out, "emotion,pixels,Usage\n");
        for (size_t k = 0; k < lengths[i]; k++)
            fputc('1', out);
        fputc('\n', out);
        dataset set;
        mien_error error;
        assert_fails(MIEN_MALFORMED, read_text(&file, DATASET_ALL, &set, &error), &error,
                     "row 2: the line is longer than 65536 bytes");
    }
}

static void test_too_many_columns(void **state)
{
    (void)state;
    text_file file;
    FILE *out = text_begin(&file);
    for (int i = 0; i < 64; i++)
        fputc(',', out);
    dataset set;
    mien_error error;
    assert_fails(MIEN_MALFORMED, read_text(&file, DATASET_ALL, &set, &error), &error,
                 "row 1: more than 64 columns");
}

static void test_packed_file(void **state)
{
    (void)state;
    static const char bytes[] = "\xFD"
                                "7zXZ\0\0\4\346";
    dataset set;
    mien_error error;
    assert_fails(MIEN_UNSUPPORTED,
                 read_bytes(bytes, sizeof bytes - 1, NULL, DATASET_ALL, &set, &error), &error,
                 "xz -dc 'faces.csv' > fer2013.csv");
}

static void test_paths(void **state)
{
    (void)state;
    dataset set;
    mien_error error;
    assert_fails(MIEN_NOT_FOUND,
                 dataset_read_fer_csv("no/such/file.csv", DATASET_ALL, &set, &error), &error,
                 "'no/such/file.csv'");
    assert_fails(MIEN_IO, dataset_read_fer_csv("/", DATASET_ALL, &set, &error), &error, "'/'");
    char path[] = P_tmpdir "/mien-fer-XXXXXX";
    int descriptor = mkstemp(path);
    FILE *file = fdopen(descriptor, "w");
    write_four_rows(file);
    fclose(file);
    assert_ok(dataset_read_fer_csv(path, DATASET_PRIVATE_TEST, &set, &error), &error);
    assert_int_equal(set.count, 2);
    dataset_free(&set);
    assert_fails(MIEN_NOT_FOUND,
                 dataset_read_fer_plus(path, "no/votes.csv", DATASET_ALL, &set, &error), &error,
                 "'no/votes.csv'");
    unlink(path);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_class_names),
        cmocka_unit_test(test_split_names),
        cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_many_rows_cross_the_buffer),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_empty_file),
        cmocka_unit_test(test_split_without_samples),
        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_too_many_pixels),
        cmocka_unit_test(test_zero_bytes),
        cmocka_unit_test(test_overlong_lines),
        cmocka_unit_test(test_too_many_columns),
        cmocka_unit_test(test_packed_file),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
