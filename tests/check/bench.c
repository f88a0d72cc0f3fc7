/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <time.h>

/* Times of the kernels on sizes of real networks: one thread, the best of many short runs. */

#define BENCH_SECONDS 0.15

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

typedef struct bench_args {
    const nn_kernels *kernels;
    nn_conv conv;
    nn_pool pool;
    nn_activation activation;
    check_buffer x, y, small, scratch, packed;
} bench_args;

/* The best time of one call, in seconds. */
static double best_of(void (*run)(bench_args *), bench_args *args)
{
    double best = 1e9, end = now() + BENCH_SECONDS;
    while (now() < end) {
        double start = now();
        run(args);
        double taken = now() - start;
        best = taken < best ? taken : best;
    }
    return best;
}

static void call_conv(bench_args *a)
{
    a->kernels->conv(&a->conv, nn_whole(), a->x.data, NULL, a->y.data, a->scratch.data);
}

static void bench_conv(const nn_kernels *kernels, const char *name, nn_conv conv)
{
    check_case c = {.random = {1}};
    bench_args a = {.kernels = kernels, .conv = conv};
    size_t weights = (size_t)(conv.out.channels * (conv.in.channels / conv.group) *
                              conv.window.kernel[0] * conv.window.kernel[1]);
    a.x = check_random(&c, check_floats(conv.in));
    a.y = check_empty(&c, check_floats(conv.out));
    a.small = check_random(&c, weights);
    a.packed = check_aligned(kernels->conv_packed_floats(&conv));
    a.scratch = check_aligned(kernels->conv_scratch_bytes(&conv) / 4 + 1);
    kernels->conv_pack(&conv, a.small.data, NULL, a.packed.data);
    a.conv.planar = kernels->conv_takes_planar(&conv);
    a.conv.packed = a.packed.data;
    double flops =
        2.0 * (double)check_floats(conv.out) * (double)weights / (double)conv.out.channels;
    double seconds = best_of(call_conv, &a);
    printf("%-8s %-34s %9.1f us %8.1f GFLOP/s\n", kernels->name, name, seconds * 1e6,
           flops / seconds * 1e-9);
    check_free(&a.x);
    check_free(&a.y);
    check_free(&a.small);
    check_free(&a.packed);
    check_free(&a.scratch);
}

static nn_conv square_conv(int side, int in, int out, int kernel, int stride, int group)
{
    nn_conv conv = {.in = {1, side, side, in}, .group = group};
    int after = (side + stride - 1) / stride;
    conv.out = (nn_extent){1, after, after, out};
    conv.activation.kind = NN_ACTIVATION_RELU;
    int pad = kernel / 2;
    conv.window = (nn_window){.kernel = {kernel, kernel},
                              .stride = {stride, stride},
                              .dilation = {1, 1},
                              .pad_before = {pad, pad},
                              .pad_after = {pad, pad}};
    return conv;
}

static void bench_convs(const nn_kernels *kernels)
{
    bench_conv(kernels, "conv 3x3/2 224x224 3 to 32", square_conv(224, 3, 32, 3, 2, 1));
    bench_conv(kernels, "conv 3x3/2 320x320 3 to 16", square_conv(320, 3, 16, 3, 2, 1));
    bench_conv(kernels, "conv 3x3 48x48 8 to 8", square_conv(48, 8, 8, 3, 1, 1));
    bench_conv(kernels, "conv 3x3 48x48 64 to 64", square_conv(48, 64, 64, 3, 1, 1));
    bench_conv(kernels, "conv 3x3 12x12 256 to 256", square_conv(12, 256, 256, 3, 1, 1));
    bench_conv(kernels, "conv 1x1 14x14 512 to 512", square_conv(14, 512, 512, 1, 1, 1));
    bench_conv(kernels, "conv 1x1 28x28 256 to 256", square_conv(28, 256, 256, 1, 1, 1));
    bench_conv(kernels, "conv 1x1 7x7 1024 to ", square_conv(7, 1024, 1024, 1, 1, 1));
    bench_conv(kernels, "conv 1x1 56x56 128 to 128", square_conv(56, 128, 128, 1, 1, 1));
    bench_conv(kernels, "conv 1x1 32x32 16 to 96", square_conv(32, 16, 96, 1, 1, 1));
    bench_conv(kernels, "conv 1x1 48x48 8 to 16", square_conv(48, 8, 16, 1, 1, 1));
    bench_conv(kernels, "conv 1x1 48x48 16 to 16", square_conv(48, 16, 16, 1, 1, 1));
    bench_conv(kernels, "conv 1x1 56x56 32 to 32", square_conv(56, 32, 32, 1, 1, 1));
    bench_conv(kernels, "conv 1x1 80x80 64 to 10", square_conv(80, 64, 10, 1, 1, 1));
    bench_conv(kernels, "conv 3x3 64x64 1 to 8", square_conv(64, 1, 8, 3, 1, 1));
    bench_conv(kernels, "depthwise 3x3 56x56 128", square_conv(56, 128, 128, 3, 1, 128));
    bench_conv(kernels, "depthwise 3x3 48x48 8", square_conv(48, 8, 8, 3, 1, 8));
    bench_conv(kernels, "depthwise 3x3 80x80 10", square_conv(80, 10, 10, 3, 1, 10));
    bench_conv(kernels, "depthwise 3x3/2 28x28 192", square_conv(28, 192, 192, 3, 2, 192));
    nn_conv product = {.in = {1, 1, 1, 1024}, .out = {1, 1, 1, 1001}, .group = 1};
    product.window = (nn_window){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    bench_conv(kernels, "product 1x1024 by 1001", product);
}

#define ROWS     (28 * 28)
#define CHANNELS 128

static void call_max_pool(bench_args *a)
{
    a->kernels->pool(&a->pool, nn_whole(), a->x.data, a->y.data);
}

static void call_global_average(bench_args *a)
{
    nn_extent in = {1, 28, 28, CHANNELS};
    a->kernels->global_average(&in, a->x.data, a->y.data);
}

static void call_scale_shift(bench_args *a)
{
    a->kernels->scale_shift(a->x.data, a->small.data, a->small.data, ROWS, CHANNELS,
                            (nn_activation){0}, a->y.data);
}

static void call_activate(bench_args *a)
{
    a->kernels->activate(a->activation, a->x.data, ROWS * CHANNELS, a->y.data);
}

static void call_prelu(bench_args *a)
{
    a->kernels->prelu(a->x.data, a->small.data, ROWS, CHANNELS, a->y.data);
}

static void call_binary(bench_args *a)
{
    a->kernels->binary(NN_ADD, a->x.data, a->x.data, ROWS * CHANNELS, (nn_activation){0},
                       a->y.data);
}

static void call_binary_channels(bench_args *a)
{
    a->kernels->binary_channels(NN_MULTIPLY, false, a->x.data, a->small.data, ROWS, CHANNELS,
                                (nn_activation){0}, a->y.data);
}

static void call_transpose(bench_args *a)
{
    a->kernels->transpose(nn_whole(), a->x.data, 1, ROWS, CHANNELS, a->y.data);
}

static void bench_rows(const nn_kernels *kernels)
{
    static const struct {
        const char *name;
        void (*run)(bench_args *);
    } benches[] = {{"max pool 3x3/2", call_max_pool},
                   {"global average", call_global_average},
                   {"scale_shift", call_scale_shift},
                   {"prelu", call_prelu},
                   {"add", call_binary},
                   {"multiply by channel", call_binary_channels},
                   {"transpose", call_transpose}};
    check_case c = {.random = {1}};
    bench_args a = {.kernels = kernels};
    nn_conv form = square_conv(28, CHANNELS, CHANNELS, 3, 2, 1);
    a.pool = (nn_pool){.in = form.in, .out = form.out, .window = form.window, .maximum = true};
    a.x = check_random(&c, ROWS * CHANNELS);
    a.y = check_empty(&c, ROWS * CHANNELS);
    a.small = check_random(&c, CHANNELS);
    const char *line = "%-8s %-34s %9.1f us %8.2f ns/number\n";
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        double seconds = best_of(benches[i].run, &a);
        printf(line, kernels->name, benches[i].name, seconds * 1e6,
               seconds * 1e9 / (ROWS * CHANNELS));
    }
    for (int kind = 1; kind < CHECK_KINDS; kind++) {
        a.activation = (nn_activation){(nn_activation_kind)kind, 0.1f, 1};
        double seconds = best_of(call_activate, &a);
        printf(line, kernels->name, check_activation_name(a.activation.kind), seconds * 1e6,
               seconds * 1e9 / (ROWS * CHANNELS));
    }
    check_free(&a.x);
    check_free(&a.y);
    check_free(&a.small);
}

void check_bench(void)
{
    const nn_kernels *kernels;
    for (size_t i = 0; (kernels = nn_kernels_at(i)) != NULL; i++) {
        bench_convs(kernels);
        bench_rows(kernels);
    }
}
