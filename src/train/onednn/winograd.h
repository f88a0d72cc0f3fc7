/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_ONEDNN_WINOGRAD_H
#define TRAIN_ONEDNN_WINOGRAD_H

/*
 * The parts of winograd.c. Minimal filtering F(3x3, 3x3) (Lavin and Gray 2016, "Fast Algorithms for
 * Convolutional Neural Networks"), of polynomials at the points 0, 1, -1, 2 and infinity: three by
 * three outputs of a window of three by three are made of five by five inputs with 25 products in
 * the place of 81. Inputs and window are taken to their values at the 25 points, the values are
 * multiplied, and products taken back. As inputs, window and outputs have the same sizes, the
 * gradients of input and window are of the same kind.
 *
 * Channels last; channels are multiples of WINOGRAD_PANEL. `plane`: floats from one point to the
 * next. Private to this folder.
 */

#include <stdbool.h>
#include <stdint.h>

#define WINOGRAD_SIDE   3 /* of the window, and of a tile of outputs */
#define WINOGRAD_TAPS   (WINOGRAD_SIDE * WINOGRAD_SIDE)
#define WINOGRAD_REACH  5 /* inputs under a tile */
#define WINOGRAD_POINTS (WINOGRAD_REACH * WINOGRAD_REACH)
#define WINOGRAD_PANEL  16 /* channels that a product takes side by side */

/* ---- winograd_transform.c ---- */

/* The weights of a convolution, or of the one that makes the gradient of its input. */
typedef struct winograd_window {
    const float *weights;            /* of output 0, input 0, the first tap */
    int64_t output_step, input_step; /* floats */
    int tap_step;                    /* 1, or -1: turned around */
    int64_t inputs, outputs;
} winograd_window;

/* pixels: 25 of `channels` floats; points (25, plane): `channels` floats at each. */
void winograd_take_inputs(const float *const *pixels, int64_t channels, float *points,
                          int64_t plane);

/* pixels: 9, taken as a window; a panel of channels lies panel_step floats behind the one before.
 */
void winograd_take_gradient(const float *const *pixels, int64_t channels, int64_t panel_step,
                            float *points, int64_t plane);

/* pixels: 9 that are written, NULL where there is none; bias (channels) or NULL. */
void winograd_give_outputs(const float *points, int64_t plane, int64_t channels, const float *bias,
                           float *const *pixels);

/* One panel of outputs, from `output` on: points (25, plane), in each (inputs, panel). */
void winograd_take_weights(const winograd_window *window, int64_t output, float *points,
                           int64_t plane);

/* points (25, inputs, outputs) -> d_weights (outputs, inputs, 9), for one input. */
void winograd_give_weights(const float *points, int64_t inputs, int64_t outputs, int64_t input,
                           float *d_weights);

/* ---- winograd_product.c ---- */

/* A matrix by its steps in floats: of rows, and of what is summed over. */
typedef struct winograd_matrix {
    const float *at;
    int64_t row_step, depth_step;
} winograd_matrix;

/*
 * c (rows, columns) = a (rows, depth) b, or += with `add`; b: panels of (depth, panel), one behind
 * the other. columns: a multiple of the panel.
 */
void winograd_multiply(winograd_matrix a, const float *b, int64_t rows, int64_t depth,
                       int64_t columns, bool add, float *c);

#endif
