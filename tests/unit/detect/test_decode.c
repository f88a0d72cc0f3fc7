/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "detect/decode.h"

#include <math.h>

static const float anchors[5][2] = {{1.603231f, 2.094468f},
                                    {6.041143f, 7.080126f},
                                    {2.882459f, 3.518061f},
                                    {4.266906f, 5.178857f},
                                    {9.041765f, 10.66308f}};

/* A level of 2 x 3 cells of stride 16 in which only cell (1, 2) is strong. */
typedef struct level_data {
    float cls[6], obj[6], bbox[24], kps[60];
} level_data;

static yunet_level strong_cell(level_data *data)
{
    *data = (level_data){0};
    data->cls[5] = 0.81f;
    data->obj[5] = 1.0f;
    const float offsets[4] = {0.5f, -0.25f, 0.693147181f, 1.098612289f}; /* log 2, log 3 */
    memcpy(data->bbox + 20, offsets, sizeof offsets);
    for (int i = 0; i < 10; i++)
        data->kps[50 + i] = 0.25f * (float)i;
    return (yunet_level){.stride = 16,
                         .rows = 2,
                         .columns = 3,
                         .cls = data->cls,
                         .obj = data->obj,
                         .bbox = data->bbox,
                         .kps = data->kps};
}

static void yunet_gives_the_box_and_landmarks_by_hand(void **state)
{
    (void)state;
    level_data data;
    yunet_level level = strong_cell(&data);
    face_list list = {0};
    assert_true(yunet_decode(&level, 1, 0.9f - 1e-6f, &list));
    assert_int_equal(list.count, 1);
    const face_box *face = &list.faces[0];
    assert_float_equal(face->score, 0.9f, 1e-6f);
    /* centre ((2 + 0.5) 16, (1 - 0.25) 16) = (40, 12); size (2 * 16, 3 * 16) = (32, 48) */
    assert_float_equal(face->x, 24.0f, 1e-4f);
    assert_float_equal(face->y, -12.0f, 1e-4f);
    assert_float_equal(face->width, 32.0f, 1e-4f);
    assert_float_equal(face->height, 48.0f, 1e-4f);
    assert_true(face->has_landmarks);
    assert_float_equal(face->landmarks[0][0], 32.0f, 1e-4f); /* (2 + 0) 16 */
    assert_float_equal(face->landmarks[0][1], 20.0f, 1e-4f); /* (1 + 0.25) 16 */
    assert_float_equal(face->landmarks[4][0], 64.0f, 1e-4f); /* (2 + 2) 16 */
    assert_float_equal(face->landmarks[4][1], 52.0f, 1e-4f); /* (1 + 2.25) 16 */
    face_list_free(&list);
}

static void yunet_reads_several_levels(void **state)
{
    (void)state;
    level_data data;
    yunet_level levels[2] = {strong_cell(&data), strong_cell(&data)};
    levels[1].stride = 32;
    face_list list = {0};
    assert_true(yunet_decode(levels, 2, 0.5f, &list));
    assert_int_equal(list.count, 2);
    assert_float_equal(list.faces[1].width, 64.0f, 1e-4f);
    face_list_free(&list);
}

static void yunet_passes_over_weak_and_broken_cells(void **state)
{
    (void)state;
    level_data data;
    yunet_level level = strong_cell(&data);
    face_list list = {0};
    assert_true(yunet_decode(&level, 1, 0.91f, &list));
    assert_int_equal(list.count, 0);
    float *values[] = {&data.cls[5], &data.obj[5], &data.bbox[20], &data.bbox[23], &data.kps[59]};
    const float bad[] = {NAN, INFINITY, 1e30f};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (size_t j = 0; j < (i == 3 ? 3 : 2); j++) {
            level = strong_cell(&data);
            *values[i] = bad[j];
            assert_true(yunet_decode(&level, 1, 0.5f, &list));
            assert_int_equal(list.count, 0);
        }
    level = strong_cell(&data);
    data.cls[5] = -0.9f;
    data.obj[5] = -0.9f;
    assert_true(yunet_decode(&level, 1, 0.5f, &list));
    assert_int_equal(list.count, 0);
    face_list_free(&list);
}

/* The value of a 25 x 2 x 2 map. */
static float *at(float *map, int anchor, int value, int row, int column)
{
    return &map[(anchor * 5 + value) * 4 + row * 2 + column];
}

static void fill_weak(float map[100])
{
    memset(map, 0, 100 * sizeof *map);
    for (int anchor = 0; anchor < 5; anchor++)
        for (int cell = 0; cell < 4; cell++)
            *at(map, anchor, 4, cell / 2, cell % 2) = -5.0f;
}

static void tiny_yolo_gives_the_box_by_hand(void **state)
{
    (void)state;
    float map[100];
    fill_weak(map);
    *at(map, 2, 0, 0, 1) = 0.0f;          /* sigmoid 0.5 */
    *at(map, 2, 1, 0, 1) = 1.098612289f;  /* log 3: sigmoid 0.75 */
    *at(map, 2, 2, 0, 1) = 0.693147181f;  /* log 2 */
    *at(map, 2, 3, 0, 1) = -0.693147181f; /* log 1/2 */
    *at(map, 2, 4, 0, 1) = 1.386294361f;  /* log 4: sigmoid 0.8 */
    face_list list = {0};
    assert_true(tiny_yolo_decode(map, 2, 2, anchors, 32.0f, 0.5f, &list));
    assert_int_equal(list.count, 1);
    const face_box *face = &list.faces[0];
    float width = 2.0f * 2.882459f * 32.0f, height = 0.5f * 3.518061f * 32.0f;
    assert_float_equal(face->score, 0.8f, 1e-6f);
    assert_float_equal(face->width, width, 1e-3f);
    assert_float_equal(face->height, height, 1e-3f);
    assert_float_equal(face->x, 1.5f * 32.0f - width / 2.0f, 1e-3f);
    assert_float_equal(face->y, 0.75f * 32.0f - height / 2.0f, 1e-3f);
    assert_false(face->has_landmarks);
    face_list_free(&list);
}

static void tiny_yolo_passes_over_broken_cells(void **state)
{
    (void)state;
    const float bad[] = {NAN, 1e30f};
    face_list list = {0};
    for (int value = 0; value < 5; value++)
        for (size_t i = 0; i < 2; i++) {
            float map[100];
            fill_weak(map);
            *at(map, 0, 4, 1, 1) = 3.0f;
            *at(map, 0, value, 1, 1) = bad[i];
            bool harmless = i == 1 && value != 2 && value != 3; /* a sigmoid saturates */
            assert_true(tiny_yolo_decode(map, 2, 2, anchors, 32.0f, 0.5f, &list));
            assert_int_equal(list.count, harmless ? 1 : 0);
            list.count = 0;
        }
    face_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yunet_gives_the_box_and_landmarks_by_hand),
        cmocka_unit_test(yunet_reads_several_levels),
        cmocka_unit_test(yunet_passes_over_weak_and_broken_cells),
        cmocka_unit_test(tiny_yolo_gives_the_box_by_hand),
        cmocka_unit_test(tiny_yolo_passes_over_broken_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
