/* SPDX-License-Identifier: Apache-2.0 */

/* decode_to_ppm FROM TO: gives the test for WebAssembly, which decodes nothing, a raw picture. */

#include <mien/image.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    mien_error error;
    mien_image image;
    if (argc != 3)
        return 2;
    mien_status status = mien_image_load(argv[1], MIEN_PIXEL_RGB8, 0, &image, &error);
    if (status == MIEN_OK) {
        status = mien_image_save(&image, argv[2], &error);
        mien_image_free(&image);
    }
    if (status != MIEN_OK)
        fprintf(stderr, "%s\n", error.message);
    return status == MIEN_OK ? 0 : 1;
}
