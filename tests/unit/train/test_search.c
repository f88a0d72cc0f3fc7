/* SPDX-License-Identifier: Apache-2.0 */

/* Searches over small sets drawn here. */

#include "sets.h"

#include "base/file.h"
#include "train/search.h"

#include <omp.h>
#include <unistd.h>

static const char base_recipe[] = "architecture = dcnn32\n"
                                  "mien.input.format = gray\n"
                                  "height = 32\n"
                                  "width = 32\n"
                                  "batch = 35\n"
                                  "epochs = 3\n"
                                  "rate = 0.01\n";
static const char space_text[] = "search.trials = 5\n"
                                 "search.keep = 2\n"
                                 "rate = log 0.001 0.1\n"
                                 "augment.mirror = choice 0 0.5\n";

static dataset training, validation;
static char folder[64];
static int trials_told;

static int make_folder(void **state)
{
    (void)state;
    omp_set_num_threads(1);
    training = set_make(140, 1);
    validation = set_make(70, 2);
    snprintf(folder, sizeof folder, "/tmp/mien-search-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    set_free(&training);
    set_free(&validation);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void note_trial(void *context, const search_progress *p)
{
    (void)context;
    trials_told++;
    assert_in_range(p->round, 1, p->rounds);
    assert_in_range(p->position, 1, p->in_round);
    assert_non_null(strstr(p->values, "rate = "));
}

static mien_status run_search(const char *space_lines, const char *recipe, search_trial *best,
                              mien_error *error)
{
    search_space space;
    assert_ok(search_space_read(space_lines, strlen(space_lines), "space", &space, error), error);
    search_options options = {.training = {.training = &training,
                                           .validation = &validation,
                                           .backend = &train_backend_onednn,
                                           .seed = -1},
                              .recipe_text = recipe,
                              .recipe_name = "recipe",
                              .folder = folder,
                              .trial_done = note_trial};
    trials_told = 0;
    mien_status status = search_run(&space, &options, best, error);
    search_space_free(&space);
    return status;
}

static char *read_text(const char *name)
{
    char path[128];
    uint8_t *bytes;
    size_t size;
    mien_error error;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_read(path, 1 << 20, &bytes, &size, &error), &error);
    return (char *)bytes;
}

/* How many lines of a table say so many epochs. */
static int count_with_epochs(const char *table, int epochs)
{
    int count = 0;
    for (; *table != '\0'; table += strcspn(table, "\n") + 1)
        count += atoi(table + strcspn(table, ",") + 1) == epochs;
    return count;
}

/* 5 trials of 1 epoch, 3 of 2, 2 of 3; again: the same table without learning anything. */
static void test_halving(void **state)
{
    (void)state;
    mien_error error;
    search_trial best, again;
    assert_ok(run_search(space_text, base_recipe, &best, &error), &error);
    assert_int_equal(trials_told, 5 + 3 + 2);
    assert_int_equal(best.epochs, 3);
    assert_true(best.accuracy > 0);
    char *table = read_text("results.csv");
    assert_int_equal(count_with_epochs(table, 1), 2);
    assert_int_equal(count_with_epochs(table, 2), 1);
    assert_int_equal(count_with_epochs(table, 3), 2);
    char *best_recipe = read_text("best-recipe.txt");
    assert_non_null(strstr(best_recipe, "augment.mirror = "));

    assert_ok(run_search(space_text, base_recipe, &again, &error), &error);
    assert_int_equal(again.trial, best.trial);
    char *second_table = read_text("results.csv");
    assert_string_equal(table, second_table);
    free(table);
    free(second_table);
    free(best_recipe);
}

static void test_wrong_values_show_at_once(void **state)
{
    (void)state;
    mien_error error;
    search_trial best;
    assert_fails(MIEN_MALFORMED,
                 run_search("rat = log 1 2\nsearch.trials = 3\n", base_recipe, &best, &error),
                 &error, "rat");
    assert_int_equal(trials_told, 0);
    assert_fails(MIEN_MALFORMED,
                 run_search("epochs = choice 1 2 3 4 5\n", base_recipe, &best, &error), &error,
                 "number of epochs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_halving, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_wrong_values_show_at_once, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
