/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_ONEDNN_DEPTHWISE_H
#define TRAIN_ONEDNN_DEPTHWISE_H

/* What depthwise*.c share, and nobody else: onednn.h says what they are for. */

#include "train/onednn/norm_rows.h"
#include "train/onednn/onednn.h"

/*
 * Forwards, the runtime's kernels do the work. Backwards with a stride of 1, the input's gradient
 * is a depthwise convolution too: of dy, with the window turned around. Or it goes by rows.
 */
struct depthwise_conv {
    nn_conv shape;
    const nn_kernels *kernels;
    nn_conv forward, backward; /* of one picture; packed: ours */
    bool turns;                /* backward is of use */
    bool by_rows;              /* taken by depthwise_rows.c: packed[0] alone is of use */
    float *packed[2];
    float *turned;       /* (C, taps): the weights, the window turned around */
    float *ordered;      /* (taps, C) */
    float *ones, *zeros; /* (C) */
};

/* ---- depthwise_3x3.c: a row at a time, (width, C) ---- */

/* Whether these functions take this depthwise convolution. */
bool depthwise_3x3_takes(const nn_conv *conv);
size_t depthwise_3x3_packed_floats(const nn_conv *conv);
/* weights (C, 1, 3, 3), bias (C) or NULL. */
void depthwise_3x3_pack(const nn_conv *conv, const float *weights, const float *bias,
                        float *packed);

/* Rows of a picture, and which row of the window belongs to each: those that lie inside. */
typedef struct depthwise_3x3_rows {
    int count; /* 0..3 */
    const float *at[3];
    int window_row[3];
} depthwise_3x3_rows;

typedef struct depthwise_3x3_forward_row {
    norm_map map;        /* what is done to x before */
    const float *packed; /* depthwise_3x3_pack */
    const float *ahead;  /* rows of x that the cache is told to fetch: as many as the stride */
    const float *origin; /* (C): what the sums are about */
    float *y;
    float *sums; /* (2, C) += y - origin, (y - origin)^2 */
} depthwise_3x3_forward_row;

/* rows: of x. */
void depthwise_3x3_forward(const nn_conv *conv, const depthwise_3x3_rows *rows,
                           const depthwise_3x3_forward_row *task);

typedef struct depthwise_3x3_backward_row {
    norm_map map;
    const float *packed;
    const float *ahead; /* a row of x to fetch */
    const float *x, *mean;
    float *dx;
    float *sums;      /* (2, C) += back, back (x - mean), as in norm_rows_gradient_sums */
    float *d_weights; /* (9, C) += */
} depthwise_3x3_backward_row;

/* rows: of dy, those that the row of x gave to. */
void depthwise_3x3_backward(const nn_conv *conv, const depthwise_3x3_rows *rows,
                            const depthwise_3x3_backward_row *task);

#endif
