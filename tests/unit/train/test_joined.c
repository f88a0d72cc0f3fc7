/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolutions that make the batch norms beside them: what the bodies of test_network.c do not
 * show. Statistics of numbers far from 0, pictures of many pieces, and a network that is frozen up
 * to such a convolution.
 */

#include "backend_support.h"
#include "network_bodies.h"

#include <omp.h>

/* ---- Statistics ---- */

/* Weights that copy a channel, for both kinds of convolution. */
static float *copying_weights(const nn_conv *s)
{
    int64_t taps = s->window.kernel[0] * s->window.kernel[1], each = s->in.channels / s->group;
    float *weights = calloc((size_t)(s->out.channels * each * taps), sizeof *weights);
    assert_non_null(weights);
    for (int64_t c = 0; c < s->out.channels; c++)
        weights[(c * each + (each > 1 ? c : 0)) * taps + taps / 2] = 1;
    return weights;
}

/* Numbers about 1000 with a deviation of 1: float's squares of them have errors of 0.06. */
static void check_statistics(const nn_conv *s, int threads)
{
    test_random random = {4};
    size_t count = count_of(&s->in), channels = (size_t)s->in.channels;
    float *x = numbers(&random, count), *y = numbers(&random, count);
    float *weights = copying_weights(s), mean[64], inverse[64];
    train_joined_norm after = {.epsilon = 1e-5f, .mean = mean, .inverse = inverse};
    train_conv *conv;
    mien_error error;
    for (size_t i = 0; i < count; i++)
        x[i] += 1000 + (float)(i % channels);
    omp_set_num_threads(threads);
    assert_ok(train_backend_onednn.conv_create(NULL, s, true, &conv, &error), &error);
    assert_true(train_backend_onednn.joining->takes(conv));
    void *scratch = scratch_for(&train_backend_onednn, conv);
    train_backend_onednn.joining->conv_forward(conv, NULL, x, weights, NULL, y, &after, scratch);
    omp_set_num_threads(1);
    assert_memory_equal(x, y, count * sizeof *x);
    for (size_t c = 0; c < channels; c++) {
        double sum = 0, squares = 0, n = (double)(count / channels);
        for (size_t i = c; i < count; i += channels)
            sum += x[i];
        for (size_t i = c; i < count; i += channels)
            squares += (x[i] - sum / n) * (x[i] - sum / n);
        assert_float_equal(mean[c], sum / n, 1e-4);
        assert_float_equal(inverse[c], 1 / sqrt(squares / n + 1e-5), 1e-5);
    }
    train_backend_onednn.conv_free(conv);
    free(scratch);
    free(x);
    free(y);
    free(weights);
}

static void test_statistics_keep_their_digits(void **state)
{
    (void)state;
    nn_window one = {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
    nn_window three = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
    for (int threads = 1; threads <= 4; threads++) {
        nn_conv pointwise = {.in = {3, 9, 7, 24}, .out = {3, 9, 7, 24}, .window = one, .group = 1};
        nn_conv rows = {.in = {3, 9, 7, 24}, .out = {3, 9, 7, 24}, .window = three, .group = 24};
        nn_conv pictures = {.in = {3, 9, 7, 5}, .out = {3, 9, 7, 5}, .window = three, .group = 5};
        check_statistics(&pointwise, threads);
        check_statistics(&rows, threads);
        check_statistics(&pictures, threads);
    }
}

/* ---- Networks ---- */

/* Larger pictures, so that a batch is many pieces; the same for threads and again. */
static void compare_large(network_body body, int channels, int side, int threads)
{
    nn_model *model = network_model(body, channels, side);
    train_network *slow = network_of(model, NETWORK_BATCH, &train_backend_ref);
    omp_set_num_threads(threads);
    train_network *fast = network_of(model, NETWORK_BATCH, &train_backend_onednn);
    network_fill_input(slow, 3);
    network_fill_input(fast, 3);
    network_learn(slow, 0.25f);
    network_learn(fast, 0.25f);
    omp_set_num_threads(1);
    const train_tape *tape = train_network_tape(slow);
    for (size_t p = 0; p < tape->parameter_count; p++) {
        const float *expected = train_network_gradients(slow, p);
        const float *given = train_network_gradients(fast, p);
        double largest = 1;
        for (size_t i = 0; i < tape->parameters[p].count; i++)
            largest = fmax(largest, fabs((double)expected[i]));
        /* Sums over 3 * side^2 pixels, and what those before them are off by. */
        for (size_t i = 0; i < tape->parameters[p].count; i++)
            assert_float_equal(given[i], expected[i], 4e-4 * largest);
    }
    train_network_free(fast);
    train_network_free(slow);
    nn_model_free(model);
}

static void test_batches_of_many_pieces(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        compare_large(body_norm_pointwise, 16, 40, threads);
        compare_large(body_pointwise_norm, 16, 40, threads);
        compare_large(body_norm_depthwise_norm, 16, 40, threads);
        compare_large(body_norm_depthwise_stride, 16, 41, threads);
    }
}

/* What lies in front of the joined convolution does not learn: its statistics are the running
 * ones, and no gradient goes there. */
static void check_frozen(network_body body)
{
    nn_model *model = network_model(body, 8, 6);
    train_network *networks[2] = {network_of(model, NETWORK_BATCH, &train_backend_ref),
                                  network_of(model, NETWORK_BATCH, &train_backend_onednn)};
    const train_tape *tape = train_network_tape(networks[0]);
    bool frozen[32] = {false};
    mien_error error;
    assert_true(tape->parameter_count < 32);
    for (size_t p = 0; p < 6; p++) /* a convolution with bias and a batch norm */
        frozen[p] = true;
    for (int i = 0; i < 2; i++) {
        assert_ok(train_network_freeze(networks[i], frozen, &error), &error);
        network_fill_input(networks[i], 3);
        network_learn(networks[i], 0.25f);
    }
    for (size_t p = 6; p < tape->parameter_count; p++)
        for (size_t i = 0; i < tape->parameters[p].count; i++)
            assert_float_equal(train_network_gradients(networks[1], p)[i],
                               train_network_gradients(networks[0], p)[i], 1e-3);
    train_network_free(networks[0]);
    train_network_free(networks[1]);
    nn_model_free(model);
}

/* More threads than pictures. */
static void test_parts_without_pictures(void **state)
{
    (void)state;
    compare_large(body_norm_depthwise_norm, 16, 6, 5);
    compare_large(body_norm_depthwise_stride, 16, 6, 5);
    compare_large(body_depthwise_norms, 5, 6, 5);
}

static void test_frozen_in_front(void **state)
{
    (void)state;
    check_frozen(body_norm_pointwise);
    check_frozen(body_norm_depthwise_norm);
    check_frozen(body_norm_depthwise_stride);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statistics_keep_their_digits),
        cmocka_unit_test(test_batches_of_many_pieces),
        cmocka_unit_test(test_parts_without_pictures),
        cmocka_unit_test(test_frozen_in_front),
    };
    omp_set_num_threads(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
