/* SPDX-License-Identifier: Apache-2.0 */
#include "train/onednn/onednn.h"

#include <string.h>

/*
 * oneDNN 2.6's weight gradient of a 1x1 window with strides writes beyond its scratchpad when the
 * input channels do not fill a block, with AVX2 and with AVX-512. So it never sees one: the pixels
 * that the window reads are gathered into a picture of the output's size.
 */
bool strided_must_gather(const nn_conv *s)
{
    const nn_window *w = &s->window;
    return w->kernel[0] == 1 && w->kernel[1] == 1 && (w->stride[0] > 1 || w->stride[1] > 1) &&
           w->pad_before[0] == 0 && w->pad_before[1] == 0 && w->pad_after[0] == 0 &&
           w->pad_after[1] == 0;
}

nn_conv strided_gathered(const nn_conv *s)
{
    nn_conv dense = *s;
    dense.in.height = s->out.height;
    dense.in.width = s->out.width;
    dense.window.stride[0] = dense.window.stride[1] = 1;
    return dense;
}

/* Output row `row` of the batch: which of the input's numbers its first pixel begins with. */
static int64_t first_number(const nn_conv *s, int64_t row)
{
    int64_t picture = row / s->out.height, y = row % s->out.height * s->window.stride[0];
    return (picture * s->in.height + y) * s->in.width * s->in.channels;
}

void strided_gather(const nn_conv *s, const void *x, size_t size, void *gathered)
{
    int64_t rows = s->out.batch * s->out.height, columns = s->out.width;
    size_t pixel = (size_t)s->in.channels * size;
    const char *from = x;
    char *to = gathered;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++)
            memcpy(to + (size_t)(row * columns + column) * pixel,
                   from + (size_t)first_number(s, row) * size +
                       (size_t)(column * s->window.stride[1]) * pixel,
                   pixel);
}

void strided_scatter(const nn_conv *s, const float *gathered, float *dx)
{
    int64_t rows = s->out.batch * s->out.height, channels = s->in.channels;
    memset(dx, 0, (size_t)(s->in.batch * s->in.height * s->in.width * channels) * sizeof *dx);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < s->out.width; column++)
            memcpy(dx + first_number(s, row) + column * s->window.stride[1] * channels,
                   gathered + (row * s->out.width + column) * channels,
                   (size_t)channels * sizeof *dx);
}
