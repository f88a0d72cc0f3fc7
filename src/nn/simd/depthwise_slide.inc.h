/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A row of a 3x3 depthwise convolution for some channels: each number of the input is loaded once
 * and goes into the sums of all outputs that see it; the weights stay in registers. Included once
 * for each number of channels, with NAME(x) set. It stands on NAME of slide_input, slide_weights
 * and slide_sum, types for these channels, and on functions that load, add and write them.
 */

INLINE void NAME(load_column)(const slide_row *row, int64_t column, int64_t c, int rows,
                              NAME(slide_input) * to)
{
    UNROLL
    for (int i = 0; i < rows; i++)
        to[i] = NAME(slide_load)(row->x[i] + column * row->channels + c);
}

/* Adds one column of the input, weighted by one column of the window. */
INLINE NAME(slide_sum) NAME(add_column)(NAME(slide_sum) sum, const NAME(slide_weights) * weights,
                                        const NAME(slide_input) * column, int rows)
{
    UNROLL
    for (int i = 0; i < rows; i++)
        sum = NAME(slide_add)(sum, weights[i], column[i]);
    return sum;
}

/* rows and stride are constants where this is called. */
INLINE void NAME(slide)(const slide_row *row, int64_t c, int rows, int stride)
{
    NAME(slide_weights) w[3][3];
    NAME(slide_input) column[3];
    NAME(slide_sum) bias = NAME(slide_bias_at)(row->bias + c), sum = bias, next = bias;
    UNROLL
    for (int kx = 0; kx < 3; kx++) {
        UNROLL
        for (int i = 0; i < rows; i++)
            w[kx][i] = NAME(slide_weights_at)(row->weights + (i * 3 + kx) * row->channels + c);
    }
    int64_t middle = row->middle;
    if (middle > 0) {
        NAME(load_column)(row, middle - 1, c, rows, column);
        sum = NAME(add_column)(sum, w[0], column, rows);
    }
    if (stride == 1) { /* here `sum` always has its middle already, and `next` its left */
        NAME(load_column)(row, middle, c, rows, column);
        sum = NAME(add_column)(sum, w[1], column, rows);
        next = NAME(add_column)(bias, w[0], column, rows);
    }
    for (int64_t out = 0; out < row->whole; out++, middle += stride) {
        if (stride != 1) {
            NAME(load_column)(row, middle, c, rows, column);
            sum = NAME(add_column)(sum, w[1], column, rows);
        }
        NAME(load_column)(row, middle + 1, c, rows, column);
        NAME(slide_write)(row, out * row->channels + c, NAME(add_column)(sum, w[2], column, rows));
        sum = stride == 1 ? NAME(add_column)(next, w[1], column, rows)
                          : NAME(add_column)(bias, w[0], column, rows);
        next = NAME(add_column)(bias, w[0], column, rows);
    }
    if (row->whole == row->outputs)
        return;
    if (stride != 1) {
        NAME(load_column)(row, middle, c, rows, column);
        sum = NAME(add_column)(sum, w[1], column, rows);
    }
    NAME(slide_write)(row, row->whole * row->channels + c, sum);
}

static void NAME(slide_any)(const slide_row *row, int64_t c, int stride)
{
    if (stride == 1 && row->rows == 3)
        NAME(slide)(row, c, 3, 1);
    else if (stride == 1 && row->rows == 2)
        NAME(slide)(row, c, 2, 1);
    else if (stride == 1)
        NAME(slide)(row, c, 1, 1);
    else if (row->rows == 3)
        NAME(slide)(row, c, 3, 2);
    else if (row->rows == 2)
        NAME(slide)(row, c, 2, 2);
    else
        NAME(slide)(row, c, 1, 2);
}
