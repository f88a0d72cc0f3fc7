/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Winograd's transforms for one vector of channels. Included once for each width of vector, with
 * VECTOR (wide or narrow) and NAME(x) set. side: of the input tile, a constant where these are
 * called.
 */

/* A line of the input: `side` numbers, `step` vectors apart, in place. */
INLINE void NAME(winograd_in)(int side, VECTOR *d, int step)
{
    VECTOR d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
    if (side == 4) {
        d[0] = d0 - d2;
        d[step] = d1 + d2;
        d[2 * step] = d2 - d1;
        d[3 * step] = d3 - d1;
        return;
    }
    VECTOR d4 = d[4 * step];
    if (side == 5) {
        d[0] = d0 - d2;
        d[step] = d2;
        d[2 * step] = d2 - d4;
        d[3 * step] = d1;
        d[4 * step] = d3;
        return;
    }
    VECTOR d5 = d[5 * step];
    VECTOR near_even = d4 - 2.0f * d2, near_odd = NEAR * (d3 - 2.0f * d1);
    VECTOR far_even = d4 - 0.5f * d2, far_odd = FAR * (d3 - 0.5f * d1);
    d[0] = d0 - 2.5f * d2 + d4;
    d[step] = near_even + near_odd;
    d[2 * step] = near_even - near_odd;
    d[3 * step] = far_even + far_odd;
    d[4 * step] = far_even - far_odd;
    d[5 * step] = d1 - 2.5f * d3 + d5;
}

/* A line of the products to those of the outputs, in place. */
INLINE void NAME(winograd_out)(int side, VECTOR *m, int step)
{
    VECTOR near_sum = m[step] + m[2 * step], near_difference = m[step] - m[2 * step];
    if (side == 4) {
        m[0] = m[0] + near_sum;
        m[step] = near_difference + m[3 * step];
        return;
    }
    if (side == 5) {
        m[0] = m[0] + m[step] + m[3 * step];
        m[step] = near_difference + m[4 * step];
        return;
    }
    VECTOR far_sum = m[3 * step] + m[4 * step];
    VECTOR far_difference = m[3 * step] - m[4 * step];
    m[0] = m[0] + near_sum + far_sum;
    m[step] = NEAR * near_difference + FAR * far_difference;
    m[2 * step] = 0.5f * near_sum + 2.0f * far_sum;
    m[3 * step] = 0.5f * NEAR * near_difference + (2.0f * FAR * far_difference + m[5 * step]);
}

/* Channels c.. of one tile to `to`: (side, side), `stride` apart. inside: no pixel is padding. */
INLINE void NAME(winograd_read_as)(int side, bool inside, const winograd_source *source, int64_t c,
                                   number *to, size_t stride)
{
    VECTOR d[WINOGRAD_SIDE * WINOGRAD_SIDE];
    UNROLL
    for (int j = 0; j < side; j++) {
        UNROLL
        for (int i = 0; i < side; i++) {
            const number *pixel =
                inside ? source->corner + i * source->row_numbers + j * source->pixel_numbers
                       : source->pixels[i * side + j];
            d[i * side + j] = NAME(load_numbers)(pixel + c);
        }
        NAME(winograd_in)(side, d + j, side);
    }
    UNROLL
    for (int i = 0; i < side; i++) {
        NAME(winograd_in)(side, d + i * side, 1);
        UNROLL
        for (int j = 0; j < side; j++)
            NAME(store_numbers)(to + (size_t)(i * side + j) * stride + c, d[i * side + j]);
    }
}

/* Channels c.. of one tile, from the products (side, side), `stride` apart, to the picture. plain:
 * the whole tile lies inside it, has no residual and goes through ReLU. */
INLINE void NAME(winograd_write_as)(int side, bool plain, const winograd_tile *tile, int64_t c,
                                    const float *from, size_t stride)
{
    int outputs = winograd_outputs(side);
    VECTOR m[WINOGRAD_SIDE * WINOGRAD_SIDE], bias = NAME(load)(tile->bias + c);
    UNROLL
    for (int j = 0; j < side; j++) {
        UNROLL
        for (int i = 0; i < side; i++)
            m[i * side + j] = NAME(load)(from + (size_t)(i * side + j) * stride + c);
        NAME(winograd_out)(side, m + j, side);
    }
    UNROLL
    for (int i = 0; i < outputs; i++) {
        NAME(winograd_out)(side, m + i * side, 1);
        UNROLL
        for (int j = 0; j < outputs; j++) {
            if (!plain && (i >= tile->rows || j >= tile->columns))
                continue;
            int64_t offset = i * tile->row_numbers + j * tile->pixel_numbers + c;
            VECTOR sum = m[i * side + j] + bias;
            if (!plain && tile->residual != NULL)
                sum += NAME(load_numbers)(tile->residual + offset);
            nn_activation relu = {NN_ACTIVATION_RELU};
            NAME(write)
            (tile->y, tile->writes_floats, (size_t)offset,
             NAME(activate)(plain ? relu : tile->activation, sum));
        }
    }
}

/* Functions of their own: inlined into a loop, each of the places would get a running pointer. */
static __attribute__((noinline)) void NAME(winograd_read)(int side, const winograd_source *source,
                                                          int64_t c, number *to, size_t stride)
{
    if (side == 6 && source->inside)
        NAME(winograd_read_as)(6, true, source, c, to, stride);
    else if (side == 6)
        NAME(winograd_read_as)(6, false, source, c, to, stride);
    else if (side == 5 && source->inside)
        NAME(winograd_read_as)(5, true, source, c, to, stride);
    else if (side == 5)
        NAME(winograd_read_as)(5, false, source, c, to, stride);
    else if (source->inside)
        NAME(winograd_read_as)(4, true, source, c, to, stride);
    else
        NAME(winograd_read_as)(4, false, source, c, to, stride);
}

static __attribute__((noinline)) void NAME(winograd_write)(int side, const winograd_tile *tile,
                                                           int64_t c, const float *from,
                                                           size_t stride)
{
    int outputs = winograd_outputs(side);
    bool plain = tile->rows == outputs && tile->columns == outputs && tile->residual == NULL &&
                 tile->activation.kind == NN_ACTIVATION_RELU;
    if (side == 6 && plain)
        NAME(winograd_write_as)(6, true, tile, c, from, stride);
    else if (side == 6)
        NAME(winograd_write_as)(6, false, tile, c, from, stride);
    else if (side == 5)
        NAME(winograd_write_as)(5, false, tile, c, from, stride);
    else
        NAME(winograd_write_as)(4, false, tile, c, from, stride);
}
