/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One vector of channels of a depthwise convolution, for one or DEPTHWISE_PIXELS pixels. Included
 * once for each width of vector, with VECTOR (wide or narrow) and NAME(x) set.
 */

INLINE void NAME(depthwise)(const depthwise_run *run, int64_t c, int pixels)
{
    const nn_conv *conv = run->conv;
    int64_t channels = conv->in.channels, pitch = depthwise_pitch(conv);
    int64_t step = conv->window.stride[1] * channels;
    VECTOR sums[DEPTHWISE_PIXELS];
    UNROLL
    for (int p = 0; p < pixels; p++)
        sums[p] = NAME(load)(conv->packed + c);
    for (int ky = run->rows.first; ky < run->rows.end; ky++) {
        const number *row =
            run->x + (int64_t)ky * conv->window.dilation[0] * conv->in.width * channels + c;
        const float *weights =
            conv->packed + (1 + (int64_t)ky * conv->window.kernel[1]) * pitch + c;
        for (int kx = run->columns.first; kx < run->columns.end; kx++) {
            VECTOR w = NAME(load)(weights + kx * pitch);
            const number *pixel = row + (int64_t)kx * conv->window.dilation[1] * channels;
            UNROLL
            for (int p = 0; p < pixels; p++)
                sums[p] += w * NAME(load_numbers)(pixel + p * step);
        }
    }
    UNROLL
    for (int p = 0; p < pixels; p++) {
        if (run->residual != NULL)
            sums[p] += NAME(load_numbers)(run->residual + p * channels + c);
        NAME(write)
        (run->y, conv->writes_floats, (size_t)(p * channels + c),
         NAME(activate)(conv->activation, sums[p]));
    }
}
