/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "nn/byte_kernels.h"

#include <math.h>

#define GUARD         64
#define GUARD_BYTE    0xA5
#define MOST_PRODUCTS 2000000

/* Bytes between two guard zones, at an odd address. */
typedef struct byte_buffer {
    uint8_t *memory;
    uint8_t *data;
    size_t count;
} byte_buffer;

static byte_buffer make_bytes(size_t count, size_t shift)
{
    byte_buffer b = {.memory = malloc(count + 2 * GUARD + shift), .count = count};
    if (b.memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    memset(b.memory, GUARD_BYTE, count + 2 * GUARD + shift);
    b.data = b.memory + GUARD + shift;
    return b;
}

static byte_buffer random_bytes(check_case *c, size_t count)
{
    byte_buffer b = make_bytes(count, (size_t)test_random_int(&c->random, 0, 7));
    bool extreme = test_random_int(&c->random, 0, 7) == 0;
    for (size_t i = 0; i < count; i++)
        b.data[i] = (uint8_t)test_random_int(&c->random, extreme ? 250 : 0, 255);
    return b;
}

static bool guards_hold(const byte_buffer *b)
{
    for (size_t i = 0; i < GUARD; i++)
        if (b->data[b->count + i] != GUARD_BYTE || b->data[-1 - (ptrdiff_t)i] != GUARD_BYTE)
            return false;
    return true;
}

/* One convolution, its numbers with the channels last, the weights as ONNX has them. */
typedef struct byte_case {
    nn_byte_conv conv;
    byte_buffer x, residual; /* residual: data NULL when there is none */
    int8_t *weights;
    float *scales, *bias;
    double *expected; /* before the output is rounded to a step */
} byte_case;

static nn_quantization random_quantization(check_case *c, float scale)
{
    return (nn_quantization){scale * (1.1f + test_random_float(&c->random)),
                             test_random_int(&c->random, 0, 255)};
}

static int64_t weights_of_output(const nn_byte_conv *conv)
{
    return conv->in.channels / conv->group * conv->window.kernel[0] * conv->window.kernel[1];
}

static double activate(nn_activation activation, double x)
{
    switch (activation.kind) {
    case NN_ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case NN_ACTIVATION_CLIP:
        return fmin(fmax(x, (double)activation.alpha), (double)activation.beta);
    case NN_ACTIVATION_LEAKY_RELU:
        return x >= 0 ? x : x * (double)activation.alpha;
    default:
        return x;
    }
}

/* The sum of one output by whole numbers. */
static int64_t whole_sum(const byte_case *k, int64_t n, int64_t row, int64_t column, int64_t output)
{
    const nn_byte_conv *conv = &k->conv;
    const nn_window *w = &conv->window;
    int64_t each = conv->in.channels / conv->group, sum = 0;
    int64_t first = output / (conv->out.channels / conv->group) * each;
    for (int ky = 0; ky < w->kernel[0]; ky++)
        for (int kx = 0; kx < w->kernel[1]; kx++) {
            int64_t y = row * w->stride[0] - w->pad_before[0] + (int64_t)ky * w->dilation[0];
            int64_t x = column * w->stride[1] - w->pad_before[1] + (int64_t)kx * w->dilation[1];
            if (y < 0 || y >= conv->in.height || x < 0 || x >= conv->in.width)
                continue;
            const uint8_t *pixel =
                k->x.data + ((n * conv->in.height + y) * conv->in.width + x) * conv->in.channels;
            for (int64_t c = 0; c < each; c++)
                sum += (pixel[first + c] - conv->x.zero_point) *
                       k->weights[((output * each + c) * w->kernel[0] + ky) * w->kernel[1] + kx];
        }
    return sum;
}

static void compute_expected(byte_case *k)
{
    const nn_byte_conv *conv = &k->conv;
    double *to = k->expected;
    const uint8_t *residual = k->residual.data;
    for (int64_t n = 0; n < conv->out.batch; n++)
        for (int64_t row = 0; row < conv->out.height; row++)
            for (int64_t column = 0; column < conv->out.width; column++)
                for (int64_t m = 0; m < conv->out.channels; m++) {
                    double y = (double)whole_sum(k, n, row, column, m) * (double)conv->x.scale *
                                   (double)k->scales[m] +
                               (k->bias != NULL ? (double)k->bias[m] : 0);
                    if (residual != NULL)
                        y += (*residual++ - conv->residual.zero_point) *
                             (double)conv->residual.scale;
                    *to++ = activate(conv->activation, y);
                }
}

static byte_case random_case(check_case *c)
{
    byte_case k = {0};
    nn_conv shape;
    do
        shape = check_random_conv(c);
    while (shape.group != 1 &&
           (shape.group != shape.in.channels || shape.out.channels != shape.in.channels));
    k.conv = (nn_byte_conv){.in = shape.in,
                            .out = shape.out,
                            .window = shape.window,
                            .group = shape.group,
                            .activation = shape.activation};
    size_t outputs = check_floats(shape.out), count = (size_t)shape.out.channels;
    size_t weights = count * (size_t)weights_of_output(&k.conv);
    k.x = random_bytes(c, check_floats(shape.in));
    if (test_random_int(&c->random, 0, 2) == 0)
        k.residual = random_bytes(c, outputs);
    k.weights = malloc(weights);
    k.scales = malloc(count * sizeof *k.scales);
    k.bias = test_random_int(&c->random, 0, 1) != 0 ? malloc(count * sizeof *k.bias) : NULL;
    k.expected = malloc(outputs * sizeof *k.expected);
    for (size_t i = 0; i < weights; i++)
        k.weights[i] = (int8_t)test_random_int(&c->random, -127, 127);
    for (size_t m = 0; m < count; m++)
        k.scales[m] = 0.001f * (1.1f + test_random_float(&c->random));
    for (size_t m = 0; k.bias != NULL && m < count; m++)
        k.bias[m] = test_random_float(&c->random);
    k.conv.x = random_quantization(c, 0.01f);
    k.conv.residual = random_quantization(c, 0.01f);
    k.conv.y = random_quantization(c, 0.02f);
    k.conv.writes_floats = test_random_int(&c->random, 0, 2) == 0;
    snprintf(
        c->detail, sizeof c->detail,
        "%dx%dx%dx%d to %d channels, %d groups, window %dx%d, stride %dx%d, pads %d %d, %s%s%s",
        (int)shape.in.batch, (int)shape.in.height, (int)shape.in.width, (int)shape.in.channels,
        (int)shape.out.channels, shape.group, shape.window.kernel[0], shape.window.kernel[1],
        shape.window.stride[0], shape.window.stride[1], shape.window.pad_before[0],
        shape.window.pad_before[1], check_activation_name(shape.activation.kind),
        k.residual.data != NULL ? ", residual" : "", k.conv.writes_floats ? ", writes floats" : "");
    return k;
}

static void fail_byte_case(check_case *c, const char *message)
{
    c->failures++;
    printf("FAILED %s %s, seed %llu: %s\n       %s\n", c->kernels->name, c->what,
           (unsigned long long)c->seed, message, c->detail);
}

/* Bytes may be a step off where the number lies nearly between two; floats, a rounding of the sum.
 */
static void compare(check_case *c, const byte_case *k, const byte_buffer *y)
{
    const nn_byte_conv *conv = &k->conv;
    char message[120];
    size_t outputs = check_floats(conv->out);
    if (!guards_hold(y))
        fail_byte_case(c, "it writes outside its output");
    for (size_t i = 0; i < outputs; i++) {
        double expected = k->expected[i], actual, slack = 1e-5 * (fabs(expected) + 1);
        if (conv->writes_floats) {
            float number;
            memcpy(&number, y->data + i * sizeof number, sizeof number);
            actual = (double)number;
        } else {
            double steps = expected / (double)conv->y.scale + conv->y.zero_point;
            expected = fmin(fmax(steps, 0), 255);
            actual = y->data[i];
            slack = 0.5 + 1e-5 * (fabs(steps) + 1) + 2e-5 / (double)conv->y.scale;
        }
        if (fabs(actual - expected) <= slack)
            continue;
        snprintf(message, sizeof message, "number %zu of %zu is %.9g, not %.9g", i, outputs, actual,
                 expected);
        fail_byte_case(c, message);
        return;
    }
}

static void run_byte_conv(check_case *c, void *context)
{
    byte_case *k = context;
    const nn_byte_kernels *kernels = nn_byte_kernels_with(c->kernels);
    if (kernels == NULL)
        return;
    if (!kernels->conv_supported(&k->conv)) {
        fail_byte_case(c, "it has no kernel");
        return;
    }
    size_t outputs = check_floats(k->conv.out);
    byte_buffer y = make_bytes(outputs * (k->conv.writes_floats ? sizeof(float) : 1), 4);
    void *packed = aligned_alloc(64, (kernels->conv_packed_bytes(&k->conv) + 63) / 64 * 64);
    void *scratch = aligned_alloc(64, (kernels->conv_scratch_bytes(&k->conv) + 64) / 64 * 64);
    k->conv.packed = packed;
    kernels->conv_pack(&k->conv, k->weights, k->scales, k->bias, packed);
    kernels->conv(&k->conv, nn_whole(), k->x.data, k->residual.data, y.data, scratch);
    compare(c, k, &y);
    byte_buffer parts = make_bytes(outputs * (k->conv.writes_floats ? sizeof(float) : 1), 4);
    nn_part part = {.count = check_part_count(c)};
    for (part.index = part.count - 1; part.index >= 0; part.index--)
        kernels->conv(&k->conv, part, k->x.data, k->residual.data, parts.data, scratch);
    check_same_bits(c, y.data, parts.data, outputs * (k->conv.writes_floats ? sizeof(float) : 1));
    free(parts.memory);
    free(packed);
    free(scratch);
    free(y.memory);
}

void check_byte_conv(check_case *c)
{
    c->what = "byte conv";
    byte_case k = random_case(c);
    if ((double)check_floats(k.conv.out) * (double)weights_of_output(&k.conv) < MOST_PRODUCTS) {
        compute_expected(&k);
        check_each_set(c, run_byte_conv, &k);
    }
    free(k.x.memory);
    free(k.residual.memory);
    free(k.weights);
    free(k.scales);
    free(k.bias);
    free(k.expected);
}
