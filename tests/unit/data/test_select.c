/* SPDX-License-Identifier: Apache-2.0 */

/* Choosing classes and samples of a set. */

#include "support.h"

#include "data/builder.h"
#include "data/smote.h"

static const char *const names[] = {"angry", "happy", "sad"};

/* Pictures of 4 x 3 pixels, their labels in turn; all pixels of picture i are 10 i. */
static dataset make_set(int count, bool votes)
{
    dataset_builder builder = {0};
    mien_error error;
    for (int c = 0; c < 3; c++)
        assert_ok(dataset_builder_add_class(&builder, names[c], &error), &error);
    for (int i = 0; i < count; i++) {
        char path[40];
        dataset_sample *sample = dataset_builder_add(&builder);
        snprintf(path, sizeof path, "/pictures/%c%d.png", i % 4 == 0 ? 'K' : 'M', i);
        sample->label = i % 3;
        sample->row = (size_t)i;
        sample->path = strdup(path);
        assert_ok(mien_image_alloc(4, 3, MIEN_PIXEL_GRAY8, &sample->image, &error), &error);
        for (int y = 0; y < 3; y++)
            memset(image_row(&sample->image, y), 10 * i, 4);
        float *shares = votes ? calloc(3, sizeof *shares) : NULL;
        if (votes) {
            shares[i % 3] = 0.5f;
            shares[(i + 1) % 3] = 0.25f;
            shares[(i + 2) % 3] = 0.25f;
        }
        sample->votes = shares;
    }
    dataset set;
    assert_ok(dataset_builder_finish(&builder, MIEN_OK, &set), NULL);
    return set;
}

static void test_classes_are_picked_and_ordered(void **state)
{
    (void)state;
    static const char *const wanted[] = {"sad", "angry"};
    mien_error error;
    dataset set = make_set(10, true);
    assert_ok(dataset_select_classes(&set, wanted, 2, &error), &error);
    assert_int_equal(set.class_count, 2);
    assert_string_equal(set.class_names[0], "sad");
    assert_string_equal(set.class_names[1], "angry");
    assert_int_equal(set.count, 7);
    for (size_t i = 0; i < set.count; i++) {
        const dataset_sample *sample = &set.samples[i];
        assert_int_equal(sample->label, sample->row % 3 == 0 ? 1 : 0);
        assert_float_equal(sample->votes[sample->label], 2.0 / 3, 1e-6);
        assert_float_equal(sample->votes[1 - sample->label], 1.0 / 3, 1e-6);
    }
    dataset_free(&set);
}

static void test_classes_that_are_not_there(void **state)
{
    (void)state;
    static const char *const wanted[] = {"sad", "bored"};
    mien_error error;
    dataset set = make_set(6, false);
    assert_fails(MIEN_NOT_FOUND, dataset_select_classes(&set, wanted, 2, &error), &error,
                 "'bored', only angry, happy, sad");
    assert_int_equal(set.count, 6);
    assert_ok(dataset_select_classes(&set, names, 3, &error), &error);
    assert_int_equal(set.count, 6);
    dataset_free(&set);
}

static void test_holding_out(void **state)
{
    (void)state;
    mien_error error;
    dataset set = make_set(10, false), held;
    assert_ok(dataset_hold_out(&set, "K", &held, &error), &error);
    assert_int_equal(held.count, 3);
    assert_int_equal(set.count, 7);
    assert_int_equal(held.class_count, 3);
    assert_int_equal(held.samples[1].row, 4);
    assert_int_equal(set.samples[0].row, 1);
    dataset_free(&held);
    assert_fails(MIEN_NOT_FOUND, dataset_hold_out(&set, "K", &held, &error), &error, "none");
    assert_fails(MIEN_NOT_FOUND, dataset_hold_out(&set, "M", &held, &error), &error, "each");
    assert_int_equal(held.count, 0);
    assert_int_equal(set.count, 7);
    dataset_free(&set);
}

static void test_keeping_and_faces(void **state)
{
    (void)state;
    static const bool keep[] = {true, false, false, true};
    dataset set = make_set(4, false);
    dataset_keep(&set, keep);
    assert_int_equal(set.count, 2);
    assert_int_equal(set.samples[1].row, 3);
    image_rect face = dataset_face(&set.samples[0]);
    assert_true(face.x == 0 && face.width == 4 && face.height == 3);
    set.samples[0].face = (image_rect){1, 1, 2, 2};
    assert_true(dataset_face(&set.samples[0]).x == 1);
    dataset_free(&set);
}

static void test_synthetic_pictures(void **state)
{
    (void)state;
    mien_error error;
    dataset set = make_set(18, true), made, again;
    for (size_t i = 0; i < set.count; i++)
        if (set.samples[i].label == 2 && i > 6)
            set.samples[i].label = 0; /* 10, 6 and 2 pictures */
    assert_ok(smote_pictures(&set, 0.8f, 5, 3, &made, &error), &error);
    assert_int_equal(made.count, 2 + 6);
    for (size_t i = 0; i < made.count; i++) {
        const dataset_sample *sample = &made.samples[i];
        assert_int_equal(sample->label, i < 2 ? 1 : 2);
        const uint8_t *pixels = sample->image.data;
        if (sample->label == 2)
            assert_in_range(pixels[0], 20, 50);
        float sum = sample->votes[0] + sample->votes[1] + sample->votes[2];
        assert_float_equal(sum, 1, 1e-5);
    }
    assert_ok(smote_pictures(&set, 0.8f, 5, 3, &again, &error), &error);
    for (size_t i = 0; i < made.count; i++)
        assert_int_equal(made.samples[i].image.data[0], again.samples[i].image.data[0]);
    dataset_free(&again);
    dataset_free(&made);
    assert_ok(smote_pictures(&set, 0, 5, 3, &made, &error), &error);
    assert_int_equal(made.count, 0);
    dataset_free(&made);
    set.samples[3].face = (image_rect){0, 0, 2, 2};
    assert_fails(MIEN_UNSUPPORTED, smote_pictures(&set, 1, 5, 3, &made, &error), &error,
                 "sample 3");
    dataset_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes_are_picked_and_ordered),
        cmocka_unit_test(test_classes_that_are_not_there),
        cmocka_unit_test(test_holding_out),
        cmocka_unit_test(test_keeping_and_faces),
        cmocka_unit_test(test_synthetic_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
