/* SPDX-License-Identifier: Apache-2.0 */

/* Whole training runs on small sets drawn here. */

#include "trainer_support.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ---- Learning ---- */

static const char small[] = "architecture = fcn\nheight = 24\nwidth = 24\nbatch = 20\n"
                            "epochs = 4\nrate = 0.05\nweight_decay = 0.0005\n";

static void test_it_learns(void **state)
{
    (void)state;
    record r;
    train_well(small, "learns", 0, &r);
    assert_int_equal(r.epochs, 4);
    assert_int_equal(r.steps, 4 * (280 / 20));
    assert_true(r.last_loss < r.first_loss / 2);
    if (!(r.best_score > 0.9))
        fail_msg("the accuracy is %g only", r.best_score);
    assert_int_equal(lines_of("learns", "log.jsonl"), 4);
    assert_true(file_exists(path_of("learns", "best.onnx")));
    size_t size;
    uint8_t *text = bytes_of("learns", "recipe.txt", &size);
    assert_string_equal((char *)text, small);
    free(text);
}

static void test_the_same_recipe_gives_the_same_bytes(void **state)
{
    (void)state;
    record r;
    omp_set_num_threads(2);
    train_well(small, "one", 2, &r);
    train_well(small, "two", 2, &r);
    omp_set_num_threads(1);
    assert_true(same_files("one", "two", "last.onnx"));
    assert_true(same_files("one", "two", "best.onnx"));
    assert_true(same_files("one", "two", "checkpoint.bin"));
}

static void test_another_seed_gives_other_weights(void **state)
{
    (void)state;
    char text[400];
    record r;
    snprintf(text, sizeof text, "%sseed = 2\n", small);
    train_well(small, "one", 1, &r);
    train_well(text, "two", 1, &r);
    assert_false(same_files("one", "two", "last.onnx"));
}

/* ---- Interruption ---- */

/* With all that a checkpoint must keep: averages, optimisers' states, centres, the plateau. */
static const char staged[] =
    "architecture = dcnn32\nheight = 16\nwidth = 16\nbatch = 35\nepochs = 3\naverage = 0.9\n"
    "schedule = plateau\nplateau = 1\ngamma = 0.5\nrate = 0.005\naugment.mirror = 0.5\n"
    "augment.rotation = 10\nmixup = 0.2\nclip_norm = 5\n"
    "[first]\nclass_weights = yes\n"
    "[second]\nbatch = 20\noptimiser = adam\nrate = 0.0005\ncentre_weight = 0.01\nmixup = 0\n"
    "loss = focal\n";

static void test_an_interrupted_run_ends_the_same(void **state)
{
    (void)state;
    record whole, parts;
    train_well(staged, "whole", 0, &whole);
    assert_int_equal(whole.epochs, 6);
    for (int stop = 1; stop <= 6; stop++)
        train_well(staged, "every", stop, &parts);
    train_well(staged, "late", 2, &parts);
    train_well(staged, "late", 5, &parts);
    assert_int_equal(parts.epochs, 3);
    train_well(staged, "late", 0, &parts);
    assert_int_equal(parts.epochs, 1);
    assert_true(same_files("whole", "every", "last.onnx"));
    assert_true(same_files("whole", "every", "best.onnx"));
    assert_true(same_files("whole", "every", "checkpoint.bin"));
    assert_true(same_files("whole", "late", "last.onnx"));
    assert_true(same_files("whole", "late", "checkpoint.bin"));
    assert_int_equal(lines_of("late", "log.jsonl"), 6);
}

/* Two stages whose checkpoints have the same size. */
static void test_stages_alike_are_told_apart(void **state)
{
    (void)state;
    char text[600];
    record r;
    snprintf(text, sizeof text, "%s[a]\nepochs = 2\nrate = 0.02\n[b]\nepochs = 2\nrate = 0.01\n",
             small);
    train_well(text, "whole", 0, &r);
    train_well(text, "parts", 1, &r);
    train_well(text, "parts", 0, &r);
    assert_int_equal(r.epochs, 3);
    assert_true(same_files("whole", "parts", "last.onnx"));
}

static void test_a_finished_run_stays(void **state)
{
    (void)state;
    record r;
    train_well(small, "done", 0, &r);
    train_well(small, "done", 0, &r);
    assert_int_equal(r.epochs, 0);
}

/* An optimiser without state. */
static void test_plain_gradient_descent(void **state)
{
    (void)state;
    char text[400];
    record r;
    snprintf(text, sizeof text, "%smomentum = 0\nnesterov = no\n", small);
    train_well(text, "whole", 2, &r);
    train_well(text, "parts", 1, &r);
    train_well(text, "parts", 2, &r);
    assert_true(same_files("whole", "parts", "last.onnx"));
}

static void test_patience_ends_a_stage(void **state)
{
    (void)state;
    char text[400];
    record r;
    snprintf(text, sizeof text, "%srate = 0\nepochs = 50\npatience = 2\nnorm_momentum = 0.0001\n",
             small);
    train_well(text, "patient", 0, &r);
    assert_in_range(r.epochs, 3, 20);
}

static void test_a_plateau_lowers_the_rate(void **state)
{
    (void)state;
    char text[400];
    record r;
    snprintf(text, sizeof text,
             "%srate = 1e-7\nschedule = plateau\nplateau = 1\nepochs = 6\nnorm_momentum = 0.0001\n",
             small);
    train_well(text, "plateau", 0, &r);
    assert_true(r.least_rate < 0.5e-7);
}

/* ---- What goes wrong ---- */

static void test_another_recipe_in_the_folder(void **state)
{
    (void)state;
    char text[400];
    record r;
    mien_error error;
    size_t size;
    snprintf(text, sizeof text, "%s# another\n", small);
    train_well(small, "taken", 1, &r);
    assert_fails(MIEN_MALFORMED, train(text, "taken", 2, NULL, &error), &error, "another recipe");
    uint8_t *kept = bytes_of("taken", "recipe.txt", &size);
    assert_string_equal((char *)kept, small);
    free(kept);
    train_well(small, "taken", 2, &r);
    assert_int_equal(r.epochs, 1);
}

static void test_a_damaged_checkpoint(void **state)
{
    (void)state;
    record r;
    mien_error error;
    size_t size;
    train_well(small, "damaged", 1, &r);
    uint8_t *bytes = bytes_of("damaged", "checkpoint.bin", &size);
    bytes[size / 2] ^= 1;
    assert_ok(file_write_atomic(path_of("damaged", "checkpoint.bin"), bytes, size, &error), &error);
    free(bytes);
    assert_fails(MIEN_MALFORMED, train(small, "damaged", 2, NULL, &error), &error, "damaged");
}

static void test_an_exploding_rate_is_told(void **state)
{
    (void)state;
    mien_error error;
    static const char wild[] = "architecture = dcnn32\nheight = 16\nwidth = 16\nbatch = 70\n"
                               "epochs = 9\nrate = 100\nschedule = constant\n";
    assert_fails(MIEN_LIMIT, train(wild, "wild", 0, NULL, &error), &error, "lower the rate");
}

static void test_unknown_architectures_are_told(void **state)
{
    (void)state;
    mien_error error;
    assert_fails(MIEN_NOT_FOUND, train("architecture = alexnet\n", "none", 0, NULL, &error), &error,
                 "alexnet");
}

static void test_folders_that_cannot_be(void **state)
{
    (void)state;
    mien_error error;
    assert_fails(MIEN_IO, train(small, "no/such/folder", 0, NULL, &error), &error, "no/such");
    assert_ok(file_write_atomic(path_of("", "file"), "x", 1, &error), &error);
    assert_fails(MIEN_IO, train(small, "file", 0, NULL, &error), &error, "file");
}

/* In a child process whose files cannot grow as large as a model. */
static int train_on_a_full_disk(const char *run)
{
    mien_error error;
    struct rlimit limit = {20000, 20000};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 100;
    mien_status status = train(small, run, 2, NULL, &error);
    return status == MIEN_IO && strstr(error.message, run) != NULL ? 0 : 1 + (int)status;
}

static void test_a_full_disk_leaves_the_checkpoint(void **state)
{
    (void)state;
    record r;
    int result;
    train_well(small, "full", 1, &r);
    train_well(small, "copy", 1, &r);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(train_on_a_full_disk("full"));
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    assert_true(same_files("full", "copy", "checkpoint.bin"));
    assert_true(same_files("full", "copy", "last.onnx"));
    train_well(small, "full", 2, &r);
    train_well(small, "copy", 2, &r);
    assert_true(same_files("full", "copy", "last.onnx"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_it_learns),
        RUN(test_the_same_recipe_gives_the_same_bytes),
        RUN(test_another_seed_gives_other_weights),
        RUN(test_an_interrupted_run_ends_the_same),
        RUN(test_stages_alike_are_told_apart),
        RUN(test_a_finished_run_stays),
        RUN(test_plain_gradient_descent),
        RUN(test_patience_ends_a_stage),
        RUN(test_a_plateau_lowers_the_rate),
        RUN(test_another_recipe_in_the_folder),
        RUN(test_a_damaged_checkpoint),
        RUN(test_an_exploding_rate_is_told),
        RUN(test_unknown_architectures_are_told),
        RUN(test_folders_that_cannot_be),
        RUN(test_a_full_disk_leaves_the_checkpoint),
    };
    return cmocka_run_group_tests(tests, make_sets, free_sets);
}
