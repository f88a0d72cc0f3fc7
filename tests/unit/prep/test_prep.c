/* SPDX-License-Identifier: Apache-2.0 */

/* From a face in a picture to the numbers that a network sees. */

#include "support.h"

#include "prep/prep.h"

#include "golden.h"

#include <math.h>

#define PIXELS_ROOM (4 * 128 * 128)
#define INPUT_ROOM  (3 * 128 * 128)

static uint8_t picture_value(int x, int y)
{
    return (uint8_t)((x * 37 + y * 91 + x * y * 5) % 256);
}

static mien_image gray_picture(uint8_t *pixels, int width, int height)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            pixels[y * width + x] = picture_value(x, y);
    return (mien_image){pixels, width, height, (size_t)width, MIEN_PIXEL_GRAY8};
}

/* Settings that leave pixels as they are. */
static prep_settings plain(prep_format format, int width, int height)
{
    return (prep_settings){.format = format, .width = width, .height = height, .scale = {1, 1, 1}};
}

static void fill(const prep_settings *settings, const mien_image *image, const prep_face *face,
                 float *input)
{
    prep_scratch scratch = {0};
    mien_error error;
    assert_ok(prep_fill(settings, image, face, &scratch, input, &error), &error);
    prep_scratch_free(&scratch);
}

static prep_face whole(const mien_image *image)
{
    return (prep_face){.box = {0, 0, (float)image->width, (float)image->height}};
}

static void assert_close(float actual, double expected, double allowed, const char *what)
{
    if (!(fabs((double)actual - expected) <= allowed))
        fail_msg("%s: %.6g, not %.6g", what, (double)actual, expected);
}

static void the_same_size_changes_nothing(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    static float input[INPUT_ROOM];
    mien_image image = gray_picture(pixels, 48, 48);
    prep_settings settings = plain(PREP_GRAY, 48, 48);
    prep_face face = whole(&image);
    assert_int_equal(prep_input_floats(&settings), 48 * 48);
    fill(&settings, &image, &face, input);
    for (int i = 0; i < 48 * 48; i++)
        assert_true(input[i] == (float)pixels[i]);
    settings.mean[0] = 127.5f;
    settings.scale[0] = 1 / 127.5f;
    fill(&settings, &image, &face, input);
    for (int i = 0; i < 48 * 48; i++)
        assert_close(input[i], pixels[i] / 127.5 - 1, 1e-6, "normalised");
}

static void resampling_agrees_with_numpy(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    static float input[INPUT_ROOM];
    for (size_t g = 0; g < sizeof goldens / sizeof *goldens; g++) {
        mien_image image = gray_picture(pixels, goldens[g].image_width, goldens[g].image_height);
        prep_settings settings = plain(PREP_GRAY, goldens[g].width, goldens[g].height);
        prep_face face = {.box = goldens[g].box};
        fill(&settings, &image, &face, input);
        int count = goldens[g].width * goldens[g].height;
        for (int i = 0; i < GOLDEN_SAMPLES; i++)
            assert_close(input[i * count / GOLDEN_SAMPLES], (double)goldens[g].samples[i], 0.002,
                         goldens[g].name);
    }
}

static void shrinking_to_one_pixel_is_the_mean(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    float input[3];
    mien_image image = gray_picture(pixels, 100, 60);
    double sum = 0;
    for (int i = 0; i < 100 * 60; i++)
        sum += pixels[i];
    prep_settings settings = plain(PREP_GRAY, 1, 1);
    prep_face face = whole(&image);
    fill(&settings, &image, &face, input);
    assert_close(input[0], sum / 6000, 1e-3, "mean");
}

/* The mean of a block of pixels of one byte of an RGB picture, what lies beyond it being its edge.
 */
static double block_mean(const mien_image *image, int x, int y, int factor, int byte)
{
    double sum = 0;
    for (int i = 0; i < factor * factor; i++) {
        int column = x * factor + i % factor, row = y * factor + i / factor;
        column = column < image->width ? column : image->width - 1;
        row = row < image->height ? row : image->height - 1;
        sum += image->data[(size_t)row * image->stride + (size_t)(3 * column + byte)];
    }
    return sum / (factor * factor);
}

/* What a detector's input is: the picture fitted in at the top left, at whole factors. */
static void shrinking_by_a_whole_number_takes_means(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    static float input[INPUT_ROOM];
    static const int sizes[][2] = {{60, 36}, {36, 60}, {60, 60}};
    for (int factor = 2; factor <= 6; factor++)
        for (int s = 0; s < 3; s++) {
            int side = 60 / factor, width = sizes[s][0], height = sizes[s][1];
            gray_picture(pixels, 3 * width, height);
            mien_image image = {pixels, width, height, (size_t)(3 * width), MIEN_PIXEL_RGB8};
            prep_settings settings = plain(factor % 2 ? PREP_RGB : PREP_BGR, side, side);
            settings.mean[0] = 100;
            prep_face face = {.box = {0, 0, (float)(side * factor), (float)(side * factor)}};
            fill(&settings, &image, &face, input);
            for (int i = 0; i < 3 * side * side; i++) {
                int c = i / (side * side), x = i % side, y = i / side % side;
                int byte = settings.format == PREP_RGB ? c : 2 - c;
                assert_close(input[i], block_mean(&image, x, y, factor, byte) - (c == 0 ? 100 : 0),
                             1e-4, "mean of a block");
            }
        }
}

static void beyond_the_picture_its_edge_is_repeated(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    static float input[INPUT_ROOM];
    mien_image image = gray_picture(pixels, 10, 10);
    prep_settings settings = plain(PREP_GRAY, 8, 8);
    static const struct {
        float x, y;
        int corner; /* pixel that is repeated everywhere */
    } cases[] = {{-50, -50, 0}, {40, -50, 9}, {-50, 40, 90}, {40, 40, 99}};
    for (int i = 0; i < 4; i++) {
        for (int side = 4; side <= 20; side += 16) { /* enlarged, shrunk */
            prep_face face = {.box = {cases[i].x, cases[i].y, (float)side, (float)side}};
            fill(&settings, &image, &face, input);
            for (int p = 0; p < 64; p++)
                assert_close(input[p], pixels[cases[i].corner], 1e-3, "corner");
        }
    }
}

static void a_picture_of_one_pixel_fills_everything(void **state)
{
    (void)state;
    uint8_t pixel[1] = {77};
    static float input[INPUT_ROOM];
    mien_image image = {pixel, 1, 1, 1, MIEN_PIXEL_GRAY8};
    prep_settings settings = plain(PREP_RGB, 7, 5);
    prep_face face = whole(&image);
    fill(&settings, &image, &face, input);
    for (int i = 0; i < 3 * 7 * 5; i++)
        assert_close(input[i], 77, 1e-4, "one pixel");
}

static const mien_pixel_format colours[] = {MIEN_PIXEL_RGB8, MIEN_PIXEL_BGR8, MIEN_PIXEL_RGBA8,
                                            MIEN_PIXEL_BGRA8};

/* The same colours in a format, rows apart by some padding of 0xEE. */
static mien_image colour_picture(mien_pixel_format format, int width, int height, uint8_t *pixels)
{
    int size = mien_pixel_size(format);
    bool blue_first = format == MIEN_PIXEL_BGR8 || format == MIEN_PIXEL_BGRA8;
    mien_image image = {pixels, width, height, (size_t)(width * size + 13), format};
    memset(pixels, 0xEE, image.stride * (size_t)height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *pixel = image_row(&image, y) + x * size;
            pixel[blue_first ? 2 : 0] = picture_value(x, y);
            pixel[1] = picture_value(x + 50, y);
            pixel[blue_first ? 0 : 2] = picture_value(x, y + 50);
        }
    return image;
}

static void all_colour_formats_give_the_same_input(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    static float first[INPUT_ROOM], input[INPUT_ROOM];
    static const prep_format formats[] = {PREP_GRAY, PREP_RGB, PREP_BGR};
    for (int f = 0; f < 3; f++) {
        prep_settings settings = plain(formats[f], 24, 20);
        size_t bytes = prep_input_floats(&settings) * sizeof(float);
        for (int c = 0; c < 4; c++) {
            mien_image image = colour_picture(colours[c], 33, 31, pixels);
            prep_face face = {.box = {2.5f, 3, 25, 29}};
            fill(&settings, &image, &face, c == 0 ? first : input);
            if (c != 0)
                assert_memory_equal(first, input, bytes);
        }
    }
}

static void channels_come_in_the_networks_order(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    float rgb[3 * 4], bgr[3 * 4];
    mien_image image = colour_picture(MIEN_PIXEL_BGRA8, 2, 2, pixels);
    prep_face face = whole(&image);
    prep_settings settings = plain(PREP_RGB, 2, 2);
    fill(&settings, &image, &face, rgb);
    settings.format = PREP_BGR;
    settings.mean[0] = 1; /* of the network's first channel: blue */
    fill(&settings, &image, &face, bgr);
    for (int p = 0; p < 4; p++) {
        assert_true(rgb[p] == (float)picture_value(p % 2, p / 2));
        assert_true(bgr[p] == rgb[8 + p] - 1);
        assert_true(bgr[4 + p] == rgb[4 + p]);
        assert_true(bgr[8 + p] == rgb[p]);
    }
}

/* Grey made while preparing is the grey of image_convert, which the detectors and tools use. */
static void grey_is_the_grey_of_image_convert(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM], gray_pixels[PIXELS_ROOM];
    static float from_colour[INPUT_ROOM], from_gray[INPUT_ROOM];
    mien_image image = colour_picture(MIEN_PIXEL_RGB8, 100, 100, pixels);
    mien_image gray = {gray_pixels, 100, 100, 100, MIEN_PIXEL_GRAY8};
    mien_error error;
    assert_ok(image_convert(&image, &gray, &error), &error);
    prep_settings settings = plain(PREP_GRAY, 100, 100);
    prep_face face = whole(&image);
    fill(&settings, &image, &face, from_colour);
    fill(&settings, &gray, &face, from_gray);
    assert_memory_equal(from_colour, from_gray, 100 * 100 * sizeof(float));
}

static void a_grey_picture_feeds_all_channels(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    static float input[INPUT_ROOM];
    mien_image image = gray_picture(pixels, 9, 9);
    prep_settings settings = plain(PREP_BGR, 9, 9);
    prep_face face = whole(&image);
    fill(&settings, &image, &face, input);
    for (int i = 0; i < 3 * 81; i++)
        assert_true(input[i] == (float)pixels[i % 81]);
}

static void the_crop_is_widened_around_its_centre(void **state)
{
    (void)state;
    prep_settings settings = plain(PREP_GRAY, 8, 8);
    image_rect box = {10, 20, 40, 60};
    image_rect crop = prep_crop(&settings, &box);
    assert_true(crop.x == 10 && crop.y == 20 && crop.width == 40 && crop.height == 60);
    settings.square = true;
    crop = prep_crop(&settings, &box);
    assert_true(crop.x == 0 && crop.y == 20 && crop.width == 60 && crop.height == 60);
    settings.margin = 0.25f;
    crop = prep_crop(&settings, &box);
    assert_true(crop.x == -15 && crop.y == 5 && crop.width == 90 && crop.height == 90);
    settings.square = false;
    crop = prep_crop(&settings, &box);
    assert_true(crop.x == -5 && crop.y == 5 && crop.width == 70 && crop.height == 90);
}

/* A face of light skin with two dark eyes and a darker mouth, turned around (64, 64). */
static mien_image turned_face(uint8_t *pixels, double angle, prep_face *face)
{
    static const double spots[3][3] = {{-14, -10, 5}, {14, -10, 5}, {0, 16, 7}}; /* x, y, radius */
    mien_image image = {pixels, 128, 128, 128, MIEN_PIXEL_GRAY8};
    for (int y = 0; y < 128; y++)
        for (int x = 0; x < 128; x++) {
            double dx = x + 0.5 - 64, dy = y + 0.5 - 64;
            double u = cos(angle) * dx + sin(angle) * dy, v = cos(angle) * dy - sin(angle) * dx;
            double value = 200;
            for (int s = 0; s < 3; s++) {
                double reach = hypot(u - spots[s][0], v - spots[s][1]) / spots[s][2];
                value -= (s == 2 ? 90 : 160) * exp(-reach * reach);
            }
            pixels[y * 128 + x] = (uint8_t)lround(value);
        }
    *face = (prep_face){.box = {34, 34, 60, 60}, .has_eyes = true};
    for (int e = 0; e < 2; e++) {
        face->eyes[e][0] = (float)(64 + cos(angle) * spots[e][0] - sin(angle) * spots[e][1]);
        face->eyes[e][1] = (float)(64 + sin(angle) * spots[e][0] + cos(angle) * spots[e][1]);
    }
    return image;
}

static void turned_faces_come_out_upright(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    static float upright[INPUT_ROOM], turned[INPUT_ROOM];
    static const int sides[] = {96, 60, 20}; /* enlarged, as it is, shrunk */
    for (int s = 0; s < 3; s++) {
        prep_settings settings = plain(PREP_GRAY, sides[s], sides[s]);
        prep_face face;
        mien_image image = turned_face(pixels, 0, &face);
        fill(&settings, &image, &face, upright);
        settings.alignment = PREP_ALIGN_EYES;
        for (double angle = -0.9; angle < 1; angle += 0.3) {
            image = turned_face(pixels, angle, &face);
            fill(&settings, &image, &face, turned);
            double sum = 0;
            for (int i = 0; i < sides[s] * sides[s]; i++) {
                assert_close(turned[i], (double)upright[i], 8, "turned");
                sum += fabs((double)turned[i] - (double)upright[i]);
            }
            assert_true(sum / (sides[s] * sides[s]) < 1);
        }
    }
}

static void alignment_without_eyes_does_not_turn(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    static float plain_input[INPUT_ROOM], input[INPUT_ROOM];
    prep_face face;
    mien_image image = turned_face(pixels, 0.5, &face);
    prep_settings settings = plain(PREP_GRAY, 40, 40);
    fill(&settings, &image, &face, plain_input);
    settings.alignment = PREP_ALIGN_EYES;
    face.has_eyes = false;
    fill(&settings, &image, &face, input);
    assert_memory_equal(plain_input, input, 40 * 40 * sizeof(float));
    face.has_eyes = true;
    face.eyes[0][0] = NAN; /* landmarks of a lying detector */
    fill(&settings, &image, &face, input);
    assert_memory_equal(plain_input, input, 40 * 40 * sizeof(float));
}

static void bad_boxes_fail_cleanly(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    float input[64];
    mien_image image = gray_picture(pixels, 20, 20);
    prep_settings settings = plain(PREP_GRAY, 8, 8);
    static const image_rect boxes[] = {
        {0, 0, 0, 10},     {0, 0, 10, 0},       {0, 0, -5, 10},      {0, 0, 10, -5},
        {NAN, 0, 10, 10},  {0, NAN, 10, 10},    {0, 0, NAN, 10},     {0, 0, 10, NAN},
        {1e9f, 0, 10, 10}, {0, -1e9f, 10, 10},  {0, 0, 1e9f, 10},    {0, 0, 10, 1e9f},
        {0, 0, 1e38f, 10}, {INFINITY, 0, 1, 1}, {0, 0, INFINITY, 10}};
    for (int square = 0; square < 2; square++)
        for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
            prep_face face = {.box = boxes[i]};
            prep_scratch scratch = {0};
            mien_error error;
            settings.square = square;
            if (square && !(boxes[i].width <= 0) != !(boxes[i].height <= 0))
                continue; /* the longer side makes a square of it */
            assert_fails(MIEN_INVALID_ARGUMENT,
                         prep_fill(&settings, &image, &face, &scratch, input, &error), &error,
                         "face box");
            prep_scratch_free(&scratch);
        }
    prep_face face = {.box = {0, 0, 5, 5}};
    prep_scratch scratch = {0};
    mien_error error;
    image.width = 0;
    assert_int_equal(prep_fill(&settings, &image, &face, &scratch, input, &error),
                     MIEN_INVALID_ARGUMENT);
    prep_scratch_free(&scratch);
}

/* Quick, too: what lies beyond the picture is not gone through. */
static void a_huge_box_is_the_edges_and_a_dot(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    float input[4];
    mien_image image = gray_picture(pixels, 128, 128);
    prep_settings settings = plain(PREP_GRAY, 2, 2);
    prep_face face = {.box = {-400000, -400000, 800000, 800000}};
    fill(&settings, &image, &face, input);
    static const int corners[] = {0, 127, 127 * 128, 128 * 128 - 1};
    for (int i = 0; i < 4; i++)
        assert_close(input[i], pixels[corners[i]], 0.2, "corner");
}

static void scratch_is_kept_from_call_to_call(void **state)
{
    (void)state;
    static uint8_t pixels[PIXELS_ROOM];
    static float first[INPUT_ROOM], input[INPUT_ROOM];
    mien_image image = gray_picture(pixels, 100, 100);
    prep_settings settings = plain(PREP_GRAY, 30, 30);
    prep_face small = {.box = {10, 10, 20, 20}}, large = {.box = {-40, -40, 180, 180}};
    prep_scratch scratch = {0};
    mien_error error;
    fill(&settings, &image, &small, first);
    assert_ok(prep_fill(&settings, &image, &large, &scratch, input, &error), &error);
    void *memory = scratch.memory;
    assert_ok(prep_fill(&settings, &image, &small, &scratch, input, &error), &error);
    assert_ptr_equal(scratch.memory, memory);
    assert_memory_equal(first, input, 900 * sizeof(float));
    prep_scratch_free(&scratch);
    prep_scratch_free(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_size_changes_nothing),
        cmocka_unit_test(resampling_agrees_with_numpy),
        cmocka_unit_test(shrinking_to_one_pixel_is_the_mean),
        cmocka_unit_test(shrinking_by_a_whole_number_takes_means),
        cmocka_unit_test(beyond_the_picture_its_edge_is_repeated),
        cmocka_unit_test(a_picture_of_one_pixel_fills_everything),
        cmocka_unit_test(all_colour_formats_give_the_same_input),
        cmocka_unit_test(channels_come_in_the_networks_order),
        cmocka_unit_test(grey_is_the_grey_of_image_convert),
        cmocka_unit_test(a_grey_picture_feeds_all_channels),
        cmocka_unit_test(the_crop_is_widened_around_its_centre),
        cmocka_unit_test(turned_faces_come_out_upright),
        cmocka_unit_test(alignment_without_eyes_does_not_turn),
        cmocka_unit_test(bad_boxes_fail_cleanly),
        cmocka_unit_test(a_huge_box_is_the_edges_and_a_dot),
        cmocka_unit_test(scratch_is_kept_from_call_to_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
