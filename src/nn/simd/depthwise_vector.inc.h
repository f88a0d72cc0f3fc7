/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What depthwise_slide.inc.h asks for, for one vector of channels. Included once for each width of
 * vector, with VECTOR (wide or narrow) and NAME(x) set.
 */

typedef VECTOR NAME(slide_input);
typedef VECTOR NAME(slide_weights);
typedef VECTOR NAME(slide_sum);

INLINE VECTOR NAME(slide_load)(const number *from)
{
    return NAME(load_numbers)(from);
}

INLINE VECTOR NAME(slide_weights_at)(const float *packed)
{
    return NAME(load)(packed);
}

INLINE VECTOR NAME(slide_bias_at)(const float *packed)
{
    return NAME(load)(packed);
}

INLINE VECTOR NAME(slide_add)(VECTOR sum, VECTOR weights, VECTOR input)
{
    return sum + weights * input;
}

INLINE void NAME(slide_write)(const slide_row *row, int64_t offset, VECTOR sum)
{
    if (row->residual != NULL)
        sum += NAME(load_numbers)(row->residual + offset);
    NAME(write)(row->y, row->writes_floats, (size_t)offset, NAME(activate)(row->activation, sum));
}
