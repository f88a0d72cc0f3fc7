/* SPDX-License-Identifier: Apache-2.0 */

/* Walking over the pixels that a convolution makes, picture by picture, row by row. INLINE is set.
 */

typedef struct out_pixel {
    int64_t picture, row, column;
} out_pixel;

INLINE out_pixel locate(const nn_extent *out, int64_t index)
{
    int64_t plane = out->height * out->width, rest = index % plane;
    return (out_pixel){index / plane, rest / out->width, rest % out->width};
}

INLINE void step_pixel(const nn_extent *out, out_pixel *at)
{
    if (++at->column < out->width)
        return;
    at->column = 0;
    if (++at->row < out->height)
        return;
    at->row = 0;
    at->picture++;
}
