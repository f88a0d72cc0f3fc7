/* SPDX-License-Identifier: Apache-2.0 */

/* Every instruction set, and every number of threads, against plain C on one thread: equal tables,
 * equal windows in equal order. */

#include "support.h"

#include "cascades.h"
#include "detect/cascade_kernels.h"
#include "image/image.h"

static const char *const cascade_names[] = {"eye",
                                            "eye_tree_eyeglasses",
                                            "frontalcatface",
                                            "frontalcatface_extended",
                                            "fullbody",
                                            "frontalface_alt",
                                            "frontalface_alt2",
                                            "frontalface_alt_tree",
                                            "lowerbody",
                                            "frontalface_default",
                                            "lefteye_2splits",
                                            "profileface",
                                            "righteye_2splits",
                                            "russian_plate_number",
                                            "smile",
                                            "upperbody"};

#define CASCADES (sizeof cascade_names / sizeof *cascade_names)

static cascade *open_cascade(const char *name)
{
    mien_error error;
    cascade *model;
    assert_ok(read_opencv_cascade(name, &model, &error), &error);
    return model;
}

/* Rectangles of all sizes, some flat, some noisy. The caller frees its data. */
static mien_image random_scene(test_random *random, int width, int height)
{
    mien_image scene = {calloc((size_t)width, (size_t)height), width, height, (size_t)width,
                        MIEN_PIXEL_GRAY8};
    assert_non_null(scene.data);
    for (int i = 0; i < 40; i++) {
        int left = test_random_int(random, 0, width - 1),
            top = test_random_int(random, 0, height - 1);
        int right = test_random_int(random, left, width - 1);
        int bottom = test_random_int(random, top, height - 1);
        int gray = test_random_int(random, 0, 255), noise = test_random_int(random, 0, 3) * 20;
        for (int y = top; y <= bottom; y++)
            for (int x = left; x <= right; x++) {
                int value = gray + test_random_int(random, -noise, noise);
                image_row(&scene, y)[x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
    }
    return scene;
}

/* A new list of all windows that pass. */
static face_list search(cascade_searcher *searcher, const mien_image *picture, double scale_factor)
{
    mien_error error;
    face_list list = {0};
    cascade_options options = {.scale_factor = scale_factor};
    assert_ok(cascade_search(searcher, picture, &options, &list, &error), &error);
    return list;
}

static cascade_searcher *new_searcher(const cascade *model, const cascade_kernels *kernels,
                                      team *workers)
{
    mien_error error;
    cascade_searcher *searcher;
    assert_ok(cascade_searcher_create(model, kernels, workers, &searcher, &error), &error);
    return searcher;
}

static void assert_same_faces(const face_list *a, const face_list *b, const char *label)
{
    if (a->count != b->count)
        fail_msg("%s: %zu windows, not %zu", label, b->count, a->count);
    for (size_t i = 0; i < a->count; i++) {
        const face_box *x = &a->faces[i], *y = &b->faces[i];
        if (x->x != y->x || x->y != y->y || x->width != y->width || x->height != y->height)
            fail_msg("%s: window %zu is at %g %g, not %g %g", label, i, (double)y->x, (double)y->y,
                     (double)x->x, (double)x->y);
    }
}

/* Compares all kernels on some pictures; returns how many windows passed. */
static size_t compare_kernels(const cascade *model, const char *name, test_random *random)
{
    size_t windows = 0;
    cascade_searcher *reference = new_searcher(model, &cascade_kernels_reference, NULL);
    const cascade_kernels *kernels;
    for (size_t k = 0; (kernels = cascade_kernels_at(k)) != NULL; k++) {
        cascade_searcher *searcher = new_searcher(model, kernels, NULL);
        for (int i = 0; i < 3; i++) {
            mien_image scene = random_scene(random, test_random_int(random, 20, 190),
                                            test_random_int(random, 20, 170));
            face_list expected = search(reference, &scene, 1.2);
            face_list list = search(searcher, &scene, 1.2);
            char label[128];
            snprintf(label, sizeof label, "%s with %s, %d x %d, %zu stages", name, kernels->name,
                     scene.width, scene.height, model->stage_count);
            assert_same_faces(&expected, &list, label);
            windows += list.count;
            face_list_free(&expected);
            face_list_free(&list);
            free(scene.data);
        }
        cascade_searcher_free(searcher);
    }
    cascade_searcher_free(reference);
    return windows;
}

/* Cut to its first stages, a cascade lets many windows of any picture pass. */
static void all_kernels_find_the_windows_of_plain_c(void **state)
{
    (void)state;
    test_random random = {20240607};
    size_t windows = 0;
    for (size_t i = 0; i < CASCADES; i++) {
        cascade *model = open_cascade(cascade_names[i]);
        size_t all = model->stage_count;
        const size_t counts[] = {1, 2, all / 2 > 4 ? 4 : 3, all};
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            model->stage_count = counts[c] < all ? counts[c] : all;
            windows += compare_kernels(model, cascade_names[i], &random);
        }
        cascade_free(model);
    }
    assert_true(windows > 100000);
}

static void assert_same_table(const cascade_layout *layout, const void *expected, const void *table,
                              int columns, int rows, const char *what)
{
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++) {
            size_t column = layout->step == 1
                                ? (size_t)x
                                : (size_t)(x / 2) + (size_t)(x % 2) * layout->odd_columns;
            size_t at = (size_t)y * layout->stride + column;
            if (((const uint32_t *)expected)[at] != ((const uint32_t *)table)[at])
                fail_msg("%s of %d columns, step %d: (%d, %d) differs", what, columns, layout->step,
                         x, y);
        }
}

static void compare_tables(const cascade_kernels *kernels, const cascade_layout *layout,
                           const mien_image *picture)
{
    size_t size = layout->table_size;
    int32_t *sums = calloc(2 * size, sizeof *sums), *expected_sums = calloc(2 * size, sizeof *sums);
    uint32_t *squares = calloc(size, sizeof *squares), *expected = calloc(size, sizeof *squares);
    assert_true(sums != NULL && expected_sums != NULL && squares != NULL && expected != NULL);
    kernels->fill_tables(layout, picture, sums, squares);
    cascade_kernels_reference.fill_tables(layout, picture, expected_sums, expected);
    int columns = picture->width + 1, rows = picture->height + 1;
    assert_same_table(layout, expected_sums, sums, columns, rows, "sums");
    assert_same_table(layout, expected_sums + size, sums + size, columns, rows, "tilted sums");
    assert_same_table(layout, expected, squares, columns, rows, "squares");
    free(sums);
    free(expected_sums);
    free(squares);
    free(expected);
}

static void all_kernels_make_the_tables_of_plain_c(void **state)
{
    (void)state;
    test_random random = {7};
    cascade *model = open_cascade("smile"); /* has tilted features */
    const cascade_kernels *kernels;
    for (size_t k = 0; (kernels = cascade_kernels_at(k)) != NULL; k++)
        for (int width = 36; width < 80; width++)
            for (int step = 1; step <= 2; step++) {
                mien_error error;
                cascade_layout layout;
                mien_image scene = random_scene(&random, width, 30);
                assert_ok(cascade_layout_create(model, step, 31, width + 1, &layout, &error),
                          &error);
                compare_tables(kernels, &layout, &scene);
                cascade_layout_free(&layout);
                free(scene.data);
            }
    cascade_free(model);
}

/* Squares beyond 2^32 wrap in all of them. */
static void white_pictures_are_like_any_other(void **state)
{
    (void)state;
    cascade *model = open_cascade("frontalface_default");
    mien_error error;
    cascade_layout layout;
    mien_image white = {malloc(700 * 120), 700, 120, 700, MIEN_PIXEL_GRAY8};
    assert_non_null(white.data);
    memset(white.data, 255, 700 * 120);
    assert_ok(cascade_layout_create(model, 2, 121, 701, &layout, &error), &error);
    const cascade_kernels *kernels;
    for (size_t k = 0; (kernels = cascade_kernels_at(k)) != NULL; k++)
        compare_tables(kernels, &layout, &white);
    cascade_layout_free(&layout);
    free(white.data);
    cascade_free(model);
}

/* The same searcher for pictures of many sizes, the same list whatever the number of threads. */
static void threads_do_not_change_the_windows(void **state)
{
    (void)state;
    test_random random = {99};
    cascade *model = open_cascade("frontalface_default");
    model->stage_count = 4;
    cascade_searcher *searchers[5];
    team *teams[5];
    for (int i = 0; i < 5; i++) {
        assert_ok(team_create(i + 1, &teams[i], NULL), NULL);
        searchers[i] = new_searcher(model, cascade_kernels_find(NULL), teams[i]);
    }
    for (int run = 0; run < 8; run++) {
        mien_image scene = random_scene(&random, test_random_int(&random, 10, 400),
                                        test_random_int(&random, 10, 400));
        face_list expected = search(searchers[0], &scene, 1.1);
        for (int i = 1; i < 5; i++) {
            face_list list = search(searchers[i], &scene, 1.1);
            assert_same_faces(&expected, &list, "threads");
            face_list_free(&list);
        }
        face_list_free(&expected);
        free(scene.data);
    }
    for (int i = 0; i < 5; i++) {
        cascade_searcher_free(searchers[i]);
        team_free(teams[i]);
    }
    model->stage_count = 25;
    cascade_free(model);
}

static void unknown_kernels_are_not_found(void **state)
{
    (void)state;
    assert_null(cascade_kernels_find("sse9"));
    assert_ptr_equal(cascade_kernels_find("reference"), &cascade_kernels_reference);
    assert_non_null(cascade_kernels_find("generic"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kernels_find_the_windows_of_plain_c),
        cmocka_unit_test(all_kernels_make_the_tables_of_plain_c),
        cmocka_unit_test(white_pictures_are_like_any_other),
        cmocka_unit_test(threads_do_not_change_the_windows),
        cmocka_unit_test(unknown_kernels_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
