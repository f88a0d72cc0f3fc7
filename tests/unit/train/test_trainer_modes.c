/* SPDX-License-Identifier: Apache-2.0 */

/* That every way to train that a recipe can ask for reaches what it should, and goes on after an
 * interruption. */

#include "trainer_support.h"

#include "nn/onnx_write.h"
#include "train/transfer.h"
#include "zoo/zoo.h"

#include <math.h>

#define TINY "architecture = fcn\nheight = 16\nwidth = 16\nbatch = 20\nepochs = 2\nrate = 0.02\n"

/* ---- Looking into models ---- */

static nn_graph graph_of(const char *run, const char *name)
{
    nn_graph graph;
    mien_error error;
    size_t size;
    uint8_t *bytes = bytes_of(run, name, &size);
    assert_ok(transfer_read(bytes, size, &graph, &error), &error);
    free(bytes);
    return graph;
}

static const nn_value *value_of(const nn_graph *graph, const char *name)
{
    for (size_t v = 0; v < graph->value_count; v++)
        if (strcmp(graph->values[v].name, name) == 0)
            return &graph->values[v];
    fail_msg("there is no '%s'", name);
    return NULL;
}

/* The largest difference between the constants of that name. */
static double difference(const nn_graph *a, const nn_graph *b, const char *name)
{
    const nn_tensor *x = &value_of(a, name)->tensor, *y = &value_of(b, name)->tensor;
    const float *left = x->data, *right = y->data;
    int64_t count = 0;
    double most = 0;
    assert_true(nn_shape_equal(&x->shape, &y->shape) && nn_shape_elements(&x->shape, &count));
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)left[i] - (double)right[i]));
    return most;
}

static bool same_constant(const char *run, const char *other, const char *name)
{
    nn_graph a = graph_of(run, "last.onnx"), b = graph_of(other, "last.onnx");
    bool same = difference(&a, &b, name) == 0;
    nn_graph_free(&a);
    nn_graph_free(&b);
    return same;
}

/* A fresh network of the zoo in "<folder>/<name>"; the path of the file. */
static const char *write_fresh(const char *name, int classes, int side, onnx_weights weights)
{
    static char path[256];
    const zoo_options options = {
        .classes = classes, .channels = 1, .height = side, .width = side, .seed = 77};
    nn_graph graph;
    mien_error error;
    uint8_t *bytes;
    size_t size;
    assert_ok(zoo_build("fcn", &options, &graph, &error), &error);
    assert_ok(onnx_write(&graph, weights, &bytes, &size, &error), &error);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write_atomic(path, bytes, size, &error), &error);
    free(bytes);
    nn_graph_free(&graph);
    return path;
}

/* ---- Every mode ---- */

/* Each line changes what a run ends with; the first is the run that they are compared with. */
static const char *const modes[] = {
    "",
    "island_weight = 0.01\nisland_lambda = 2\n",
    "locality_weight = 0.1\nlocality_neighbours = 3\n",
    "triplet_weight = 0.5\ntriplet_margin = 0.5\n",
    "tuplet_weight = 0.5\ntuplet_margin = 2\n",
    "sampler = balanced\n",
    "smote = pixels\nsmote_neighbours = 3\n",
    "sam_rho = 0.1\n",
    "settle = 9\n",
    "weights = int8\n",
    "freeze = body\n",
    ("average = 0.8\nsettle = 3\nsam_rho = 0.05\nisland_weight = 0.02\n"
     "[one]\nepochs = 1\n[two]\nepochs = 1\nfreeze = conv_1, bn_2\nsettle = 20\n"),
};

/* side: of the input, pixels */
static void check_mode(const char *mode, size_t index, int side)
{
    char text[600], whole[32], parts[32];
    record r;
    snprintf(text, sizeof text, TINY "height = %d\nwidth = %d\n%s", side, side, mode);
    snprintf(whole, sizeof whole, "whole%zu", index);
    snprintf(parts, sizeof parts, "parts%zu", index);
    train_well(text, whole, 0, &r);
    train_well(text, parts, 1, &r);
    train_well(text, parts, 0, &r);
    assert_true(same_files(whole, parts, "last.onnx"));
    assert_true(same_files(whole, parts, "best.onnx"));
    assert_true(same_files(whole, parts, "checkpoint.bin"));
    assert_int_equal(lines_of(whole, "log.jsonl"), lines_of(parts, "log.jsonl"));
    train_well(text, parts, 0, &r);
    assert_int_equal(r.epochs, 0);
    bool settles = strstr(mode, "settle") != NULL;
    const char *changed = settles ? "bn_2.mean" : "conv_13.weight";
    if (index > 0 && same_constant("whole0", whole, changed))
        fail_msg("nothing changes with %s", mode);
}

enum { MODES = sizeof modes / sizeof *modes };

/* Some classes have a sample less than others: SMOTE has something to do. */
static void test_every_mode_goes_on(void **state)
{
    (void)state;
    training.count = 125;
    for (size_t i = 0; i < MODES; i++)
        check_mode(modes[i], i, 16);
    training.count = 280;
}

static void test_modes_go_on_with_the_reference(void **state)
{
    (void)state;
    extras.backend = &train_backend_ref;
    training.count = 45;
    validation.count = 20;
    check_mode(modes[0], 0, 8);
    check_mode(modes[MODES - 1], MODES - 1, 8);
    training.count = 280;
    validation.count = 70;
}

/* ---- Freezing ---- */

static const char *const body_constants[] = {"conv_1.weight", "bn_2.scale", "bn_2.mean",
                                             "bn_2.variance", "conv_5.weight"};

static void test_a_frozen_body_stays(void **state)
{
    (void)state;
    record r;
    train_well(TINY "average = 0.9\n[first]\n", "before", 0, &r);
    train_well(TINY "average = 0.9\n[first]\n[second]\nfreeze = body\nweight_decay = 0.1\n",
               "after", 0, &r);
    for (size_t i = 0; i < sizeof body_constants / sizeof *body_constants; i++)
        assert_true(same_constant("before", "after", body_constants[i]));
    assert_false(same_constant("before", "after", "conv_13.weight"));
    assert_false(same_constant("before", "after", "conv_13.bias"));
}

static void test_prefixes_freeze(void **state)
{
    (void)state;
    record r;
    train_well(TINY "[first]\n", "before", 0, &r);
    train_well(TINY "[first]\n[second]\nfreeze = conv_1, bn_2\n", "after", 0, &r);
    assert_true(same_constant("before", "after", "conv_1.weight"));
    assert_true(same_constant("before", "after", "bn_2.bias"));
    assert_false(same_constant("before", "after", "conv_5.weight"));
}

static void test_freezing_that_cannot_be(void **state)
{
    (void)state;
    mien_error error;
    assert_fails(MIEN_NOT_FOUND, train(TINY "freeze = conv_1, cnov\n", "a", 0, NULL, &error),
                 &error, "'cnov'");
    assert_fails(MIEN_INVALID_ARGUMENT, train(TINY "freeze = conv, bn\n", "b", 0, NULL, &error),
                 &error, "nothing is left");
    assert_fails(MIEN_UNSUPPORTED, train(TINY "freeze = bn_2\n", "c", 0, NULL, &error), &error,
                 "bn_2");
}

/* ---- Stages ---- */

static void test_a_stage_begins_with_the_averages(void **state)
{
    (void)state;
    record r;
    static const char text[] = TINY "average = 0.9\n[one]\n[two]\naverage = 0\nrate = 0\n";
    train_well(text, "one", 2, &r);
    train_well(text, "two", 0, &r);
    assert_true(same_constant("one", "two", "conv_1.weight"));
    assert_true(same_constant("one", "two", "conv_13.weight"));
}

/* Over one whole epoch without augmentation the order of the pictures does not matter, nor what the
 * statistics were. */
static void test_settled_statistics_are_plain_means(void **state)
{
    (void)state;
    record r;
    static const char text[] = TINY "epochs = 1\nrate = 0\nsettle = 14\n";
    extras.initial = write_fresh("fresh.onnx", SET_CLASSES, 16, ONNX_WEIGHTS_FLOAT32);
    extras.seed = 1;
    train_well(text, "one", 0, &r);
    assert_int_equal(r.epochs, 2);
    extras.seed = 2;
    train_well(TINY "epochs = 1\nrate = 0\nsettle = 14\nnorm_momentum = 0.9\n", "two", 0, &r);
    nn_graph a = graph_of("one", "last.onnx"), b = graph_of("two", "last.onnx");
    assert_true(difference(&a, &b, "bn_2.mean") < 1e-5);
    assert_true(difference(&a, &b, "bn_2.mean") > 0);
    nn_graph_free(&a);
    nn_graph_free(&b);
    size_t size;
    uint8_t *log = bytes_of("one", "log.jsonl", &size);
    assert_non_null(strstr((char *)log, "\"settled\":true"));
    free(log);
}

/* ---- Initial weights ---- */

static void test_initial_weights_are_taken_by_name(void **state)
{
    (void)state;
    record r;
    extras.initial = write_fresh("fresh.onnx", 5, 24, ONNX_WEIGHTS_FLOAT16);
    train_well(TINY "rate = 0\n", "run", 1, &r);
    assert_non_null(strstr(noted, "begin fresh"));
    nn_graph given = graph_of(".", "fresh.onnx"), made = graph_of("run", "last.onnx");
    assert_true(difference(&given, &made, "conv_1.weight") == 0);
    assert_true(difference(&given, &made, "conv_5.weight") == 0);
    assert_int_equal(value_of(&made, "conv_13.weight")->tensor.shape.dims[0], SET_CLASSES);
    nn_graph_free(&given);
    nn_graph_free(&made);
}

static void test_a_new_head_on_a_file(void **state)
{
    (void)state;
    record r;
    mien_error error;
    static const char text[] =
        "architecture = file\nfeatures = features\nhead = dense 12 relu dropout 0.25\n"
        "height = 16\nwidth = 24\nbatch = 20\nfreeze = body\nrate = 0.05\nepochs = 2\n"
        "triplet_weight = 0.01\n";
    assert_fails(MIEN_INVALID_ARGUMENT, train(text, "none", 0, NULL, &error), &error, "--initial");
    extras.initial = write_fresh("fresh.onnx", 5, 24, ONNX_WEIGHTS_FLOAT16);
    train_well(text, "run", 0, &r);
    assert_true(r.last_loss < r.first_loss);
    nn_graph given = graph_of(".", "fresh.onnx"), made = graph_of("run", "last.onnx");
    assert_true(difference(&given, &made, "conv_1.weight") == 0);
    assert_true(difference(&given, &made, "bn_2.mean") == 0);
    assert_int_equal(made.output_count, 3);
    assert_string_equal(made.values[made.outputs[0]].name, "logits");
    assert_string_equal(nn_graph_metadata(&made, "mien.architecture"), "file");
    const nn_shape *input = &made.values[made.inputs[0]].tensor.shape;
    assert_true(input->dims[2] == 16 && input->dims[3] == 24);
    nn_graph_free(&given);
    nn_graph_free(&made);
    assert_fails(MIEN_NOT_FOUND,
                 train("architecture = file\nfeatures = pool9\n", "no", 0, NULL, &error), &error,
                 "'pool9'");
}

static void test_a_file_of_another_architecture(void **state)
{
    (void)state;
    mien_error error;
    extras.initial = write_fresh("fresh.onnx", 5, 24, ONNX_WEIGHTS_FLOAT32);
    assert_fails(MIEN_NOT_FOUND,
                 train("architecture = mini_xception\nbatch = 20\n", "run", 1, NULL, &error),
                 &error, "fresh.onnx");
    extras.initial = "/no/such/file.onnx";
    assert_fails(MIEN_NOT_FOUND, train(TINY, "run", 1, NULL, &error), &error, "no/such");
}

/* ---- Distillation ---- */

static const char teacher_recipe[] =
    "architecture = fcn\nheight = 24\nwidth = 24\nbatch = 20\nepochs = 4\nrate = 0.05\n";
static const char student_recipe[] =
    "architecture = fcn\nheight = 24\nwidth = 24\nbatch = 20\nepochs = 4\nrate = 0.05\n"
    "distill_weight = 1\ndistill_temperature = 2\nmien.input.scale = 0.004\nmien.input.mean = 10\n";

/* With a weight of 1 the teacher alone is heard: labels that say nothing do no harm. The student's
 * pictures are normalised otherwise. */
static void test_a_student_learns_from_its_teacher(void **state)
{
    (void)state;
    record r, parts;
    char teacher[300];
    train_well(teacher_recipe, "teacher", 0, &r);
    assert_true(r.best_score > 0.9);
    snprintf(teacher, sizeof teacher, "%s", path_of("teacher", "best.onnx"));
    extras.teachers[0] = extras.teachers[1] = teacher;
    extras.teacher_count = 2;
    for (size_t i = 0; i < training.count; i++)
        training.samples[i].label = 0;
    extras.workers = 3;
    train_well(student_recipe, "student", 0, &r);
    extras.workers = 1;
    train_well(student_recipe, "parts", 2, &parts);
    train_well(student_recipe, "parts", 0, &parts);
    for (size_t i = 0; i < training.count; i++)
        training.samples[i].label = (int)(i % SET_CLASSES);
    if (!(r.best_score > 0.8))
        fail_msg("the accuracy is %g only", r.best_score);
    assert_true(same_files("student", "parts", "last.onnx"));
    assert_true(same_files("student", "parts", "checkpoint.bin"));
}

static void test_teachers_that_cannot_be(void **state)
{
    (void)state;
    mien_error error;
    record r;
    char teacher[300];
    assert_fails(MIEN_INVALID_ARGUMENT, train(student_recipe, "a", 0, NULL, &error), &error,
                 "--teacher");
    train_well(TINY, "teacher", 1, &r);
    snprintf(teacher, sizeof teacher, "%s", path_of("teacher", "best.onnx"));
    extras.teachers[0] = teacher;
    extras.teacher_count = 1;
    assert_fails(MIEN_INVALID_ARGUMENT, train(TINY, "b", 0, NULL, &error), &error,
                 "no stage of the recipe");
    assert_fails(MIEN_UNSUPPORTED, train(student_recipe, "c", 0, NULL, &error), &error, "16x16");
    snprintf(training.class_names[3], sizeof training.class_names[3], "other");
    assert_fails(MIEN_NOT_FOUND, train(TINY "distill_weight = 0.5\n", "d", 0, NULL, &error), &error,
                 "'other'");
    snprintf(training.class_names[3], sizeof training.class_names[3], "class3");
}

/* ---- What a run is ---- */

static void assert_another_run(void)
{
    mien_error error;
    assert_fails(MIEN_MALFORMED, train(TINY, "run", 2, NULL, &error), &error, "belongs to another");
}

static void test_another_run_is_refused(void **state)
{
    (void)state;
    record r;
    train_well(TINY, "run", 1, &r);
    extras.backend = &train_backend_ref;
    assert_another_run();
    extras = plain_extras;
    extras.threads = 2;
    assert_another_run();
    extras = plain_extras;
    extras.initial = write_fresh("fresh.onnx", 5, 24, ONNX_WEIGHTS_FLOAT32);
    assert_another_run();
    extras = plain_extras;
    training.samples[5].image.data[7] ^= 1;
    assert_another_run();
    training.samples[5].image.data[7] ^= 1;
    validation.samples[5].label ^= 1;
    assert_another_run();
    validation.samples[5].label ^= 1;
    extras.workers = 2;
    train_well(TINY, "run", 2, &r);
    assert_int_equal(r.epochs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_every_mode_goes_on),
        RUN(test_modes_go_on_with_the_reference),
        RUN(test_a_frozen_body_stays),
        RUN(test_prefixes_freeze),
        RUN(test_freezing_that_cannot_be),
        RUN(test_a_stage_begins_with_the_averages),
        RUN(test_settled_statistics_are_plain_means),
        RUN(test_initial_weights_are_taken_by_name),
        RUN(test_a_new_head_on_a_file),
        RUN(test_a_file_of_another_architecture),
        RUN(test_a_student_learns_from_its_teacher),
        RUN(test_teachers_that_cannot_be),
        RUN(test_another_run_is_refused),
    };
    return cmocka_run_group_tests(tests, make_sets, free_sets);
}
