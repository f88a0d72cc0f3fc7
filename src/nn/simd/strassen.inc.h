/* SPDX-License-Identifier: Apache-2.0 */

/*
 * 1x1 convolutions of many channels with seven products of eight (Strassen 1969, "Gaussian
 * Elimination is not Optimal", in Winograd's form with fewer sums): the pixels of a block, the
 * input channels and the output channels are halved, and seven products of quarters make what eight
 * would. With A the pixels, B the weights, C the outputs, of which A12 is the upper pixels' second
 * half:
 *
 *     S1 = A21 + A22   T1 = B12 - B11   X = A11 B11           C11 = X + A12 B21
 *     S2 = S1 - A11    T2 = B22 - T1    U = X + S2 T2         C12 = U + Y + S4 B22
 *     S3 = A11 - A21   T3 = B22 - B12   Y = S1 T1             C22 = V + Y
 *     S4 = A12 - S2    T4 = B21 - T2    V = U + S3 T3         C21 = V + A22 T4
 *
 * A block lies within one picture, so that a picture's numbers do not depend on its batch. Where a
 * block has an odd number of pixels, the lower half ends with a row of zeros that is not written.
 *
 * Packed weights: the biases (M), then the panels of the seven matrices, biases in those of C11,
 * C12 and C21.
 */

#define STRASSEN_CHANNELS 256              /* least number of input and of output channels */
#define STRASSEN_ROWS     (13 * TILE_ROWS) /* most pixels of half a block */
#define STRASSEN_PIXELS   64               /* least number of a picture: the sums must pay */

enum strassen_matrix {
    STRASSEN_B11,
    STRASSEN_B21,
    STRASSEN_B22,
    STRASSEN_T1,
    STRASSEN_T2,
    STRASSEN_T3,
    STRASSEN_T4,
    STRASSEN_MATRICES
};

/* Each matrix as a sum of B11, B12, B21, B22, and which half of the biases it has; -1: none. */
static const struct {
    int b11, b12, b21, b22, biases;
} strassen_sums[STRASSEN_MATRICES] = {
    [STRASSEN_B11] = {1, 0, 0, 0, -1}, [STRASSEN_B21] = {0, 0, 1, 0, 0},
    [STRASSEN_B22] = {0, 0, 0, 1, 1},  [STRASSEN_T1] = {-1, 1, 0, 0, -1},
    [STRASSEN_T2] = {1, -1, 0, 1, -1}, [STRASSEN_T3] = {0, -1, 0, 1, -1},
    [STRASSEN_T4] = {-1, 1, 1, -1, 0},
};

static bool strassen_takes(const nn_conv *conv)
{
    int64_t halves = conv->in.channels | conv->out.channels;
    return is_pointwise(conv) && conv->group == 1 && conv->in.channels >= STRASSEN_CHANNELS &&
           conv->out.channels >= STRASSEN_CHANNELS && halves % (2 * PANEL_OUTPUTS) == 0 &&
           conv->out.height * conv->out.width >= STRASSEN_PIXELS;
}

static size_t strassen_matrix_floats(const nn_conv *conv)
{
    return panels_floats(conv->out.channels / 2, conv->in.channels / 2);
}

static size_t strassen_packed_floats(const nn_conv *conv)
{
    return (size_t)conv->out.channels + STRASSEN_MATRICES * strassen_matrix_floats(conv);
}

/* ---- Packing ---- */

/* Weight (output, channel) of a matrix; weights (outputs, channels) are those of all quarters. */
static float strassen_weight(const nn_conv *conv, enum strassen_matrix matrix, const float *weights,
                             int64_t output, int64_t channel)
{
    int64_t channels = conv->in.channels, inner = channels / 2;
    const float *first = weights + output * channels + channel;
    const float *second = first + conv->out.channels / 2 * channels;
    return (float)(strassen_sums[matrix].b11 * (double)first[0] +
                   strassen_sums[matrix].b21 * (double)first[inner] +
                   strassen_sums[matrix].b12 * (double)second[0] +
                   strassen_sums[matrix].b22 * (double)second[inner]);
}

static float *strassen_pack_matrix(const nn_conv *conv, enum strassen_matrix matrix,
                                   const float *weights, const float *bias, float *packed)
{
    int64_t outputs = conv->out.channels / 2, inner = conv->in.channels / 2;
    int half = strassen_sums[matrix].biases;
    for (int64_t first = 0; first < outputs; first += PANEL_OUTPUTS) {
        for (int i = 0; i < PANEL_OUTPUTS; i++)
            *packed++ = bias != NULL && half >= 0 ? bias[half * outputs + first + i] : 0;
        for (int64_t c = 0; c < inner; c++)
            for (int i = 0; i < PANEL_OUTPUTS; i++)
                *packed++ = strassen_weight(conv, matrix, weights, first + i, c);
    }
    return packed;
}

static void pack_strassen(const nn_conv *conv, const float *weights, const float *bias,
                          float *packed)
{
    for (int64_t i = 0; i < conv->out.channels; i++)
        *packed++ = bias != NULL ? bias[i] : 0;
    for (int matrix = 0; matrix < STRASSEN_MATRICES; matrix++)
        packed = strassen_pack_matrix(conv, (enum strassen_matrix)matrix, weights, bias, packed);
}

/* ---- A block ---- */

/* Rows of a block: of pixels (rows, channels) or of outputs (rows, outputs). */
typedef struct strassen_block {
    const nn_conv *conv;
    int upper, lower;      /* rows of the halves: the same, or one fewer */
    int64_t inner, half;   /* input and output channels, halved */
    nn_span outputs;       /* of each half: what this part makes */
    const float *x;        /* (upper + lower, channels) */
    const float *residual; /* (upper + lower, outputs) or NULL */
    float *y;              /* (upper + lower, outputs) */
    float *s[4];           /* S1 to S4: (upper, inner) each */
    float *sums;           /* (upper, outputs): X, U and V at the left, Y at the right */
    const float *zeros;    /* (channels) */
    const float **pointers;
} strassen_block;

/* Rows that one block of a picture of so many pixels has at most, halved. */
INLINE int64_t strassen_blocks(const nn_conv *conv)
{
    return (conv->out.height * conv->out.width + 2 * STRASSEN_ROWS - 1) / (2 * STRASSEN_ROWS);
}

/* Scratch: pointers, zeros, S1 to S4, the sums. */
static size_t strassen_scratch_bytes(const nn_conv *conv)
{
    size_t in = (size_t)conv->in.channels, out = (size_t)conv->out.channels;
    return STRASSEN_ROWS * sizeof(float *) + (in + STRASSEN_ROWS * (2 * in + out)) * sizeof(float);
}

static void strassen_add_pixels(const strassen_block *b)
{
    int64_t channels = b->conv->in.channels;
    for (int r = 0; r < b->upper; r++) {
        const float *a1 = b->x + r * channels;
        const float *a2 = r < b->lower ? a1 + b->upper * channels : b->zeros;
        for (int64_t c = 0; c < b->inner; c += WIDE_FLOATS) {
            wide a11 = wide_load(a1 + c), a12 = wide_load(a1 + b->inner + c);
            wide a21 = wide_load(a2 + c), a22 = wide_load(a2 + b->inner + c);
            wide s1 = a21 + a22, s2 = s1 - a11;
            int64_t at = r * b->inner + c;
            wide_store(b->s[0] + at, s1);
            wide_store(b->s[1] + at, s2);
            wide_store(b->s[2] + at, a11 - a21);
            wide_store(b->s[3] + at, a12 - s2);
        }
    }
}

/* y = activation(rows * matrix + biases + added); rows `stride` floats apart, y and added as
 * outputs. */
static void strassen_multiply(const strassen_block *b, enum strassen_matrix matrix,
                              const float *rows, int64_t stride, int count, const float *added,
                              nn_activation activation, float *y)
{
    point_at_rows(rows, stride, count, b->pointers);
    tile_args args = {.pixels = b->pointers,
                      .taps = 1,
                      .units = b->inner,
                      .y = y,
                      .writes_floats = true,
                      .residual = added,
                      .stride = (size_t)b->conv->out.channels,
                      .activation = activation};
    const float *packed =
        b->conv->packed + b->conv->out.channels + (size_t)matrix * strassen_matrix_floats(b->conv);
    run_panels(&args, packed, b->half, b->outputs, count);
}

/* y = activation(first + second + third + biases), all but the first may be NULL; y may be third.
 */
static void strassen_add(const strassen_block *b, int count, const float *first,
                         const float *second, const float *third, const float *biases,
                         nn_activation activation, float *y)
{
    for (int r = 0; r < count; r++)
        for (int64_t c = b->outputs.first; c < b->outputs.end; c += WIDE_FLOATS) {
            int64_t at = r * b->conv->out.channels + c;
            wide sum = wide_load(first + at);
            if (second != NULL)
                sum += wide_load(second + at);
            if (third != NULL)
                sum += wide_load(third + at);
            if (biases != NULL)
                sum += wide_load(biases + c);
            wide_store(y + at, wide_activate(activation, sum));
        }
}

/* What a product for y is added to: `sum`, or y with the residual in it too. */
static const float *strassen_start(const strassen_block *b, int count, const float *sum,
                                   const float *residual, float *y)
{
    if (residual == NULL)
        return sum;
    strassen_add(b, count, sum, NULL, residual, NULL, (nn_activation){NN_ACTIVATION_NONE, 0, 0}, y);
    return y;
}

static void strassen_run_block(const strassen_block *b)
{
    const nn_activation none = {NN_ACTIVATION_NONE, 0, 0}, activation = b->conv->activation;
    int64_t channels = b->conv->in.channels, inner = b->inner;
    int64_t below = b->upper * b->conv->out.channels;
    float *left = b->sums, *right = b->sums + b->half;
    float *c11 = b->y, *c12 = c11 + b->half, *c21 = c11 + below, *c22 = c12 + below;
    const float *r11 = b->residual, *r12 = r11 != NULL ? r11 + b->half : NULL;
    const float *r21 = r11 != NULL ? r11 + below : NULL, *r22 = r11 != NULL ? r12 + below : NULL;
    const float *biases = b->conv->packed + b->half;
    strassen_add_pixels(b);
    strassen_multiply(b, STRASSEN_B11, b->x, channels, b->upper, NULL, none, left);
    strassen_multiply(b, STRASSEN_B21, b->x + inner, channels, b->upper,
                      strassen_start(b, b->upper, left, r11, c11), activation, c11);
    strassen_multiply(b, STRASSEN_T2, b->s[1], inner, b->upper, left, none, left);
    strassen_multiply(b, STRASSEN_T1, b->s[0], inner, b->upper, NULL, none, right);
    strassen_add(b, b->upper, left, right, r12, NULL, none, c12);
    strassen_multiply(b, STRASSEN_B22, b->s[3], inner, b->upper, c12, activation, c12);
    strassen_multiply(b, STRASSEN_T3, b->s[2], inner, b->lower, left, none, left);
    strassen_add(b, b->lower, left, right, r22, biases, activation, c22);
    strassen_multiply(b, STRASSEN_T4, b->x + b->upper * channels + inner, channels, b->lower,
                      strassen_start(b, b->lower, left, r21, c21), activation, c21);
}

/* ---- All blocks ---- */

/* Block `index` of all pictures': its first pixel and how many it has. */
static int64_t strassen_locate(const nn_conv *conv, int64_t index, int *count)
{
    int64_t blocks = strassen_blocks(conv), pixels = conv->out.height * conv->out.width;
    int64_t picture = index / blocks, block = index % blocks;
    int64_t first = pixels * block / blocks;
    *count = (int)(pixels * (block + 1) / blocks - first);
    return picture * pixels + first;
}

/* Each part has its own blocks, or where they are too few its own outputs of every block. */
static void run_strassen(const nn_conv *conv, nn_part part, const float *x, const float *residual,
                         void *y, void *scratch)
{
    int64_t in = conv->in.channels, out = conv->out.channels;
    const float **pointers = scratch;
    float *zeros = (float *)(void *)(pointers + STRASSEN_ROWS), *s = zeros + in;
    strassen_block b = {.conv = conv,
                        .inner = in / 2,
                        .half = out / 2,
                        .outputs = {0, out / 2},
                        .s = {s, s + STRASSEN_ROWS * in / 2, s + STRASSEN_ROWS * in,
                              s + STRASSEN_ROWS * in / 2 * 3},
                        .sums = s + STRASSEN_ROWS * in * 2,
                        .zeros = zeros,
                        .pointers = pointers};
    nn_span blocks = {0, conv->out.batch * strassen_blocks(conv)};
    if (blocks.end >= part.count)
        blocks = nn_share(part, blocks.end, 1);
    else
        b.outputs = nn_share(part, b.half, PANEL_OUTPUTS);
    memset(zeros, 0, (size_t)in * sizeof *zeros);
    for (int64_t index = blocks.first; index < blocks.end; index++) {
        int count;
        int64_t first = strassen_locate(conv, index, &count);
        b.upper = (count + 1) / 2;
        b.lower = count / 2;
        b.x = x + first * in;
        b.y = (float *)y + first * out;
        b.residual = residual != NULL ? residual + first * out : NULL;
        strassen_run_block(&b);
    }
}
