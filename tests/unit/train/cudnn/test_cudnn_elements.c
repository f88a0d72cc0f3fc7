/* SPDX-License-Identifier: Apache-2.0 */

/* What the cudnn backend does number by number, and to parameters, against the host's. */

#include "device_arrays.h"

#include "train/elementwise.h"
#include "train/host.h"

/* ---- Elements ---- */

enum { ELEMENTS = 4099 };

static void same_elements(const char *what, float *array, const float *expected, double terms)
{
    float *copy = malloc(ELEMENTS * sizeof *copy);
    memcpy(copy, expected, ELEMENTS * sizeof *copy);
    same_array(what, &(nn_extent){ELEMENTS, 1, 1, 1}, array, copy, ELEMENTS, terms);
}

static void test_activations(void **state)
{
    (void)state;
    test_random random = {14};
    for (int kind = NN_ACTIVATION_RELU; kind <= NN_ACTIVATION_TANH; kind++) {
        nn_activation a = {(nn_activation_kind)kind, 0.2f, 0.5f};
        both x = plain_both(ELEMENTS, &random), dy = plain_both(ELEMENTS, &random);
        float *y = malloc(ELEMENTS * sizeof *y), *y_fast = brought(x.first, ELEMENTS);
        memcpy(y, x.first, ELEMENTS * sizeof *y);
        elementwise_activate(a, ELEMENTS, y);
        fast->elements->activate(device, a, ELEMENTS, y_fast);
        fast->elements->activate_backward(device, a, x.last, y_fast, dy.last, ELEMENTS, dy.last);
        elementwise_activate_backward(a, x.first, y, dy.first, ELEMENTS, dy.first);
        same_elements("activation", y_fast, y, 4);
        same_elements("its slope", dy.last, dy.first, 8);
        free(dy.first);
        free(y);
        free_both(&x);
    }
}

static void test_elements(void **state)
{
    (void)state;
    test_random random = {15};
    both a = plain_both(ELEMENTS, &random), b = plain_both(ELEMENTS, &random);
    float expected[ELEMENTS];
    float *y = unwritten(ELEMENTS);
    fast->elements->add(device, a.last, b.last, ELEMENTS, y);
    elementwise_add(a.first, b.first, ELEMENTS, expected);
    same_elements("sum", y, expected, 0);
    y = unwritten(ELEMENTS);
    fast->elements->multiply(device, a.last, b.last, ELEMENTS, y);
    elementwise_multiply(a.first, b.first, ELEMENTS, expected);
    same_elements("product", y, expected, 0);
    y = unwritten(ELEMENTS);
    fast->elements->dropout(device, a.last, ELEMENTS, 0, 1, 2, 3, y);
    same_elements("nothing dropped", y, a.first, 0);
    for (uint64_t step = 0; step < 3; step++) { /* onednn drops the same numbers */
        y = unwritten(ELEMENTS);
        fast->elements->dropout(device, a.last, ELEMENTS, 0.3f, 77, step, 5, y);
        elementwise_dropout(a.first, ELEMENTS, 0.3f, 77, step, 5, expected);
        same_elements("dropout", y, expected, 0);
    }
    free_both(&a);
    free_both(&b);
}

static void test_orders(void **state)
{
    (void)state;
    test_random random = {16};
    nn_extent e = {3, 5, 4, 7};
    both x = both_of(&e, &random);
    float *y = unwritten(count_of(&e)), *scratch = unwritten(count_of(&e));
    fast->elements->take_input(device, x.first, &e, scratch, y);
    float *given = fetched(y, count_of(&e)), *expected = fetched(x.last, count_of(&e));
    assert_memory_equal(given, expected, count_of(&e) * sizeof *given);
    fast->elements->transpose(device, y, e.batch, e.height * e.width, e.channels, scratch);
    free(given);
    given = fetched(scratch, count_of(&e));
    assert_memory_equal(given, x.first, count_of(&e) * sizeof *given);
    free(given);
    free(expected);
    release(y);
    release(scratch);
    free_both(&x);
}

/* ---- Updates ---- */

/* More parameters than a kernel takes at once, each with some of what one may have. */
enum { MOVED = 75 };

static void compare_optimiser(optimiser_settings settings, test_random *random)
{
    both values[MOVED], gradients[MOVED], states[MOVED], averages[MOVED];
    train_moved moved[2][MOVED];
    for (size_t p = 0; p < MOVED; p++) {
        size_t count = 1 + p * 7 % 33;
        values[p] = plain_both(count, random);
        gradients[p] = plain_both(count, random);
        averages[p] = plain_both(count, random);
        float *zeros = calloc(2 * count, sizeof *zeros);
        states[p] = (both){zeros, brought(zeros, 2 * count)};
        bool learns = p % 5 != 0, averaged = p % 3 != 0;
        moved[0][p] = (train_moved){values[p].first, learns ? gradients[p].first : NULL,
                                    states[p].first, averaged ? averages[p].first : NULL,
                                    count,           p % 2 == 0};
        moved[1][p] = (train_moved){values[p].last, learns ? gradients[p].last : NULL,
                                    states[p].last, averaged ? averages[p].last : NULL,
                                    count,          p % 2 == 0};
    }
    for (int64_t step = 1; step <= 3; step++) {
        train_host_updates.update(NULL, &settings, 0.05f, step, 0.75f, moved[0], MOVED);
        fast->updates->update(device, &settings, 0.05f, step, 0.75f, moved[1], MOVED);
    }
    for (size_t p = 0; p < MOVED; p++) {
        size_t count = moved[0][p].count;
        nn_extent e = {1, 1, 1, (int64_t)count};
        same_array("values", &e, values[p].last, values[p].first, count, 8);
        same_array("the optimiser's state", &e, states[p].last, states[p].first, 2 * count, 8);
        same_array("average", &e, averages[p].last, averages[p].first, count, 8);
        free_both(&gradients[p]);
    }
}

static void test_optimisers(void **state)
{
    (void)state;
    test_random random = {17};
    for (int kind = OPTIMISER_SGD; kind <= OPTIMISER_ADAMW; kind++) {
        optimiser_settings settings = optimiser_defaults((optimiser_kind)kind);
        settings.weight_decay = 0.1f;
        compare_optimiser(settings, &random);
        settings.nesterov = false;
        compare_optimiser(settings, &random);
        settings.momentum = 0;
        compare_optimiser(settings, &random);
    }
}

static void test_gradients_together(void **state)
{
    (void)state;
    test_random random = {18};
    both a = plain_both(ELEMENTS, &random), b = plain_both(ELEMENTS, &random);
    const size_t counts[] = {ELEMENTS, 3};
    double norm = optimiser_norm((const float *const[]){a.first, b.first}, counts, 2);
    double given = fast->updates->norm(device, (const float *const[]){a.last, b.last}, counts, 2);
    assert_float_equal(given, norm, 1e-9 * norm);
    fast->updates->clip(device, (float *const[]){a.last, b.last}, counts, 2, norm, norm / 3);
    optimiser_clip((float *const[]){a.first, b.first}, counts, 2, norm, norm / 3);
    fast->updates->ascend(device, b.last, a.last, ELEMENTS, 2, 0.25f);
    optimiser_ascend(b.first, a.first, ELEMENTS, 2, 0.25f);
    fast->updates->swap(device, a.last, b.last, ELEMENTS);
    same_elements("clipped", b.last, a.first, 1);
    same_elements("ascended", a.last, b.first, 4);
    free(a.first);
    free(b.first);
}

static void test_weights_in_8_bits(void **state)
{
    (void)state;
    test_random random = {19};
    both weights = plain_both(ELEMENTS, &random);
    size_t inner = 9, outputs = ELEMENTS / inner;
    fast->updates->quantise(device, weights.last, outputs, inner);
    optimiser_quantise(weights.first, outputs, inner);
    same_elements("quantised", weights.last, weights.first, 1);
    free(weights.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_optimisers),
        cmocka_unit_test(test_gradients_together),
        cmocka_unit_test(test_weights_in_8_bits),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
