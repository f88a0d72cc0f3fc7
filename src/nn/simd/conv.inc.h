/* SPDX-License-Identifier: Apache-2.0 */

/* What the ways to compute a convolution share. */

#include "nn/simd/out_pixel.inc.h"

INLINE int64_t channels_in_group(const nn_conv *conv)
{
    return conv->in.channels / conv->group;
}

INLINE int64_t outputs_in_group(const nn_conv *conv)
{
    return conv->out.channels / conv->group;
}

INLINE int64_t tap_count(const nn_conv *conv)
{
    return (int64_t)conv->window.kernel[0] * conv->window.kernel[1];
}

/* Units of the channels of a group. */
INLINE int64_t units_in_group(const nn_conv *conv)
{
    return channels_in_group(conv) / UNIT;
}

/* Packs weights (outputs, channels, taps) as panels with their biases. */
static float *pack_panels(const float *weights, const float *bias, int64_t outputs,
                          int64_t channels, int64_t taps, float *packed)
{
    for (int64_t first = 0; first < outputs;) {
        int width = panel_width(outputs - first);
        int64_t used = outputs - first < width ? outputs - first : width;
        for (int i = 0; i < width; i++)
            *packed++ = bias != NULL && i < used ? bias[first + i] : 0;
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t c = 0; c < channels; c += UNIT)
                for (int i = 0; i < width; i++)
                    *packed++ =
                        i < used
                            ? packed_unit(weights + ((first + i) * channels + c) * taps + tap, taps)
                            : 0;
        first += width;
    }
    return packed;
}

/* Pointers to `count` rows of `length` numbers, as run_panels wants them; each tile is filled up.
 */
static void point_at_rows(const number *from, int64_t length, int count, const number **pointers)
{
    tile_counts counts = count_tiles(count);
    for (int t = 0; t < counts.tiles; t++, pointers += TILE_ROWS) {
        int rows = tile_rows(&counts, t);
        for (int r = 0; r < TILE_ROWS; r++)
            pointers[r] = from + (r < rows ? r : rows - 1) * length;
        from += rows * length;
    }
}
