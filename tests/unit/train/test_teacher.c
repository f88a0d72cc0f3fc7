/* SPDX-License-Identifier: Apache-2.0 */

/* Teachers get what they would get by their own preparation, and are heard class by class. */

#include "sets.h"

#include "nn/build.h"
#include "nn/onnx_write.h"
#include "train/teacher.h"

#include <math.h>

enum { BATCH = 3, SIDE = 4, PLANE = SIDE * SIDE };

static const prep_settings grey = {.format = PREP_GRAY,
                                   .width = SIDE,
                                   .height = SIDE,
                                   .mean = {127.5f, 127.5f, 127.5f},
                                   .scale = {0.01f, 0.01f, 0.01f},
                                   .square = true};

typedef struct file {
    uint8_t *bytes;
    size_t size;
} file;

/*
 * A network whose logit k is the mean of channel k % channels times k + 1; three classes. output:
 * what the classes are called in the file, "logits" or another name for their softmax.
 */
static file write_teacher(int channels, const char *classes, const char *format, const char *output)
{
    nn_graph graph = {0};
    nn_builder b;
    mien_error error;
    file made;
    nn_build_start(&b, &graph, 1);
    int x = nn_build_input(&b, "input", channels, SIDE, SIDE);
    int means = nn_build_flatten(&b, nn_build_global_average(&b, x));
    int logits = nn_build_dense(&b, means, 3);
    if (strcmp(output, "logits") != 0)
        logits = nn_build_softmax(&b, logits);
    nn_build_output(&b, logits, output);
    nn_build_metadata(&b, "mien.classes", classes);
    nn_build_metadata(&b, "mien.output", output);
    nn_build_metadata(&b, "mien.input.format", format);
    nn_build_metadata(&b, "mien.input.mean", "10, 20, 30");
    nn_build_metadata(&b, "mien.input.scale", "0.1, 0.2, 0.3");
    assert_ok(nn_build_finish(&b, &error), &error);
    for (size_t v = 0; v < graph.value_count; v++) {
        nn_tensor *t = &graph.values[v].tensor;
        float *weights = t->data;
        for (int k = 0; weights != NULL && t->shape.rank == 2 && k < 3; k++)
            for (int c = 0; c < channels; c++)
                weights[k * channels + c] = c == k % channels ? (float)(k + 1) : 0;
    }
    assert_ok(onnx_write(&graph, ONNX_WEIGHTS_FLOAT32, &made.bytes, &made.size, &error), &error);
    nn_graph_free(&graph);
    return made;
}

static dataset student_classes(void)
{
    dataset set = {.class_count = 3};
    static const char *const names[] = {"happy", "sad", "angry"};
    for (int c = 0; c < 3; c++)
        snprintf(set.class_names[c], sizeof set.class_names[c], "%s", names[c]);
    return set;
}

/* Pictures of one value each, prepared as the student's. */
static void fill(float pixels[BATCH], int channels, const prep_settings *prep, float *inputs)
{
    for (int n = 0; n < BATCH; n++)
        for (int c = 0; c < channels; c++)
            for (int i = 0; i < PLANE; i++)
                inputs[(n * channels + c) * PLANE + i] =
                    (pixels[n] + (float)(40 * c) - prep->mean[c]) * prep->scale[c];
}

static void run(const file *files, size_t count, const prep_settings *prep, const float *inputs,
                float *logits)
{
    teacher_file teachers[2];
    mien_error error;
    train_teachers *made;
    teacher_memory *memory;
    dataset set = student_classes();
    for (size_t i = 0; i < count; i++)
        teachers[i] = (teacher_file){"teacher.onnx", files[i].bytes, files[i].size};
    assert_ok(teachers_create(teachers, count, &set, prep, NN_FLOAT, BATCH, &made, &error), &error);
    assert_ok(teacher_memory_create(made, &memory, &error), &error);
    teachers_run(memory, inputs, logits);
    teachers_run(memory, inputs, logits); /* nothing is left from the run before */
    teacher_memory_free(memory);
    teachers_free(made);
}

static void assert_near(float value, double expected)
{
    if (!(fabs((double)value - expected) < 1e-4 * (1 + fabs(expected))))
        fail_msg("%g is not %g", (double)value, expected);
}

/* The student is grey, the teacher takes BGR: mean and scale are in the order of its channels. */
static void test_a_teacher_of_colour(void **state)
{
    (void)state;
    float pixels[BATCH] = {0, 100, 255}, inputs[BATCH * PLANE], logits[BATCH * 3];
    file teacher = write_teacher(3, "sad, angry, happy", "bgr", "logits");
    fill(pixels, 1, &grey, inputs);
    run(&teacher, 1, &grey, inputs, logits);
    for (int n = 0; n < BATCH; n++) {
        assert_near(logits[n * 3 + 1], (pixels[n] - 10) * 0.1); /* sad: its class 0 */
        assert_near(logits[n * 3 + 2], (pixels[n] - 20) * 0.2 * 2);
        assert_near(logits[n * 3 + 0], (pixels[n] - 30) * 0.3 * 3);
    }
    free(teacher.bytes);
}

static void test_another_order_of_colours(void **state)
{
    (void)state;
    prep_settings rgb = grey;
    float pixels[BATCH] = {5, 90, 170}, inputs[BATCH * 3 * PLANE], logits[BATCH * 3];
    rgb.format = PREP_RGB;
    rgb.mean[1] = 3;
    rgb.scale[2] = 0.5f;
    file teacher = write_teacher(3, "happy, sad, angry", "bgr", "logits");
    fill(pixels, 3, &rgb, inputs);
    run(&teacher, 1, &rgb, inputs, logits);
    for (int n = 0; n < BATCH; n++) {
        assert_near(logits[n * 3], (pixels[n] + 80 - 10) * 0.1); /* blue is the student's last */
        assert_near(logits[n * 3 + 2], (pixels[n] - 30) * 0.3 * 3);
    }
    free(teacher.bytes);
}

/* Logits count by their mean; probabilities by their logarithm, which is logits less a number. */
static void test_several_teachers(void **state)
{
    (void)state;
    float pixels[BATCH] = {8, 10, 13}, inputs[BATCH * PLANE], one[BATCH * 3], both[BATCH * 3];
    file teachers[2] = {write_teacher(1, "happy, sad, angry", "gray", "logits"),
                        write_teacher(1, "happy, sad, angry", "gray", "probabilities")};
    fill(pixels, 1, &grey, inputs);
    run(teachers, 1, &grey, inputs, one);
    run(teachers, 2, &grey, inputs, both);
    for (int n = 0; n < BATCH; n++)
        for (int c = 1; c < 3; c++)
            assert_near(both[n * 3 + c] - both[n * 3], one[n * 3 + c] - one[n * 3]);
    free(teachers[0].bytes);
    free(teachers[1].bytes);
}

static void assert_refused(const file *teacher, const prep_settings *prep, mien_status expected,
                           const char *part)
{
    const teacher_file one = {"teacher.onnx", teacher->bytes, teacher->size};
    mien_error error;
    train_teachers *made;
    dataset set = student_classes();
    assert_fails(expected, teachers_create(&one, 1, &set, prep, NN_FLOAT, BATCH, &made, &error),
                 &error, part);
    assert_null(made);
}

static void test_teachers_that_do_not_fit(void **state)
{
    (void)state;
    file teacher = write_teacher(1, "happy, sad, angry", "gray", "logits");
    prep_settings other = grey;
    other.width = 5;
    assert_refused(&teacher, &other, MIEN_UNSUPPORTED, "4x4 pixels, the student 5x4");
    other = grey;
    other.format = PREP_RGB;
    assert_refused(&teacher, &other, MIEN_UNSUPPORTED, "takes grey pictures");
    other = grey;
    other.margin = 0.1f;
    assert_refused(&teacher, &other, MIEN_UNSUPPORTED, "mien.crop");
    other = grey;
    other.scale[0] = 0;
    assert_refused(&teacher, &other, MIEN_UNSUPPORTED, "scaled by 0");
    free(teacher.bytes);
    teacher = write_teacher(1, "happy, sad, vexed", "gray", "logits");
    assert_refused(&teacher, &grey, MIEN_NOT_FOUND, "'angry'");
    free(teacher.bytes);
    teacher = write_teacher(1, "happy, sad, angry, vexed", "gray", "logits");
    assert_refused(&teacher, &grey, MIEN_SHAPE, "4 classes");
    teacher.size /= 2;
    assert_refused(&teacher, &grey, MIEN_MALFORMED, "teacher.onnx");
    free(teacher.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_teacher_of_colour),
        cmocka_unit_test(test_another_order_of_colours),
        cmocka_unit_test(test_several_teachers),
        cmocka_unit_test(test_teachers_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
