/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The largest BF16 numbers of a pooling window, for two vectors of channels, by their bits: turned
 * round where they are negative they have the order of integers. Included once for each width of
 * vector, with PAIRS (the integers of that width) and NAME(x) set.
 */

/* Bits as integers of the same order, and back. */
INLINE PAIRS NAME(in_order)(PAIRS bits)
{
    return bits ^ NAME(magnitudes_of_negative)(bits);
}

/* rows and columns may be constants where this is called. */
INLINE void NAME(pool_largest)(const pool_window *at, int64_t c, int rows, int columns)
{
    PAIRS best = NAME(in_order)(NAME(fill)((short)0xFF80)); /* minus infinity */
    for (int ky = 0; ky < rows; ky++)
        for (int kx = 0; kx < columns; kx++) {
            const number *x = at->x + ky * at->row_numbers + kx * at->tap_numbers + c;
            best = NAME(larger_integers)(best, NAME(in_order)(NAME(load_pairs)(x)));
        }
    NAME(store_pairs)(at->y + c, NAME(in_order)(best));
}
