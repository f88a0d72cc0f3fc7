/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_FACES_H
#define DETECT_FACES_H

/* Face boxes, and the list that detectors fill. */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>

#define FACE_LANDMARKS 5

typedef struct face_box {
    float x, y;          /* left and top edge, pixels of the picture; may be outside it */
    float width, height; /* pixels */
    float score;         /* detector networks: 0..1; cascades: number of raw windows */
    bool has_landmarks;
    /* (x, y) in pixels: the eye on the left of the picture, the other eye, tip of the nose, the
     * corner of the mouth on the left of the picture, the other corner. */
    float landmarks[FACE_LANDMARKS][2];
} face_box;

/* A growing list; starts zeroed. The caller frees it with face_list_free. Not thread-safe. */
typedef struct face_list {
    face_box *faces;
    size_t count;
    size_t capacity;
} face_list;

/* false when out of memory; then the list is unchanged. */
bool face_list_add(face_list *list, const face_box *face);
void face_list_free(face_list *list);

/* Intersection over union of two boxes: 0..1. */
float face_iou(const face_box *a, const face_box *b);

/*
 * Greedy non-maximum suppression: sorts the list by falling score (ties: by y, then x) and removes
 * each face whose IoU with a better one that was kept is over the threshold (0..1).
 */
void face_list_suppress(face_list *list, float iou_threshold);

#endif
