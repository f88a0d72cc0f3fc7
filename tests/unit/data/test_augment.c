/* SPDX-License-Identifier: Apache-2.0 */
#include "data/augment.h"
#include "data/augment_geometry.h"
#include "support.h"

#include <math.h>

enum { MOST_SIDE = 48, MOST_FLOATS = 3 * MOST_SIDE * MOST_SIDE };

static const augment_geometry unchanged = {.zoom = 1, .side = 1};

static prep_settings settings_of(prep_format format, int width, int height)
{
    return (prep_settings){.format = format,
                           .width = width,
                           .height = height,
                           .mean = {120, 110, 100},
                           .scale = {0.01f, 0.02f, 0.03f}};
}

/* Values as they lie in the picture. */
static prep_settings raw_settings(int width, int height)
{
    return (prep_settings){
        .format = PREP_GRAY, .width = width, .height = height, .scale = {1, 1, 1}};
}

static mien_image view_of(uint8_t *pixels, int width, int height, mien_pixel_format format)
{
    const size_t sizes[] = {0, 1, 3, 3, 4, 4};
    return (mien_image){.data = pixels,
                        .width = width,
                        .height = height,
                        .stride = (size_t)width * sizes[format],
                        .format = format};
}

static void draw_pixels(test_random *random, uint8_t *pixels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pixels[i] = (uint8_t)(test_random_next(random) >> 56);
}

static void fill(const augment_settings *augment, const prep_settings *prep,
                 const mien_image *image, random_state random, float *input)
{
    mien_error error = {0};
    prep_scratch scratch = {0};
    assert_ok(augment_fill(augment, prep, image, &random, &scratch, input, &error), &error);
    prep_scratch_free(&scratch);
}

static void sample(const augment_geometry *geometry, const prep_settings *prep,
                   const mien_image *image, float *input)
{
    mien_error error = {0};
    prep_scratch scratch = {0};
    const image_rect whole = {0, 0, (float)image->width, (float)image->height};
    assert_ok(augment_sample(geometry, prep, image, &whole, &scratch, input, &error), &error);
    prep_scratch_free(&scratch);
}

/* ---- Geometry ---- */

static void prepare(const prep_settings *prep, const mien_image *image, float *input)
{
    mien_error error = {0};
    prep_scratch scratch = {0};
    prep_face face = {.box = {0, 0, (float)image->width, (float)image->height}};
    assert_ok(prep_fill(prep, image, &face, &scratch, input, &error), &error);
    prep_scratch_free(&scratch);
}

/* Of every format and size: without strengths as prep makes it; mirrored, mirrored exactly. */
static void nothing_drawn_changes_nothing(void **state)
{
    (void)state;
    static uint8_t pixels[4 * MOST_SIDE * MOST_SIDE];
    static float plain[MOST_FLOATS], augmented[MOST_FLOATS];
    for (unsigned seed = 1; seed <= 100; seed++) {
        test_random random = {seed};
        draw_pixels(&random, pixels, sizeof pixels);
        mien_image image = view_of(pixels, test_random_int(&random, 1, MOST_SIDE),
                                   test_random_int(&random, 1, MOST_SIDE),
                                   (mien_pixel_format)test_random_int(&random, 1, 5));
        prep_settings prep = settings_of((prep_format)test_random_int(&random, 0, 2),
                                         test_random_int(&random, 1, MOST_SIDE),
                                         test_random_int(&random, 1, MOST_SIDE));
        prep.margin = seed % 3 != 0 ? 0.1f : 0;
        prep.square = seed % 2 != 0;
        prepare(&prep, &image, plain);
        size_t count = prep_input_floats(&prep), width = (size_t)prep.width;
        const augment_settings none = {0}, mirror = {.mirror = 1};
        fill(&none, &prep, &image, random_start(seed, 1), augmented);
        assert_memory_equal(augmented, plain, count * sizeof *plain);
        fill(&mirror, &prep, &image, random_start(seed, 1), augmented);
        for (size_t i = 0; i < count; i++)
            assert_true(augmented[i] == plain[i / width * width + width - 1 - i % width]);
    }
}

static void assert_turned(double degrees, bool mirror, int (*source)(int side, int x, int y))
{
    enum { SIDE = 17 };
    uint8_t pixels[SIDE * SIDE];
    float input[SIDE * SIDE];
    test_random random = {3};
    draw_pixels(&random, pixels, sizeof pixels);
    mien_image image = view_of(pixels, SIDE, SIDE, MIEN_PIXEL_GRAY8);
    prep_settings prep = raw_settings(SIDE, SIDE);
    augment_geometry geometry = unchanged;
    geometry.angle = degrees * acos(-1) / 180;
    geometry.mirror = mirror;
    sample(&geometry, &prep, &image, input);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            assert_float_equal(input[y * SIDE + x], pixels[source(SIDE, x, y)], 0.01);
}

static int quarter(int side, int x, int y)
{
    return x * side + (side - 1 - y);
}

static int half(int side, int x, int y)
{
    return (side - 1 - y) * side + (side - 1 - x);
}

static int mirrored_half(int side, int x, int y)
{
    return (side - 1 - y) * side + x;
}

static int itself(int side, int x, int y)
{
    return y * side + x;
}

static void right_angles_move_whole_pixels(void **state)
{
    (void)state;
    assert_turned(90, false, quarter);
    assert_turned(180, false, half);
    assert_turned(180, true, mirrored_half);
    assert_turned(360, false, itself);
}

/*
 * On a slope 2 x + y bilinear samples are exact. Where the drawn map leads is worked out here step
 * by step: crop box, mirror, zoom, shear, turn, shift.
 */
static void affine_maps_lead_where_they_should(void **state)
{
    (void)state;
    enum { SIDE = 60, OUT = 16 };
    static uint8_t pixels[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++)
        pixels[i] = (uint8_t)(2 * (i % SIDE) + i / SIDE);
    mien_image image = view_of(pixels, SIDE, SIDE, MIEN_PIXEL_GRAY8);
    prep_settings prep = raw_settings(OUT, OUT);
    prep.margin = -0.25f; /* the crop is the middle half: nothing reaches an edge */
    const augment_settings strong = {
        .mirror = 0.5f, .rotation = 20, .zoom = 0.2f, .shift = 0.1f, .shear = 15, .crop_min = 0.7f};
    for (uint64_t stream = 0; stream < 50; stream++) {
        random_state random = random_start(1, stream);
        augment_geometry g = augment_draw_geometry(&strong, &random);
        float input[OUT * OUT];
        sample(&g, &prep, &image, input);
        for (int i = 0; i < OUT * OUT; i++) {
            double x = ((i % OUT + 0.5) / OUT - 0.5) * g.side + g.place_x;
            double y = ((i / OUT + 0.5) / OUT - 0.5) * g.side + g.place_y;
            x = (g.mirror ? -x : x) / g.zoom + y / g.zoom * tan(g.shear);
            y = y / g.zoom;
            double turned_x = x * cos(g.angle) - y * sin(g.angle) + g.shift_x;
            double turned_y = x * sin(g.angle) + y * cos(g.angle) + g.shift_y;
            double expected = 2 * (30 + 30 * turned_x - 0.5) + (30 + 30 * turned_y - 0.5);
            assert_float_equal(input[i], expected, 0.01);
        }
        g.angle = 0; /* the same map through prep, whose mean of an area is not quite a slope's */
        g.shear = 0;
        float upright[OUT * OUT];
        sample(&g, &prep, &image, upright);
        g.angle = 1e-9;
        sample(&g, &prep, &image, input);
        for (int i = 0; i < OUT * OUT; i++)
            assert_float_equal(upright[i], input[i], 0.5);
    }
}

/* Edges are repeated, and the quick way for grey pictures gives what the general way gives. */
static void gray_and_colour_agree(void **state)
{
    (void)state;
    uint8_t gray[20 * 20], colour[3 * 20 * 20];
    float fast[24 * 24], general[24 * 24];
    test_random random = {9};
    draw_pixels(&random, gray, sizeof gray);
    for (size_t i = 0; i < sizeof colour; i++)
        colour[i] = gray[i / 3];
    const augment_settings strong = {
        .mirror = 0.5f, .rotation = 180, .zoom = 0.9f, .shift = 1, .shear = 30};
    for (uint64_t stream = 0; stream < 200; stream++) {
        mien_image image = view_of(gray, 1 + (int)(stream % 20), 20, MIEN_PIXEL_GRAY8);
        mien_image twin = view_of(colour, image.width, 20, MIEN_PIXEL_RGB8);
        prep_settings prep = raw_settings(24, 1 + (int)(stream % 24));
        random_state one = random_start(2, stream), other = one;
        augment_geometry geometry = augment_draw_geometry(&strong, &one);
        sample(&geometry, &prep, &image, fast);
        sample(&geometry, &prep, &twin, general);
        for (size_t i = 0; i < prep_input_floats(&prep); i++)
            assert_float_equal(fast[i], general[i], 0.02);
        fill(&strong, &prep, &image, other, general);
        assert_memory_equal(fast, general, prep_input_floats(&prep) * sizeof *fast);
    }
}

/* Shrinking takes several samples a pixel: a fine chequerboard becomes grey. */
static void shrinking_averages(void **state)
{
    (void)state;
    static uint8_t pixels[MOST_SIDE * MOST_SIDE];
    for (int i = 0; i < MOST_SIDE * MOST_SIDE; i++)
        pixels[i] = (i + i / MOST_SIDE) % 2 != 0 ? 255 : 0;
    mien_image image = view_of(pixels, MOST_SIDE, MOST_SIDE, MIEN_PIXEL_GRAY8);
    prep_settings prep = raw_settings(6, 6);
    augment_geometry geometry = unchanged;
    geometry.angle = 0.3;
    float input[36];
    sample(&geometry, &prep, &image, input);
    for (int i = 7; i < 29; i++)
        if (i % 6 != 0 && i % 6 != 5)
            assert_float_equal(input[i], 127.5, 25);
}

static void draws_have_their_ranges_and_means(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    const augment_settings s = {
        .mirror = 0.3f, .rotation = 12, .zoom = 0.2f, .shift = 0.1f, .shear = 6, .crop_min = 0.8f};
    const double radians = acos(-1) / 180;
    double mirrors = 0, sums[7] = {0};
    random_state random = random_start(5, 6);
    for (int i = 0; i < DRAWS; i++) {
        augment_geometry g = augment_draw_geometry(&s, &random);
        const double values[] = {g.angle / radians / 12,
                                 (g.zoom - 1) / 0.2,
                                 g.shift_x / 0.1,
                                 g.shift_y / 0.1,
                                 g.shear / radians / 6,
                                 (g.side - 0.9) / 0.1,
                                 g.place_x / (1 - g.side + 1e-9)};
        for (int v = 0; v < 7; v++) {
            assert_true(fabs(values[v]) <= 1.0001);
            sums[v] += values[v];
        }
        assert_true(fabs(g.place_x) + g.side / 2 <= 0.5 + 1e-9);
        assert_true(fabs(g.place_y) + g.side / 2 <= 0.5 + 1e-9);
        mirrors += g.mirror;
    }
    for (int v = 0; v < 7; v++)
        assert_float_equal(sums[v] / DRAWS, 0, 0.02);
    assert_float_equal(mirrors / DRAWS, 0.3, 0.015);
}

static void a_stream_replays(void **state)
{
    (void)state;
    static uint8_t pixels[MOST_SIDE * MOST_SIDE];
    static float one[MOST_FLOATS], other[MOST_FLOATS];
    test_random random = {4};
    draw_pixels(&random, pixels, sizeof pixels);
    mien_image image = view_of(pixels, MOST_SIDE, MOST_SIDE, MIEN_PIXEL_GRAY8);
    prep_settings prep = settings_of(PREP_RGB, MOST_SIDE, MOST_SIDE);
    const augment_settings all = {0.5f, 10, 0.1f, 0.1f, 5, 0.9f, 0.5f, 0.1f, 0.2f, 0.05f};
    fill(&all, &prep, &image, random_start(1, 7), one);
    fill(&all, &prep, &image, random_start(1, 7), other);
    assert_memory_equal(one, other, sizeof one);
    fill(&all, &prep, &image, random_start(1, 8), other);
    assert_memory_not_equal(one, other, sizeof one);
}

static void bad_strengths_and_pictures_are_refused(void **state)
{
    (void)state;
    mien_error error = {0};
    augment_settings s = {.zoom = 1};
    assert_fails(MIEN_INVALID_ARGUMENT, augment_check(&s, &error), &error, "zoom is 1");
    s = (augment_settings){.rotation = -3};
    assert_fails(MIEN_INVALID_ARGUMENT, augment_check(&s, &error), &error, "rotation is -3");
    s = (augment_settings){.noise = NAN};
    assert_fails(MIEN_INVALID_ARGUMENT, augment_check(&s, &error), &error, "noise");
    s = (augment_settings){0.5f, 10, 0.1f, 0.1f, 5, 0.85f, 0.5f, 0.1f, 0.2f, 0.05f};
    assert_ok(augment_check(&s, &error), &error);
    random_state random = random_start(1, 1);
    prep_settings prep = raw_settings(4, 4);
    float input[16];
    mien_image nothing = {0};
    assert_true(augment_fill(&s, &prep, &nothing, &random, NULL, input, &error) ==
                MIEN_INVALID_ARGUMENT);
    uint8_t pixel = 1;
    mien_image image = view_of(&pixel, 1, 1, MIEN_PIXEL_GRAY8);
    prep.margin = 1e30f;
    assert_fails(MIEN_INVALID_ARGUMENT,
                 augment_fill(&s, &prep, &image, &random, NULL, input, &error), &error, "cropped");
}

/* ---- Values ---- */

typedef struct statistics {
    double mean, deviation, lowest, highest;
} statistics;

static statistics statistics_of(const float *values, size_t count)
{
    statistics s = {0, 0, (double)values[0], (double)values[0]};
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        double value = (double)values[i];
        s.mean += value / (double)count;
        squares += value * value / (double)count;
        s.lowest = fmin(s.lowest, value);
        s.highest = fmax(s.highest, value);
    }
    s.deviation = sqrt(fmax(0, squares - s.mean * s.mean));
    return s;
}

static statistics statistics_with(const augment_settings *augment, uint8_t *pixels, uint64_t stream)
{
    static float input[MOST_SIDE * MOST_SIDE];
    mien_image image = view_of(pixels, MOST_SIDE, MOST_SIDE, MIEN_PIXEL_GRAY8);
    prep_settings prep = raw_settings(MOST_SIDE, MOST_SIDE);
    fill(augment, &prep, &image, random_start(11, stream), input);
    return statistics_of(input, MOST_SIDE * MOST_SIDE);
}

/* A picture half of 100, half of 140: mean 120, deviation 20. */
static void set_halves(uint8_t *pixels)
{
    for (int i = 0; i < MOST_SIDE * MOST_SIDE; i++)
        pixels[i] = i % 2 != 0 ? 100 : 140;
}

static void contrast_and_brightness_change_the_moments(void **state)
{
    (void)state;
    static uint8_t pixels[MOST_SIDE * MOST_SIDE];
    set_halves(pixels);
    const augment_settings contrast = {.contrast = 0.4f}, brightness = {.brightness = 0.2f};
    double deviations = 0, means = 0;
    for (uint64_t stream = 0; stream < 400; stream++) {
        statistics s = statistics_with(&contrast, pixels, stream);
        assert_float_equal(s.mean, 120, 0.01);
        assert_true(s.deviation >= 11.99 && s.deviation <= 28.01);
        deviations += s.deviation / 400;
        s = statistics_with(&brightness, pixels, stream);
        assert_float_equal(s.deviation, 20, 0.01);
        assert_true(s.mean >= 120 - 51.01 && s.mean <= 120 + 51.01);
        means += s.mean / 400;
    }
    assert_float_equal(deviations, 20, 1);
    assert_float_equal(means, 120, 5);
}

static void noise_is_normal(void **state)
{
    (void)state;
    static uint8_t pixels[MOST_SIDE * MOST_SIDE];
    memset(pixels, 128, sizeof pixels);
    const augment_settings noise = {.noise = 0.04f}, loud = {.noise = 1, .brightness = 1};
    for (uint64_t stream = 0; stream < 10; stream++) {
        statistics s = statistics_with(&noise, pixels, stream);
        assert_float_equal(s.mean, 128, 1);
        assert_float_equal(s.deviation, 0.04 * 255, 0.7);
        assert_true(s.highest > 128 + 25 && s.lowest < 128 - 25);
        s = statistics_with(&loud, pixels, stream);
        assert_true(s.lowest >= 0 && s.highest <= 255);
    }
}

static void erasing_takes_one_box(void **state)
{
    (void)state;
    enum { DRAWS = 1000 };
    static uint8_t pixels[MOST_SIDE * MOST_SIDE];
    static float input[MOST_SIDE * MOST_SIDE];
    for (int i = 0; i < MOST_SIDE * MOST_SIDE; i++)
        pixels[i] = i % 2 != 0 ? 10 : 11;
    mien_image image = view_of(pixels, MOST_SIDE, MOST_SIDE, MIEN_PIXEL_GRAY8);
    prep_settings prep = raw_settings(MOST_SIDE, MOST_SIDE);
    const augment_settings erase = {.erase = 0.6f};
    int erased = 0, to_mean = 0;
    for (uint64_t stream = 0; stream < DRAWS; stream++) {
        fill(&erase, &prep, &image, random_start(3, stream), input);
        int left = MOST_SIDE, right = -1, top = MOST_SIDE, bottom = -1, changed = 0, means = 0;
        for (int i = 0; i < MOST_SIDE * MOST_SIDE; i++) {
            if (input[i] == (float)pixels[i])
                continue;
            int x = i % MOST_SIDE, y = i / MOST_SIDE;
            changed++;
            means += fabsf(input[i] - 10.5f) < 0.01f;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y > bottom ? y : bottom;
        }
        if (changed == 0)
            continue;
        erased++;
        to_mean += means == changed;
        int box = (right - left + 1) * (bottom - top + 1);
        assert_true(changed >= box * 95 / 100 - 2); /* noise may hit the old value */
        double share = (double)box / (MOST_SIDE * MOST_SIDE);
        assert_true(share > 0.015 && share < 0.215);
    }
    assert_float_equal((double)erased / DRAWS, 0.6, 0.05);
    assert_float_equal((double)to_mean / erased, 0.5, 0.07);
}

/* ---- Mixtures ---- */

enum { BATCH = 5, CLASSES = 4, PIXELS = 12 * 10, CHANNELS = 2 };

/* Picture i holds the value i everywhere and is all of class i % CLASSES. */
static void set_batch(float *inputs, float *shares)
{
    for (int i = 0; i < BATCH; i++) {
        for (int p = 0; p < CHANNELS * PIXELS; p++)
            inputs[i * CHANNELS * PIXELS + p] = (float)i;
        for (int c = 0; c < CLASSES; c++)
            shares[i * CLASSES + c] = i % CLASSES == c ? 1 : 0;
    }
}

static void assert_shares_sum_to_1(const float *shares)
{
    for (int i = 0; i < BATCH; i++) {
        float sum = 0;
        for (int c = 0; c < CLASSES; c++) {
            assert_true(shares[i * CLASSES + c] >= 0);
            sum += shares[i * CLASSES + c];
        }
        assert_float_equal(sum, 1, 1e-6);
    }
}

/* lambda of a batch, from picture 2: it is mixed with picture (2 + places) % 5. */
static void mixup_mixes_pictures_and_shares_alike(void **state)
{
    (void)state;
    enum { DRAWS = 4000 };
    float inputs[BATCH * CHANNELS * PIXELS], shares[BATCH * CLASSES];
    float scratch[BATCH * CHANNELS * PIXELS + BATCH * CLASSES];
    const float alphas[] = {0.2f, 1, 3};
    for (int a = 0; a < 3; a++) {
        double squares = 0;
        for (uint64_t stream = 0; stream < DRAWS; stream++) {
            set_batch(inputs, shares);
            random_state random = random_start(21, stream);
            augment_mixup(inputs, shares, BATCH, CHANNELS * PIXELS, CLASSES, alphas[a], &random,
                          scratch);
            assert_shares_sum_to_1(shares);
            double own = (double)shares[2 * CLASSES + 2];
            double expected = 0;
            for (int c = 0; c < CLASSES; c++) /* class 0 is picture 0 or 4: none, or not known */
                expected += (double)shares[2 * CLASSES + c] * c;
            if (shares[2 * CLASSES] == 0)
                assert_float_equal(inputs[2 * CHANNELS * PIXELS], expected, 1e-5);
            assert_true(inputs[2 * CHANNELS * PIXELS] == inputs[3 * CHANNELS * PIXELS - 1]);
            assert_true(own >= 0.5);
            squares += (own - 0.5) * (own - 0.5);
        }
        /* max(lambda, 1 - lambda) lies as far from 1/2 as lambda: a Beta's variance around it */
        assert_float_equal(squares / DRAWS, 1 / (4 * (2 * (double)alphas[a] + 1)), 0.01);
    }
}

static void cutmix_pastes_a_box(void **state)
{
    (void)state;
    float inputs[BATCH * CHANNELS * PIXELS], shares[BATCH * CLASSES];
    float scratch[BATCH * CHANNELS * PIXELS + BATCH * CLASSES];
    double sum = 0;
    for (uint64_t stream = 0; stream < 1000; stream++) {
        set_batch(inputs, shares);
        random_state random = random_start(22, stream);
        augment_cutmix(inputs, shares, BATCH, CHANNELS, 12, 10, CLASSES, 1, &random, scratch);
        assert_shares_sum_to_1(shares);
        for (int channel = 0; channel < CHANNELS; channel++) {
            const float *plane = inputs + (2 * CHANNELS + channel) * PIXELS;
            int own = 0, left = 10, right = -1, top = 12, bottom = -1;
            for (int p = 0; p < PIXELS; p++) {
                own += plane[p] == 2;
                if (plane[p] == 2)
                    continue;
                left = p % 10 < left ? p % 10 : left;
                right = p % 10 > right ? p % 10 : right;
                top = p / 10 < top ? p / 10 : top;
                bottom = p / 10 > bottom ? p / 10 : bottom;
            }
            int box = right < 0 ? 0 : (right - left + 1) * (bottom - top + 1);
            assert_int_equal(own, PIXELS - box);
            assert_float_equal(shares[2 * CLASSES + 2], (double)own / PIXELS, 1e-6);
        }
        sum += (double)shares[2 * CLASSES + 2];
    }
    /* 0.75 were no box cut off at the edges */
    assert_true(sum / 1000 > 0.75 && sum / 1000 < 0.9);
}

static void mixtures_can_be_off(void **state)
{
    (void)state;
    float inputs[BATCH * CHANNELS * PIXELS], shares[BATCH * CLASSES];
    float before[BATCH * CHANNELS * PIXELS], scratch[BATCH * CHANNELS * PIXELS + BATCH * CLASSES];
    set_batch(inputs, shares);
    memcpy(before, inputs, sizeof inputs);
    random_state random = random_start(1, 1);
    augment_mixup(inputs, shares, BATCH, CHANNELS * PIXELS, CLASSES, 0, &random, scratch);
    augment_cutmix(inputs, shares, BATCH, CHANNELS, 12, 10, CLASSES, 0, &random, scratch);
    augment_mixup(inputs, shares, 1, CHANNELS * PIXELS, CLASSES, 1, &random, scratch);
    augment_cutmix(inputs, shares, 1, CHANNELS, 12, 10, CLASSES, 1, &random, scratch);
    assert_memory_equal(inputs, before, sizeof inputs);
    for (int i = 0; i < 200; i++) /* so small that both gammas vanish */
        augment_mixup(inputs, shares, BATCH, CHANNELS * PIXELS, CLASSES, 1e-5f, &random, scratch);
    assert_shares_sum_to_1(shares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_drawn_changes_nothing),
        cmocka_unit_test(right_angles_move_whole_pixels),
        cmocka_unit_test(affine_maps_lead_where_they_should),
        cmocka_unit_test(gray_and_colour_agree),
        cmocka_unit_test(shrinking_averages),
        cmocka_unit_test(draws_have_their_ranges_and_means),
        cmocka_unit_test(a_stream_replays),
        cmocka_unit_test(bad_strengths_and_pictures_are_refused),
        cmocka_unit_test(contrast_and_brightness_change_the_moments),
        cmocka_unit_test(noise_is_normal),
        cmocka_unit_test(erasing_takes_one_box),
        cmocka_unit_test(mixup_mixes_pictures_and_shares_alike),
        cmocka_unit_test(cutmix_pastes_a_box),
        cmocka_unit_test(mixtures_can_be_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
