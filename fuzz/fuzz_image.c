/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds bytes to the picture decoders. The first byte chooses the pixel format. */

#include <mien/image.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    mien_pixel_format format = (mien_pixel_format)(MIEN_PIXEL_GRAY8 + data[0] % 5);
    mien_image image;
    mien_error error;
    mien_image_reduction reduction;
    int least_side = data[0] < 128 ? 65535 : 64;
    mien_image_decode_reduced(data + 1, size - 1, format, 1 << 20, least_side, &image, &reduction,
                              &error);
    mien_image_free(&image);
    return 0;
}
