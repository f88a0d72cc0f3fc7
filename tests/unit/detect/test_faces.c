/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "detect/faces.h"
#include "detect/grouping.h"

static face_box box(float x, float y, float width, float height, float score)
{
    return (face_box){.x = x, .y = y, .width = width, .height = height, .score = score};
}

static void iou_is_shared_over_united_area(void **state)
{
    (void)state;
    face_box a = box(0, 0, 10, 10, 1), half = box(5, 0, 10, 10, 1), far = box(10, 0, 10, 10, 1);
    face_box empty = box(3, 3, 0, 0, 1);
    assert_float_equal(face_iou(&a, &a), 1.0f, 0.0f);
    assert_float_equal(face_iou(&a, &half), 50.0f / 150.0f, 1e-6f);
    assert_float_equal(face_iou(&a, &far), 0.0f, 0.0f);
    assert_float_equal(face_iou(&empty, &empty), 0.0f, 0.0f);
}

static void list_keeps_all_faces_in_order(void **state)
{
    (void)state;
    face_list list = {0};
    for (int i = 0; i < 1000; i++) {
        face_box face = box((float)i, 0, 1, 1, 1);
        assert_true(face_list_add(&list, &face));
    }
    assert_int_equal(list.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_float_equal(list.faces[i].x, (float)i, 0.0f);
    face_list_free(&list);
    assert_null(list.faces);
    face_list_free(NULL);
}

static void suppression_keeps_the_best_of_each_place(void **state)
{
    (void)state;
    face_box faces[] = {box(1, 0, 10, 10, 0.5f), box(0, 0, 10, 10, 0.9f), box(50, 0, 10, 10, 0.7f),
                        box(0, 20, 10, 10, 0.7f), box(6, 0, 10, 10, 0.6f)};
    face_list list = {0};
    for (size_t i = 0; i < sizeof faces / sizeof *faces; i++)
        assert_true(face_list_add(&list, &faces[i]));
    face_list_suppress(&list, 0.3f);
    assert_int_equal(list.count, 4);
    assert_float_equal(list.faces[0].score, 0.9f, 0.0f);
    assert_float_equal(list.faces[1].x, 50.0f, 0.0f); /* of equal scores the upper one first */
    assert_float_equal(list.faces[2].y, 20.0f, 0.0f);
    assert_float_equal(list.faces[3].x, 6.0f, 0.0f);
    face_list_free(&list);
}

static face_list grouped(const raw_window *windows, size_t count, int min_neighbours)
{
    raw_windows raw = {0};
    for (size_t i = 0; i < count; i++)
        assert_true(raw_windows_add(&raw, &windows[i]));
    face_list list = {0};
    window_grouping memory = {0};
    assert_true(group_windows(&raw, min_neighbours, 100, 100, &memory, &list));
    window_grouping_free(&memory);
    raw_windows_free(&raw);
    return list;
}

static void groups_need_more_windows_than_neighbours(void **state)
{
    (void)state;
    const raw_window windows[] = {
        {10, 10, 20, 20}, {60, 60, 20, 20}, {12, 10, 20, 20}, {11, 12, 20, 20}, {61, 60, 20, 20}};
    face_list list = grouped(windows, 5, 2);
    assert_int_equal(list.count, 1);
    assert_float_equal(list.faces[0].x, 11.0f, 0.0f);
    assert_float_equal(list.faces[0].y, 11.0f, 0.0f); /* 10.67 rounded */
    assert_float_equal(list.faces[0].score, 3.0f, 0.0f);
    face_list_free(&list);
    list = grouped(windows, 5, 1);
    assert_int_equal(list.count, 2);
    assert_float_equal(list.faces[1].x, 60.0f, 0.0f); /* 60.5: ties go to the even number */
    face_list_free(&list);
}

static void without_neighbours_every_window_counts_and_is_cut_to_the_picture(void **state)
{
    (void)state;
    const raw_window windows[] = {{-5, 90, 20, 20}, {200, 0, 20, 20}, {1, 2, 20, 20}};
    face_list list = grouped(windows, 3, 0);
    assert_int_equal(list.count, 2); /* the second is outside */
    assert_float_equal(list.faces[0].x, 0.0f, 0.0f);
    assert_float_equal(list.faces[0].width, 15.0f, 0.0f);
    assert_float_equal(list.faces[0].height, 10.0f, 0.0f);
    assert_float_equal(list.faces[1].score, 1.0f, 0.0f);
    face_list_free(&list);
}

static void small_group_inside_a_strong_one_is_dropped(void **state)
{
    (void)state;
    const raw_window windows[] = {{30, 30, 10, 10}, {30, 31, 10, 10}, {20, 20, 40, 40},
                                  {21, 20, 40, 40}, {20, 21, 40, 40}, {21, 21, 40, 40}};
    face_list list = grouped(windows, 6, 1);
    assert_int_equal(list.count, 1);
    assert_float_equal(list.faces[0].width, 40.0f, 0.0f);
    face_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iou_is_shared_over_united_area),
        cmocka_unit_test(list_keeps_all_faces_in_order),
        cmocka_unit_test(suppression_keeps_the_best_of_each_place),
        cmocka_unit_test(groups_need_more_windows_than_neighbours),
        cmocka_unit_test(without_neighbours_every_window_counts_and_is_cut_to_the_picture),
        cmocka_unit_test(small_group_inside_a_strong_one_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
