/* SPDX-License-Identifier: Apache-2.0 */
#include "fer_text.h"

/* As many good pictures as usages has letters: T, U (public) or R (private). */
static mien_status read_with_votes(const char *usages, const char *votes, dataset_split split,
                                   dataset *out, mien_error *error)
{
    text_file file;
    FILE *stream = text_begin(&file);
    fprintf(stream, "emotion,pixels,Usage\n");
    for (const char *usage = usages; *usage != '\0'; usage++)
        fprintf(stream, "0,%s,%s\n", pixel_text(FER_VALUES, 0),
                *usage == 'T'   ? "Training"
                : *usage == 'U' ? "PublicTest"
                                : "PrivateTest");
    fclose(stream);
    mien_status status = read_bytes(file.bytes, file.size, votes, split, out, error);
    free(file.bytes);
    return status;
}

static void test_majority(void **state)
{
    (void)state;
    static const char votes[] =
        VOTES_HEADER "PrivateTest,a.png,4,0,0,1,3,2,0,0,0,0\n"  /* neutral, 4 of 10 */
                     "PrivateTest,b.png,0,5,5,0,0,0,0,0,0,0\n"  /* tie */
                     "PrivateTest,c.png,0,3,0,0,0,0,0,0,7,0\n"  /* unknown */
                     "PrivateTest,d.png,0,0,0,0,0,0,2,0,0,8\n"  /* no face */
                     "PrivateTest,,0,10,0,0,0,0,0,0,0,0\n"      /* removed */
                     "PrivateTest,e.png,0,0,0,0,0,0,3,4,1,2\n"  /* contempt */
                     "PrivateTest,f.png,0,0,0,0,4,1,1,0,4,0\n"  /* tie with unknown */
                     "PrivateTest,g.png,3,3,0,0,4,0,0,0,0,0\n"  /* anger after an early tie */
                     "PrivateTest,h.png,0,0,0,0,0,0,0,0,0,0\n"  /* nobody voted */
                     "PrivateTest,i.png,0,9,0,0,0,0,0,0,0,0\n"; /* happy, nine votes */
    static const struct {
        int label;
        size_t row;
    } expected[] = {{0, 0}, {7, 5}, {4, 7}, {1, 9}};
    dataset set;
    mien_error error;
    assert_ok(read_with_votes("RRRRRRRRRR", votes, DATASET_PRIVATE_TEST, &set, &error), &error);
    assert_int_equal(set.count, 4);
    assert_int_equal(set.left_out, 6);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(set.samples[i].label, expected[i].label);
        assert_int_equal(set.samples[i].row, expected[i].row);
    }
    dataset_free(&set);
}

static void test_classes_and_shares(void **state)
{
    (void)state;
    static const char *const names[] = {"neutral", "happy",   "surprise", "sad",
                                        "angry",   "disgust", "fear",     "contempt"};
    static const float shares[] = {0.5F, 0.0F, 0.0F, 0.125F, 0.375F, 0.0F, 0.0F, 0.0F};
    dataset set;
    mien_error error;
    assert_ok(read_with_votes("T", VOTES_HEADER "Training,a.png,4,0,0,1,3,0,0,0,2,0\n", DATASET_ALL,
                              &set, &error),
              &error);
    assert_int_equal(set.class_count, 8);
    for (int c = 0; c < 8; c++) {
        assert_string_equal(set.class_names[c], names[c]);
        assert_true(set.samples[0].votes[c] == shares[c]);
    }
    dataset_free(&set);
}

static void test_only_the_split_is_counted(void **state)
{
    (void)state;
    static const char votes[] = VOTES_HEADER "Training,,0,0,0,0,0,0,0,0,0,10\n"
                                             "PublicTest,b.png,0,6,4,0,0,0,0,0,0,0\n"
                                             "PrivateTest,,0,0,0,0,0,0,0,0,0,10\n";
    dataset set;
    mien_error error;
    assert_ok(read_with_votes("TUR", votes, DATASET_PUBLIC_TEST, &set, &error), &error);
    assert_int_equal(set.count, 1);
    assert_int_equal(set.left_out, 0);
    dataset_free(&set);
    assert_fails(MIEN_NOT_FOUND, read_with_votes("TUR", votes, DATASET_PRIVATE_TEST, &set, &error),
                 &error, "1 of the split left out");
}

static void assert_votes_fail(const char *votes, const char *message)
{
    dataset set;
    mien_error error;
    assert_fails(MIEN_MALFORMED, read_with_votes("TU", votes, DATASET_ALL, &set, &error), &error,
                 message);
    assert_null(set.samples);
}

static void test_bad_votes(void **state)
{
    (void)state;
    assert_votes_fail(VOTES_HEADER "Training,a.png,4,0,0,1,3,2,0,0,0,0\n",
                      "'votes.csv', row 3: the votes end here, but 'faces.csv' goes on");
    assert_votes_fail(VOTES_HEADER "Training,a.png,4,0,0,1,3,2,0,0,0,0\n"
                                   "PublicTest,b.png,4,0,0,1,3,2,0,0,0,0\n"
                                   "PublicTest,c.png,4,0,0,1,3,2,0,0,0,0\n",
                      "'votes.csv', row 4: votes for a picture that 'faces.csv' has not");
    assert_votes_fail(VOTES_HEADER "PublicTest,a.png,4,0,0,1,3,2,0,0,0,0\n",
                      "row 2, column 'Usage': 'PublicTest', but 'faces.csv' has 'Training'");
    assert_votes_fail(VOTES_HEADER "Training,a.png,4,0,0,1,x,2,0,0,0,0\n",
                      "row 2, column 'anger': 'x' is not a number of votes");
    assert_votes_fail(VOTES_HEADER "Training,a.png,4,0,0,1,3,2,0,0,0,1001\n",
                      "row 2, column 'NF': '1001'");
    assert_votes_fail(VOTES_HEADER "Test,a.png,4,0,0,1,3,2,0,0,0,0\n",
                      "row 2, column 'Usage': 'Test' is not");
    assert_votes_fail("Usage,Image name,neutral\n", "column 'happiness'");
    assert_votes_fail("\n", "'votes.csv' is empty");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_majority),
        cmocka_unit_test(test_classes_and_shares),
        cmocka_unit_test(test_only_the_split_is_counted),
        cmocka_unit_test(test_bad_votes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
