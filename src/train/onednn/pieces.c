/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolutions of 1x1 and depthwise ones, a piece of the batch at a time: so many pixels or
 * pictures that they stay in the cache while BatchNormalization before the convolution is made, the
 * convolution itself, and the sums that BatchNormalization behind it needs. Backwards too, where
 * what the way forwards made is made again. Each thread takes an equal part of the batch, and sums
 * are joined in the order of the threads.
 */

#include "train/onednn/pieces.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIXEL_FLOATS   131072 /* of a piece's pixels, in and out */
#define LEAST_PIXELS   288    /* for which a product is worth what it copies */
#define PICTURE_FLOATS 65536  /* of a piece's pictures, in and out */

struct pieces_conv {
    nn_conv shape;
    depthwise_conv *depthwise; /* NULL: a window of 1x1 */
    /* A unit is a pixel for windows of 1x1, else a picture. */
    int64_t units, units_at_once;
    int64_t in_rows, out_rows; /* pixels of a unit */
    bool by_rows;              /* depthwise_rows.c does the work */
};

static int64_t picture_rows(const nn_extent *e)
{
    return e->height * e->width;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool pieces_takes(const nn_conv *shape)
{
    return pointwise_takes(shape) || depthwise_takes(shape);
}

mien_status pieces_create(const nn_conv *shape, pieces_conv **out, mien_error *error)
{
    *out = NULL;
    pieces_conv *conv = memory_zeroed(1, sizeof *conv);
    if (conv == NULL)
        return error_no_memory(error, "a convolution", sizeof *conv);
    int64_t in = picture_rows(&shape->in), out_rows = picture_rows(&shape->out);
    conv->shape = *shape;
    if (pointwise_takes(shape)) {
        conv->units = shape->in.batch * in;
        conv->in_rows = conv->out_rows = 1;
        conv->units_at_once =
            most(PIXEL_FLOATS / (shape->in.channels + shape->out.channels), LEAST_PIXELS);
        *out = conv;
        return MIEN_OK;
    }
    conv->units = shape->in.batch;
    conv->in_rows = in;
    conv->out_rows = out_rows;
    conv->units_at_once = most(PICTURE_FLOATS / ((in + out_rows) * shape->in.channels), 1);
    mien_status status = depthwise_create(shape, &conv->depthwise, error);
    if (status != MIEN_OK) {
        free(conv);
        return status;
    }
    conv->by_rows = depthwise_goes_by_rows(conv->depthwise);
    *out = conv;
    return MIEN_OK;
}

void pieces_free(pieces_conv *conv)
{
    if (conv == NULL)
        return;
    depthwise_free(conv->depthwise);
    free(conv);
}

/* ---- Scratch ---- */

static size_t aligned(size_t bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

static size_t weight_count(const pieces_conv *conv)
{
    const nn_conv *s = &conv->shape;
    return (size_t)(s->out.channels * (s->in.channels / s->group) * s->window.kernel[0] *
                    s->window.kernel[1]);
}

/* Of a piece of x or of dy, or of the rows that depthwise_rows.c keeps of it. */
static size_t piece_floats(const pieces_conv *conv, const nn_extent *e, int64_t unit_rows)
{
    int64_t units = conv->units_at_once < conv->units ? conv->units_at_once : conv->units;
    int64_t pixels = conv->by_rows ? DEPTHWISE_ROWS_KEPT * e->width : units * unit_rows;
    return (size_t)(pixels * e->channels);
}

/* The place of `count` items behind what is taken already; the memory itself, or NULL to count. */
static void *take(unsigned char *memory, size_t *taken, size_t count, size_t size)
{
    void *place = memory != NULL ? memory + *taken : NULL;
    *taken += aligned(count * size);
    return place;
}

/* Splits one thread's memory, or counts it where memory is NULL. */
static size_t split(const pieces_conv *conv, unsigned char *memory, piece_space *w)
{
    const nn_conv *s = &conv->shape;
    size_t channels = (size_t)most(s->in.channels, s->out.channels), taken = 0;
    w->x = take(memory, &taken, piece_floats(conv, &s->in, conv->in_rows), sizeof *w->x);
    w->dy = take(memory, &taken, piece_floats(conv, &s->out, conv->out_rows), sizeof *w->dy);
    w->weights = take(memory, &taken, weight_count(conv), sizeof *w->weights);
    w->origin = take(memory, &taken, channels, sizeof *w->origin);
    w->sums = take(memory, &taken, 2 * channels, sizeof *w->sums);
    w->totals = take(memory, &taken, 2 * channels, sizeof *w->totals);
    return taken;
}

static piece_space space_of(const pieces_conv *conv, void *scratch, int thread)
{
    piece_space w;
    size_t bytes = split(conv, NULL, &w);
    w.has_origin = false;
    split(conv, (unsigned char *)scratch + (size_t)thread * bytes, &w);
    return w;
}

size_t pieces_scratch(const pieces_conv *conv)
{
    piece_space w;
    return (size_t)onednn_threads() * split(conv, NULL, &w);
}

/* ---- Parts and pieces ---- */

/* Units first..end-1. */
typedef struct unit_range {
    int64_t first, end;
} unit_range;

static unit_range part_of(const pieces_conv *conv, int thread, int threads)
{
    return (unit_range){conv->units * thread / threads, conv->units * (thread + 1) / threads};
}

static unit_range first_piece(const pieces_conv *conv, unit_range part)
{
    int64_t end = part.first + conv->units_at_once;
    return (unit_range){part.first, end < part.end ? end : part.end};
}

static void next_piece(const pieces_conv *conv, unit_range part, unit_range *piece)
{
    *piece = first_piece(conv, (unit_range){piece->end, part.end});
}

/* Adds a piece's sums to the thread's. */
static void add_sums(const piece_space *w, int64_t channels)
{
    for (int64_t i = 0; i < 2 * channels; i++)
        w->totals[i] += w->sums[i];
}

/* What the convolution reads of a piece. */
static const float *input_piece(const pieces_conv *conv, const piece_sides *s, unit_range piece,
                                const piece_space *w)
{
    int64_t channels = conv->shape.in.channels;
    const float *x = s->x + piece.first * conv->in_rows * channels;
    if (s->before == NULL)
        return x;
    norm_rows_map(x, (piece.end - piece.first) * conv->in_rows, channels, &s->before_map, w->x,
                  NULL);
    return w->x;
}

/* ---- Forwards ---- */

void piece_add_moments(piece_space *w, const float *y, int64_t rows, int64_t channels)
{
    if (!w->has_origin)
        memcpy(w->origin, y, (size_t)channels * sizeof *y);
    w->has_origin = true;
    norm_rows_moments(y, rows, channels, w->origin, w->sums, w->sums + channels);
}

static void forward_piece(const pieces_conv *conv, const piece_sides *s, unit_range piece,
                          const float *weights, const float *bias, piece_space *w)
{
    int64_t units = piece.end - piece.first, channels = conv->shape.out.channels;
    const float *x = input_piece(conv, s, piece, w);
    float *y = s->forward + piece.first * conv->out_rows * channels;
    if (conv->depthwise != NULL)
        depthwise_forward(conv->depthwise, units, x, y);
    else
        pointwise_forward(&conv->shape, units, x, weights, bias, y);
    if (s->after != NULL)
        piece_add_moments(w, y, units * conv->out_rows, channels);
}

static void forward_part(const pieces_conv *conv, unit_range part, const piece_sides *s,
                         const float *weights, const float *bias, piece_space *w)
{
    int64_t channels = conv->shape.out.channels;
    memset(w->totals, 0, (size_t)(2 * channels) * sizeof *w->totals);
    for (unit_range piece = first_piece(conv, part); piece.first < piece.end;
         next_piece(conv, part, &piece)) {
        memset(w->sums, 0, (size_t)(2 * channels) * sizeof *w->sums);
        if (conv->by_rows)
            depthwise_rows_forward(conv->depthwise, s, piece.first, piece.end - piece.first, w);
        else
            forward_piece(conv, s, piece, weights, bias, w);
        if (s->after != NULL)
            add_sums(w, channels);
    }
}

/* Adds a thread's moments of n numbers to others', about the others' origin. */
static void move_moments(const piece_space *from, double n, int64_t channels, const piece_space *to)
{
    for (int64_t c = 0; c < channels; c++) {
        double shift = (double)from->origin[c] - (double)to->origin[c];
        to->totals[c] += from->totals[c] + n * shift;
        to->totals[channels + c] +=
            from->totals[channels + c] + shift * (2 * from->totals[c] + n * shift);
    }
}

/* The last thread's part is never empty. */
static void join_moments(const pieces_conv *conv, int threads, void *scratch,
                         const train_joined_norm *after)
{
    int64_t channels = conv->shape.out.channels;
    double rows = (double)(conv->units * conv->out_rows);
    piece_space all = space_of(conv, scratch, threads - 1);
    for (int t = 0; t < threads - 1; t++) {
        unit_range part = part_of(conv, t, threads);
        piece_space w = space_of(conv, scratch, t);
        if (part.end > part.first)
            move_moments(&w, (double)((part.end - part.first) * conv->out_rows), channels, &all);
    }
    for (int64_t c = 0; c < channels; c++) {
        double shifted = all.totals[c] / rows;
        double variance = all.totals[channels + c] / rows - shifted * shifted;
        after->mean[c] = (float)(all.origin[c] + shifted);
        after->inverse[c] = (float)(1 / sqrt((variance > 0 ? variance : 0) + after->epsilon));
    }
}

void pieces_forward(pieces_conv *conv, const train_joined_norm *before, const float *x,
                    const float *weights, const float *bias, float *y,
                    const train_joined_norm *after, void *scratch)
{
    int threads = onednn_threads();
    piece_sides s = {.before = before, .after = after, .x = x, .forward = y};
    if (before != NULL)
        s.before_map = norm_map_of(before->activation, before->factor, before->offset);
    if (conv->depthwise != NULL)
        depthwise_start_forward(conv->depthwise, weights, bias);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        piece_space w = space_of(conv, scratch, t);
        forward_part(conv, part_of(conv, t, threads), &s, weights, bias, &w);
    }
    if (after != NULL)
        join_moments(conv, threads, scratch, after);
}

/* ---- Backwards ---- */

static piece_sides sides_of(const pieces_conv *conv, const train_joined_norm *before,
                            const float *x, const train_joined_norm *after, const float *y,
                            const float *dy, float *dx)
{
    int64_t outputs = conv->shape.out.channels;
    piece_sides s = {.before = before, .after = after, .x = x, .y = y, .dy = dy, .dx = dx};
    if (before != NULL)
        s.before_map = norm_map_of(before->activation, before->factor, before->offset);
    if (after != NULL) {
        s.after_map = norm_map_of(after->activation, after->factor, after->offset);
        s.slopes =
            (norm_slopes){after->slopes, after->slopes + outputs, after->slopes + 2 * outputs};
    }
    return s;
}

/* The gradient of what the convolution wrote of a piece. */
static const float *gradient_piece(const pieces_conv *conv, const piece_sides *s, unit_range piece,
                                   const piece_space *w)
{
    int64_t channels = conv->shape.out.channels, at = piece.first * conv->out_rows * channels;
    if (s->after == NULL)
        return s->dy + at;
    norm_rows_gradient(s->y + at, s->dy + at, (piece.end - piece.first) * conv->out_rows, channels,
                       &s->after_map, &s->slopes, w->dy, NULL);
    return w->dy;
}

static void input_gradient(const pieces_conv *conv, const piece_sides *s, unit_range piece,
                           const float *weights, const float *dy, const piece_space *w)
{
    int64_t channels = conv->shape.in.channels, at = piece.first * conv->in_rows * channels;
    int64_t units = piece.end - piece.first;
    if (conv->depthwise != NULL)
        depthwise_input(conv->depthwise, units, dy, s->dx + at);
    else
        pointwise_input(&conv->shape, units, dy, weights, s->dx + at);
    if (s->before == NULL)
        return;
    norm_rows_gradient_sums(s->x + at, s->dx + at, units * conv->in_rows, channels, s->before->mean,
                            &s->before_map, w->sums, w->sums + channels);
}

static void backward_piece(const pieces_conv *conv, const piece_sides *s, unit_range piece,
                           const float *weights, const piece_space *w)
{
    int64_t units = piece.end - piece.first;
    const float *dy = gradient_piece(conv, s, piece, w);
    if (s->dx != NULL)
        input_gradient(conv, s, piece, weights, dy, w);
    const float *x = input_piece(conv, s, piece, w);
    if (conv->depthwise != NULL)
        depthwise_weights(conv->depthwise, units, x, dy, w->weights);
    else
        pointwise_weights(&conv->shape, units, x, dy, w->weights);
}

static void backward_part(const pieces_conv *conv, unit_range part, const piece_sides *s,
                          const float *weights, piece_space *w)
{
    int64_t channels = conv->shape.in.channels;
    memset(w->totals, 0, (size_t)(2 * channels) * sizeof *w->totals);
    memset(w->weights, 0, weight_count(conv) * sizeof *w->weights);
    for (unit_range piece = first_piece(conv, part); piece.first < piece.end;
         next_piece(conv, part, &piece)) {
        memset(w->sums, 0, (size_t)(2 * channels) * sizeof *w->sums);
        if (conv->by_rows)
            depthwise_rows_backward(conv->depthwise, s, piece.first, piece.end - piece.first, w);
        else
            backward_piece(conv, s, piece, weights, w);
        if (s->before != NULL)
            add_sums(w, channels);
    }
}

/* The threads' sums, in order, in the first one's place. */
static void join_backward(const pieces_conv *conv, int threads, void *scratch)
{
    piece_space all = space_of(conv, scratch, 0);
    for (int t = 1; t < threads; t++) {
        piece_space w = space_of(conv, scratch, t);
        for (size_t i = 0; i < weight_count(conv); i++)
            all.weights[i] += w.weights[i];
        for (int64_t i = 0; i < 2 * conv->shape.in.channels; i++)
            all.totals[i] += w.totals[i];
    }
}

void pieces_backward(pieces_conv *conv, const train_joined_norm *before, const float *x,
                     const float *weights, const train_joined_norm *after, const float *y,
                     const float *dy, float *dx, float *d_weights, void *scratch)
{
    int threads = onednn_threads();
    piece_sides s = sides_of(conv, before, x, after, y, dy, dx);
    piece_space all = space_of(conv, scratch, 0);
    if (conv->depthwise != NULL)
        depthwise_start_backward(conv->depthwise, weights);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        piece_space w = space_of(conv, scratch, t);
        backward_part(conv, part_of(conv, t, threads), &s, weights, &w);
    }
    join_backward(conv, threads, scratch);
    if (before != NULL && dx != NULL)
        memcpy(before->sums, all.totals, (size_t)(2 * conv->shape.in.channels) * sizeof(double));
    if (conv->depthwise != NULL)
        depthwise_unpack_weights(conv->depthwise, all.weights, d_weights);
    else
        memcpy(d_weights, all.weights, weight_count(conv) * sizeof *d_weights);
}
