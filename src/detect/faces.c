/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/faces.h"

#include "base/memory.h"

#include <stdlib.h>

bool face_list_add(face_list *list, const face_box *face)
{
    void *faces = list->faces;
    if (!memory_grow(&faces, list->count, &list->capacity, sizeof *list->faces))
        return false;
    list->faces = faces;
    list->faces[list->count++] = *face;
    return true;
}

void face_list_free(face_list *list)
{
    if (list == NULL)
        return;
    free(list->faces);
    *list = (face_list){0};
}

/* Length that the intervals [a, a + a_length] and [b, b + b_length] share. */
static float shared_length(float a, float a_length, float b, float b_length)
{
    float start = a > b ? a : b;
    float end = a + a_length < b + b_length ? a + a_length : b + b_length;
    return end > start ? end - start : 0.0f;
}

float face_iou(const face_box *a, const face_box *b)
{
    float shared = shared_length(a->x, a->width, b->x, b->width) *
                   shared_length(a->y, a->height, b->y, b->height);
    float all = a->width * a->height + b->width * b->height - shared;
    return all > 0.0f ? shared / all : 0.0f;
}

static int rising(float a, float b)
{
    return (a > b) - (a < b);
}

/* The size decides last, so that the order never depends on the sorting algorithm. */
static int best_first(const void *left, const void *right)
{
    const face_box *a = left, *b = right;
    int order = rising(b->score, a->score);
    if (order == 0)
        order = rising(a->y, b->y);
    if (order == 0)
        order = rising(a->x, b->x);
    if (order == 0)
        order = rising(a->width, b->width);
    return order != 0 ? order : rising(a->height, b->height);
}

static bool is_suppressed(const face_box *kept, size_t kept_count, const face_box *face,
                          float iou_threshold)
{
    for (size_t i = 0; i < kept_count; i++)
        if (face_iou(&kept[i], face) > iou_threshold)
            return true;
    return false;
}

void face_list_suppress(face_list *list, float iou_threshold)
{
    if (list->count < 2)
        return;
    qsort(list->faces, list->count, sizeof *list->faces, best_first);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!is_suppressed(list->faces, kept, &list->faces[i], iou_threshold))
            list->faces[kept++] = list->faces[i];
    list->count = kept;
}
