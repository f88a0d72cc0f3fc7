/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DECODE_H
#define DETECT_DECODE_H

/*
 * From the output maps of detector networks to face boxes, in pixels of the network's input. Pure
 * functions. Values that are not finite are passed over.
 */

#include "detect/faces.h"

/* The maps of YuNet for one stride; n = rows * columns, row-major. */
typedef struct yunet_level {
    int stride; /* pixels */
    int rows, columns;
    const float *cls;  /* (n) */
    const float *obj;  /* (n) */
    const float *bbox; /* (n, 4): centre offset x, y in strides; log width, height in strides */
    const float *kps;  /* (n, 10): landmark offsets x, y in strides */
} yunet_level;

/*
 * Adds the faces with score sqrt(cls * obj) of at least min_score (Wu et al., YuNet, 2023).
 * false when out of memory; then the list holds what it held.
 */
bool yunet_decode(const yunet_level *levels, size_t level_count, float min_score, face_list *list);

/*
 * Adds the faces of a tiny YOLO v2 map (25, rows, columns), channel = anchor * 5 + (tx, ty, tw, th,
 * objectness), with score sigmoid(objectness) of at least min_score.
 * anchors: 5 pairs (width, height) in cells; cell: pixels per cell (32).
 */
bool tiny_yolo_decode(const float *map, int rows, int columns, const float anchors[5][2],
                      float cell, float min_score, face_list *list);

#endif
