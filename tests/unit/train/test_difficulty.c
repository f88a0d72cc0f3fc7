/* SPDX-License-Identifier: Apache-2.0 */

/* Sample difficulty on small sets drawn here, some labels of which are wrong on purpose. */

#include "sets.h"

#include "base/file.h"
#include "train/difficulty.h"

#include <omp.h>
#include <unistd.h>

enum { SAMPLES = 280, WRONG_EVERY = 4 };

static const char recipe_text[] = "architecture = dcnn32\n"
                                  "mien.input.format = gray\n"
                                  "height = 32\n"
                                  "width = 32\n"
                                  "batch = 16\n"
                                  "epochs = 4\n"
                                  "rate = 0.01\n";

static dataset training, validation;
static char folder[64];

/* Every fourth sample carries the label of another class, another one each time. */
static int make_sets(void **state)
{
    (void)state;
    omp_set_num_threads(1);
    training = set_make(SAMPLES, 1);
    validation = set_make(70, 2);
    for (size_t i = 0; i < training.count; i += WRONG_EVERY)
        training.samples[i].label = (int)(i * 5 / WRONG_EVERY % SET_CLASSES);
    snprintf(folder, sizeof folder, "/tmp/mien-difficulty-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int free_sets(void **state)
{
    (void)state;
    char command[128];
    set_free(&training);
    set_free(&validation);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void test_folds(void **state)
{
    (void)state;
    enum { FOLDS = 5 };
    mien_error error;
    int first[SAMPLES], second[SAMPLES], again[SAMPLES], in_fold[FOLDS] = {0}, moved = 0;
    assert_ok(difficulty_folds(&training, FOLDS, 0, 1, first, &error), &error);
    assert_ok(difficulty_folds(&training, FOLDS, 1, 1, second, &error), &error);
    assert_ok(difficulty_folds(&training, FOLDS, 0, 1, again, &error), &error);
    assert_memory_equal(first, again, sizeof first);
    for (int i = 0; i < SAMPLES; i++) {
        in_fold[first[i]]++;
        moved += first[i] != second[i];
    }
    assert_true(moved > SAMPLES / 2);
    for (int f = 0; f < FOLDS; f++)
        assert_in_range(in_fold[f], SAMPLES / FOLDS - SET_CLASSES, SAMPLES / FOLDS + SET_CLASSES);
}

static void test_joining(void **state)
{
    (void)state;
    static const float easy[] = {0.9f, 0.1f, 0.6f, 0.4f};
    static const float difficult[] = {0.2f, 0.8f, 0.1f, 0.9f};
    static const float gate[] = {0.75f, 0.25f, 0.4f, 0.6f};
    float joined[4];
    difficulty_join(easy, difficult, gate, 2, 2, false, joined);
    assert_float_equal(joined[0], 0.9, 1e-6);
    assert_float_equal(joined[2], 0.1, 1e-6);
    difficulty_join(easy, difficult, gate, 2, 2, true, joined);
    assert_float_equal(joined[0], 0.75 * 0.9 + 0.25 * 0.2, 1e-6);
    assert_float_equal(joined[3], 0.4 * 0.4 + 0.6 * 0.9, 1e-6);
}

static void note_network(void *context, const char *name, int index, int count)
{
    int *networks = context;
    assert_non_null(name);
    assert_int_equal(index, *networks);
    assert_int_equal(count, 3 * 2 + 4);
    (*networks)++;
}

static mien_status run(const train_recipe *recipe, float threshold, difficulty_result *result,
                       mien_error *error)
{
    int networks = 0;
    difficulty_options options = {.training = {.training = &training,
                                               .validation = &validation,
                                               .recipe_text = recipe_text,
                                               .backend = &train_backend_onednn,
                                               .seed = -1},
                                  .folder = folder,
                                  .folds = 3,
                                  .repeats = 2,
                                  .threshold = threshold,
                                  .network_begins = note_network,
                                  .context = &networks};
    return difficulty_run(recipe, &options, result, error);
}

/* Wrong labels are found difficult; the second run goes on from what is there. */
static void test_whole(void **state)
{
    (void)state;
    mien_error error;
    train_recipe recipe;
    difficulty_result result, again;
    assert_ok(recipe_read(recipe_text, strlen(recipe_text), "recipe", &recipe, &error), &error);
    assert_ok(run(&recipe, 0.5f, &result, &error), &error);
    assert_int_equal(result.easy + result.difficult, SAMPLES);
    assert_in_range(result.difficult, SAMPLES / WRONG_EVERY / 2, SAMPLES / 2);
    assert_true(result.mean_ease >= result.mean_unseen_ease - 0.05);
    assert_true(result.whole > 0.8 && result.easy_network > 0.8);
    assert_true(result.routed > 0.2 && result.weighed > 0.2 && result.gate > 0.5);
    assert_ok(run(&recipe, 0.5f, &again, &error), &error);
    assert_memory_equal(&result, &again, sizeof result);
    assert_fails(MIEN_INVALID_ARGUMENT, run(&recipe, 0, &result, &error), &error, "threshold");
    recipe_free(&recipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds),
        cmocka_unit_test(test_joining),
        cmocka_unit_test(test_whole),
    };
    return cmocka_run_group_tests(tests, make_sets, free_sets);
}
