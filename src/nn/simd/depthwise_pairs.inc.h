/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A row of a 3x3 depthwise convolution on BF16 numbers, for two vectors of channels. Numbers of the
 * first two rows of the input are put side by side, channel by channel, as a product of pairs wants
 * them; those of the third row beside their right neighbours. Each number is loaded once, and the
 * weights stay in registers. Included once for each width of vector, with VECTOR (wide or narrow),
 * PAIRS (the integers of that width) and NAME(x) set.
 *
 * Packed numbers of the channels, a line for the biases and one for each tap: those of the low four
 * of every eight channels, then of the high four, as putting side by side leaves them. A weight is
 * the low half of its float.
 */

typedef struct NAME(pairs) {
    PAIRS low, high;
} NAME(pairs);

typedef struct NAME(pair_sums) {
    VECTOR low, high;
} NAME(pair_sums);

typedef struct NAME(pair_weights) {
    NAME(pairs) top[3];      /* of the first two rows, by column */
    NAME(pairs) left, right; /* of the third: the left column, the other two */
} NAME(pair_weights);

INLINE NAME(pairs) NAME(side_by_side)(PAIRS a, PAIRS b)
{
    return (NAME(pairs)){NAME(unpack_low)(a, b), NAME(unpack_high)(a, b)};
}

INLINE NAME(pair_sums) NAME(pair_add)(NAME(pair_sums) sums, NAME(pairs) weights, NAME(pairs) x)
{
    return (NAME(pair_sums)){NAME(dot)(sums.low, weights.low, x.low),
                             NAME(dot)(sums.high, weights.high, x.high)};
}

/* Weights of two taps, of which the second may be none. */
INLINE NAME(pairs) NAME(weights_at)(const slide_row *row, int64_t c, int first, int second)
{
    const float *a = row->weights + first * row->channels + c;
    const float *b = row->weights + second * row->channels + c;
    const int64_t count = sizeof(VECTOR) / sizeof(float);
    NAME(pairs) w = {NAME(load_pairs)(a), NAME(load_pairs)(a + count)};
    if (second >= 0) {
        w.low = NAME(join_halves)(w.low, NAME(load_pairs)(b));
        w.high = NAME(join_halves)(w.high, NAME(load_pairs)(b + count));
    }
    return w;
}

/* rows: a constant where this is called. */
INLINE NAME(pair_weights) NAME(all_weights)(const slide_row *row, int64_t c, int rows)
{
    NAME(pair_weights) w;
    UNROLL
    for (int kx = 0; kx < 3; kx++)
        w.top[kx] = NAME(weights_at)(row, c, kx, rows > 1 ? 3 + kx : -1);
    if (rows > 2) {
        w.left = NAME(weights_at)(row, c, 6, -1);
        w.right = NAME(weights_at)(row, c, 7, 8);
    }
    return w;
}

/* One column of the input. bottom: of the third row, if there is one. */
INLINE NAME(pairs) NAME(load_column_pairs)(const slide_row *row, int64_t column, int64_t c,
                                           int rows, PAIRS *bottom)
{
    int64_t at = column * row->channels + c;
    PAIRS first = NAME(load_pairs)(row->x[0] + at);
    *bottom = rows > 2 ? NAME(load_pairs)(row->x[2] + at) : (PAIRS){0};
    return NAME(side_by_side)(first, rows > 1 ? NAME(load_pairs)(row->x[1] + at) : (PAIRS){0});
}

/* The column under the middle of the window, and the third row's numbers left of it. */
INLINE NAME(pair_sums) NAME(add_middle)(NAME(pair_sums) sums, const NAME(pair_weights) * w,
                                        NAME(pairs) top, NAME(pairs) bottom, int rows)
{
    sums = NAME(pair_add)(sums, w->top[1], top);
    return rows > 2 ? NAME(pair_add)(sums, w->left, bottom) : sums;
}

/* An activation without branches, but for a slope. */
typedef struct NAME(bounds) {
    VECTOR low, high;
    bool slopes;
} NAME(bounds);

INLINE NAME(bounds) NAME(bounds_of)(nn_activation activation)
{
    bool clips = activation.kind == NN_ACTIVATION_CLIP;
    float low = clips ? activation.alpha : activation.kind == NN_ACTIVATION_RELU ? 0 : -INFINITY;
    return (NAME(bounds)){(VECTOR){0} + low, (VECTOR){0} + (clips ? activation.beta : INFINITY),
                          activation.kind == NN_ACTIVATION_LEAKY_RELU};
}

INLINE void NAME(write_pairs)(const slide_row *row, const NAME(bounds) * bounds, int64_t offset,
                              NAME(pair_sums) sums)
{
    if (row->residual != NULL) {
        PAIRS added = NAME(load_pairs)(row->residual + offset);
        sums.low += (VECTOR)NAME(unpack_low)((PAIRS){0}, added);
        sums.high += (VECTOR)NAME(unpack_high)((PAIRS){0}, added);
    }
    if (bounds->slopes) {
        sums.low = NAME(activate)(row->activation, sums.low);
        sums.high = NAME(activate)(row->activation, sums.high);
    } else {
        sums.low = NAME(between)(bounds->low, bounds->high, sums.low);
        sums.high = NAME(between)(bounds->low, bounds->high, sums.high);
    }
    if (row->writes_floats)
        NAME(store_unpacked_floats)((float *)row->y + offset, sums.low, sums.high);
    else
        NAME(store_unpacked)((number *)row->y + offset, sums.low, sums.high);
}

/* rows and stride are constants where this is called. */
INLINE void NAME(pair_slide)(const slide_row *from, int64_t c, int rows, int stride)
{
    const slide_row copy = *from, *row = &copy; /* which no store can change */
    const NAME(bounds) bounds = NAME(bounds_of)(row->activation);
    const NAME(pair_weights) w = NAME(all_weights)(row, c, rows);
    const NAME(pair_sums) bias = {NAME(load)(row->bias + c),
                                  NAME(load)(row->bias + c + sizeof(VECTOR) / sizeof(float))};
    NAME(pair_sums) sum = bias, next = bias;
    NAME(pairs) top, bottom;
    PAIRS before = {0}, here = {0};
    int64_t middle = row->middle;
    if (middle > 0) {
        top = NAME(load_column_pairs)(row, middle - 1, c, rows, &before);
        sum = NAME(pair_add)(sum, w.top[0], top);
    }
    if (stride == 1) { /* here `sum` always has its middle already, and `next` its left */
        top = NAME(load_column_pairs)(row, middle, c, rows, &here);
        sum = NAME(add_middle)(sum, &w, top, NAME(side_by_side)(before, here), rows);
        next = NAME(pair_add)(bias, w.top[0], top);
        before = here;
    }
    for (int64_t out = 0; out < row->whole; out++, middle += stride) {
        if (stride != 1) {
            top = NAME(load_column_pairs)(row, middle, c, rows, &here);
            sum = NAME(add_middle)(sum, &w, top, NAME(side_by_side)(before, here), rows);
            before = here;
        }
        top = NAME(load_column_pairs)(row, middle + 1, c, rows, &here);
        bottom = NAME(side_by_side)(before, here);
        sum = NAME(pair_add)(sum, w.top[2], top);
        sum = rows > 2 ? NAME(pair_add)(sum, w.right, bottom) : sum;
        NAME(write_pairs)(row, &bounds, out * row->channels + c, sum);
        sum = stride == 1 ? NAME(add_middle)(next, &w, top, bottom, rows)
                          : NAME(pair_add)(bias, w.top[0], top);
        next = NAME(pair_add)(bias, w.top[0], top);
        before = here;
    }
    if (row->whole == row->outputs)
        return;
    if (stride != 1) {
        top = NAME(load_column_pairs)(row, middle, c, rows, &here);
        sum = NAME(add_middle)(sum, &w, top, NAME(side_by_side)(before, here), rows);
        before = here;
    }
    if (rows > 2)
        sum = NAME(pair_add)(sum, w.right, NAME(side_by_side)(before, (PAIRS){0}));
    NAME(write_pairs)(row, &bounds, row->whole * row->channels + c, sum);
}

static void NAME(pair_slide_any)(const slide_row *row, int64_t c, int stride)
{
    if (stride == 1 && row->rows == 3)
        NAME(pair_slide)(row, c, 3, 1);
    else if (stride == 1 && row->rows == 2)
        NAME(pair_slide)(row, c, 2, 1);
    else if (stride == 1)
        NAME(pair_slide)(row, c, 1, 1);
    else if (row->rows == 3)
        NAME(pair_slide)(row, c, 3, 2);
    else if (row->rows == 2)
        NAME(pair_slide)(row, c, 2, 2);
    else
        NAME(pair_slide)(row, c, 1, 2);
}
