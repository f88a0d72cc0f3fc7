/* SPDX-License-Identifier: Apache-2.0 */

/* Every case of operators.bin (format: make_goldens.py), by the reference operators and by each
 * kernel set of this machine, against ONNX Runtime. */

#include "golden.h"

#include "nn/op.h"

#include <math.h>

#define MOST_TENSORS 8
#define TOLERANCE    2e-5 /* of the largest expected number: sums here have up to 60 products */

typedef struct golden_tensor {
    nn_shape shape;
    const uint8_t *numbers; /* little-endian floats, or NULL */
} golden_tensor;

typedef struct golden_case {
    char name[256];
    const uint8_t *model;
    size_t model_size;
    float scale;
    size_t input_count, output_count;
    golden_tensor inputs[MOST_TENSORS], outputs[MOST_TENSORS];
} golden_case;

typedef struct bytes_left {
    const uint8_t *at, *end;
} bytes_left;

static const uint8_t *take(bytes_left *left, size_t count)
{
    assert_true((size_t)(left->end - left->at) >= count);
    const uint8_t *at = left->at;
    left->at += count;
    return at;
}

static uint32_t load32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static float load_float(const uint8_t *bytes)
{
    uint32_t bits = load32(bytes);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static golden_tensor take_tensor(bytes_left *left, bool with_numbers)
{
    golden_tensor tensor = {.shape.rank = *take(left, 1)};
    assert_in_range(tensor.shape.rank, 0, NN_MAX_RANK);
    for (int i = 0; i < tensor.shape.rank; i++)
        tensor.shape.dims[i] = load32(take(left, 4));
    if (with_numbers)
        tensor.numbers = take(left, golden_elements(&tensor.shape) * 4);
    return tensor;
}

static golden_case take_case(bytes_left *left)
{
    golden_case c = {0};
    size_t length = *take(left, 1);
    memcpy(c.name, take(left, length), length);
    c.model_size = load32(take(left, 4));
    c.model = take(left, c.model_size);
    c.scale = load_float(take(left, 4));
    c.input_count = *take(left, 1);
    assert_in_range(c.input_count, 1, MOST_TENSORS);
    for (size_t i = 0; i < c.input_count; i++)
        c.inputs[i] = take_tensor(left, false);
    c.output_count = *take(left, 1);
    assert_in_range(c.output_count, 1, MOST_TENSORS);
    for (size_t i = 0; i < c.output_count; i++)
        c.outputs[i] = take_tensor(left, true);
    return c;
}

/* Calls visit for each case; the sum of what it returns. */
static int for_each_case(int (*visit)(const golden_case *c, void *context), void *context)
{
    uint8_t *bytes;
    size_t size = golden_read("tests/golden/operators.bin", &bytes);
    bytes_left left = {bytes, bytes + size};
    assert_memory_equal(take(&left, 8), "MIENGOLD", 8);
    int sum = 0;
    while (left.at < left.end) {
        golden_case c = take_case(&left);
        sum += visit(&c, context);
    }
    free(bytes);
    return sum;
}

static bool output_agrees(const golden_case *c, const golden_run *run, size_t index,
                          const char *set)
{
    const golden_tensor *expected = &c->outputs[index];
    const nn_shape *shape = nn_plan_output_shape(run->plan, index);
    char text[NN_SHAPE_TEXT_SIZE], expected_text[NN_SHAPE_TEXT_SIZE];
    if (!nn_shape_equal(shape, &expected->shape)) {
        print_error("%s, %s: output %zu has shape %s, not %s\n", c->name, set, index,
                    nn_shape_text(shape, text), nn_shape_text(&expected->shape, expected_text));
        return false;
    }
    size_t count = golden_elements(shape);
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)load_float(expected->numbers + 4 * i)));
    for (size_t i = 0; i < count; i++) {
        double actual = (double)nn_session_output(run->session, index)[i];
        double wanted = (double)load_float(expected->numbers + 4 * i);
        if (fabs(actual - wanted) <= TOLERANCE * largest)
            continue;
        print_error("%s, %s: number %zu of output %zu (%s) is %.8g, not %.8g\n", c->name, set, i,
                    index, nn_shape_text(shape, text), actual, wanted);
        return false;
    }
    return true;
}

static bool set_agrees(const golden_case *c, const nn_model *model, const nn_kernels *kernels,
                       const char *set)
{
    nn_shape shapes[MOST_TENSORS];
    for (size_t i = 0; i < c->input_count; i++)
        shapes[i] = c->inputs[i].shape;
    mien_error error;
    golden_run run;
    if (golden_start(model, shapes, kernels, c->scale, &run, &error) != MIEN_OK) {
        print_error("%s, %s: %s\n", c->name, set, error.message);
        return false;
    }
    bool agrees = nn_model_graph(model)->output_count == c->output_count;
    for (size_t i = 0; i < c->output_count; i++)
        agrees = agrees && output_agrees(c, &run, i, set);
    nn_session_run(run.session); /* again: nothing may be left over from the first run */
    for (size_t i = 0; i < c->output_count; i++)
        agrees = agrees && output_agrees(c, &run, i, set);
    golden_stop(&run);
    return agrees;
}

static int count_failures(const golden_case *c, void *context)
{
    int *cases = context;
    ++*cases;
    mien_error error;
    nn_model *model;
    if (nn_model_read(c->model, c->model_size, &model, &error) != MIEN_OK) {
        print_error("%s: %s\n", c->name, error.message);
        return 1;
    }
    int failures = 0;
    const char *set;
    bool done = false;
    for (size_t i = 0; !done; i++) {
        const nn_kernels *kernels = golden_kernels(i, &set, &done);
        if (!done)
            failures += !set_agrees(c, model, kernels, set);
    }
    nn_model_free(model);
    return failures;
}

static void every_case_agrees_with_onnx_runtime(void **state)
{
    (void)state;
    int cases = 0;
    assert_int_equal(for_each_case(count_failures, &cases), 0);
    assert_true(cases > 350);
}

static int mark_operators(const golden_case *c, void *context)
{
    bool *seen = context;
    nn_model *model;
    mien_error error;
    assert_ok(nn_model_read(c->model, c->model_size, &model, &error), &error);
    const nn_graph *graph = nn_model_graph(model);
    for (size_t o = 0; nn_op_at(o) != NULL; o++) /* QLinear ones are taken apart when read */
        seen[o] = seen[o] || strncmp(c->name, nn_op_at(o)->name, strlen(nn_op_at(o)->name)) == 0;
    for (size_t n = 0; n < graph->node_count; n++)
        for (size_t o = 0; nn_op_at(o) != NULL; o++)
            seen[o] = seen[o] || nn_op_at(o) == graph->nodes[n].op;
    nn_model_free(model);
    return 0;
}

static void every_operator_has_a_case(void **state)
{
    (void)state;
    bool seen[200] = {false};
    for_each_case(mark_operators, seen);
    for (size_t o = 0; nn_op_at(o) != NULL; o++)
        if (!seen[o])
            fail_msg("no case for %s", nn_op_at(o)->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_agrees_with_onnx_runtime),
        cmocka_unit_test(every_operator_has_a_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
