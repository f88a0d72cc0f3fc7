/* SPDX-License-Identifier: Apache-2.0 */

/* The cudnn backend's functions against the reference's, on odd shapes. */

#include "device_arrays.h"

#include "train/host.h"

/* ---- Convolutions ---- */

/* Of sums that a vendor's library makes, in the digits that it has. */
static double terms_of(const nn_conv *s, double terms)
{
    return s->group == s->in.channels ? terms : terms * tables_slack();
}

static void compare_conv(const nn_conv *s, test_random *random)
{
    size_t taps = (size_t)(s->window.kernel[0] * s->window.kernel[1]);
    size_t each = (size_t)(s->in.channels / s->group), wide = (size_t)s->out.channels;
    size_t weight_count = wide * each * taps;
    both x = both_of(&s->in, random), dy = both_of(&s->out, random);
    both weights = plain_both(weight_count, random), bias = plain_both(wide, random);
    float *y = numbers(random, count_of(&s->out)), *y_fast = unwritten(count_of(&s->out));
    float *dx = numbers(random, count_of(&s->in)), *dx_fast = unwritten(count_of(&s->in));
    float *dw = numbers(random, weight_count), *dw_fast = unwritten(weight_count);
    float *db = numbers(random, wide), *db_fast = unwritten(wide);
    train_conv *conv[2];
    mien_error error;
    assert_ok(train_backend_ref.conv_create(NULL, s, true, &conv[0], &error), &error);
    assert_ok(fast->conv_create(device, s, true, &conv[1], &error), &error);
    void *scratch = fast->memory->allocate(device, fast->conv_scratch(conv[1]) + 1);
    train_backend_ref.conv_forward(conv[0], x.first, weights.first, bias.first, y, NULL);
    train_backend_ref.conv_backward(conv[0], x.first, weights.first, dy.first, dx, dw, db, NULL);
    fast->conv_forward(conv[1], x.last, weights.last, bias.last, y_fast, scratch);
    fast->conv_backward(conv[1], x.last, weights.last, dy.last, dx_fast, dw_fast, db_fast, scratch);
    double pixels = (double)(s->out.batch * s->out.height * s->out.width);
    same_picture("forward", &s->out, y_fast, y, terms_of(s, (double)(each * taps) + 2));
    same_picture("gradient of the input", &s->in, dx_fast, dx,
                 terms_of(s, (double)(taps * wide / (size_t)s->group) + 2));
    same_array("gradient of the weights", &s->in, dw_fast, dw, weight_count,
               terms_of(s, pixels + 2));
    same_array("gradient of the bias", &s->in, db_fast, db, wide, pixels);
    train_backend_ref.conv_free(conv[0]);
    fast->conv_free(conv[1]);
    release(scratch);
    free_both(&x);
    free_both(&dy);
    free_both(&weights);
    free_both(&bias);
}

static void test_convolutions(void **state)
{
    (void)state;
    test_random random = {5};
    static const int channels[] = {1, 2, 3, 4, 6, 8, 12, 17, 33};
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
        for (int i = 0; i < WINDOWS; i++) {
            nn_conv s = {.in = {3, 7, 6, channels[c]}, .window = windows[i], .group = 1};
            s.out = windowed(&s.in, &s.window, (channels[c] * 5) % 37 + 1);
            compare_conv(&s, &random);
            s.group = channels[c]; /* depthwise, with one result a channel and with two */
            s.out.channels = channels[c] * (1 + i % 2);
            compare_conv(&s, &random);
            s.group = channels[c] % 2 == 0 ? 2 : 1;
            s.out.channels = 2 * 3;
            compare_conv(&s, &random);
        }
}

/* So many rows that sums go through several levels of parts. */
static void test_convolutions_of_many_pixels(void **state)
{
    (void)state;
    test_random random = {8};
    nn_conv first = {.in = {8, 48, 48, 1}, .window = windows[1], .group = 1};
    nn_conv depthwise = {.in = {3, 41, 53, 19}, .window = windows[2], .group = 19};
    first.out = windowed(&first.in, &first.window, 5);
    depthwise.out = windowed(&depthwise.in, &depthwise.window, 19);
    compare_conv(&first, &random);
    compare_conv(&depthwise, &random);
}

/* ---- Products ---- */

static void compare_dense(int64_t rows, int64_t inner, int64_t outputs, test_random *random)
{
    nn_extent in = {rows, 1, 1, inner};
    size_t r = (size_t)rows, i = (size_t)inner, o = (size_t)outputs;
    double slack = tables_slack();
    both x = plain_both(r * i, random), weights = plain_both(o * i, random);
    both bias = plain_both(o, random), dy = plain_both(r * o, random);
    float *y = numbers(random, r * o), *y_fast = unwritten(r * o);
    float *dx = numbers(random, r * i), *dx_fast = unwritten(r * i);
    float *dw = numbers(random, o * i), *dw_fast = unwritten(o * i);
    float *db = numbers(random, o), *db_fast = unwritten(o);
    train_backend_ref.dense_forward(NULL, rows, inner, outputs, x.first, weights.first, bias.first,
                                    y);
    train_backend_ref.dense_backward(NULL, rows, inner, outputs, x.first, weights.first, dy.first,
                                     dx, dw, db);
    fast->dense_forward(device, rows, inner, outputs, x.last, weights.last, bias.last, y_fast);
    fast->dense_backward(device, rows, inner, outputs, x.last, weights.last, dy.last, dx_fast,
                         dw_fast, db_fast);
    same_array("product", &in, y_fast, y, r * o, ((double)inner + 2) * slack);
    same_array("gradient of its input", &in, dx_fast, dx, r * i, (double)outputs * slack);
    same_array("gradient of its weights", &in, dw_fast, dw, o * i, (double)rows * slack);
    same_array("gradient of its bias", &in, db_fast, db, o, (double)rows);
    free_both(&x);
    free_both(&weights);
    free_both(&bias);
    free_both(&dy);
}

static void test_products(void **state)
{
    (void)state;
    test_random random = {7};
    static const int sizes[] = {1, 2, 7, 16, 33};
    for (int i = 0; i < 125; i++)
        compare_dense(sizes[i % 5], sizes[i / 5 % 5], sizes[i / 25], &random);
}

/* ---- BatchNormalization ---- */

/* A batch norm's arrays by channel. */
typedef struct norm_arrays {
    both scale, shift, mean, inverse, running_mean, running_variance;
} norm_arrays;

static norm_arrays norm_arrays_of(size_t channels, test_random *random)
{
    norm_arrays a;
    both *all[] = {&a.scale, &a.shift, &a.mean, &a.inverse, &a.running_mean, &a.running_variance};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = plain_both(channels, random);
    for (size_t c = 0; c < channels; c++)
        a.running_variance.first[c] = 1.5f + a.running_variance.first[c];
    fast->memory->bring(device, a.running_variance.last, a.running_variance.first,
                        channels * sizeof(float));
    return a;
}

static void free_norm_arrays(norm_arrays *a)
{
    both *all[] = {&a->scale,   &a->shift,        &a->mean,
                   &a->inverse, &a->running_mean, &a->running_variance};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free_both(all[i]);
}

static void same_channels(const char *what, const nn_extent *e, const both *b, double terms)
{
    size_t count = (size_t)e->channels;
    float *given = fetched(b->last, count);
    assert_near(what, e, given, b->first, count, terms);
    free(given);
}

/* Numbers of some tens, for a normalised number times a gradient of some ones each. */
#define NORM_TERMS 400

static void compare_norm_forward(const train_norm norm[2], const both *x, norm_arrays *a)
{
    const nn_extent *e = &norm[0].extent;
    float *y = malloc(count_of(e) * sizeof *y), *y_fast = unwritten(count_of(e));
    float *again = malloc(count_of(e) * sizeof *y), *again_fast = unwritten(count_of(e));
    float *running = malloc(count_of(e) * sizeof *y), *running_fast = unwritten(count_of(e));
    train_backend_ref.norm_forward(&norm[0], x->first, a->scale.first, a->shift.first,
                                   a->mean.first, a->inverse.first, y);
    fast->norm_forward(&norm[1], x->last, a->scale.last, a->shift.last, a->mean.last,
                       a->inverse.last, y_fast);
    same_channels("mean", e, &a->mean, 4);
    same_channels("inverse of the deviation", e, &a->inverse, 60);
    fast->norm_again(&norm[1], x->last, a->scale.last, a->shift.last, a->mean.last, a->inverse.last,
                     again_fast);
    float *first = fetched(y_fast, count_of(e)), *second = fetched(again_fast, count_of(e));
    assert_memory_equal(first, second, count_of(e) * sizeof *first);
    free(first);
    free(second);
    memcpy(again, y, count_of(e) * sizeof *y);
    same_picture("normalised", e, y_fast, y, NORM_TERMS);
    same_picture("normalised again", e, again_fast, again, NORM_TERMS);
    train_backend_ref.norm_running(&norm[0], x->first, a->scale.first, a->shift.first,
                                   a->running_mean.first, a->running_variance.first, running);
    fast->norm_running(&norm[1], x->last, a->scale.last, a->shift.last, a->running_mean.last,
                       a->running_variance.last, running_fast);
    same_picture("normalised by running statistics", e, running_fast, running, NORM_TERMS);
}

static void compare_norm_backward(const train_norm norm[2], const both *x, norm_arrays *a,
                                  test_random *random)
{
    const nn_extent *e = &norm[0].extent;
    size_t channels = (size_t)e->channels;
    double rows = (double)(e->batch * e->height * e->width);
    both dy = both_of(e, random);
    float *dx = malloc(count_of(e) * sizeof *dx), *dx_fast = unwritten(count_of(e));
    float *d_scale = malloc(channels * sizeof *dx), *d_scale_fast = unwritten(channels);
    float *d_shift = malloc(channels * sizeof *dx), *d_shift_fast = unwritten(channels);
    train_backend_ref.norm_backward(&norm[0], x->first, a->scale.first, a->shift.first,
                                    a->mean.first, a->inverse.first, dy.first, dx, d_scale,
                                    d_shift);
    fast->norm_backward(&norm[1], x->last, a->scale.last, a->shift.last, a->mean.last,
                        a->inverse.last, dy.last, dx_fast, d_scale_fast, d_shift_fast);
    same_picture("gradient through the norm", e, dx_fast, dx, NORM_TERMS);
    same_array("gradient of the scale", e, d_scale_fast, d_scale, channels, 4 * rows);
    same_array("gradient of the shift", e, d_shift_fast, d_shift, channels, 4 * rows);
    free_both(&dy);
}

static void compare_norm(const nn_extent *e, nn_activation activation, test_random *random)
{
    size_t channels = (size_t)e->channels;
    train_norm norm[2] = {{.extent = *e, .epsilon = 1e-3f, .activation = activation},
                          {.extent = *e, .epsilon = 1e-3f, .activation = activation}};
    norm[1].device = device;
    both x = both_of(e, random);
    norm_arrays a = norm_arrays_of(channels, random);
    compare_norm_forward(norm, &x, &a);
    compare_norm_backward(norm, &x, &a, random);
    int64_t rows = e->batch * e->height * e->width;
    train_host_updates.move_statistics(NULL, rows, e->channels, norm->epsilon, 0.1f, a.mean.first,
                                       a.inverse.first, a.running_mean.first,
                                       a.running_variance.first);
    fast->updates->move_statistics(device, rows, e->channels, norm->epsilon, 0.1f, a.mean.last,
                                   a.inverse.last, a.running_mean.last, a.running_variance.last);
    same_channels("running mean", e, &a.running_mean, 4);
    same_channels("running variance", e, &a.running_variance, 60);
    free_norm_arrays(&a);
    free_both(&x);
}

/* A slope that is 0 on one side of an edge may differ where a number lies at it: the seeds are
 * such that none does. */
static void test_norms(void **state)
{
    (void)state;
    test_random random = {12};
    static const nn_activation activations[] = {
        {NN_ACTIVATION_NONE, 0, 0}, {NN_ACTIVATION_RELU, 0, 0}, {NN_ACTIVATION_CLIP, -0.5f, 1}};
    for (int channels = 1; channels <= 40; channels += 3) {
        nn_extent small = {3, 5, 4, channels}, wide = {4, 23, 29, channels};
        for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
            compare_norm(channels % 2 == 0 ? &small : &wide, activations[i], &random);
    }
}

/* Numbers far from 0 keep the digits of their variance. */
static void test_norms_keep_their_digits(void **state)
{
    (void)state;
    enum { CHANNELS = 5 };
    test_random random = {3};
    nn_extent e = {8, 31, 29, CHANNELS};
    train_norm norm = {.device = device, .extent = e, .epsilon = 1e-5f};
    float *host = numbers(&random, count_of(&e)), ones[CHANNELS] = {1, 1, 1, 1, 1};
    for (size_t i = 0; i < count_of(&e); i++)
        host[i] += 1000;
    float *x = brought(host, count_of(&e)), *y = unwritten(count_of(&e));
    float *scale = brought(ones, CHANNELS), *mean = unwritten(CHANNELS);
    float *inverse = unwritten(CHANNELS);
    fast->norm_forward(&norm, x, scale, scale, mean, inverse, y);
    float *given = fetched(inverse, CHANNELS);
    for (int c = 0; c < CHANNELS; c++) {
        double sum = 0, squares = 0, rows = 8 * 31 * 29;
        for (size_t i = (size_t)c; i < count_of(&e); i += CHANNELS)
            sum += (double)host[i] - 1000;
        for (size_t i = (size_t)c; i < count_of(&e); i += CHANNELS)
            squares +=
                ((double)host[i] - 1000 - sum / rows) * ((double)host[i] - 1000 - sum / rows);
        assert_float_equal(given[c], 1 / sqrt(squares / rows + 1e-5), 1e-5);
    }
    float *arrays[] = {x, y, scale, mean, inverse};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        release(arrays[i]);
    free(given);
    free(host);
}

/* ---- Pooling ---- */

static void compare_pool(const nn_pool *p, test_random *random)
{
    both x = both_of(&p->in, random), dy = both_of(&p->out, random);
    float *y = numbers(random, count_of(&p->out)), *y_fast = unwritten(count_of(&p->out));
    float *dx = numbers(random, count_of(&p->in)), *dx_fast = unwritten(count_of(&p->in));
    uint8_t *winners = calloc(count_of(&p->out), 1);
    uint8_t *winners_fast = brought_bytes(winners, count_of(&p->out));
    train_backend_ref.pool_forward(NULL, p, x.first, y, winners);
    train_backend_ref.pool_backward(NULL, p, dy.first, winners, dx);
    fast->pool_forward(device, p, x.last, y_fast, winners_fast);
    fast->pool_backward(device, p, dy.last, winners_fast, dx_fast);
    same_picture("pooling", &p->out, y_fast, y, p->maximum ? 0 : 4);
    same_picture("gradient of pooling", &p->in, dx_fast, dx, 4);
    free(winners);
    release(winners_fast);
    free_both(&x);
    free_both(&dy);
}

static void test_pooling(void **state)
{
    (void)state;
    test_random random = {6};
    for (int channels = 1; channels <= 40; channels += 7)
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

/* ---- Channels ---- */

static void compare_global_average(const nn_extent *e, test_random *random)
{
    nn_extent one = {e->batch, 1, 1, e->channels};
    both x = both_of(e, random), dy = both_of(&one, random);
    float *y = numbers(random, count_of(&one)), *y_fast = unwritten(count_of(&one));
    float *dx = numbers(random, count_of(e)), *dx_fast = unwritten(count_of(e));
    train_backend_ref.global_average_forward(NULL, e, x.first, y);
    train_backend_ref.global_average_backward(NULL, e, dy.first, dx);
    fast->global_average_forward(device, e, x.last, y_fast);
    fast->global_average_backward(device, e, dy.last, dx_fast);
    same_picture("average", &one, y_fast, y, 4);
    same_picture("gradient of the average", e, dx_fast, dx, 1);
    free_both(&x);
    free_both(&dy);
}

static void compare_scale(const nn_extent *e, test_random *random)
{
    nn_extent one = {e->batch, 1, 1, e->channels};
    double pixels = (double)(e->height * e->width);
    both x = both_of(e, random), dy = both_of(e, random), factor = both_of(&one, random);
    float *y = numbers(random, count_of(e)), *y_fast = unwritten(count_of(e));
    float *dx = numbers(random, count_of(e)), *dx_fast = unwritten(count_of(e));
    float *df = numbers(random, count_of(&one)), *df_fast = unwritten(count_of(&one));
    train_backend_ref.scale_channels_forward(NULL, e, x.first, factor.first, y);
    train_backend_ref.scale_channels_backward(NULL, e, x.first, factor.first, dy.first, dx, df);
    fast->scale_channels_forward(device, e, x.last, factor.last, y_fast);
    fast->scale_channels_backward(device, e, x.last, factor.last, dy.last, dx_fast, df_fast);
    same_picture("scaled channels", e, y_fast, y, 1);
    same_picture("gradient of scaled channels", e, dx_fast, dx, 1);
    same_picture("gradient of their factors", &one, df_fast, df, pixels);
    free_both(&x);
    free_both(&dy);
    free_both(&factor);
}

static void compare_join(const nn_extent *e, test_random *random)
{
    enum { BEFORE = 3, BEHIND = 2 };
    nn_extent all = {e->batch, e->height, e->width, e->channels + BEFORE + BEHIND};
    both part = both_of(e, random), whole = both_of(&all, random);
    float *back = numbers(random, count_of(e)), *back_fast = unwritten(count_of(e));
    train_backend_ref.split_channels(NULL, e, BEFORE, all.channels, whole.first, back);
    fast->split_channels(device, e, BEFORE, all.channels, whole.last, back_fast);
    same_picture("a part of the channels", e, back_fast, back, 0);
    train_backend_ref.join_channels(NULL, e, BEFORE, all.channels, part.first, whole.first);
    fast->join_channels(device, e, BEFORE, all.channels, part.last, whole.last);
    same_picture("joined channels", &all, whole.last, whole.first, 0);
    free_both(&part);
}

static void test_channels(void **state)
{
    (void)state;
    test_random random = {13};
    for (int channels = 1; channels <= 40; channels += 3) {
        nn_extent e = {3, 5, 1 + channels % 4, channels};
        compare_global_average(&e, &random);
        compare_scale(&e, &random);
        compare_join(&e, &random);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_convolutions_of_many_pixels),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_norms),
        cmocka_unit_test(test_norms_keep_their_digits),
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_channels),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
