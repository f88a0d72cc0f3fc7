/* SPDX-License-Identifier: Apache-2.0 */
#include "data/fer.h"

#include "support.h"

/*
 * The real files, where they are: $MIEN_FER2013_CSV names the unpacked fer2013.csv (301 MB, not
 * part of the product). All counts were made by an independent Python script.
 */

static const char *fer2013_path(void)
{
    const char *path = getenv("MIEN_FER2013_CSV");
    if (path == NULL)
        print_message("skipped: MIEN_FER2013_CSV does not name an unpacked fer2013.csv\n");
    return path;
}

static void assert_label_counts(const dataset *set, const size_t *expected)
{
    size_t counts[DATASET_MAX_CLASSES] = {0};
    for (size_t i = 0; i < set->count; i++)
        counts[set->samples[i].label]++;
    for (int c = 0; c < set->class_count; c++)
        assert_int_equal(counts[c], expected[c]);
}

static uint64_t pixel_sum(const dataset *set)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < set->count; i++)
        for (size_t k = 0; k < (size_t)48 * 48; k++)
            sum += set->samples[i].image.data[k];
    return sum;
}

static void test_fer2013_splits(void **state)
{
    (void)state;
    static const struct {
        dataset_split split;
        size_t count;
        size_t labels[7];
    } expected[] = {
        {DATASET_TRAINING, 28709, {3993, 436, 4099, 7214, 4833, 3171, 4963}},
        {DATASET_PUBLIC_TEST, 3589, {470, 56, 496, 895, 650, 414, 608}},
        {DATASET_PRIVATE_TEST, 3589, {490, 55, 526, 879, 594, 417, 628}},
    };
    const char *path = fer2013_path();
    if (path == NULL)
        skip();
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        dataset set;
        mien_error error;
        assert_ok(dataset_read_fer_csv(path, expected[i].split, &set, &error), &error);
        assert_int_equal(set.count, expected[i].count);
        assert_label_counts(&set, expected[i].labels);
        if (expected[i].split == DATASET_PRIVATE_TEST)
            assert_true(pixel_sum(&set) == UINT64_C(1066830032));
        dataset_free(&set);
    }
}

static void test_fer_plus_private_test(void **state)
{
    (void)state;
    static const size_t labels[8] = {1166, 909, 421, 424, 316, 22, 92, 26};
    char buffer[1024];
    const char *path = fer2013_path();
    const char *votes_path = test_shared_path("data/fer2013plus.csv", buffer, sizeof buffer);
    if (path == NULL || votes_path == NULL)
        skip();
    dataset set;
    mien_error error;
    assert_ok(dataset_read_fer_plus(path, votes_path, DATASET_PRIVATE_TEST, &set, &error), &error);
    assert_int_equal(set.count, 3376);
    assert_int_equal(set.left_out, 213);
    assert_label_counts(&set, labels);
    dataset_free(&set);
}

/* The votes alone: a label for 33,712 of 35,887 rows. */
static void test_fer_plus_votes(void **state)
{
    (void)state;
    char buffer[1024];
    const char *path = test_shared_path("data/fer2013plus.csv", buffer, sizeof buffer);
    if (path == NULL)
        skip();
    fer_source source = {fopen(path, "rb"), path};
    assert_non_null(source.stream);
    fer_plus_reader reader;
    mien_error error;
    assert_ok(fer_plus_open(&reader, &source, &error), &error);
    size_t rows = 0, labelled = 0;
    for (bool more = true;;) {
        fer_plus_row row;
        assert_ok(fer_plus_next(&reader, &row, &more, &error), &error);
        if (!more)
            break;
        rows++;
        labelled += fer_plus_label(&row) >= 0;
    }
    csv_close(&reader.csv);
    fclose(source.stream);
    assert_int_equal(rows, 35887);
    assert_int_equal(labelled, 26940 + 3396 + 3376);
}

/* JAFFE: 213 pictures in seven folders. */
static void test_jaffe_folder(void **state)
{
    (void)state;
    char buffer[1024];
    if (test_shared_path("data/jaffe/angry/KA.AN1.39.tiff.png", buffer, sizeof buffer) == NULL)
        skip();
    *strstr(buffer, "/angry/") = '\0';
    dataset set;
    mien_error error;
    assert_ok(dataset_read_folder(buffer, MIEN_PIXEL_GRAY8, &set, &error), &error);
    assert_int_equal(set.count, 213);
    assert_int_equal(set.class_count, 7);
    assert_string_equal(set.class_names[0], "angry");
    assert_string_equal(set.class_names[6], "surprise");
    dataset_free(&set);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fer2013_splits),
        cmocka_unit_test(test_fer_plus_private_test),
        cmocka_unit_test(test_fer_plus_votes),
        cmocka_unit_test(test_jaffe_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
