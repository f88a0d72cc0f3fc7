/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_ONEDNN_PIECES_H
#define TRAIN_ONEDNN_PIECES_H

/* What pieces.c and depthwise_rows.c share: onednn.h says what they are for. */

#include "train/onednn/norm_rows.h"
#include "train/onednn/onednn.h"

/* What lies on the two sides of a convolution: all of the batch. NULL: not there, not wanted. */
typedef struct piece_sides {
    const train_joined_norm *before, *after;
    norm_map before_map, after_map;
    norm_slopes slopes; /* of after */
    const float *x, *y; /* y: backwards, where after is */
    float *forward;     /* forwards: where y is written */
    const float *dy;
    float *dx;
} piece_sides;

/* What a thread works with. */
typedef struct piece_space {
    float *x, *dy;  /* a piece of each, or rows of it */
    float *weights; /* the thread's gradient of the weights */
    float *origin;  /* (C): what its moments are about */
    float *sums;    /* (2, C): of a piece */
    double *totals; /* (2, C): of the thread's part */
    bool has_origin;
} piece_space;

/* Adds the moments of rows of y to the piece's sums; the first row that comes is the origin. */
void piece_add_moments(piece_space *space, const float *y, int64_t rows, int64_t channels);

/* ---- depthwise_rows.c ---- */

#define DEPTHWISE_ROWS_KEPT                                                                        \
    4 /* of a picture, in piece_space: a power of two, more than a window                          \
       */

/*
 * Depthwise windows of 3x3, picture by picture and row by row: BatchNormalization before and behind
 * is made of the rows that are at work. Sums go to `space`.
 */
void depthwise_rows_forward(const depthwise_conv *conv, const piece_sides *sides, int64_t picture,
                            int64_t pictures, piece_space *space);
void depthwise_rows_backward(const depthwise_conv *conv, const piece_sides *sides, int64_t picture,
                             int64_t pictures, piece_space *space);

#endif
