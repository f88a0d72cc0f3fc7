/* SPDX-License-Identifier: Apache-2.0 */
#include "train/onednn/onednn.h"

#include <oneapi/dnnl/dnnl.h>

void dense_forward(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                   const float *x, const float *weights, const float *bias, float *y)
{
    (void)device;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t o = 0; o < outputs; o++)
            y[r * outputs + o] = bias != NULL ? bias[o] : 0;
    dnnl_sgemm('N', 'T', rows, outputs, inner, 1, x, inner, weights, inner, 1, y, outputs);
}

void dense_backward(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                    const float *x, const float *weights, const float *dy, float *dx,
                    float *d_weights, float *d_bias)
{
    (void)device;
    if (dx != NULL)
        dnnl_sgemm('N', 'N', rows, inner, outputs, 1, dy, outputs, weights, inner, 0, dx, inner);
    dnnl_sgemm('T', 'N', outputs, inner, rows, 1, dy, outputs, x, inner, 0, d_weights, inner);
    if (d_bias != NULL)
        sum_rows(dy, rows, outputs, d_bias);
}
