/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/decode.h"

#include <math.h>

#define TINY_YOLO_ANCHORS 5
#define TINY_YOLO_VALUES  5 /* tx, ty, tw, th, objectness */

static bool box_is_finite(const face_box *face)
{
    bool finite = isfinite(face->x) && isfinite(face->y) && isfinite(face->width) &&
                  isfinite(face->height) && isfinite(face->score);
    for (int i = 0; finite && face->has_landmarks && i < FACE_LANDMARKS; i++)
        finite = isfinite(face->landmarks[i][0]) && isfinite(face->landmarks[i][1]);
    return finite;
}

/* Adds the face unless it holds a value that is not finite. */
static bool add_finite_face(face_list *list, const face_box *face)
{
    return box_is_finite(face) ? face_list_add(list, face) : true;
}

static face_box centred_box(float centre_x, float centre_y, float width, float height, float score)
{
    return (face_box){.x = centre_x - width / 2.0f,
                      .y = centre_y - height / 2.0f,
                      .width = width,
                      .height = height,
                      .score = score};
}

/* Negative when a factor is, so that two wrong values do not make a right one. */
static float yunet_score(const yunet_level *level, size_t cell)
{
    float cls = level->cls[cell], obj = level->obj[cell];
    return cls < 0.0f || obj < 0.0f ? -1.0f : sqrtf(cls * obj);
}

static face_box yunet_face(const yunet_level *level, int row, int column, size_t cell, float score)
{
    const float *box = level->bbox + 4 * cell;
    const float *points = level->kps + 2 * FACE_LANDMARKS * cell;
    float stride = (float)level->stride;
    face_box face = centred_box(((float)column + box[0]) * stride, ((float)row + box[1]) * stride,
                                expf(box[2]) * stride, expf(box[3]) * stride, score);
    face.has_landmarks = true;
    for (int i = 0; i < FACE_LANDMARKS; i++) {
        face.landmarks[i][0] = ((float)column + points[2 * i]) * stride;
        face.landmarks[i][1] = ((float)row + points[2 * i + 1]) * stride;
    }
    return face;
}

static bool decode_yunet_level(const yunet_level *level, float min_score, face_list *list)
{
    for (int row = 0; row < level->rows; row++)
        for (int column = 0; column < level->columns; column++) {
            size_t cell = (size_t)row * (size_t)level->columns + (size_t)column;
            float score = yunet_score(level, cell);
            if (!(score >= min_score))
                continue;
            face_box face = yunet_face(level, row, column, cell, score);
            if (!add_finite_face(list, &face))
                return false;
        }
    return true;
}

bool yunet_decode(const yunet_level *levels, size_t level_count, float min_score, face_list *list)
{
    size_t before = list->count;
    for (size_t i = 0; i < level_count; i++)
        if (!decode_yunet_level(&levels[i], min_score, list)) {
            list->count = before;
            return false;
        }
    return true;
}

static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

/* values: tx of the cell; the other four follow, plane floats apart. */
static face_box tiny_yolo_face(const float *values, size_t plane, int row, int column,
                               const float anchor[2], float cell)
{
    return centred_box(((float)column + sigmoid(values[0])) * cell,
                       ((float)row + sigmoid(values[plane])) * cell,
                       expf(values[2 * plane]) * anchor[0] * cell,
                       expf(values[3 * plane]) * anchor[1] * cell, sigmoid(values[4 * plane]));
}

bool tiny_yolo_decode(const float *map, int rows, int columns, const float anchors[5][2],
                      float cell, float min_score, face_list *list)
{
    size_t before = list->count;
    size_t plane = (size_t)rows * (size_t)columns;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            for (size_t anchor = 0; anchor < TINY_YOLO_ANCHORS; anchor++) {
                const float *values = map + anchor * TINY_YOLO_VALUES * plane +
                                      (size_t)row * (size_t)columns + (size_t)column;
                if (!(sigmoid(values[4 * plane]) >= min_score))
                    continue;
                face_box face = tiny_yolo_face(values, plane, row, column, anchors[anchor], cell);
                if (!add_finite_face(list, &face)) {
                    list->count = before;
                    return false;
                }
            }
    return true;
}
