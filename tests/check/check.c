/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#define GUARD_FLOATS 80

static check_buffer make_buffer(size_t count, size_t shift)
{
    size_t floats = count + 2 * GUARD_FLOATS + 16;
    size_t bytes = (floats * sizeof(float) + 63) / 64 * 64;
    check_buffer buffer = {.memory = aligned_alloc(64, bytes), .count = count};
    if (buffer.memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    for (size_t i = 0; i < floats; i++)
        buffer.memory[i] = NAN;
    buffer.data = buffer.memory + GUARD_FLOATS + shift;
    return buffer;
}

check_buffer check_empty(check_case *c, size_t count)
{
    return make_buffer(count, (size_t)test_random_int(&c->random, 0, 15));
}

check_buffer check_aligned(size_t count)
{
    return make_buffer(count, 0);
}

check_buffer check_random(check_case *c, size_t count)
{
    check_buffer buffer = check_empty(c, count);
    for (size_t i = 0; i < count; i++)
        buffer.data[i] = test_random_float(&c->random);
    return buffer;
}

check_buffer check_copy(check_case *c, const check_buffer *from)
{
    check_buffer buffer = check_empty(c, from->count);
    memcpy(buffer.data, from->data, from->count * sizeof *from->data);
    return buffer;
}

void check_free(check_buffer *buffer)
{
    free(buffer->memory);
    *buffer = (check_buffer){0};
}

bool check_guards(const check_buffer *buffer)
{
    for (int i = 1; i <= GUARD_FLOATS; i++)
        if (!isnan(buffer->data[-i]))
            return false;
    for (size_t i = 0; i < GUARD_FLOATS; i++)
        if (!isnan(buffer->data[buffer->count + i]))
            return false;
    return true;
}

static void fail_case(check_case *c, const char *message)
{
    c->failures++;
    printf("FAILED %s %s, seed %llu: %s\n       %s\n", c->kernels->name, c->what,
           (unsigned long long)c->seed, message, c->detail);
}

void check_equal(check_case *c, const float *expected, const check_buffer *actual, double absolute,
                 double relative)
{
    char message[120];
    if (!check_guards(actual))
        fail_case(c, "it writes outside its output");
    for (size_t i = 0; i < actual->count; i++) {
        double difference = fabs((double)actual->data[i] - (double)expected[i]);
        if (actual->data[i] == expected[i] || /* infinities too */
            difference <= absolute + relative * fabs((double)expected[i]))
            continue;
        snprintf(message, sizeof message, "number %zu of %zu is %.9g, not %.9g", i, actual->count,
                 (double)actual->data[i], (double)expected[i]);
        fail_case(c, message);
        return;
    }
}

int check_part_count(check_case *c)
{
    return test_random_int(&c->random, 2, 6);
}

void check_same_bits(check_case *c, const void *whole, const void *parts, size_t bytes)
{
    if (memcmp(whole, parts, bytes) != 0)
        fail_case(c, "parts of it write other bits than the whole call");
}

size_t check_floats(nn_extent extent)
{
    return (size_t)(extent.batch * extent.height * extent.width * extent.channels);
}

void check_to_channels_last(const float *from, nn_extent extent, float *to)
{
    int64_t pixels = extent.height * extent.width;
    for (int64_t n = 0; n < extent.batch; n++)
        for (int64_t c = 0; c < extent.channels; c++)
            for (int64_t p = 0; p < pixels; p++)
                to[(n * pixels + p) * extent.channels + c] =
                    from[(n * extent.channels + c) * pixels + p];
}

nn_tensor check_picture(nn_extent extent, float *data)
{
    nn_shape shape = {4, {extent.batch, extent.channels, extent.height, extent.width}};
    return (nn_tensor){NN_FLOAT, shape, data};
}

static const struct {
    const char *op;
    float alpha, beta;
} activations[CHECK_KINDS] = {
    [NN_ACTIVATION_NONE] = {NULL, 0, 0},
    [NN_ACTIVATION_RELU] = {"Relu", 0, 0},
    [NN_ACTIVATION_CLIP] = {"Clip", -0.25f, 0.5f},
    [NN_ACTIVATION_LEAKY_RELU] = {"LeakyRelu", 0.1f, 0},
    [NN_ACTIVATION_ELU] = {"Elu", 1.5f, 0},
    [NN_ACTIVATION_SIGMOID] = {"Sigmoid", 0, 0},
    [NN_ACTIVATION_HARD_SIGMOID] = {"HardSigmoid", 0.3f, 0.4f},
    [NN_ACTIVATION_HARD_SWISH] = {"HardSwish", 0, 0},
    [NN_ACTIVATION_TANH] = {"Tanh", 0, 0},
};

const char *check_activation_name(nn_activation_kind kind)
{
    return activations[kind].op != NULL ? activations[kind].op : "no activation";
}

nn_activation check_random_activation(check_case *c, int kinds)
{
    int kind = test_random_int(&c->random, 0, kinds - 1);
    return (nn_activation){(nn_activation_kind)kind, activations[kind].alpha,
                           activations[kind].beta};
}

void check_activate(nn_activation activation, float *y, size_t count)
{
    const char *name = activations[activation.kind].op;
    if (name == NULL)
        return;
    nn_params params = {.activation = {activation.alpha, activation.beta}};
    nn_tensor tensor = {NN_FLOAT, {1, {(int64_t)count}}, y};
    nn_op_find(name)->run(&params, &tensor, 1, &tensor);
}

void check_each_set(check_case *c, check_run run, void *context)
{
    test_random random = c->random;
    for (size_t i = 0; (c->kernels = nn_kernels_at(i)) != NULL; i++) {
        c->random = random;
        run(c, context);
    }
}
