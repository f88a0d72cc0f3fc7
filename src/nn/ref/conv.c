/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <inttypes.h>

/* Conv: X (N, C, H, W), W (M, C/group, kH, kW), optional B (M) -> (N, M, H', W'). */
static mien_status shape_conv(nn_shaping *shaping)
{
    mien_status status = nn_require_rank(shaping, 0, 4);
    if (status == MIEN_OK)
        status = nn_require_rank(shaping, 1, 4);
    if (status == MIEN_OK)
        status = nn_require_floats(shaping, 0, 3);
    if (status != MIEN_OK)
        return status;
    const int64_t *x = shaping->inputs[0].shape.dims;
    const int64_t *w = shaping->inputs[1].shape.dims;
    int64_t group = nn_node_int(shaping->node, "group", 1);
    if (group < 1 || group > x[1] || x[1] % group != 0 || w[0] % group != 0 || w[0] < 1 ||
        w[1] != x[1] / group)
        return nn_shape_fail(shaping, MIEN_SHAPE,
                             "%" PRId64 " channels in %" PRId64 " groups do not fit weights for "
                             "%" PRId64 " channels a group and %" PRId64 " outputs",
                             x[1], group, w[1], w[0]);
    if (nn_has_input(shaping, 2)) {
        const nn_shape *bias = &shaping->inputs[2].shape;
        if (bias->rank != 1 || bias->dims[0] != w[0])
            return nn_shape_fail(shaping, MIEN_SHAPE, "the bias does not have %" PRId64 " numbers",
                                 w[0]);
    }
    int64_t output[2];
    shaping->params->conv.group = (int)group;
    status = nn_shape_window(shaping, w + 2, x + 2, false, &shaping->params->conv.window, output);
    if (status != MIEN_OK)
        return status;
    shaping->outputs[0].type = NN_FLOAT;
    shaping->outputs[0].shape = (nn_shape){4, {x[0], w[0], output[0], output[1]}};
    return MIEN_OK;
}

/* One output: the window's products, channels outermost, in double. */
static double convolve(const nn_window *window, const float *x, const int64_t *x_dims,
                       const float *w, const int64_t *w_dims, int64_t row, int64_t column)
{
    double sum = 0;
    for (int64_t c = 0; c < w_dims[1]; c++) {
        for (int ky = 0; ky < window->kernel[0]; ky++) {
            int64_t y =
                row * window->stride[0] - window->pad_before[0] + (int64_t)ky * window->dilation[0];
            if (y < 0 || y >= x_dims[2])
                continue;
            for (int kx = 0; kx < window->kernel[1]; kx++) {
                int64_t column_in = column * window->stride[1] - window->pad_before[1] +
                                    (int64_t)kx * window->dilation[1];
                if (column_in < 0 || column_in >= x_dims[3])
                    continue;
                sum += (double)x[(c * x_dims[2] + y) * x_dims[3] + column_in] *
                       w[(c * w_dims[2] + ky) * w_dims[3] + kx];
            }
        }
    }
    return sum;
}

static void run_conv(const nn_params *params, const nn_tensor *inputs, int input_count,
                     nn_tensor *outputs)
{
    const nn_window *window = &params->conv.window;
    const int64_t *x = inputs[0].shape.dims;  /* N, C, H, W */
    const int64_t *w = inputs[1].shape.dims;  /* M, C/group, kH, kW */
    const int64_t *o = outputs[0].shape.dims; /* N, M, H', W' */
    const float *bias = input_count > 2 ? inputs[2].data : NULL;
    const float *weights = inputs[1].data;
    float *out = outputs[0].data;
    int64_t outputs_per_group = w[0] / params->conv.group;
    for (int64_t n = 0; n < o[0]; n++) {
        for (int64_t m = 0; m < o[1]; m++) {
            int64_t channel = m / outputs_per_group * w[1];
            const float *picture =
                (const float *)inputs[0].data + (n * x[1] + channel) * x[2] * x[3];
            const float *filter = weights + m * w[1] * w[2] * w[3];
            for (int64_t row = 0; row < o[2]; row++)
                for (int64_t column = 0; column < o[3]; column++)
                    *out++ = (float)((bias != NULL ? bias[m] : 0) +
                                     convolve(window, picture, x, filter, w, row, column));
        }
    }
}

const nn_op nn_op_conv = {
    .name = "Conv", .min_inputs = 2, .max_inputs = 3, .shape = shape_conv, .run = run_conv};
