/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A row of a 3x3 depthwise convolution for one vector of channels: each number of the input is
 * loaded once and goes into the sums of all outputs that see it; the weights stay in registers.
 * Included once for each width of vector, with VECTOR (wide or narrow) and NAME(x) set.
 */

INLINE void NAME(load_column)(const slide_row *row, int64_t column, int64_t c, int rows, VECTOR *to)
{
    UNROLL
    for (int i = 0; i < rows; i++)
        to[i] = NAME(load_numbers)(row->x[i] + column * row->channels + c);
}

/* Adds one column of the input, weighted by one column of the window. */
INLINE VECTOR NAME(add_column)(VECTOR sum, const VECTOR *weights, const VECTOR *column, int rows)
{
    UNROLL
    for (int i = 0; i < rows; i++)
        sum += weights[i] * column[i];
    return sum;
}

INLINE void NAME(write_output)(const slide_row *row, int64_t column, int64_t c, VECTOR sum)
{
    int64_t offset = column * row->channels + c;
    if (row->residual != NULL)
        sum += NAME(load_numbers)(row->residual + offset);
    NAME(write)(row->y, row->writes_floats, (size_t)offset, NAME(activate)(row->activation, sum));
}

/* rows and stride are constants where this is called. */
INLINE void NAME(slide)(const slide_row *row, int64_t c, int rows, int stride)
{
    VECTOR bias = NAME(load)(row->bias + c), w[3][3], column[3];
    UNROLL
    for (int kx = 0; kx < 3; kx++) {
        UNROLL
        for (int i = 0; i < rows; i++)
            w[kx][i] = NAME(load)(row->weights + (i * 3 + kx) * row->channels + c);
    }
    VECTOR sum = bias, next = bias;
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
        NAME(write_output)(row, out, c, NAME(add_column)(sum, w[2], column, rows));
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
    NAME(write_output)(row, row->whole, c, sum);
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
