/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

/* A few units in the last place: expf, tanhf and fused multiply-adds differ from double. */
#define ABSOLUTE 1e-6
#define RELATIVE 2e-6

typedef struct rows_case {
    int64_t rows, channels;
    check_buffer a, b, c; /* operands; what is not used is empty */
    check_buffer expected;
    nn_activation activation;
    nn_binary kind;
    bool swapped;
} rows_case;

static rows_case random_rows(check_case *c)
{
    rows_case k = {.rows = test_random_int(&c->random, 1, 40),
                   .channels = test_random_int(&c->random, 1, 70),
                   .activation = check_random_activation(c, CHECK_KINDS)};
    size_t count = (size_t)(k.rows * k.channels);
    k.a = check_random(c, count);
    for (size_t i = 0; i < count; i++)
        k.a.data[i] *= 8;
    k.expected = check_empty(c, count);
    snprintf(c->detail, sizeof c->detail, "%d rows of %d, %s", (int)k.rows, (int)k.channels,
             check_activation_name(k.activation.kind));
    return k;
}

static void free_rows(rows_case *k)
{
    check_free(&k->a);
    check_free(&k->b);
    check_free(&k->c);
    check_free(&k->expected);
}

/* Where the result goes: a buffer of its own, or a copy of an operand that is overwritten. */
static check_buffer destination(check_case *c, const check_buffer *operand)
{
    if (test_random_int(&c->random, 0, 1) != 0)
        return check_copy(c, operand);
    return check_empty(c, operand->count);
}

static const float *source(const check_buffer *y, const check_buffer *operand)
{
    bool in_place = memcmp(y->data, operand->data, y->count * sizeof *y->data) == 0;
    return in_place ? y->data : operand->data;
}

static void finish(check_case *c, const rows_case *k, check_buffer *y, double absolute)
{
    check_equal(c, k->expected.data, y, absolute, RELATIVE);
    check_free(y);
}

/* ---- scale_shift ---- */

static void run_scale_shift(check_case *c, void *context)
{
    const rows_case *k = context;
    check_buffer y = destination(c, &k->a);
    c->kernels->scale_shift(source(&y, &k->a), k->b.data, k->c.data, k->rows, k->channels,
                            k->activation, y.data);
    finish(c, k, &y, 8 * ABSOLUTE); /* a product of up to 8 may cancel out */
}

void check_scale_shift(check_case *c)
{
    rows_case k = random_rows(c);
    c->what = "scale_shift";
    k.b = check_random(c, (size_t)k.channels);
    k.c = check_random(c, (size_t)k.channels);
    for (size_t i = 0; i < k.a.count; i++) {
        size_t channel = i % (size_t)k.channels;
        k.expected.data[i] = (float)((double)k.a.data[i] * k.b.data[channel] + k.c.data[channel]);
    }
    check_activate(k.activation, k.expected.data, k.expected.count);
    check_each_set(c, run_scale_shift, &k);
    free_rows(&k);
}

/* ---- activate ---- */

static void run_activate(check_case *c, void *context)
{
    const rows_case *k = context;
    check_buffer y = destination(c, &k->a);
    c->kernels->activate(k->activation, source(&y, &k->a), (int64_t)y.count, y.data);
    finish(c, k, &y, ABSOLUTE);
}

void check_activations(check_case *c)
{
    rows_case k = random_rows(c);
    c->what = "activate";
    for (size_t i = 0; i < k.a.count; i++) /* worst cases among them: they must saturate */
        if (test_random_int(&c->random, 0, 20) == 0)
            k.a.data[i] *= test_random_int(&c->random, 0, 1) != 0 ? 1e4f : 0;
    memcpy(k.expected.data, k.a.data, k.a.count * sizeof *k.a.data);
    check_activate(k.activation, k.expected.data, k.expected.count);
    check_each_set(c, run_activate, &k);
    free_rows(&k);
}

/* ---- prelu ---- */

static void run_prelu(check_case *c, void *context)
{
    const rows_case *k = context;
    check_buffer y = destination(c, &k->a);
    c->kernels->prelu(source(&y, &k->a), k->b.data, k->rows, k->channels, y.data);
    finish(c, k, &y, 0);
}

static nn_tensor matrix(int64_t rows, int64_t columns, float *data)
{
    return (nn_tensor){NN_FLOAT, {2, {rows, columns}}, data};
}

void check_prelu(check_case *c)
{
    rows_case k = random_rows(c);
    c->what = "prelu";
    k.b = check_random(c, (size_t)k.channels);
    nn_tensor inputs[2] = {matrix(k.rows, k.channels, k.a.data), matrix(1, k.channels, k.b.data)};
    nn_tensor output = matrix(k.rows, k.channels, k.expected.data);
    nn_params params = {0};
    nn_op_find("PRelu")->run(&params, inputs, 2, &output);
    check_each_set(c, run_prelu, &k);
    free_rows(&k);
}

/* ---- binary ---- */

static const char *const binary_ops[] = {"Add", "Sub", "Mul", "Div"};

static void run_binary(check_case *c, void *context)
{
    const rows_case *k = context;
    bool over_b = test_random_int(&c->random, 0, 1) != 0;
    check_buffer y = destination(c, over_b ? &k->b : &k->a);
    c->kernels->binary(k->kind, over_b ? k->a.data : source(&y, &k->a),
                       over_b ? source(&y, &k->b) : k->b.data, (int64_t)y.count, k->activation,
                       y.data);
    finish(c, k, &y, ABSOLUTE);
}

/* Divisors keep away from zero. */
static check_buffer random_divisors(check_case *c, size_t count)
{
    check_buffer b = check_random(c, count);
    for (size_t i = 0; i < count; i++)
        b.data[i] += b.data[i] < 0 ? -0.1f : 0.1f;
    return b;
}

static void combine(const rows_case *k, nn_tensor large, nn_tensor small)
{
    nn_tensor inputs[2] = {k->swapped ? small : large, k->swapped ? large : small};
    nn_tensor output = matrix(k->rows, k->channels, k->expected.data);
    nn_params params = {0};
    nn_op_find(binary_ops[k->kind])->run(&params, inputs, 2, &output);
    check_activate(k->activation, k->expected.data, k->expected.count);
}

void check_binary(check_case *c)
{
    rows_case k = random_rows(c);
    k.kind = (nn_binary)test_random_int(&c->random, 0, 3);
    c->what = binary_ops[k.kind];
    k.b = random_divisors(c, k.a.count);
    combine(&k, matrix(k.rows, k.channels, k.a.data), matrix(k.rows, k.channels, k.b.data));
    check_each_set(c, run_binary, &k);
    free_rows(&k);
}

static void run_binary_channels(check_case *c, void *context)
{
    const rows_case *k = context;
    check_buffer y = destination(c, &k->a);
    c->kernels->binary_channels(k->kind, k->swapped, source(&y, &k->a), k->b.data, k->rows,
                                k->channels, k->activation, y.data);
    finish(c, k, &y, ABSOLUTE);
}

void check_binary_channels(check_case *c)
{
    rows_case k = random_rows(c);
    if (test_random_int(&c->random, 0, 4) == 0) { /* one number for all has a way of its own */
        k.rows *= k.channels;
        k.channels = 1;
    }
    k.kind = (nn_binary)test_random_int(&c->random, 0, 3);
    k.swapped = test_random_int(&c->random, 0, 1) != 0;
    c->what = k.swapped ? "binary_channels, swapped" : "binary_channels";
    for (size_t i = 0; i < k.a.count; i++)
        k.a.data[i] += k.a.data[i] < 0 ? -0.1f : 0.1f;
    k.b = random_divisors(c, (size_t)k.channels);
    combine(&k, matrix(k.rows, k.channels, k.a.data), matrix(1, k.channels, k.b.data));
    check_each_set(c, run_binary_channels, &k);
    free_rows(&k);
}

/* ---- transpose ---- */

typedef struct transpose_case {
    int64_t planes, rows, columns;
    check_buffer x, expected;
} transpose_case;

static void run_transpose(check_case *c, void *context)
{
    const transpose_case *k = context;
    check_buffer y = check_empty(c, k->expected.count);
    c->kernels->transpose(nn_whole(), k->x.data, k->planes, k->rows, k->columns, y.data);
    check_equal(c, k->expected.data, &y, 0, 0);
    check_buffer parts = check_empty(c, y.count);
    nn_part part = {.count = check_part_count(c)};
    for (part.index = part.count - 1; part.index >= 0; part.index--)
        c->kernels->transpose(part, k->x.data, k->planes, k->rows, k->columns, parts.data);
    check_same_bits(c, y.data, parts.data, y.count * sizeof *y.data);
    check_free(&parts);
    check_free(&y);
}

void check_transpose(check_case *c)
{
    transpose_case k = {.planes = test_random_int(&c->random, 1, 4),
                        .rows = test_random_int(&c->random, 1, 70),
                        .columns = test_random_int(&c->random, 1, 70)};
    size_t count = (size_t)(k.planes * k.rows * k.columns);
    c->what = "transpose";
    snprintf(c->detail, sizeof c->detail, "%d planes of %dx%d", (int)k.planes, (int)k.rows,
             (int)k.columns);
    k.x = check_random(c, count);
    k.expected = check_empty(c, count);
    nn_params params = {.transpose = {{0, 2, 1}}};
    nn_tensor input = {NN_FLOAT, {3, {k.planes, k.rows, k.columns}}, k.x.data};
    nn_tensor output = {NN_FLOAT, {3, {k.planes, k.columns, k.rows}}, k.expected.data};
    nn_op_find("Transpose")->run(&params, &input, 1, &output);
    check_each_set(c, run_transpose, &k);
    check_free(&k.x);
    check_free(&k.expected);
}
