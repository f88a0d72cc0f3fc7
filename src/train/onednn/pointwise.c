/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Convolution with a window of 1x1, channels last: products of matrices with ONNX's weights as they
 * are. On rows that lie in the cache oneDNN's product is as fast as its convolutions, and reorders
 * no weights.
 */

#include "train/onednn/onednn.h"

#include <oneapi/dnnl/dnnl.h>

#include <string.h>

bool pointwise_takes(const nn_conv *s)
{
    const nn_window *w = &s->window;
    for (int i = 0; i < 2; i++)
        if (w->kernel[i] != 1 || w->stride[i] != 1 || w->pad_before[i] != 0 || w->pad_after[i] != 0)
            return false;
    return s->group == 1;
}

void pointwise_forward(const nn_conv *s, int64_t rows, const float *x, const float *weights,
                       const float *bias, float *y)
{
    int64_t inner = s->in.channels, outputs = s->out.channels;
    for (int64_t r = 0; bias != NULL && r < rows; r++)
        memcpy(y + r * outputs, bias, (size_t)outputs * sizeof *y);
    dnnl_sgemm('N', 'T', rows, outputs, inner, 1, x, inner, weights, inner, bias != NULL, y,
               outputs);
}

void pointwise_input(const nn_conv *s, int64_t rows, const float *dy, const float *weights,
                     float *dx)
{
    int64_t inner = s->in.channels, outputs = s->out.channels;
    dnnl_sgemm('N', 'N', rows, inner, outputs, 1, dy, outputs, weights, inner, 0, dx, inner);
}

void pointwise_weights(const nn_conv *s, int64_t rows, const float *x, const float *dy, float *sums)
{
    int64_t inner = s->in.channels, outputs = s->out.channels;
    dnnl_sgemm('T', 'N', outputs, inner, rows, 1, dy, outputs, x, inner, 1, sums, inner);
}
