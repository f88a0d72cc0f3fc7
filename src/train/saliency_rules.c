/* SPDX-License-Identifier: Apache-2.0 */
#include "train/saliency_rules.h"

#include "nn/ref/ref.h"
#include "train/elementwise.h"

#include <math.h>

static void add_same(const saliency_step *s)
{
    int64_t count = nn_elements(&s->output.shape);
    for (int64_t i = 0; i < count; i++)
        s->dx[i] += s->dy[i];
}

/* ---- Products ---- */

/* One output pixel of a convolution gives its gradient to the pixels that it was made of. */
static void spread_pixel(const nn_window *w, const int64_t *x_dims, const int64_t *w_dims,
                         const float *filter, int64_t row, int64_t column, float dy, float *dx)
{
    for (int64_t c = 0; c < w_dims[1]; c++)
        for (int ky = 0; ky < w_dims[2]; ky++) {
            int64_t y = row * w->stride[0] - w->pad_before[0] + ky * w->dilation[0];
            if (y < 0 || y >= x_dims[2])
                continue;
            float *line = dx + (c * x_dims[2] + y) * x_dims[3];
            const float *taps = filter + (c * w_dims[2] + ky) * w_dims[3];
            for (int kx = 0; kx < w_dims[3]; kx++) {
                int64_t x = column * w->stride[1] - w->pad_before[1] + kx * w->dilation[1];
                if (x >= 0 && x < x_dims[3])
                    line[x] += dy * taps[kx];
            }
        }
}

static void through_conv(const saliency_step *s)
{
    const int64_t *x = s->inputs[0].shape.dims, *w = s->inputs[1].shape.dims;
    const int64_t *o = s->output.shape.dims;
    const float *weights = s->inputs[1].data, *dy = s->dy;
    int64_t each = w[0] / s->params->conv.group, filter = w[1] * w[2] * w[3];
    for (int64_t n = 0; n < o[0]; n++)
        for (int64_t m = 0; m < o[1]; m++) {
            float *dx = s->dx + (n * x[1] + m / each * w[1]) * x[2] * x[3];
            for (int64_t row = 0; row < o[2]; row++)
                for (int64_t column = 0; column < o[3]; column++, dy++)
                    if (*dy != 0)
                        spread_pixel(&s->params->conv.window, x, w, weights + m * filter, row,
                                     column, *dy, dx);
        }
}

/* dx (rows, inner) += scale dy (rows, outputs) B', where B is reached by its two strides. */
static void through_product(const saliency_step *s, int64_t inner, int64_t inner_stride,
                            int64_t output_stride, float scale)
{
    const float *b = s->inputs[1].data;
    int64_t outputs = s->output.shape.dims[s->output.shape.rank - 1];
    int64_t rows = nn_elements(&s->output.shape) / outputs;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < inner; i++) {
            double sum = 0;
            for (int64_t o = 0; o < outputs; o++)
                sum += (double)s->dy[r * outputs + o] * b[i * inner_stride + o * output_stride];
            s->dx[r * inner + i] += scale * (float)sum;
        }
}

static void through_gemm(const saliency_step *s)
{
    const int64_t *b = s->inputs[1].shape.dims;
    if (s->params->gemm.transpose_b)
        through_product(s, b[1], 1, b[1], s->params->gemm.alpha);
    else
        through_product(s, b[0], b[1], 1, s->params->gemm.alpha);
}

static void through_matmul(const saliency_step *s)
{
    const int64_t *b = s->inputs[1].shape.dims;
    through_product(s, b[0], b[1], 1, 1);
}

/* ---- One value at a time ---- */

static void through_batch_norm(const saliency_step *s)
{
    const nn_shape *shape = &s->output.shape;
    const float *scale = s->inputs[1].data, *variance = s->inputs[4].data;
    int64_t plane = nn_product(shape, 2, shape->rank), count = nn_elements(shape);
    for (int64_t i = 0; i < count; i++) {
        int64_t c = i / plane % shape->dims[1];
        double spread = sqrt((double)variance[c] + (double)s->params->norm.epsilon);
        s->dx[i] += (float)(s->dy[i] * (double)scale[c] / spread);
    }
}

static void through_activation(const saliency_step *s, nn_activation_kind kind)
{
    nn_activation activation = {kind, s->params->activation.alpha, s->params->activation.beta};
    bool guided = s->guided && (kind == NN_ACTIVATION_RELU ||
                                (kind == NN_ACTIVATION_CLIP && activation.alpha == 0));
    size_t count = (size_t)nn_elements(&s->output.shape);
    elementwise_activate_backward(activation, s->inputs[0].data, s->output.data, s->dy, count,
                                  s->scratch);
    for (size_t i = 0; i < count; i++)
        if (!guided || s->scratch[i] > 0)
            s->dx[i] += s->scratch[i];
}

static void through_relu(const saliency_step *s)
{
    through_activation(s, NN_ACTIVATION_RELU);
}

static void through_clip(const saliency_step *s)
{
    through_activation(s, NN_ACTIVATION_CLIP);
}

static void through_leaky_relu(const saliency_step *s)
{
    through_activation(s, NN_ACTIVATION_LEAKY_RELU);
}

static void through_elu(const saliency_step *s)
{
    through_activation(s, NN_ACTIVATION_ELU);
}

static void through_sigmoid(const saliency_step *s)
{
    through_activation(s, NN_ACTIVATION_SIGMOID);
}

static void through_hard_sigmoid(const saliency_step *s)
{
    through_activation(s, NN_ACTIVATION_HARD_SIGMOID);
}

static void through_hard_swish(const saliency_step *s)
{
    through_activation(s, NN_ACTIVATION_HARD_SWISH);
}

static void through_tanh(const saliency_step *s)
{
    through_activation(s, NN_ACTIVATION_TANH);
}

/* ---- Two inputs, either repeated ---- */

/* The slope of a op b by its input `which`. */
typedef float (*binary_slope)(float a, float b, int which);

static void through_binary(const saliency_step *s, binary_slope slope)
{
    const nn_shape *shape = &s->output.shape;
    const float *a = s->inputs[0].data, *b = s->inputs[1].data;
    int64_t strides[2][NN_MAX_RANK], index[NN_MAX_RANK] = {0}, at = 0;
    for (int i = 0; i < 2; i++)
        nn_broadcast_strides(&s->inputs[i].shape, shape, strides[i]);
    do {
        int64_t offset[2] = {0, 0};
        for (int d = 0; d < shape->rank; d++) {
            offset[0] += index[d] * strides[0][d];
            offset[1] += index[d] * strides[1][d];
        }
        s->dx[offset[s->which]] += s->dy[at++] * slope(a[offset[0]], b[offset[1]], s->which);
    } while (nn_next_index(shape, index));
}

static float slope_add(float a, float b, int which)
{
    (void)a;
    (void)b;
    (void)which;
    return 1;
}

static float slope_subtract(float a, float b, int which)
{
    (void)a;
    (void)b;
    return which == 0 ? 1 : -1;
}

static float slope_multiply(float a, float b, int which)
{
    return which == 0 ? b : a;
}

static float slope_divide(float a, float b, int which)
{
    return which == 0 ? 1 / b : -a / (b * b);
}

static float slope_prelu(float a, float b, int which)
{
    (void)which;
    return a >= 0 ? 1 : b;
}

static void through_add(const saliency_step *s)
{
    through_binary(s, slope_add);
}

static void through_subtract(const saliency_step *s)
{
    through_binary(s, slope_subtract);
}

static void through_multiply(const saliency_step *s)
{
    through_binary(s, slope_multiply);
}

static void through_divide(const saliency_step *s)
{
    through_binary(s, slope_divide);
}

static void through_prelu(const saliency_step *s)
{
    through_binary(s, slope_prelu);
}

/* ---- Pooling ---- */

/* The cells of an axis that a window covers, as inputs from..to-1 in steps. */
typedef struct cells {
    int64_t first, step;
    int count;
    int64_t side;
} cells;

static cells cells_of(const nn_window *w, int axis, int64_t at, int64_t side)
{
    return (cells){at * w->stride[axis] - w->pad_before[axis], w->dilation[axis], w->kernel[axis],
                   side};
}

static bool inside(cells c, int k)
{
    int64_t at = c.first + k * c.step;
    return at >= 0 && at < c.side;
}

static void spread_maximum(cells rows, cells columns, const float *x, float dy, float *dx)
{
    int64_t best = -1;
    for (int ky = 0; ky < rows.count; ky++)
        for (int kx = 0; kx < columns.count; kx++) {
            if (!inside(rows, ky) || !inside(columns, kx))
                continue;
            int64_t at =
                (rows.first + ky * rows.step) * columns.side + columns.first + kx * columns.step;
            if (best < 0 || x[at] > x[best])
                best = at;
        }
    if (best >= 0)
        dx[best] += dy;
}

static void spread_mean(cells rows, cells columns, double divisor, float dy, float *dx)
{
    for (int ky = 0; ky < rows.count; ky++)
        for (int kx = 0; kx < columns.count; kx++)
            if (inside(rows, ky) && inside(columns, kx))
                dx[(rows.first + ky * rows.step) * columns.side + columns.first +
                   kx * columns.step] += (float)(dy / divisor);
}

/* Cells of one axis that count in an average: those inside, or within the padding too. */
static int counted(cells c, int64_t before, int64_t after)
{
    int count = 0;
    for (int k = 0; k < c.count; k++) {
        int64_t at = c.first + k * c.step;
        count += at >= -before && at < c.side + after;
    }
    return count;
}

static void through_pool(const saliency_step *s, bool maximum)
{
    const int64_t *x = s->inputs[0].shape.dims, *o = s->output.shape.dims;
    const nn_window *w = &s->params->pool.window;
    bool padding = s->params->pool.count_padding;
    const float *dy = s->dy;
    for (int64_t p = 0; p < o[0] * o[1]; p++) {
        const float *plane = (const float *)s->inputs[0].data + p * x[2] * x[3];
        float *dx = s->dx + p * x[2] * x[3];
        for (int64_t row = 0; row < o[2]; row++)
            for (int64_t column = 0; column < o[3]; column++, dy++) {
                cells rows = cells_of(w, 0, row, x[2]), columns = cells_of(w, 1, column, x[3]);
                int divisor =
                    counted(rows, padding ? w->pad_before[0] : 0, padding ? w->pad_after[0] : 0) *
                    counted(columns, padding ? w->pad_before[1] : 0, padding ? w->pad_after[1] : 0);
                if (maximum)
                    spread_maximum(rows, columns, plane, *dy, dx);
                else if (divisor > 0)
                    spread_mean(rows, columns, divisor, *dy, dx);
            }
    }
}

static void through_max_pool(const saliency_step *s)
{
    through_pool(s, true);
}

static void through_average_pool(const saliency_step *s)
{
    through_pool(s, false);
}

static void through_global_average(const saliency_step *s)
{
    const nn_shape *in = &s->inputs[0].shape;
    int64_t plane = nn_product(in, 2, in->rank), count = nn_elements(in);
    for (int64_t i = 0; i < count; i++)
        s->dx[i] += s->dy[i / plane] / (float)plane;
}

/* Every input element goes into one output element, with the same share. */
static void through_reduce_mean(const saliency_step *s)
{
    const nn_shape *in = &s->inputs[0].shape;
    int64_t index[NN_MAX_RANK] = {0}, at = 0;
    float share = (float)nn_elements(&s->output.shape) / (float)nn_elements(in);
    do {
        int64_t out = 0;
        for (int d = 0; d < in->rank; d++)
            if (!s->params->reduce.axes[d])
                out = out * in->dims[d] + index[d];
        s->dx[at++] += s->dy[out] * share;
    } while (nn_next_index(in, index));
}

/* ---- Moving ---- */

static void through_concat(const saliency_step *s)
{
    int axis = s->params->axis.axis;
    const nn_shape *part = &s->inputs[s->which].shape, *whole = &s->output.shape;
    int64_t inner = nn_product(whole, axis + 1, whole->rank), first = 0;
    for (int i = 0; i < s->which; i++)
        first += s->inputs[i].shape.dims[axis];
    int64_t length = part->dims[axis] * inner, count = nn_elements(part);
    for (int64_t i = 0; i < count; i++)
        s->dx[i] += s->dy[i / length * whole->dims[axis] * inner + first * inner + i % length];
}

static void through_transpose(const saliency_step *s)
{
    const nn_shape *out = &s->output.shape, *in = &s->inputs[0].shape;
    int64_t index[NN_MAX_RANK] = {0}, at = 0;
    do {
        int64_t from[NN_MAX_RANK], offset = 0;
        for (int d = 0; d < out->rank; d++)
            from[s->params->transpose.order[d]] = index[d];
        for (int d = 0; d < in->rank; d++)
            offset = offset * in->dims[d] + from[d];
        s->dx[offset] += s->dy[at++];
    } while (nn_next_index(out, index));
}

/* What was padded on takes its gradient with it. */
static void through_pad(const saliency_step *s)
{
    const nn_shape *in = &s->inputs[0].shape, *out = &s->output.shape;
    int64_t index[NN_MAX_RANK] = {0}, at = 0;
    do {
        int64_t offset = 0;
        bool kept = true; /* padding below zero cuts off */
        for (int d = 0; d < in->rank; d++) {
            int64_t to = index[d] + s->params->pad.before[d];
            kept = kept && to >= 0 && to < out->dims[d];
            offset = offset * out->dims[d] + to;
        }
        if (kept)
            s->dx[at] += s->dy[offset];
        at++;
    } while (nn_next_index(in, index));
}

/* ---- The table ---- */

typedef struct rule_entry {
    const nn_op *op;
    saliency_rule rule;
    int flowing; /* so many of the first inputs may flow; the others must be constant */
} rule_entry;

static const rule_entry *find_entry(const nn_op *op)
{
    static const rule_entry entries[] = {
        {&nn_op_conv, through_conv, 1},
        {&nn_op_gemm, through_gemm, 1},
        {&nn_op_matmul, through_matmul, 1},
        {&nn_op_batch_norm, through_batch_norm, 1},
        {&nn_op_relu, through_relu, 1},
        {&nn_op_clip, through_clip, 1},
        {&nn_op_leaky_relu, through_leaky_relu, 1},
        {&nn_op_elu, through_elu, 1},
        {&nn_op_sigmoid, through_sigmoid, 1},
        {&nn_op_hard_sigmoid, through_hard_sigmoid, 1},
        {&nn_op_hard_swish, through_hard_swish, 1},
        {&nn_op_tanh, through_tanh, 1},
        {&nn_op_prelu, through_prelu, 1},
        {&nn_op_add, through_add, 2},
        {&nn_op_sub, through_subtract, 2},
        {&nn_op_mul, through_multiply, 2},
        {&nn_op_div, through_divide, 2},
        {&nn_op_max_pool, through_max_pool, 1},
        {&nn_op_average_pool, through_average_pool, 1},
        {&nn_op_global_average_pool, through_global_average, 1},
        {&nn_op_reduce_mean, through_reduce_mean, 1},
        {&nn_op_dropout, add_same, 1},
        {&nn_op_identity, add_same, 1},
        {&nn_op_flatten, add_same, 1},
        {&nn_op_reshape, add_same, 1},
        {&nn_op_squeeze, add_same, 1},
        {&nn_op_unsqueeze, add_same, 1},
        {&nn_op_transpose, through_transpose, 1},
        {&nn_op_pad, through_pad, 1},
        {&nn_op_concat, through_concat, 1 << 30},
    };
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (entries[i].op == op)
            return &entries[i];
    return NULL;
}

saliency_rule saliency_rule_for(const nn_op *op, const nn_params *params, const nn_tensor *inputs,
                                int input_count, int which)
{
    const rule_entry *entry = find_entry(op);
    if (entry == NULL || which >= entry->flowing || which >= input_count)
        return NULL;
    if (op == &nn_op_gemm && params->gemm.transpose_a)
        return NULL;
    if (op == &nn_op_matmul && inputs[1].shape.rank != 2)
        return NULL;
    if (op == &nn_op_pad && params->pad.mode != NN_PAD_CONSTANT)
        return NULL;
    return entry->rule;
}
