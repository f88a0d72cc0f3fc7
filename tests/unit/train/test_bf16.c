/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Training in BF16. A number of 8 binary digits is at most a 2^-9th of itself off, so a product of
 * two at most a 2^-8th; sums are in float. With numbers that are BF16 from the start nothing but
 * the sums' rounding is left.
 */

#include "backend_support.h"
#include "network_bodies.h"
#include "sets.h"

#include "train/loss.h"
#include "train/optimiser.h"
#include "train/recipe.h"
#include "zoo/zoo.h"

#include <omp.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const train_backend *backend_bf16(void)
{
    const train_backend *backend = NULL;
    mien_error error;
    if (train_backend_with(&train_backend_onednn, TRAIN_BF16, &backend, &error) != MIEN_OK)
        assert_non_null(strstr(error.message, "use precision = f32"));
    if (backend == NULL)
        skip();
    return backend;
}

static float float_of(train_bf16 number)
{
    union {
        uint32_t bits;
        float number;
    } u = {(uint32_t)number << 16};
    return u.number;
}

static float from_bits(uint32_t bits)
{
    union {
        uint32_t bits;
        float number;
    } u = {bits};
    return u.number;
}

/* ---- Rounding ---- */

static void test_rounding(void **state)
{
    (void)state;
    const train_rounding *rounding = backend_bf16()->rounding;
    static const struct {
        uint32_t given;
        train_bf16 expected;
    } cases[] = {
        {0x3f800000, 0x3f80}, {0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, /* ties: to even */
        {0x3f808001, 0x3f81}, {0xbf80ffff, 0xbf81}, {0x7f7fffff, 0x7f80}, /* to infinity */
        {0x7f800000, 0x7f80}, {0xff800000, 0xff80}, {0x00800000, 0x0080}, /* smallest normal */
        {0x007fffff, 0x0000}, {0x80000001, 0x0000}, {0x00000000, 0x0000}, /* denormals */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float numbers[40]; /* vectors and what is left of them */
        train_bf16 rounded[40];
        for (int k = 0; k < 40; k++)
            numbers[k] = from_bits(cases[i].given);
        rounding->round(NULL, numbers, 39, rounded);
        for (int k = 0; k < 39; k++)
            assert_int_equal(rounded[k], cases[i].expected);
    }
    float none[] = {from_bits(0x7fffffff), from_bits(0x7f800001), from_bits(0xffc00000)};
    train_bf16 rounded[3];
    rounding->round(NULL, none, 3, rounded);
    for (int k = 0; k < 3; k++)
        assert_true(isnan(float_of(rounded[k])));
}

static void test_rounding_of_gradients(void **state)
{
    (void)state;
    const train_rounding *rounding = backend_bf16()->rounding;
    enum { ROWS = 5, CHANNELS = 19 };
    test_random random = {3};
    float *dy = numbers(&random, ROWS * CHANNELS), *y = numbers(&random, ROWS * CHANNELS);
    float scratch[TRAIN_NORM_SCRATCH * CHANNELS], sums[CHANNELS];
    train_bf16 rounded[ROWS * CHANNELS];
    for (int masks = 0; masks < 2; masks++) {
        float expected[CHANNELS] = {0};
        omp_set_num_threads(1 + masks);
        rounding->round_gradient(NULL, masks ? y : NULL, dy, ROWS, CHANNELS, scratch, rounded,
                                 sums);
        for (int i = 0; i < ROWS * CHANNELS; i++) {
            float gradient = masks && y[i] <= 0 ? 0 : dy[i];
            assert_float_equal(float_of(rounded[i]), gradient, fabsf(gradient) / 256);
            expected[i % CHANNELS] += gradient;
        }
        for (int c = 0; c < CHANNELS; c++)
            assert_float_equal(sums[c], expected[c], 1e-6);
    }
    omp_set_num_threads(1);
    free(dy);
    free(y);
}

/* ---- Convolutions and products against the reference ---- */

static train_bf16 *rounded_copy(const train_rounding *rounding, const float *x, size_t count)
{
    train_bf16 *copy = memory_aligned(count * sizeof *copy);
    assert_non_null(copy);
    rounding->round(NULL, x, count, copy);
    return copy;
}

/* Numbers that are BF16 already. */
static void make_exact(const train_rounding *rounding, float *x, size_t count)
{
    train_bf16 *rounded = rounded_copy(rounding, x, count);
    for (size_t i = 0; i < count; i++)
        x[i] = float_of(rounded[i]);
    free(rounded);
}

/* y, dx and dw of the backend in BF16, channels last; false when it leaves the shape to float. */
static bool run_rounded(const nn_conv *s, const float *x, const float *weights, const float *dy,
                        float *y, float *dx, float *dw)
{
    const train_backend *backend = backend_bf16();
    const train_rounding *rounding = backend->rounding;
    train_conv *conv;
    mien_error error;
    assert_ok(backend->conv_create(NULL, s, true, &conv, &error), &error);
    bool takes = rounding->takes(conv);
    void *scratch = scratch_for(backend, conv);
    float *x_last = moved(x, &s->in, true), *dy_last = moved(dy, &s->out, true);
    train_bf16 *x_rounded = rounded_copy(rounding, x_last, count_of(&s->in));
    train_bf16 *dy_rounded = rounded_copy(rounding, dy_last, count_of(&s->out));
    if (takes) {
        rounding->conv_forward(conv, x_rounded, weights, NULL, y, scratch);
        rounding->conv_backward(conv, x_rounded, weights, dy_rounded, dx, dw, scratch);
    }
    free(scratch);
    backend->conv_free(conv);
    free(x_last);
    free(dy_last);
    free(x_rounded);
    free(dy_rounded);
    return takes;
}

static bool compare(const nn_conv *s, bool exact, test_random *random)
{
    const train_backend *slow = &train_backend_ref;
    size_t in = count_of(&s->in), out = count_of(&s->out);
    size_t taps = (size_t)(s->window.kernel[0] * s->window.kernel[1]);
    size_t each = (size_t)(s->in.channels / s->group);
    size_t weight_count = (size_t)s->out.channels * each * taps;
    float *x = numbers(random, in), *dy = numbers(random, out);
    float *weights = numbers(random, weight_count);
    float *y[2] = {numbers(random, out), numbers(random, out)};
    float *dx[2] = {numbers(random, in), numbers(random, in)};
    float *dw[2] = {numbers(random, weight_count), numbers(random, weight_count)};
    for (int i = 0; exact && i < 3; i++)
        make_exact(backend_bf16()->rounding,
                   i == 0   ? x
                   : i == 1 ? dy
                            : weights,
                   i == 0   ? in
                   : i == 1 ? out
                            : weight_count);
    train_conv *conv;
    mien_error error;
    assert_ok(slow->conv_create(NULL, s, true, &conv, &error), &error);
    slow->conv_forward(conv, x, weights, NULL, y[0], NULL);
    slow->conv_backward(conv, x, weights, dy, dx[0], dw[0], NULL, NULL);
    slow->conv_free(conv);
    bool takes = run_rounded(s, x, weights, dy, y[1], dx[1], dw[1]);
    /* assert_near allows 2^-23 a term. */
    double digits = exact ? 1 : ldexp(1, 23 - 8);
    double pixels = (double)(s->out.batch * s->out.height * s->out.width);
    if (takes) {
        assert_picture("forward", &s->out, y[1], y[0], digits * (double)(each * taps));
        assert_picture("gradient of the input", &s->in, dx[1], dx[0],
                       digits * (double)(taps * (size_t)(s->out.channels / s->group)));
        assert_near("gradient of the weights", &s->in, dw[1], dw[0], weight_count, digits * pixels);
    }
    float *all[] = {x, dy, weights, y[0], y[1], dx[0], dx[1], dw[0], dw[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    return takes;
}

static void test_convolutions(void **state)
{
    (void)state;
    backend_bf16();
    test_random random = {5};
    for (int channels = 1; channels <= 40; channels += channels < 8 ? 1 : 4) {
        omp_set_num_threads(channels % 8 == 0 ? 2 : 1);
        for (int i = 0; i < WINDOWS; i++) {
            nn_conv s = {.in = {3, 7, 6, channels}, .window = windows[i], .group = 1};
            s.out = windowed(&s.in, &s.window, (channels * 5) % 37 + 1);
            compare(&s, true, &random);
            compare(&s, false, &random);
            s.out.channels = 32;
            bool takes = compare(&s, true, &random);
            assert_true(takes || channels % 16 != 0);
        }
    }
    omp_set_num_threads(1);
}

/* One picture's pixel is a row. */
static void test_products(void **state)
{
    (void)state;
    backend_bf16();
    test_random random = {7};
    static const int sizes[] = {1, 2, 7, 16, 33, 130};
    const nn_window one = windows[0];
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 6; k++)
            for (int o = 0; o < 6; o++) {
                nn_conv s = {.in = {sizes[i], 1, 1, sizes[k]}, .window = one, .group = 1};
                s.window.pad_before[0] = s.window.pad_before[1] = 0;
                s.window.pad_after[0] = s.window.pad_after[1] = 0;
                s.window.kernel[0] = s.window.kernel[1] = 1;
                s.out = (nn_extent){sizes[i], 1, 1, sizes[o]};
                compare(&s, true, &random);
                bool takes = compare(&s, false, &random);
                assert_true(takes || sizes[k] % 16 != 0 || sizes[o] % 16 != 0);
            }
}

/* ---- Networks ---- */

static void assert_gradients_near(const char *name, train_network *fast, train_network *slow)
{
    size_t count = train_network_tape(slow)->parameter_count;
    const float **given = calloc(count, sizeof *given);
    assert_non_null(given);
    for (size_t p = 0; p < count; p++)
        given[p] = train_network_gradients(fast, p);
    network_gradients_near(name, given, slow);
    free(given);
}

static int body_residual(nn_builder *b, int x, int channels)
{
    nn_build_conv_options options = {.outputs = channels, .kernel = 3, .padding = NN_BUILD_SAME};
    x = nn_build_relu(b, nn_build_batch_norm(b, nn_build_conv(b, x, options), 1e-3f));
    int y = nn_build_batch_norm(b, nn_build_conv(b, x, options), 1e-3f);
    options.kernel = 1;
    int shortcut = nn_build_batch_norm(b, nn_build_conv(b, x, options), 1e-3f);
    return nn_build_relu(b, nn_build_add(b, y, shortcut));
}

static void test_networks_agree_with_float(void **state)
{
    (void)state;
    const struct named_body residual = {"residual", body_residual};
    for (size_t i = 0; i <= BODIES; i++) {
        const struct named_body *body = i < BODIES ? &bodies[i] : &residual;
        nn_model *model = network_model(body->body, 16, 9);
        train_network *slow = network_of(model, NETWORK_BATCH, &train_backend_onednn);
        train_network *fast = network_of(model, NETWORK_BATCH, backend_bf16());
        network_fill_input(slow, 3);
        network_fill_input(fast, 3);
        network_learn(slow, 0.1f);
        network_learn(fast, 0.1f);
        assert_gradients_near(body->name, fast, slow);
        train_network_free(slow);
        train_network_free(fast);
        nn_model_free(model);
    }
}

static void test_processor_is_left_as_it_was(void **state)
{
    (void)state;
#if defined(__x86_64__)
    nn_model *model = network_model(body_conv_relu, 16, 9);
    train_network *network = network_of(model, NETWORK_BATCH, backend_bf16());
    unsigned before = _mm_getcsr();
    network_fill_input(network, 3);
    network_learn(network, 0.1f);
    assert_int_equal(_mm_getcsr() & ~0x3fu, before & ~0x3fu); /* but for the flags that stick */
    train_network_free(network);
    nn_model_free(model);
#endif
}

/* ---- Learning ---- */

enum { PICTURES = 14, STEPS = 30 };

static void fill_pictures(train_network *network, const dataset *set)
{
    float *input = train_network_input(network);
    for (size_t i = 0; i < PICTURES; i++)
        for (size_t p = 0; p < SET_SIDE * SET_SIDE; p++)
            *input++ = (float)set->samples[i].image.data[p] / 127.5f - 1;
}

static void update(train_network *network, float **states, int64_t step)
{
    optimiser_settings settings = optimiser_defaults(OPTIMISER_SGD);
    const train_tape *tape = train_network_tape(network);
    for (size_t p = 0; p < tape->parameter_count; p++)
        if (!tape->parameters[p].statistic)
            optimiser_update(&settings, 0.05f, step, false, train_network_values(network, p),
                             train_network_gradients(network, p), states[p],
                             tape->parameters[p].count);
}

/* Losses of some steps on one batch. */
static void learn(const char *architecture, const train_backend *backend, int steps,
                  double losses[STEPS])
{
    nn_graph graph;
    mien_error error;
    zoo_options options = {.classes = SET_CLASSES, .channels = 1, .seed = 2};
    assert_ok(zoo_build(architecture, &options, &graph, &error), &error);
    nn_model *model = network_model_of(&graph);
    train_network *network = network_of(model, PICTURES, backend);
    dataset set = set_make(PICTURES, 4);
    int labels[PICTURES];
    for (int i = 0; i < PICTURES; i++)
        labels[i] = set.samples[i].label;
    loss_targets targets = {.n = PICTURES, .classes = SET_CLASSES, .labels = labels};
    size_t parameters = train_network_tape(network)->parameter_count;
    float **states = calloc(parameters, sizeof *states);
    for (size_t p = 0; p < parameters; p++)
        states[p] = calloc(train_network_tape(network)->parameters[p].count, sizeof(float));
    fill_pictures(network, &set);
    for (int step = 0; step < steps; step++) {
        train_network_forward(network, true, 0.1f, 0, (uint64_t)step);
        losses[step] = loss_softmax(&targets, train_network_output(network, 0), 0, 1,
                                    train_network_output_gradient(network, 0));
        train_network_backward(network);
        update(network, states, step + 1);
    }
    for (size_t p = 0; p < parameters; p++)
        free(states[p]);
    free(states);
    set_free(&set);
    train_network_free(network);
    nn_model_free(model);
    nn_graph_free(&graph);
}

/* The first losses are float's to a hundredth; both end where the batch is known. */
static void test_learns_as_float_does(void **state)
{
    (void)state;
    double fast[STEPS], slow[STEPS];
    learn("fcn", backend_bf16(), STEPS, fast);
    learn("fcn", &train_backend_onednn, STEPS, slow);
    assert_float_equal(fast[0], slow[0], 0.01);
    assert_float_equal(fast[1], slow[1], 0.02);
    assert_float_equal(fast[STEPS - 1], slow[STEPS - 1], 0.03);
    assert_true(slow[STEPS - 1] < 0.1 && fast[STEPS - 1] < 0.1);
}

static void test_same_bits_twice(void **state)
{
    (void)state;
    double first[STEPS], second[STEPS];
    for (int threads = 1; threads <= 2; threads++) {
        omp_set_num_threads(threads);
        learn("fcn", backend_bf16(), 5, first);
        learn("fcn", backend_bf16(), 5, second);
        assert_memory_equal(first, second, 5 * sizeof *first);
    }
    omp_set_num_threads(1);
}

/* ---- Asking for it ---- */

static void test_other_backends_refuse(void **state)
{
    (void)state;
    const train_backend *backend;
    mien_error error;
    assert_fails(MIEN_UNSUPPORTED,
                 train_backend_with(&train_backend_ref, TRAIN_BF16, &backend, &error), &error,
                 "needs the backend onednn or cudnn, not ref");
    assert_null(backend);
    assert_ok(train_backend_with(&train_backend_ref, TRAIN_F32, &backend, &error), &error);
    assert_ptr_equal(backend, &train_backend_ref);
}

static void test_recipe_says_it(void **state)
{
    (void)state;
    static const char *const texts[] = {"architecture = fcn\n",
                                        "architecture = fcn\nprecision = bf16\n",
                                        "architecture = fcn\nprecision = f32\n"};
    train_recipe recipe;
    mien_error error;
    for (int i = 0; i < 3; i++) {
        assert_ok(recipe_read(texts[i], strlen(texts[i]), "recipe", &recipe, &error), &error);
        assert_int_equal(recipe.precision, i == 1 ? TRAIN_BF16 : TRAIN_F32);
        recipe_free(&recipe);
    }
    const char *wrong = "architecture = fcn\nprecision = f16\n";
    assert_fails(MIEN_MALFORMED, recipe_read(wrong, strlen(wrong), "recipe", &recipe, &error),
                 &error, "f16");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_rounding_of_gradients),
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_networks_agree_with_float),
        cmocka_unit_test(test_processor_is_left_as_it_was),
        cmocka_unit_test(test_learns_as_float_does),
        cmocka_unit_test(test_same_bits_twice),
        cmocka_unit_test(test_other_backends_refuse),
        cmocka_unit_test(test_recipe_says_it),
    };
    omp_set_num_threads(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
