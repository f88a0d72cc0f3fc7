/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One vector of channels of a pooling window. Included once for each width of vector, with VECTOR
 * (wide or narrow) and NAME(x) set.
 */

/* rows and columns may be constants where this is called. */
INLINE VECTOR NAME(pool_taps)(const pool_window *at, int64_t c, bool maximum, int rows, int columns)
{
    VECTOR best = (VECTOR){0} + (maximum ? -INFINITY : 0);
    for (int ky = 0; ky < rows; ky++) {
        for (int kx = 0; kx < columns; kx++) {
            VECTOR x = NAME(load_numbers)(at->x + ky * at->row_numbers + kx * at->tap_numbers + c);
            best = maximum ? NAME(larger)(x, best) : best + x;
        }
    }
    return maximum ? best : best * at->share;
}

INLINE void NAME(pool)(const pool_window *at, int64_t c, bool maximum, int rows, int columns)
{
    NAME(store_numbers)(at->y + c, NAME(pool_taps)(at, c, maximum, rows, columns));
}
