/* SPDX-License-Identifier: Apache-2.0 */
#include "train/onednn/depthwise.h"
#include "train/onednn/pieces.h"

#include <math.h>
#include <string.h>

#define SIDE 3

static int64_t row_floats(const nn_extent *e)
{
    return e->width * e->channels;
}

static int64_t picture_floats(const nn_extent *e)
{
    return e->height * row_floats(e);
}

/* What is done to x before: nothing where there is no BatchNormalization. */
static norm_map map_before(const depthwise_conv *conv, const piece_sides *sides)
{
    return sides->before != NULL ? sides->before_map
                                 : (norm_map){conv->ones, conv->zeros, -INFINITY, INFINITY};
}

/* ---- Forwards ---- */

/* The rows of x under a row of y. */
static depthwise_3x3_rows rows_under(const nn_conv *s, const float *picture, int64_t row)
{
    depthwise_3x3_rows rows = {0};
    int64_t top = row * s->window.stride[0] - s->window.pad_before[0];
    for (int ky = 0; ky < SIDE; ky++)
        if (top + ky >= 0 && top + ky < s->in.height) {
            rows.window_row[rows.count] = ky;
            rows.at[rows.count++] = picture + (top + ky) * row_floats(&s->in);
        }
    return rows;
}

/* The first pixel of all is the origin of the sums. */
static void find_origin(const nn_conv *s, const depthwise_3x3_rows *rows,
                        const depthwise_3x3_forward_row *task, piece_space *space)
{
    if (space->has_origin)
        return;
    memset(space->origin, 0, (size_t)s->out.channels * sizeof(float));
    depthwise_3x3_forward(s, rows, task);
    memcpy(space->origin, task->y, (size_t)s->out.channels * sizeof(float));
    memset(space->sums, 0, (size_t)(2 * s->out.channels) * sizeof(float));
    space->has_origin = true;
}

static void picture_forward(const depthwise_conv *conv, const piece_sides *sides, int64_t picture,
                            piece_space *space)
{
    const nn_conv *s = &conv->shape;
    const float *x = sides->x + picture * picture_floats(&s->in);
    depthwise_3x3_forward_row task = {.map = map_before(conv, sides),
                                      .packed = conv->packed[0],
                                      .origin = space->origin,
                                      .y = sides->forward + picture * picture_floats(&s->out),
                                      .sums = space->sums};
    for (int64_t row = 0; row < s->out.height; row++, task.y += row_floats(&s->out)) {
        depthwise_3x3_rows rows = rows_under(s, x, row);
        int64_t next = row * s->window.stride[0] - s->window.pad_before[0] + SIDE;
        task.ahead = x + next * row_floats(&s->in);
        find_origin(s, &rows, &task, space);
        depthwise_3x3_forward(s, &rows, &task);
    }
}

void depthwise_rows_forward(const depthwise_conv *conv, const piece_sides *sides, int64_t picture,
                            int64_t pictures, piece_space *space)
{
    for (int64_t n = picture; n < picture + pictures; n++)
        picture_forward(conv, sides, n, space);
}

/* ---- Backwards ---- */

/* The rows of dy of one picture, read as they are or made when they are first needed, the last few
 * of them kept. */
typedef struct gradient_rows {
    const float *dy, *y;
    float *kept; /* NULL: as they are */
    int64_t made;
} gradient_rows;

static float *kept_row(const nn_conv *s, const gradient_rows *gradients, int64_t row)
{
    return gradients->kept + row % DEPTHWISE_ROWS_KEPT * row_floats(&s->out);
}

static void make_gradients(const nn_conv *s, const piece_sides *sides, int64_t end,
                           gradient_rows *gradients)
{
    for (; gradients->kept != NULL && gradients->made < end; gradients->made++) {
        int64_t at = gradients->made * row_floats(&s->out);
        norm_rows_gradient(gradients->y + at, gradients->dy + at, s->out.width, s->out.channels,
                           &sides->after_map, &sides->slopes,
                           kept_row(s, gradients, gradients->made), NULL);
    }
}

/* The rows of dy that a row of x gave to. */
static depthwise_3x3_rows rows_over(const nn_conv *s, const piece_sides *sides, int64_t row,
                                    gradient_rows *gradients)
{
    depthwise_3x3_rows rows = {0};
    int64_t stride = s->window.stride[0], last = (row + s->window.pad_before[0]) / stride;
    make_gradients(s, sides, last < s->out.height ? last + 1 : s->out.height, gradients);
    for (int ky = 0; ky < SIDE; ky++) {
        int64_t under = row + s->window.pad_before[0] - ky, at = under / stride;
        if (under < 0 || under % stride != 0 || at >= s->out.height)
            continue;
        rows.window_row[rows.count] = ky;
        rows.at[rows.count++] = gradients->kept != NULL ? kept_row(s, gradients, at)
                                                        : gradients->dy + at * row_floats(&s->out);
    }
    return rows;
}

static void picture_backward(const depthwise_conv *conv, const piece_sides *sides, int64_t picture,
                             const piece_space *space)
{
    const nn_conv *s = &conv->shape;
    int64_t in = row_floats(&s->in), first = picture * picture_floats(&s->in);
    gradient_rows gradients = {.dy = sides->dy + picture * picture_floats(&s->out)};
    if (sides->after != NULL) {
        gradients.y = sides->y + picture * picture_floats(&s->out);
        gradients.kept = space->dy;
    }
    depthwise_3x3_backward_row task = {.map = map_before(conv, sides),
                                       .packed = conv->packed[0],
                                       .x = sides->x + first,
                                       .mean = sides->before != NULL ? sides->before->mean
                                                                     : conv->zeros,
                                       .dx = sides->dx != NULL ? sides->dx + first : space->x,
                                       .sums = space->sums,
                                       .d_weights = space->weights};
    for (int64_t row = 0; row < s->in.height; row++, task.x += in) {
        depthwise_3x3_rows rows = rows_over(s, sides, row, &gradients);
        task.ahead = task.x + in;
        depthwise_3x3_backward(s, &rows, &task);
        task.dx += sides->dx != NULL ? in : 0;
    }
}

void depthwise_rows_backward(const depthwise_conv *conv, const piece_sides *sides, int64_t picture,
                             int64_t pictures, piece_space *space)
{
    for (int64_t n = picture; n < picture + pictures; n++)
        picture_backward(conv, sides, n, space);
}
