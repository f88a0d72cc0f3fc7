/* SPDX-License-Identifier: Apache-2.0 */

/* Products of matrices that fit the caches: a block of the result stays in registers. */

#include "train/onednn/lanes.h"
#include "train/onednn/winograd.h"

#define ROWS 6 /* of a block: with two vectors of columns, all registers of AVX2 */

LANES_INLINE void multiply_block(winograd_matrix a, const float *b, int rows, int64_t depth,
                                 bool add, float *c, int64_t columns)
{
    lanes sums[ROWS][2];
    LANES_UNROLL
    for (int r = 0; r < rows; r++) {
        sums[r][0] = add ? *(lanes *)(c + r * columns) : (lanes){0};
        sums[r][1] = add ? *(lanes *)(c + r * columns + LANES) : (lanes){0};
    }
    for (int64_t k = 0; k < depth; k++, b += WINOGRAD_PANEL) {
        const float *from = a.at + k * a.depth_step;
        lanes left = *(const lanes *)b, right = *(const lanes *)(b + LANES);
        LANES_UNROLL
        for (int r = 0; r < rows; r++) {
            float value = from[r * a.row_step];
            sums[r][0] += left * value;
            sums[r][1] += right * value;
        }
    }
    LANES_UNROLL
    for (int r = 0; r < rows; r++) {
        *(lanes *)(c + r * columns) = sums[r][0];
        *(lanes *)(c + r * columns + LANES) = sums[r][1];
    }
}

LANES_INLINE void multiply_panel(winograd_matrix a, const float *b, int64_t rows, int64_t depth,
                                 bool add, float *c, int64_t columns)
{
    int64_t row = 0;
    for (; row + ROWS <= rows; row += ROWS, a.at += ROWS * a.row_step)
        multiply_block(a, b, ROWS, depth, add, c + row * columns, columns);
    for (; row + 2 <= rows; row += 2, a.at += 2 * a.row_step)
        multiply_block(a, b, 2, depth, add, c + row * columns, columns);
    if (row < rows)
        multiply_block(a, b, 1, depth, add, c + row * columns, columns);
}

VECTORISED static void multiply_by_rows(const float *a, int64_t step, const float *b, int64_t rows,
                                        int64_t depth, int64_t columns, bool add, float *c)
{
    for (int64_t column = 0; column < columns; column += WINOGRAD_PANEL)
        multiply_panel((winograd_matrix){a, step, 1}, b + column * depth, rows, depth, add,
                       c + column, columns);
}

VECTORISED static void multiply_by_columns(const float *a, int64_t step, const float *b,
                                           int64_t rows, int64_t depth, int64_t columns, bool add,
                                           float *c)
{
    for (int64_t column = 0; column < columns; column += WINOGRAD_PANEL)
        multiply_panel((winograd_matrix){a, 1, step}, b + column * depth, rows, depth, add,
                       c + column, columns);
}

void winograd_multiply(winograd_matrix a, const float *b, int64_t rows, int64_t depth,
                       int64_t columns, bool add, float *c)
{
    if (a.depth_step == 1)
        multiply_by_rows(a.at, a.row_step, b, rows, depth, columns, add, c);
    else
        multiply_by_columns(a.at, a.depth_step, b, rows, depth, columns, add, c);
}
