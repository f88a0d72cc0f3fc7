/* SPDX-License-Identifier: Apache-2.0 */

/* Vectors of floats. Included once for each width, with VECTOR (wide or narrow) and NAME(x) set. */

INLINE VECTOR NAME(load_numbers)(const number *from)
{
    return *(const NAME(unaligned) *)from;
}

INLINE void NAME(store_numbers)(number *to, VECTOR value)
{
    *(NAME(unaligned) *)to = value;
}

INLINE void NAME(store_two)(number *to, VECTOR first, VECTOR second)
{
    NAME(store_numbers)(to, first);
    NAME(store_numbers)(to + sizeof first / sizeof *to, second);
}

INLINE VECTOR NAME(multiply_add)(VECTOR sum, VECTOR weights, unit x)
{
    return sum + weights * x;
}
