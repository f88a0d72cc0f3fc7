/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The heart of the convolution: a tile of ROWS pixels by one panel of output channels, kept in
 * registers. Included once for each width of vector, with VECTOR (wide or narrow), VECTOR_FLOATS
 * and NAME(x) set.
 */

INLINE VECTOR NAME(load)(const float *from)
{
    return *(const NAME(unaligned) *)from;
}

INLINE void NAME(store)(float *to, VECTOR value)
{
    *(NAME(unaligned) *)to = value;
}

INLINE VECTOR NAME(select)(NAME(mask) mask, VECTOR yes, VECTOR no)
{
    return (VECTOR)(((NAME(mask))yes & mask) | ((NAME(mask))no & ~mask));
}

/* a where it is larger, otherwise b. */
INLINE VECTOR NAME(larger)(VECTOR a, VECTOR b)
{
#ifdef NATIVE_MAXIMUM
    return NAME(maximum)(a, b);
#else
    return NAME(select)((NAME(mask))(a > b), a, b);
#endif
}

INLINE VECTOR NAME(activate)(nn_activation activation, VECTOR x)
{
    VECTOR zero = {0};
    switch (activation.kind) {
    case NN_ACTIVATION_RELU:
        return (VECTOR)((NAME(mask))x & (NAME(mask))(x > zero));
    case NN_ACTIVATION_CLIP: {
        VECTOR low = zero + activation.alpha, high = zero + activation.beta;
        VECTOR raised = NAME(larger)(low, x);
        return NAME(select)((NAME(mask))(raised > high), high, raised);
    }
    case NN_ACTIVATION_LEAKY_RELU:
        return NAME(select)((NAME(mask))(x >= zero), x, x * activation.alpha);
    default:
        return x;
    }
}

/* Numbers, or floats, from place `at` of the output on. */
INLINE void NAME(write)(void *y, bool floats, size_t at, VECTOR value)
{
    if (floats || UNIT == 1)
        NAME(store)((float *)y + at, value);
    else
        NAME(store_numbers)((number *)y + at, value);
}

/* Adds the residual, applies the activation and writes one pixel, whole vectors. */
INLINE void NAME(finish)(const tile_args *args, nn_activation activation, const VECTOR *sums,
                         int vectors, size_t offset)
{
    UNROLL
    for (int v = 0; v < vectors; v++) {
        VECTOR value = sums[v];
        if (args->residual != NULL)
            value += NAME(load_numbers)(args->residual + offset + v * VECTOR_FLOATS);
        NAME(write)
        (args->y, args->writes_floats, offset + v * VECTOR_FLOATS,
         NAME(activate)(activation, value));
    }
}

/* What writes_rounded says. kind: the activation's, a constant where this is called. */
INLINE void NAME(round_rows)(const tile_args *args, nn_activation_kind kind, VECTOR (*sums)[2],
                             int rows, int vectors)
{
    nn_activation activation = args->activation;
    activation.kind = kind;
    UNROLL
    for (int r = 0; r < rows; r++) {
        number *y = (number *)args->y + (size_t)r * args->stride;
        VECTOR first = NAME(activate)(activation, sums[r][0]);
        if (vectors > 1)
            NAME(store_two)(y, first, NAME(activate)(activation, sums[r][1]));
        else
            NAME(store_numbers)(y, first);
    }
}

INLINE void NAME(round_tile)(const tile_args *args, VECTOR (*sums)[2], int rows, int vectors)
{
    switch (args->activation.kind) {
    case NN_ACTIVATION_RELU:
        NAME(round_rows)(args, NN_ACTIVATION_RELU, sums, rows, vectors);
        break;
    case NN_ACTIVATION_CLIP:
        NAME(round_rows)(args, NN_ACTIVATION_CLIP, sums, rows, vectors);
        break;
    case NN_ACTIVATION_LEAKY_RELU:
        NAME(round_rows)(args, NN_ACTIVATION_LEAKY_RELU, sums, rows, vectors);
        break;
    default:
        NAME(round_rows)(args, NN_ACTIVATION_NONE, sums, rows, vectors);
        break;
    }
}

/* All rows of a tile, whole vectors, without a residual. */
INLINE void NAME(finish_rows)(const tile_args *args, nn_activation activation,
                              VECTOR sums[TILE_ROWS][2], int rows, int vectors)
{
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            NAME(write)
        (args->y, args->writes_floats, (size_t)r * args->stride + v * VECTOR_FLOATS,
         NAME(activate)(activation, sums[r][v]));
    }
}

/* Adds the products of unit c of `rows` pixels. */
INLINE void NAME(tile_unit)(VECTOR sums[TILE_ROWS][2], const number *const *pixels, int64_t c,
                            const float *weights, int rows, int vectors)
{
    /* No array here: LLVM 14 for WebAssembly would keep it in memory. */
    VECTOR first = NAME(load)(weights);
    VECTOR second = vectors > 1 ? NAME(load)(weights + VECTOR_FLOATS) : first;
    UNROLL
    for (int r = 0; r < rows; r++) {
        unit x = load_unit(pixels[r] + c * UNIT);
        sums[r][0] = NAME(multiply_add)(sums[r][0], first, x);
        if (vectors > 1)
            sums[r][1] = NAME(multiply_add)(sums[r][1], second, x);
    }
}

/*
 * rows, vectors and strided are constants where this is called, so that the sums stay in registers.
 * strided: the pixels of a tap lie `step` numbers apart, only the first has a pointer. units: a
 * constant, so many of a pixel's units are unrolled.
 */
INLINE void NAME(tile)(const tile_args *args, int rows, int vectors, bool strided, int64_t step,
                       int units)
{
    VECTOR sums[TILE_ROWS][2];
    const float *weights = args->panel + vectors * VECTOR_FLOATS;
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            sums[r][v] = NAME(load)(args->panel + v * VECTOR_FLOATS);
    }
    for (int64_t tap = 0; tap < args->taps; tap++) {
        const number *pixels[TILE_ROWS];
        UNROLL
        for (int r = 0; r < rows; r++)
            pixels[r] =
                (strided ? args->pixels[tap] + r * step : args->pixels[tap * TILE_ROWS + r]) +
                args->first;
        UNROLL
        for (int c = 0; c < units; c++, weights += vectors * VECTOR_FLOATS)
            NAME(tile_unit)(sums, pixels, c, weights, rows, vectors);
        for (int64_t c = units; c < args->units; c++, weights += vectors * VECTOR_FLOATS)
            NAME(tile_unit)(sums, pixels, c, weights, rows, vectors);
    }
    if (args->rows == rows && writes_rounded(args, vectors * VECTOR_FLOATS)) {
        NAME(round_tile)(args, sums, rows, vectors);
        return;
    }
    nn_activation activation = args->activation;
    int whole = whole_rows(args, vectors * VECTOR_FLOATS);
#ifndef __clang__ /* LLVM 14 would keep the sums in memory for so many ends */
    if (whole >= rows && args->residual == NULL && activation.kind == NN_ACTIVATION_NONE) {
        NAME(finish_rows)(args, (nn_activation){NN_ACTIVATION_NONE}, sums, rows, vectors);
        return;
    }
    if (whole >= rows && args->residual == NULL && activation.kind == NN_ACTIVATION_RELU) {
        NAME(finish_rows)(args, (nn_activation){NN_ACTIVATION_RELU}, sums, rows, vectors);
        return;
    }
#endif
    float values[2 * TILE_ROWS * VECTOR_FLOATS]; /* the sums must have no address */
    UNROLL
    for (int r = 0; r < rows; r++) {
        if (r < whole) {
            NAME(finish)(args, activation, sums[r], vectors, (size_t)r * args->stride);
            continue;
        }
        UNROLL
        for (int v = 0; v < vectors; v++)
            NAME(store)(values + (r * vectors + v) * VECTOR_FLOATS, sums[r][v]);
    }
    if (whole < args->rows)
        finish_part(args, values, vectors * VECTOR_FLOATS, whole);
}

INLINE void NAME(tile_exact)(const tile_args *args, int vectors)
{
    switch (args->rows) {
    case 1:
        NAME(tile)(args, 1, vectors, false, 0, 0);
        break;
    case 2:
        NAME(tile)(args, 2, vectors, false, 0, 0);
        break;
    case 3:
        NAME(tile)(args, 3, vectors, false, 0, 0);
        break;
#if TILE_ROWS > 4
    case 4:
        NAME(tile)(args, 4, vectors, false, 0, 0);
        break;
#endif
#if TILE_ROWS > 5
    case 5:
        NAME(tile)(args, 5, vectors, false, 0, 0);
        break;
#endif
#if TILE_ROWS > 7
    case 6:
    case 7:
        NAME(tile)(args, 7, vectors, false, 0, 0);
        break;
#endif
    default:
        NAME(tile)(args, TILE_ROWS, vectors, false, 0, 0);
        break;
    }
}

/* Whole tiles of pixels that lie `step` apart: the windows of 3 columns that most first layers have
 * by constants. */
INLINE void NAME(tile_strided)(const tile_args *args, int vectors)
{
    if (args->units == TILE_UNITS && args->step == UNIT)
        NAME(tile)(args, TILE_ROWS, vectors, true, UNIT, TILE_UNITS);
    else if (args->units == TILE_UNITS && args->step == 2 * UNIT)
        NAME(tile)(args, TILE_ROWS, vectors, true, 2 * UNIT, TILE_UNITS);
    else
        NAME(tile)(args, TILE_ROWS, vectors, true, args->step, 0);
}

static void NAME(tile_any)(const tile_args *args, int vectors)
{
    if (vectors == 2 && args->step != 0)
        NAME(tile_strided)(args, 2);
    else if (vectors == 2)
        NAME(tile_exact)(args, 2);
    else if (args->step != 0)
        NAME(tile_strided)(args, 1);
    else
        NAME(tile_exact)(args, 1);
}
