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

INLINE VECTOR NAME(activate)(nn_activation activation, VECTOR x)
{
    VECTOR zero = {0};
    switch (activation.kind) {
    case NN_ACTIVATION_RELU:
        return (VECTOR)((NAME(mask))x & (NAME(mask))(x > zero));
    case NN_ACTIVATION_CLIP: {
        VECTOR low = zero + activation.alpha, high = zero + activation.beta;
        VECTOR raised = NAME(select)((NAME(mask))(x < low), low, x);
        return NAME(select)((NAME(mask))(raised > high), high, raised);
    }
    case NN_ACTIVATION_LEAKY_RELU:
        return NAME(select)((NAME(mask))(x >= zero), x, x * activation.alpha);
    default:
        return x;
    }
}

/* Adds the residual, applies the activation and writes `columns` numbers of one pixel. */
INLINE void NAME(finish)(const tile_args *args, const VECTOR *sums, int vectors, size_t offset)
{
    float buffer[2 * VECTOR_FLOATS] = {0};
    int whole = vectors * VECTOR_FLOATS;
    const float *residual = args->residual != NULL ? args->residual + offset : NULL;
    if (residual != NULL && args->columns < whole) {
        memcpy(buffer, residual, (size_t)args->columns * sizeof *buffer);
        residual = buffer;
    }
    VECTOR values[2] = {{0}};
    UNROLL
    for (int v = 0; v < vectors; v++) {
        VECTOR value = sums[v];
        if (residual != NULL)
            value += NAME(load)(residual + v * VECTOR_FLOATS);
        values[v] = NAME(activate)(args->activation, value);
    }
    float *to = args->columns < whole ? buffer : args->y + offset;
    UNROLL
    for (int v = 0; v < vectors; v++)
        NAME(store)(to + v * VECTOR_FLOATS, values[v]);
    if (args->columns < whole)
        memcpy(args->y + offset, buffer, (size_t)args->columns * sizeof *buffer);
}

/* rows and vectors are constants where this is called, so that the sums stay in registers. */
INLINE void NAME(tile)(const tile_args *args, int rows, int vectors)
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
        const float *pixels[TILE_ROWS];
        UNROLL
        for (int r = 0; r < rows; r++)
            pixels[r] = args->pixels[tap * TILE_ROWS + r];
        for (int64_t c = 0; c < args->channels; c++) {
            /* No array here: LLVM 14 for WebAssembly would keep it in memory. */
            VECTOR first = NAME(load)(weights);
            VECTOR second = vectors > 1 ? NAME(load)(weights + VECTOR_FLOATS) : first;
            weights += vectors * VECTOR_FLOATS;
            UNROLL
            for (int r = 0; r < rows; r++) {
                float x = pixels[r][c];
                sums[r][0] += first * x;
                if (vectors > 1)
                    sums[r][1] += second * x;
            }
        }
    }
    int used = args->rows < rows ? args->rows : rows;
    UNROLL
    for (int r = 0; r < rows; r++)
        if (r < used)
            NAME(finish)(args, sums[r], vectors, (size_t)r * args->stride);
}

static void NAME(tile_any)(const tile_args *args, int vectors)
{
    if (vectors == 2 && args->rows > TILE_ROWS / 2)
        NAME(tile)(args, TILE_ROWS, 2);
    else if (vectors == 2 && args->rows > 1)
        NAME(tile)(args, TILE_ROWS / 2, 2);
    else if (vectors == 2)
        NAME(tile)(args, 1, 2);
    else if (args->rows > TILE_ROWS / 2)
        NAME(tile)(args, TILE_ROWS, 1);
    else if (args->rows > 1)
        NAME(tile)(args, TILE_ROWS / 2, 1);
    else
        NAME(tile)(args, 1, 1);
}
