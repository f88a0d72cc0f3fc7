/* SPDX-License-Identifier: Apache-2.0 */

/* Pooling, channels last: the compiler makes vectors of the loops over channels. */

static void pool_pixel(const nn_pool *pool, const float *x, int64_t row, int64_t column, float *y)
{
    const nn_window *w = &pool->window;
    int64_t channels = pool->in.channels;
    tap_range rows = taps_inside(w, 0, row, pool->in.height);
    tap_range columns = taps_inside(w, 1, column, pool->in.width);
    int64_t top = row * w->stride[0] - w->pad_before[0];
    int64_t left = column * w->stride[1] - w->pad_before[1];
    for (int64_t c = 0; c < channels; c++)
        y[c] = pool->maximum ? -INFINITY : 0;
    for (int ky = rows.first; ky < rows.end; ky++)
        for (int kx = columns.first; kx < columns.end; kx++) {
            const float *pixel = x + ((top + (int64_t)ky * w->dilation[0]) * pool->in.width + left +
                                      (int64_t)kx * w->dilation[1]) *
                                         channels;
            if (pool->maximum)
                for (int64_t c = 0; c < channels; c++)
                    y[c] = pixel[c] > y[c] ? pixel[c] : y[c];
            else
                for (int64_t c = 0; c < channels; c++)
                    y[c] += pixel[c];
        }
}

/* Cells of one axis that count in the divisor. */
static int64_t cells_counted(const nn_pool *pool, int axis, int64_t at, int64_t size)
{
    const nn_window *w = &pool->window;
    nn_window inside = *w;
    if (pool->count_padding) {
        inside.pad_before[axis] = 0;
        size += w->pad_before[axis] + w->pad_after[axis];
    }
    tap_range range = taps_inside(&inside, axis, at, size);
    return range.end - range.first;
}

static void divide_pixel(const nn_pool *pool, int64_t row, int64_t column, float *y)
{
    int64_t cells = cells_counted(pool, 0, row, pool->in.height) *
                    cells_counted(pool, 1, column, pool->in.width);
    float share = cells > 0 ? 1.0f / (float)cells : 0;
    for (int64_t c = 0; c < pool->in.channels; c++)
        y[c] *= share;
}

static void run_pool(const nn_pool *pool, const float *x, float *y)
{
    size_t picture = (size_t)(pool->in.height * pool->in.width * pool->in.channels);
    for (int64_t n = 0; n < pool->out.batch; n++, x += picture)
        for (int64_t row = 0; row < pool->out.height; row++)
            for (int64_t column = 0; column < pool->out.width; column++) {
                pool_pixel(pool, x, row, column, y);
                if (!pool->maximum)
                    divide_pixel(pool, row, column, y);
                y += pool->in.channels;
            }
}

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
