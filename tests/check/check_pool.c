/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "nn/bf16_kernels.h"

typedef struct pool_case {
    nn_pool pool;
    check_buffer x, expected; /* channels last */
} pool_case;

static nn_extent random_extent(check_case *c)
{
    return (nn_extent){test_random_int(&c->random, 1, 3), test_random_int(&c->random, 1, 40),
                       test_random_int(&c->random, 1, 40), test_random_int(&c->random, 1, 70)};
}

/* A window that fits, its padding smaller than itself. */
static bool set_window(check_case *c, nn_pool *pool)
{
    const int64_t size[2] = {pool->in.height, pool->in.width};
    int64_t outputs[2];
    nn_window *w = &pool->window;
    for (int i = 0; i < 2; i++) {
        w->kernel[i] = test_random_int(&c->random, 1, 5);
        w->stride[i] = test_random_int(&c->random, 1, 3);
        w->dilation[i] = test_random_int(&c->random, 0, 3) == 0 ? 2 : 1;
        w->pad_before[i] = test_random_int(&c->random, 0, w->kernel[i] - 1);
        w->pad_after[i] = test_random_int(&c->random, 0, w->kernel[i] - 1);
        int64_t reach = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1;
        int64_t room = size[i] + w->pad_before[i] + w->pad_after[i] - reach;
        if (room < 0)
            return false;
        outputs[i] = room / w->stride[i] + 1;
        /* ceil_mode: one more window, that begins inside */
        if (room % w->stride[i] != 0 && outputs[i] * w->stride[i] < size[i] + w->pad_before[i] &&
            test_random_int(&c->random, 0, 1) != 0)
            outputs[i]++;
    }
    pool->out = (nn_extent){pool->in.batch, outputs[0], outputs[1], pool->in.channels};
    return true;
}

static void run_pool(check_case *c, void *context)
{
    const pool_case *k = context;
    check_buffer y = check_empty(c, k->expected.count);
    c->kernels->pool(&k->pool, nn_whole(), k->x.data, y.data);
    int cells = k->pool.window.kernel[0] * k->pool.window.kernel[1];
    check_equal(c, k->expected.data, &y, k->pool.maximum ? 0 : (cells + 1.0) / (1 << 23), 0);
    check_buffer parts = check_empty(c, y.count);
    nn_part part = {.count = check_part_count(c)};
    for (part.index = part.count - 1; part.index >= 0; part.index--)
        c->kernels->pool(&k->pool, part, k->x.data, parts.data);
    check_same_bits(c, y.data, parts.data, y.count * sizeof *y.data);
    check_free(&parts);
    check_free(&y);
}

/* Numbers of 16 bits, two to a float of the buffer. */
static check_buffer rounded(check_case *c, const check_buffer *floats)
{
    check_buffer to = check_empty(c, (floats->count + 1) / 2);
    nn_bf16_kernels_with(c->kernels)
        ->from_floats(floats->data, (int64_t)floats->count, (nn_bf16 *)(void *)to.data);
    return to;
}

/* Rounding keeps the order: the largest number is the rounded largest one. */
static void run_bf16_pool(check_case *c, void *context)
{
    const pool_case *k = context;
    const nn_bf16_kernels *kernels = nn_bf16_kernels_with(c->kernels);
    if (kernels == NULL)
        return;
    size_t count = k->expected.count;
    check_buffer x = rounded(c, &k->x), largest = rounded(c, &k->expected);
    check_buffer y = check_empty(c, (count + 1) / 2), floats = check_empty(c, count);
    const nn_bf16 *from = (const nn_bf16 *)(const void *)x.data;
    nn_bf16 *made = (nn_bf16 *)(void *)y.data;
    nn_part part = {.count = check_part_count(c)};
    for (part.index = part.count - 1; part.index >= 0; part.index--)
        kernels->pool(&k->pool, part, from, made);
    kernels->to_floats(made, (int64_t)count, floats.data);
    if (k->pool.maximum)
        check_same_bits(c, largest.data, y.data, count * sizeof *made);
    else
        check_equal(c, k->expected.data, &floats, 1.0 / 128, 0);
    if (!check_guards(&y))
        c->failures++;
    check_free(&x);
    check_free(&largest);
    check_free(&y);
    check_free(&floats);
}

static void to_last(check_case *c, check_buffer *buffer, nn_extent extent)
{
    check_buffer last = check_empty(c, buffer->count);
    check_to_channels_last(buffer->data, extent, last.data);
    check_free(buffer);
    *buffer = last;
}

void check_pool(check_case *c)
{
    pool_case k = {.pool.in = random_extent(c)};
    while (!set_window(c, &k.pool))
        k.pool.in = random_extent(c);
    k.pool.maximum = test_random_int(&c->random, 0, 1) != 0;
    k.pool.count_padding = test_random_int(&c->random, 0, 1) != 0;
    c->what = k.pool.maximum ? "max pool" : "average pool";
    const nn_window *w = &k.pool.window;
    snprintf(c->detail, sizeof c->detail,
             "%dx%dx%dx%d, window %dx%d, stride %dx%d, dilation %dx%d, pads %d %d %d %d%s",
             (int)k.pool.in.batch, (int)k.pool.in.height, (int)k.pool.in.width,
             (int)k.pool.in.channels, w->kernel[0], w->kernel[1], w->stride[0], w->stride[1],
             w->dilation[0], w->dilation[1], w->pad_before[0], w->pad_before[1], w->pad_after[0],
             w->pad_after[1], k.pool.count_padding ? ", padding counts" : "");
    k.x = check_random(c, check_floats(k.pool.in));
    k.expected = check_empty(c, check_floats(k.pool.out));
    nn_params params = {.pool = {k.pool.window, k.pool.count_padding}};
    nn_tensor input = check_picture(k.pool.in, k.x.data);
    nn_tensor output = check_picture(k.pool.out, k.expected.data);
    nn_op_find(k.pool.maximum ? "MaxPool" : "AveragePool")->run(&params, &input, 1, &output);
    to_last(c, &k.x, k.pool.in);
    to_last(c, &k.expected, k.pool.out);
    check_each_set(c, run_pool, &k);
    check_each_set(c, run_bf16_pool, &k);
    check_free(&k.x);
    check_free(&k.expected);
}

typedef struct average_case {
    nn_extent in;
    check_buffer x, expected;
} average_case;

static void run_average(check_case *c, void *context)
{
    const average_case *k = context;
    check_buffer y = check_empty(c, k->expected.count);
    c->kernels->global_average(&k->in, k->x.data, y.data);
    check_equal(c, k->expected.data, &y, (double)(k->in.height * k->in.width + 1) / (1 << 23), 0);
    check_free(&y);
}

void check_global_average(check_case *c)
{
    average_case k = {.in = random_extent(c)};
    c->what = "global average";
    snprintf(c->detail, sizeof c->detail, "%dx%dx%dx%d", (int)k.in.batch, (int)k.in.height,
             (int)k.in.width, (int)k.in.channels);
    k.x = check_random(c, check_floats(k.in));
    nn_extent out = {k.in.batch, 1, 1, k.in.channels};
    k.expected = check_empty(c, check_floats(out));
    nn_params params = {.reduce = {{false, false, true, true}}};
    nn_tensor input = check_picture(k.in, k.x.data);
    nn_tensor output = check_picture(out, k.expected.data);
    nn_op_find("GlobalAveragePool")->run(&params, &input, 1, &output);
    to_last(c, &k.x, k.in);
    check_each_set(c, run_average, &k);
    check_free(&k.x);
    check_free(&k.expected);
}
