/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The fast backend's functions against the reference's, on shapes that no builder makes: windows
 * with dilation and uneven padding, every number of channels from 1 to 40.
 */

#include "backend_support.h"

#include <omp.h>

/* ---- Convolutions ---- */

/* inwards: the gradient of the input too. slack: how many times as large as its result what a sum
 * goes through may be. */
static void compare_conv_ways(const nn_conv *s, bool inwards, double slack, test_random *random)
{
    const train_backend *slow = &train_backend_ref, *fast = &train_backend_onednn;
    size_t in = count_of(&s->in), out = count_of(&s->out), depth = (size_t)s->in.channels;
    size_t taps = (size_t)(s->window.kernel[0] * s->window.kernel[1]);
    size_t each = depth / (size_t)s->group, weight_count = (size_t)s->out.channels * each * taps;
    float *x = numbers(random, in), *weights = numbers(random, weight_count);
    float *bias = numbers(random, (size_t)s->out.channels), *dy = numbers(random, out);
    float *x_last = moved(x, &s->in, true), *dy_last = moved(dy, &s->out, true);
    float *y[2], *dx[2], *dw[2], *db[2];
    for (int i = 0; i < 2; i++) {
        const train_backend *backend = i == 0 ? slow : fast;
        train_conv *conv;
        mien_error error;
        y[i] = numbers(random, out);
        dx[i] = numbers(random, in);
        dw[i] = numbers(random, weight_count);
        db[i] = numbers(random, (size_t)s->out.channels);
        assert_ok(backend->conv_create(NULL, s, inwards, &conv, &error), &error);
        void *scratch = scratch_for(backend, conv);
        backend->conv_forward(conv, i == 0 ? x : x_last, weights, bias, y[i], scratch);
        backend->conv_backward(conv, i == 0 ? x : x_last, weights, i == 0 ? dy : dy_last,
                               inwards ? dx[i] : NULL, dw[i], db[i], scratch);
        free(scratch);
        backend->conv_free(conv);
    }
    double pixels = (double)(s->out.batch * s->out.height * s->out.width);
    double inner = (double)(each * taps);
    assert_picture("forward", &s->out, y[1], y[0], (inner + 2) * slack);
    if (inwards)
        assert_picture("gradient of the input", &s->in, dx[1], dx[0],
                       ((double)(taps * (size_t)(s->out.channels / s->group)) + 2) * slack);
    assert_near("gradient of the weights", &s->in, dw[1], dw[0], weight_count,
                (pixels + 2) * slack);
    assert_near("gradient of the bias", &s->in, db[1], db[0], (size_t)s->out.channels, pixels);
    float *all[] = {x,    weights, bias,  dy,    x_last, dy_last, y[0],
                    y[1], dx[0],   dx[1], dw[0], dw[1],  db[0],   db[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void compare_conv(const nn_conv *s, test_random *random)
{
    compare_conv_ways(s, true, 1, random);
}

static void compare_convs_of(int channels, test_random *random)
{
    for (int i = 0; i < WINDOWS; i++) {
        nn_conv s = {.in = {3, 7, 6, channels}, .window = windows[i], .group = 1};
        s.out = windowed(&s.in, &s.window, (channels * 5) % 37 + 1);
        compare_conv(&s, random);
        s.group = channels; /* depthwise */
        s.out.channels = channels;
        compare_conv(&s, random);
        s.group = channels % 2 == 0 ? 2 : 1;
        s.out.channels = 2 * 3;
        compare_conv(&s, random);
    }
}

static void test_convolutions(void **state)
{
    (void)state;
    test_random random = {5};
    for (int channels = 1; channels <= 40; channels++) {
        omp_set_num_threads(channels % 8 == 0 ? 2 : 1);
        compare_convs_of(channels, &random);
    }
    omp_set_num_threads(2);
    compare_convs_of(5, &random);
    compare_convs_of(130, &random);
    /* Large enough to show what oneDNN writes beyond its scratchpad. */
    nn_conv strided = {.in = {2, 48, 48, 3}, .window = windows[WINDOWS - 1], .group = 1};
    strided.out = windowed(&strided.in, &strided.window, 8);
    compare_conv(&strided, &random);
    omp_set_num_threads(1);
}

/* Pictures that are all edge, and some with more. */
static void test_windows_of_3x3(void **state)
{
    (void)state;
    test_random random = {8};
    static const int channels[] = {8, 24};
    for (int i = 0; i < 2; i++)
        for (int side = 1; side <= 11; side++)
            for (int stride = 1; stride <= 3; stride++) {
                nn_conv s = {.in = {2, side, 12 - side, channels[i]}, .group = channels[i]};
                s.window = (nn_window){
                    {3, 3}, {stride, 4 - stride}, {1, 1}, {1, side % 3}, {1, 2 - side % 3}};
                s.out = windowed(&s.in, &s.window, channels[i]);
                omp_set_num_threads(1 + side % 2);
                compare_conv(&s, &random);
            }
    omp_set_num_threads(1);
}

/* From few channels to eight. */
static void test_narrow_windows(void **state)
{
    (void)state;
    test_random random = {9};
    for (int channels = 1; channels <= 9; channels++)
        for (int side = 7; side <= 18; side++) {
            nn_conv s = {.in = {3, 14 - side / 2, side, channels}, .group = 1};
            s.window = (nn_window){{3, 3}, {1, 1}, {1, 1}, {side % 3, 1}, {1, side % 4}};
            s.out = windowed(&s.in, &s.window, 8);
            omp_set_num_threads(1 + side % 2);
            compare_conv_ways(&s, channels >= 8, 1, &random);
        }
    omp_set_num_threads(1);
}

/*
 * From many channels to many: whole tiles of three by three, and pictures that end within one. The
 * sums of the coefficients' sizes, to the points and back, are at most 24 in a direction where the
 * window's own would be 3.
 */
#define FILTERING_SLACK 64

static void test_minimal_filtering(void **state)
{
    (void)state;
    test_random random = {11};
    for (int side = 3; side <= 12; side++)
        for (int pad = 0; pad < 3; pad++) {
            nn_conv s = {.in = {3, side + 1, side, 32 + 16 * (side % 3)}, .group = 1};
            s.window = (nn_window){{3, 3}, {1, 1}, {1, 1}, {pad, 1}, {side % 3, 1}};
            s.out = windowed(&s.in, &s.window, 32 + 16 * pad);
            omp_set_num_threads(1 + side % 2);
            compare_conv_ways(&s, true, FILTERING_SLACK, &random);
        }
    /* More tiles than are taken to the points at once. */
    nn_conv large = {.in = {5, 27, 27, 32}, .window = windows[1], .group = 1};
    large.out = windowed(&large.in, &large.window, 64);
    compare_conv_ways(&large, true, FILTERING_SLACK, &random);
    omp_set_num_threads(1);
}

/* What a convolution gives, as bytes. */
static void repeat_conv(const nn_conv *s, const float *x, const float *dy, const float *weights,
                        float *given[3])
{
    train_conv *conv;
    mien_error error;
    const train_backend *backend = &train_backend_onednn;
    assert_ok(backend->conv_create(NULL, s, true, &conv, &error), &error);
    void *scratch = scratch_for(backend, conv);
    backend->conv_forward(conv, x, weights, NULL, given[0], scratch);
    backend->conv_backward(conv, x, weights, dy, given[1], given[2], NULL, scratch);
    free(scratch);
    backend->conv_free(conv);
}

static void test_convolutions_repeat_bit_for_bit(void **state)
{
    (void)state;
    test_random random = {10};
    static const int channels[] = {8, 8, 32}, groups[] = {1, 8, 1};
    for (int kind = 0; kind < 6; kind++) {
        int depth = channels[kind % 3];
        nn_conv s = {.in = {5, 19, 21, depth}, .window = windows[1], .group = groups[kind % 3]};
        s.out = windowed(&s.in, &s.window, depth);
        omp_set_num_threads(1 + kind / 3);
        size_t count = count_of(&s.in), weight_count = (size_t)(9 * depth * depth / s.group);
        size_t counts[3] = {count, count, weight_count};
        float *x = numbers(&random, count), *dy = numbers(&random, count);
        float *weights = numbers(&random, weight_count), *given[2][3];
        for (int k = 0; k < 2; k++) {
            for (int i = 0; i < 3; i++)
                given[k][i] = numbers(&random, counts[i]);
            repeat_conv(&s, x, dy, weights, given[k]);
        }
        for (int i = 0; i < 3; i++) {
            assert_memory_equal(given[0][i], given[1][i], counts[i] * sizeof(float));
            free(given[0][i]);
            free(given[1][i]);
        }
        free(x);
        free(dy);
        free(weights);
    }
    omp_set_num_threads(1);
}

/* ---- Pooling ---- */

static void compare_pool(const nn_pool *p, test_random *random)
{
    size_t in = count_of(&p->in), out = count_of(&p->out);
    float *x = numbers(random, in), *dy = numbers(random, out);
    float *x_last = moved(x, &p->in, true), *dy_last = moved(dy, &p->out, true);
    float *y[2] = {numbers(random, out), numbers(random, out)};
    float *dx[2] = {numbers(random, in), numbers(random, in)};
    uint8_t *winners = calloc(out, 1);
    train_backend_ref.pool_forward(NULL, p, x, y[0], winners);
    train_backend_ref.pool_backward(NULL, p, dy, winners, dx[0]);
    train_backend_onednn.pool_forward(NULL, p, x_last, y[1], winners);
    train_backend_onednn.pool_backward(NULL, p, dy_last, winners, dx[1]);
    assert_picture("pooling", &p->out, y[1], y[0], p->maximum ? 0 : 4);
    assert_picture("gradient of pooling", &p->in, dx[1], dx[0], 4);
    float *all[] = {x, dy, x_last, dy_last, y[0], y[1], dx[0], dx[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(winners);
}

static void test_pooling(void **state)
{
    (void)state;
    test_random random = {6};
    for (int channels = 1; channels <= 40; channels += 3)
        for (int i = 1; i < WINDOWS; i++)
            for (int kind = 0; kind < 3; kind++) {
                nn_pool p = {.in = {2, 7, 6, channels},
                             .window = windows[i],
                             .maximum = kind == 0,
                             .count_padding = kind == 1};
                p.out = windowed(&p.in, &p.window, channels);
                compare_pool(&p, &random);
            }
}

/* ---- Products ---- */

static void compare_dense(int64_t rows, int64_t inner, int64_t outputs, test_random *random)
{
    const train_backend *backends[2] = {&train_backend_ref, &train_backend_onednn};
    nn_extent in = {rows, 1, 1, inner};
    size_t row_count = (size_t)rows, depth = (size_t)inner, wide = (size_t)outputs;
    float *x = numbers(random, row_count * depth), *weights = numbers(random, wide * depth);
    float *bias = numbers(random, wide), *dy = numbers(random, row_count * wide);
    float *y[2], *dx[2], *dw[2], *db[2];
    for (int i = 0; i < 2; i++) {
        y[i] = numbers(random, row_count * wide);
        dx[i] = numbers(random, row_count * depth);
        dw[i] = numbers(random, wide * depth);
        db[i] = numbers(random, wide);
        backends[i]->dense_forward(NULL, rows, inner, outputs, x, weights, bias, y[i]);
        backends[i]->dense_backward(NULL, rows, inner, outputs, x, weights, dy, dx[i], dw[i],
                                    db[i]);
    }
    assert_near("product", &in, y[1], y[0], row_count * wide, (double)inner + 2);
    assert_near("gradient of its input", &in, dx[1], dx[0], row_count * depth, (double)outputs);
    assert_near("gradient of its weights", &in, dw[1], dw[0], wide * depth, (double)rows);
    assert_near("gradient of its bias", &in, db[1], db[0], wide, (double)rows);
    float *all[] = {x, weights, bias, dy, y[0], y[1], dx[0], dx[1], dw[0], dw[1], db[0], db[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void test_products(void **state)
{
    (void)state;
    test_random random = {7};
    static const int sizes[] = {1, 2, 7, 16, 33};
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++)
            for (int o = 0; o < 5; o++)
                compare_dense(sizes[i], sizes[k], sizes[o], &random);
}

/* ---- Modules ---- */

static void test_files_that_are_no_modules(void **state)
{
    (void)state;
    const train_backend *backend;
    mien_error error;
    assert_fails(MIEN_UNSUPPORTED, train_backend_load("no/such-backend.so", &backend, &error),
                 &error, "no/such-backend.so");
    assert_null(backend);
    assert_fails(MIEN_UNSUPPORTED, train_backend_load("libm.so.6", &backend, &error), &error,
                 "'libm.so.6' is no module of mien");
    assert_null(backend);
    assert_null(train_backend_find("cudnn"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_windows_of_3x3),
        cmocka_unit_test(test_narrow_windows),
        cmocka_unit_test(test_minimal_filtering),
        cmocka_unit_test(test_convolutions_repeat_bit_for_bit),
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_files_that_are_no_modules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
