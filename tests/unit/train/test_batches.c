/* SPDX-License-Identifier: Apache-2.0 */
#include "sets.h"

#include "train/batches.h"

#include <math.h>

enum { SAMPLES = 45, BATCH = 8, PER_EPOCH = SAMPLES / BATCH, INPUTS = 12 * 12 };

static const augment_settings plain = {0};
static const augment_settings lively = {
    .mirror = 0.5f, .rotation = 10, .shift = 0.1f, .erase = 0.5f, .noise = 0.05f};

static const prep_settings prep = {.format = PREP_GRAY,
                                   .width = 12,
                                   .height = 12,
                                   .mean = {127.5f, 127.5f, 127.5f},
                                   .scale = {1 / 127.5f, 1 / 127.5f, 1 / 127.5f}};

static int workers = 1; /* of the makers to come */

static batch_maker *maker_of(const dataset *set, const augment_settings *augment, float mixup,
                             float cutmix, uint64_t seed)
{
    batch_settings settings = {.set = set,
                               .prep = &prep,
                               .augment = augment,
                               .batch = BATCH,
                               .mixup = mixup,
                               .cutmix = cutmix,
                               .seed = seed,
                               .sampler = SAMPLER_SHUFFLED,
                               .workers = workers};
    batch_maker *maker;
    mien_error error;
    assert_ok(batch_maker_create(&settings, &maker, &error), &error);
    assert_int_equal(batch_maker_per_epoch(maker), PER_EPOCH);
    return maker;
}

static const train_batch *next(batch_maker *maker)
{
    const train_batch *batch;
    mien_error error;
    assert_ok(batch_maker_next(maker, &batch, &error), &error);
    assert_int_equal(batch->n, BATCH);
    return batch;
}

/* What one epoch gives: inputs, shares and labels, one after the other. */
typedef struct epoch {
    float inputs[PER_EPOCH][BATCH * INPUTS];
    float shares[PER_EPOCH][BATCH * SET_CLASSES];
    int labels[PER_EPOCH][BATCH];
} epoch;

static void take_epoch(batch_maker *maker, int64_t number, epoch *e)
{
    mien_error error;
    assert_ok(batch_maker_begin(maker, number, &error), &error);
    for (int i = 0; i < PER_EPOCH; i++) {
        const train_batch *batch = next(maker);
        memcpy(e->inputs[i], batch->inputs, sizeof e->inputs[i]);
        memcpy(e->shares[i], batch->shares, sizeof e->shares[i]);
        memcpy(e->labels[i], batch->labels, sizeof e->labels[i]);
    }
}

static epoch first_epoch, second_epoch;

/* Seed and epoch decide, not what came before, nor who waited for whom. */
static void test_epochs_replay(void **state)
{
    (void)state;
    dataset set = set_make(SAMPLES, 1);
    batch_maker *maker = maker_of(&set, &lively, 0.4f, 1, 3);
    take_epoch(maker, 0, &second_epoch);
    take_epoch(maker, 5, &first_epoch);
    batch_maker *again = maker_of(&set, &lively, 0.4f, 1, 3);
    take_epoch(again, 5, &second_epoch);
    assert_memory_equal(&first_epoch, &second_epoch, sizeof first_epoch);
    take_epoch(again, 6, &second_epoch);
    assert_memory_not_equal(&first_epoch, &second_epoch, sizeof first_epoch);
    batch_maker_free(again);
    again = maker_of(&set, &lively, 0.4f, 1, 4);
    take_epoch(again, 5, &second_epoch);
    assert_memory_not_equal(&first_epoch, &second_epoch, sizeof first_epoch);
    batch_maker_free(again);
    batch_maker_free(maker);
    set_free(&set);
}

/* Each picture is marked by its grey; the rest of an epoch, too small for a batch, is left out. */
static void test_each_sample_comes_once(void **state)
{
    (void)state;
    dataset set = set_make(SAMPLES, 1);
    for (size_t i = 0; i < SAMPLES; i++)
        memset(set.samples[i].image.data, (int)(5 * i), SET_SIDE * SET_SIDE);
    batch_maker *maker = maker_of(&set, &plain, 0, 0, 3);
    take_epoch(maker, 0, &first_epoch);
    int seen[SAMPLES] = {0};
    for (int i = 0; i < PER_EPOCH * BATCH; i++) {
        float first = first_epoch.inputs[i / BATCH][i % BATCH * INPUTS];
        long sample = lroundf((first * 127.5f + 127.5f) / 5);
        assert_in_range(sample, 0, SAMPLES - 1);
        assert_int_equal(seen[sample]++, 0);
        int label = set.samples[sample].label;
        assert_int_equal(first_epoch.labels[i / BATCH][i % BATCH], label);
        for (int c = 0; c < SET_CLASSES; c++)
            assert_true(first_epoch.shares[i / BATCH][i % BATCH * SET_CLASSES + c] == (c == label));
    }
    batch_maker_free(maker);
    set_free(&set);
}

static void test_votes_become_shares(void **state)
{
    (void)state;
    static const float votes[SET_CLASSES] = {0.5f, 0.25f, 0, 0, 0.25f, 0, 0};
    dataset set = set_make(SAMPLES, 1);
    for (size_t i = 0; i < SAMPLES; i++)
        set.samples[i].votes = votes;
    batch_maker *maker = maker_of(&set, &plain, 0, 0, 3);
    take_epoch(maker, 0, &first_epoch);
    for (int i = 0; i < BATCH; i++)
        assert_memory_equal(&first_epoch.shares[0][i * SET_CLASSES], votes, sizeof votes);
    batch_maker_free(maker);
    set_free(&set);
}

/* Mixed samples have two labels; their shares still add up to 1, and the label has some. */
static void check_mixed(float mixup, float cutmix)
{
    dataset set = set_make(SAMPLES, 1);
    batch_maker *maker = maker_of(&set, &plain, mixup, cutmix, 3);
    take_epoch(maker, 0, &first_epoch);
    int mixed = 0;
    for (int i = 0; i < PER_EPOCH * BATCH; i++) {
        const float *shares = &first_epoch.shares[i / BATCH][i % BATCH * SET_CLASSES];
        float sum = 0;
        for (int c = 0; c < SET_CLASSES; c++) {
            assert_true(shares[c] >= 0);
            sum += shares[c];
            mixed += shares[c] > 0.02f && shares[c] < 0.98f;
        }
        assert_float_equal(sum, 1, 1e-6);
    }
    assert_true(mixed > PER_EPOCH);
    batch_maker_free(maker);
    set_free(&set);
}

static void test_mixing_keeps_shares(void **state)
{
    (void)state;
    check_mixed(1, 0);
    check_mixed(0, 1);
    check_mixed(1, 1);
}

/* However many threads make them. */
static void test_workers_do_not_matter(void **state)
{
    (void)state;
    dataset set = set_make(SAMPLES, 1);
    batch_maker *maker = maker_of(&set, &lively, 0.4f, 1, 3);
    for (workers = 2; workers <= BATCH_MAX_WORKERS; workers += 3) {
        batch_maker *others = maker_of(&set, &lively, 0.4f, 1, 3);
        for (int64_t number = 0; number < 3; number++) {
            take_epoch(maker, number, &first_epoch);
            take_epoch(others, number, &second_epoch);
            assert_memory_equal(&first_epoch, &second_epoch, sizeof first_epoch);
        }
        batch_maker_free(others);
    }
    workers = 1;
    batch_maker_free(maker);
    set_free(&set);
}

static void test_balanced_batches(void **state)
{
    (void)state;
    dataset set = set_make(SAMPLES, 1);
    for (size_t i = 3; i < SAMPLES; i++)
        set.samples[i].label = 6; /* classes 0 to 2 have one sample each, 6 the others */
    batch_settings settings = {
        .set = &set, .prep = &prep, .augment = &plain, .batch = BATCH, .sampler = SAMPLER_BALANCED};
    batch_maker *maker;
    mien_error error;
    int counts[SET_CLASSES] = {0};
    assert_ok(batch_maker_create(&settings, &maker, &error), &error);
    take_epoch(maker, 0, &first_epoch);
    for (int i = 0; i < PER_EPOCH * BATCH; i++)
        counts[first_epoch.labels[i / BATCH][i % BATCH]]++;
    for (int c = 0; c < 3; c++)
        assert_in_range(counts[c], counts[6] - PER_EPOCH, counts[6] + PER_EPOCH);
    batch_maker_free(maker);
    set_free(&set);
}

/* What lies beyond the face is not seen. */
static void test_faces_are_cut_out(void **state)
{
    (void)state;
    dataset set = set_make(SAMPLES, 1);
    for (size_t i = 0; i < SAMPLES; i++) {
        set.samples[i].face = (image_rect){12, 8, 16, 16};
        for (int y = 0; y < SET_SIDE; y++)
            for (int x = 0; x < SET_SIDE; x++)
                set.samples[i].image.data[y * SET_SIDE + x] =
                    x >= 12 && x < 28 && y >= 8 && y < 24 ? 100 : 255;
    }
    batch_maker *maker = maker_of(&set, &plain, 0, 0, 3);
    take_epoch(maker, 0, &first_epoch);
    for (int i = 0; i < BATCH * INPUTS; i++)
        assert_float_equal(first_epoch.inputs[0][i], (100 - 127.5) / 127.5, 1e-5);
    batch_maker_free(maker);
    set_free(&set);
}

static void test_too_few_samples(void **state)
{
    (void)state;
    dataset set = set_make(BATCH - 1, 1);
    batch_settings settings = {.set = &set, .prep = &prep, .augment = &plain, .batch = BATCH};
    batch_maker *maker;
    mien_error error;
    assert_fails(MIEN_INVALID_ARGUMENT, batch_maker_create(&settings, &maker, &error), &error,
                 "7 samples");
    assert_null(maker);
    set_free(&set);
}

/* What goes wrong while a batch is made is told to who asks for it. */
static void test_bad_pictures_are_told(void **state)
{
    (void)state;
    dataset set = set_make(SAMPLES, 1);
    uint8_t *data = set.samples[0].image.data;
    for (size_t i = 1; i < SAMPLES; i++)
        set.samples[i].image.data = NULL;
    batch_maker *maker = maker_of(&set, &plain, 0, 0, 3);
    const train_batch *batch;
    mien_error error;
    assert_ok(batch_maker_begin(maker, 0, &error), &error);
    assert_int_equal(batch_maker_next(maker, &batch, &error), MIEN_INVALID_ARGUMENT);
    batch_maker_free(maker);
    set.samples[0].image.data = data;
    set_free(&set);
}

/* Left in the middle of an epoch. */
static void test_freeing_early(void **state)
{
    (void)state;
    dataset set = set_make(SAMPLES, 1);
    for (int taken = 0; taken < 3; taken++) {
        batch_maker *maker = maker_of(&set, &lively, 0, 0, 3);
        mien_error error;
        assert_ok(batch_maker_begin(maker, 0, &error), &error);
        for (int i = 0; i < taken; i++)
            next(maker);
        batch_maker_free(maker);
    }
    batch_maker_free(NULL);
    set_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epochs_replay),       cmocka_unit_test(test_each_sample_comes_once),
        cmocka_unit_test(test_votes_become_shares), cmocka_unit_test(test_mixing_keeps_shares),
        cmocka_unit_test(test_too_few_samples),     cmocka_unit_test(test_bad_pictures_are_told),
        cmocka_unit_test(test_freeing_early),       cmocka_unit_test(test_workers_do_not_matter),
        cmocka_unit_test(test_balanced_batches),    cmocka_unit_test(test_faces_are_cut_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
