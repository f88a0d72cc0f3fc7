/* SPDX-License-Identifier: Apache-2.0 */

/* Element by element. The switches stand outside the loops, so that the compiler makes vectors. */

INLINE void activate_as(nn_activation activation, nn_activation_kind kind, const float *x,
                        int64_t count, float *y)
{
    activation.kind = kind;
    for (int64_t i = 0; i < count; i++)
        y[i] = activate_one(activation, x[i]);
}

static void run_activate(nn_activation activation, const float *x, int64_t count, float *y)
{
    switch (activation.kind) {
    case NN_ACTIVATION_NONE:
        if (y != x)
            memcpy(y, x, (size_t)count * sizeof *y);
        break;
    case NN_ACTIVATION_RELU:
        activate_as(activation, NN_ACTIVATION_RELU, x, count, y);
        break;
    case NN_ACTIVATION_CLIP:
        activate_as(activation, NN_ACTIVATION_CLIP, x, count, y);
        break;
    case NN_ACTIVATION_LEAKY_RELU:
        activate_as(activation, NN_ACTIVATION_LEAKY_RELU, x, count, y);
        break;
    case NN_ACTIVATION_ELU:
        activate_as(activation, NN_ACTIVATION_ELU, x, count, y);
        break;
    case NN_ACTIVATION_SIGMOID:
        activate_as(activation, NN_ACTIVATION_SIGMOID, x, count, y);
        break;
    case NN_ACTIVATION_HARD_SIGMOID:
        activate_as(activation, NN_ACTIVATION_HARD_SIGMOID, x, count, y);
        break;
    case NN_ACTIVATION_HARD_SWISH:
        activate_as(activation, NN_ACTIVATION_HARD_SWISH, x, count, y);
        break;
    case NN_ACTIVATION_TANH:
        activate_as(activation, NN_ACTIVATION_TANH, x, count, y);
        break;
    }
}

static void run_scale_shift(const float *x, const float *scale, const float *shift, int64_t rows,
                            int64_t channels, nn_activation activation, float *y)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < channels; c++)
            y[r * channels + c] = x[r * channels + c] * scale[c] + shift[c];
    if (activation.kind != NN_ACTIVATION_NONE)
        run_activate(activation, y, rows * channels, y);
}

static void run_prelu(const float *x, const float *slope, int64_t rows, int64_t channels, float *y)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < channels; c++) {
            float value = x[r * channels + c];
            y[r * channels + c] = value >= 0 ? value : value * slope[c];
        }
}

INLINE float combine(nn_binary kind, float a, float b)
{
    switch (kind) {
    case NN_ADD:
        return a + b;
    case NN_SUBTRACT:
        return a - b;
    case NN_MULTIPLY:
        return a * b;
    case NN_DIVIDE:
        return a / b;
    }
    return a;
}

INLINE void binary_as(nn_binary kind, const float *a, const float *b, int64_t count, float *y)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = combine(kind, a[i], b[i]);
}

static void binary_row(nn_binary kind, const float *a, const float *b, int64_t count, float *y)
{
    switch (kind) {
    case NN_ADD:
        binary_as(NN_ADD, a, b, count, y);
        break;
    case NN_SUBTRACT:
        binary_as(NN_SUBTRACT, a, b, count, y);
        break;
    case NN_MULTIPLY:
        binary_as(NN_MULTIPLY, a, b, count, y);
        break;
    case NN_DIVIDE:
        binary_as(NN_DIVIDE, a, b, count, y);
        break;
    }
}

static void run_binary(nn_binary kind, const float *a, const float *b, int64_t count,
                       nn_activation activation, float *y)
{
    binary_row(kind, a, b, count, y);
    if (activation.kind != NN_ACTIVATION_NONE)
        run_activate(activation, y, count, y);
}

static void binary_scalar(nn_binary kind, bool swapped, const float *a, float b, int64_t count,
                          float *y)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = swapped ? combine(kind, b, a[i]) : combine(kind, a[i], b);
}

static void run_binary_channels(nn_binary kind, bool swapped, const float *a, const float *b,
                                int64_t rows, int64_t channels, nn_activation activation, float *y)
{
    if (channels == 1)
        binary_scalar(kind, swapped, a, b[0], rows, y);
    else
        for (int64_t r = 0; r < rows; r++) {
            const float *row = a + r * channels;
            binary_row(kind, swapped ? b : row, swapped ? row : b, channels, y + r * channels);
        }
    if (activation.kind != NN_ACTIVATION_NONE)
        run_activate(activation, y, rows * channels, y);
}

/* In squares that fit the first cache. */
static void run_transpose(nn_part part, const float *x, int64_t planes, int64_t rows,
                          int64_t columns, float *y)
{
    enum { SIDE = 16 };
    nn_span span = nn_share(part, columns, SIDE);
    for (int64_t p = 0; p < planes; p++, x += rows * columns, y += rows * columns)
        for (int64_t r0 = 0; r0 < rows; r0 += SIDE)
            for (int64_t c0 = span.first; c0 < span.end; c0 += SIDE) {
                int64_t r1 = r0 + SIDE < rows ? r0 + SIDE : rows;
                int64_t c1 = c0 + SIDE < span.end ? c0 + SIDE : span.end;
                for (int64_t c = c0; c < c1; c++)
                    for (int64_t r = r0; r < r1; r++)
                        y[c * rows + r] = x[r * columns + c];
            }
}

/* ---- The mean of each channel ---- */

static void run_global_average(const nn_extent *in, const float *x, float *y)
{
    int64_t pixels = in->height * in->width, channels = in->channels;
    for (int64_t n = 0; n < in->batch; n++, y += channels) {
        for (int64_t c = 0; c < channels; c++)
            y[c] = 0;
        for (int64_t p = 0; p < pixels; p++, x += channels)
            for (int64_t c = 0; c < channels; c++)
                y[c] += x[c];
        for (int64_t c = 0; c < channels; c++)
            y[c] *= 1.0f / (float)pixels;
    }
}
