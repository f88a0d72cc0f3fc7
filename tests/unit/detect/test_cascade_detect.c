/* SPDX-License-Identifier: Apache-2.0 */

/* Boxes against OpenCV 4.6; golden_boxes.txt was written by make_golden_boxes.py. */

#include "support.h"

#include "cascades.h"

#include <math.h>

static mien_image new_picture(int width, int height)
{
    uint8_t *pixels = malloc((size_t)width * (size_t)height);
    assert_non_null(pixels);
    return (mien_image){pixels, width, height, (size_t)width, MIEN_PIXEL_GRAY8};
}

static mien_image synthetic_picture(void)
{
    mien_image picture = new_picture(133, 91);
    for (int y = 0; y < picture.height; y++)
        for (int x = 0; x < picture.width; x++)
            picture.data[(size_t)y * picture.stride + (size_t)x] =
                (uint8_t)((x * x * 3 + y * y * 5 + x * y * 7) / 64 % 256);
    return picture;
}

/* The astronaut's face, each pixel repeated four times along both sides. */
static mien_image enlarged_picture(void)
{
    mien_image astronaut = read_astronaut();
    mien_image picture = new_picture(288, 288);
    for (int y = 0; y < 288; y++)
        for (int x = 0; x < 288; x++)
            picture.data[y * 288 + x] = astronaut.data[(20 + y / 4) * 256 + 76 + x / 4];
    free(astronaut.data);
    return picture;
}

static mien_image picture_named(const char *name)
{
    if (strcmp(name, "synthetic") == 0)
        return synthetic_picture();
    return strcmp(name, "enlarged") == 0 ? enlarged_picture() : read_astronaut();
}

static void compare_with_golden(FILE *golden, const char *label, const face_list *list, int count)
{
    if (list->count != (size_t)count)
        fail_msg("%s: %zu boxes, not %d", label, list->count, count);
    for (int i = 0; i < count; i++) {
        float x, y, width, height, score;
        assert_int_equal(fscanf(golden, "%f %f %f %f %f", &x, &y, &width, &height, &score), 5);
        const face_box *face = &list->faces[i];
        if (face->x != x || face->y != y || face->width != width || face->height != height ||
            face->score != score)
            fail_msg("%s: box %d is %g %g %g %g (%g), not %g %g %g %g (%g)", label, i,
                     (double)face->x, (double)face->y, (double)face->width, (double)face->height,
                     (double)face->score, (double)x, (double)y, (double)width, (double)height,
                     (double)score);
        assert_false(face->has_landmarks);
    }
}

static void boxes_are_those_of_opencv(void **state)
{
    (void)state;
    char path[512], picture_name[32], cascade_name[64];
    test_source_path("tests/unit/detect/golden_boxes.txt", path, sizeof path);
    FILE *golden = fopen(path, "r");
    assert_non_null(golden);
    cascade_options options;
    int count, cases = 0;
    while (fscanf(golden, " case %31s %63s %lf %d %d %d %d %d %d", picture_name, cascade_name,
                  &options.scale_factor, &options.min_neighbours, &options.min_width,
                  &options.min_height, &options.max_width, &options.max_height, &count) == 9) {
        mien_error error;
        cascade *model;
        assert_ok(read_opencv_cascade(cascade_name, &model, &error), &error);
        mien_image picture = picture_named(picture_name);
        face_list list = {0};
        assert_ok(cascade_detect(model, &picture, &options, &list, &error), &error);
        char label[160];
        snprintf(label, sizeof label, "%s in %s, factor %g, neighbours %d", cascade_name,
                 picture_name, options.scale_factor, options.min_neighbours);
        compare_with_golden(golden, label, &list, count);
        face_list_free(&list);
        free(picture.data);
        cascade_free(model);
        cases++;
    }
    assert_true(feof(golden));
    fclose(golden);
    assert_in_range(cases, 40, 1000);
}

/* Pixels of other rows or beyond the stride must not matter. */
static void stride_does_not_change_the_boxes(void **state)
{
    (void)state;
    mien_error error;
    cascade *model;
    assert_ok(read_opencv_cascade("frontalface_default", &model, &error), &error);
    mien_image tight = read_astronaut(), wide = new_picture(300, 256);
    memset(wide.data, 77, 300 * 256);
    for (size_t y = 0; y < 256; y++)
        memcpy(wide.data + y * 300, tight.data + y * 256, 256);
    wide.width = 256;
    cascade_options options = cascade_default_options();
    face_list a = {0}, b = {0};
    assert_ok(cascade_detect(model, &tight, &options, &a, &error), &error);
    assert_ok(cascade_detect(model, &wide, &options, &b, &error), &error);
    assert_int_equal(a.count, 1);
    assert_int_equal(b.count, 1);
    assert_memory_equal(a.faces, b.faces, sizeof *a.faces);
    face_list_free(&a);
    face_list_free(&b);
    free(tight.data);
    free(wide.data);
    cascade_free(model);
}

static void small_and_flat_pictures_have_no_faces(void **state)
{
    (void)state;
    mien_error error;
    cascade *model;
    assert_ok(read_opencv_cascade("frontalface_default", &model, &error), &error);
    int width, height;
    cascade_window(model, &width, &height);
    assert_int_equal(width, 24);
    assert_int_equal(height, 24);
    cascade_options options = cascade_default_options();
    options.min_neighbours = 0;
    static const int sizes[][2] = {{1, 1}, {23, 400}, {400, 23}, {24, 24}, {25, 300}, {65, 65}};
    face_list list = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mien_image picture = new_picture(sizes[i][0], sizes[i][1]);
        memset(picture.data, 128, (size_t)picture.width * (size_t)picture.height);
        assert_ok(cascade_detect(model, &picture, &options, &list, &error), &error);
        assert_int_equal(list.count, 0);
        free(picture.data);
    }
    face_list_free(&list);
    cascade_free(model);
}

static void bad_arguments_are_refused_and_the_list_kept(void **state)
{
    (void)state;
    mien_error error;
    cascade *model;
    assert_ok(cascade_read(small_cascade, strlen(small_cascade), "small", &model, &error), &error);
    mien_image picture = synthetic_picture();
    face_list list = {0};
    face_box face = {.x = 1};
    assert_true(face_list_add(&list, &face));
    static const cascade_options bad[] = {{.scale_factor = 1.0},
                                          {.scale_factor = NAN},
                                          {.scale_factor = 0.5},
                                          {.scale_factor = 1.0000001},
                                          {.scale_factor = 1.1, .min_width = -1},
                                          {.scale_factor = 1.1, .min_neighbours = -1}};
    static const char *const messages[] = {"scale_factor is 1",    "scale_factor is nan",
                                           "scale_factor is 0.5",  "1.0000001",
                                           "must not be negative", "neighbours -1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(MIEN_INVALID_ARGUMENT, cascade_detect(model, &picture, &bad[i], &list, &error),
                     &error, messages[i]);
    cascade_options options = cascade_default_options();
    picture.format = MIEN_PIXEL_RGB8;
    picture.width /= 3;
    assert_fails(MIEN_INVALID_ARGUMENT, cascade_detect(model, &picture, &options, &list, &error),
                 &error, "grey");
    assert_int_equal(list.count, 1);
    face_list_free(&list);
    free(picture.data);
    cascade_free(model);
}

/* Larger than what one table of sums can hold: the picture is scanned in bands. */
static void a_picture_of_twelve_million_pixels_is_searched(void **state)
{
    (void)state;
    mien_error error;
    cascade *model;
    assert_ok(read_opencv_cascade("frontalface_default", &model, &error), &error);
    mien_image astronaut = read_astronaut(), picture = new_picture(4000, 3000);
    memset(picture.data, 255, (size_t)4000 * 3000);
    for (size_t y = 0; y < 256; y++)
        memcpy(picture.data + (2700 + y) * 4000 + 3700, astronaut.data + y * 256, 256);
    cascade_options options = {.scale_factor = 1.1,
                               .min_neighbours = 5,
                               .min_width = 24,
                               .min_height = 24,
                               .max_width = 70,
                               .max_height = 70};
    face_list list = {0};
    assert_ok(cascade_detect(model, &picture, &options, &list, &error), &error);
    assert_int_equal(list.count, 1);
    assert_in_range((int)list.faces[0].x, 3700 + 80, 3700 + 96);
    assert_in_range((int)list.faces[0].y, 2700 + 24, 2700 + 40);
    face_list_free(&list);
    free(astronaut.data);
    free(picture.data);
    cascade_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_those_of_opencv),
        cmocka_unit_test(stride_does_not_change_the_boxes),
        cmocka_unit_test(small_and_flat_pictures_have_no_faces),
        cmocka_unit_test(bad_arguments_are_refused_and_the_list_kept),
        cmocka_unit_test(a_picture_of_twelve_million_pixels_is_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
