/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "image/check.h"

#include <math.h>

/* NaN gives 0. */
static float clamp_position(double position, int last)
{
    if (!(position > 0))
        return 0;
    return position < last ? (float)position : (float)last;
}

/* Writes the pixel of src at (x, y), 0,0 being the centre of the first pixel. */
static void sample(const mien_image *src, double x, double y, int channels, uint8_t *pixel)
{
    float column = clamp_position(x, src->width - 1);
    float row = clamp_position(y, src->height - 1);
    int left = (int)column;
    int top = (int)row;
    float right_weight = column - (float)left;
    float bottom_weight = row - (float)top;
    size_t right_step = left + 1 < src->width ? (size_t)channels : 0;
    size_t bottom_step = top + 1 < src->height ? src->stride : 0;
    const uint8_t *corner = image_row(src, top) + (size_t)left * (size_t)channels;
    for (int c = 0; c < channels; c++, corner++) {
        const uint8_t *below = corner + bottom_step;
        float upper = corner[0] + right_weight * (float)(corner[right_step] - corner[0]);
        float lower = below[0] + right_weight * (float)(below[right_step] - below[0]);
        pixel[c] = (uint8_t)(upper + bottom_weight * (lower - upper) + 0.5f);
    }
}

mien_status image_warp_affine(const mien_image *src, const double inverse[6], mien_image *dst,
                              mien_error *error)
{
    mien_status status = image_check_same_format(src, dst, error);
    if (status != MIEN_OK)
        return status;
    for (int i = 0; i < 6; i++)
        if (!isfinite(inverse[i]))
            return error_set(error, MIEN_INVALID_ARGUMENT, "entry %d of the warp matrix is %g", i,
                             inverse[i]);
    int channels = mien_pixel_size(src->format);
    for (int y = 0; y < dst->height; y++) {
        uint8_t *pixel = image_row(dst, y);
        double x_start = inverse[1] * (y + 0.5) + inverse[2] - 0.5;
        double y_start = inverse[4] * (y + 0.5) + inverse[5] - 0.5;
        for (int x = 0; x < dst->width; x++, pixel += channels)
            sample(src, inverse[0] * (x + 0.5) + x_start, inverse[3] * (x + 0.5) + y_start,
                   channels, pixel);
    }
    return MIEN_OK;
}
