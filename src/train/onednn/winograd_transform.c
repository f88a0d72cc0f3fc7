/* SPDX-License-Identifier: Apache-2.0 */

/* To the points and back: eight channels at a time, first down the columns, then along the rows. */

#include "train/onednn/lanes.h"
#include "train/onednn/winograd.h"

#include <stddef.h>

#define SIDE   WINOGRAD_SIDE
#define TAPS   WINOGRAD_TAPS
#define REACH  WINOGRAD_REACH
#define POINTS WINOGRAD_POINTS
#define PANEL  WINOGRAD_PANEL

/* ---- One direction, in place; step: from one number to the next ---- */

LANES_INLINE void take_inputs(lanes *v, int step)
{
    lanes first = v[0], second = v[step], third = v[2 * step], fourth = v[3 * step];
    lanes odd = fourth - second;
    v[0] = 2 * (first - third) + odd;
    v[step] = odd - (second + third);
    v[2 * step] = fourth - third + 2 * (second - third);
    v[3 * step] = odd;
    v[4 * step] -= third + 2 * odd;
}

LANES_INLINE void take_window(lanes *v, int step)
{
    lanes first = v[0], second = v[step], third = v[2 * step], even = first + third;
    v[0] = 0.5f * first;
    v[step] = -0.5f * (even + second);
    v[2 * step] = (1 / 6.0f) * (second - even);
    v[3 * step] = (1 / 6.0f) * (first + 2 * second + 4 * third);
    v[4 * step] = third;
}

LANES_INLINE void give_outputs(lanes *v, int step)
{
    lanes sum = v[step] + v[2 * step], difference = v[step] - v[2 * step], fourth = v[3 * step];
    v[0] += sum + fourth;
    v[step] = difference + 2 * fourth;
    v[2 * step] = sum + 4 * fourth + v[4 * step];
}

/* ---- Both directions, in place in (REACH, REACH): a window lies in its first rows and columns,
 * and outputs come to lie there ---- */

LANES_INLINE void inputs_to_points(lanes *square)
{
    LANES_UNROLL
    for (int x = 0; x < REACH; x++)
        take_inputs(square + x, REACH);
    LANES_UNROLL
    for (int y = 0; y < REACH; y++)
        take_inputs(square + y * REACH, 1);
}

LANES_INLINE void window_to_points(lanes *square)
{
    LANES_UNROLL
    for (int x = 0; x < SIDE; x++)
        take_window(square + x, REACH);
    LANES_UNROLL
    for (int y = 0; y < REACH; y++)
        take_window(square + y * REACH, 1);
}

LANES_INLINE void points_to_outputs(lanes *square)
{
    LANES_UNROLL
    for (int x = 0; x < REACH; x++)
        give_outputs(square + x, REACH);
    LANES_UNROLL
    for (int y = 0; y < SIDE; y++)
        give_outputs(square + y * REACH, 1);
}

/* ---- Pictures ---- */

VECTORISED static void inputs_of_tile(const float *const *pixels, int64_t channels, float *points,
                                      int64_t plane)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        lanes square[POINTS];
        LANES_UNROLL
        for (int p = 0; p < POINTS; p++)
            square[p] = *(const lanes *)(pixels[p] + c);
        inputs_to_points(square);
        LANES_UNROLL
        for (int p = 0; p < POINTS; p++)
            *(lanes *)(points + p * plane + c) = square[p];
    }
}

VECTORISED static void gradient_of_tile(const float *const *pixels, int64_t channels,
                                        int64_t panel_step, float *points, int64_t plane)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        float *to = points + c / PANEL * panel_step + c % PANEL;
        lanes square[POINTS];
        LANES_UNROLL
        for (int p = 0; p < TAPS; p++)
            square[p / SIDE * REACH + p % SIDE] = *(const lanes *)(pixels[p] + c);
        window_to_points(square);
        LANES_UNROLL
        for (int p = 0; p < POINTS; p++)
            *(lanes *)(to + p * plane) = square[p];
    }
}

VECTORISED static void outputs_of_tile(const float *points, int64_t plane, int64_t channels,
                                       const float *bias, float *const *pixels)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        lanes offset = bias != NULL ? *(const lanes *)(bias + c) : (lanes){0};
        lanes square[POINTS];
        LANES_UNROLL
        for (int p = 0; p < POINTS; p++)
            square[p] = *(const lanes *)(points + p * plane + c);
        points_to_outputs(square);
        LANES_UNROLL
        for (int p = 0; p < TAPS; p++)
            if (pixels[p] != NULL)
                *(lanes *)(pixels[p] + c) = square[p / SIDE * REACH + p % SIDE] + offset;
    }
}

/* ---- Weights ---- */

VECTORISED static void points_of_weights(const winograd_window *w, int64_t output, float *points,
                                         int64_t plane)
{
    for (int64_t i = 0; i < w->inputs * 2; i++) {
        const float *from =
            w->weights + (output + i % 2 * LANES) * w->output_step + i / 2 * w->input_step;
        lanes square[POINTS];
        LANES_UNROLL
        for (int p = 0; p < TAPS; p++)
            for (int lane = 0; lane < LANES; lane++)
                square[p / SIDE * REACH + p % SIDE][lane] =
                    from[lane * w->output_step + p * w->tap_step];
        window_to_points(square);
        LANES_UNROLL
        for (int p = 0; p < POINTS; p++)
            *(lanes *)(points + p * plane + i * LANES) = square[p];
    }
}

VECTORISED static void weights_of_points(const float *points, int64_t inputs, int64_t outputs,
                                         int64_t input, float *d_weights)
{
    for (int64_t output = 0; output < outputs; output += LANES) {
        float *to = d_weights + (output * inputs + input) * TAPS;
        lanes square[POINTS];
        LANES_UNROLL
        for (int p = 0; p < POINTS; p++)
            square[p] = *(const lanes *)(points + (p * inputs + input) * outputs + output);
        points_to_outputs(square);
        for (int lane = 0; lane < LANES; lane++, to += inputs * TAPS) {
            LANES_UNROLL
            for (int p = 0; p < TAPS; p++)
                to[p] = square[p / SIDE * REACH + p % SIDE][lane];
        }
    }
}

/* ---- From outside: clang does not export the functions that it makes several times ---- */

void winograd_take_inputs(const float *const *pixels, int64_t channels, float *points,
                          int64_t plane)
{
    inputs_of_tile(pixels, channels, points, plane);
}

void winograd_take_gradient(const float *const *pixels, int64_t channels, int64_t panel_step,
                            float *points, int64_t plane)
{
    gradient_of_tile(pixels, channels, panel_step, points, plane);
}

void winograd_give_outputs(const float *points, int64_t plane, int64_t channels, const float *bias,
                           float *const *pixels)
{
    outputs_of_tile(points, plane, channels, bias, pixels);
}

void winograd_take_weights(const winograd_window *w, int64_t output, float *points, int64_t plane)
{
    points_of_weights(w, output, points, plane);
}

void winograd_give_weights(const float *points, int64_t inputs, int64_t outputs, int64_t input,
                           float *d_weights)
{
    weights_of_points(points, inputs, outputs, input, d_weights);
}
