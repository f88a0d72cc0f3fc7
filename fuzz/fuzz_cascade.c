/* SPDX-License-Identifier: Apache-2.0 */

/* Reads the bytes as a cascade and, when it loads, detects in a small picture. */

#include "detect/cascade.h"

#include <stddef.h>
#include <stdint.h>

#define SIDE 40

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    cascade *model;
    mien_error error;
    if (cascade_read(bytes, size, "fuzz", &model, &error) != MIEN_OK)
        return 0;
    uint8_t pixels[SIDE * SIDE];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i % 251 + i / SIDE);
    mien_image picture = {pixels, SIDE, SIDE, SIDE, MIEN_PIXEL_GRAY8};
    cascade_options options = {.scale_factor = 1.3, .min_neighbours = size % 2 != 0 ? 1 : 0};
    face_list faces = {0};
    cascade_detect(model, &picture, &options, &faces, &error);
    face_list_free(&faces);
    cascade_free(model);
    return 0;
}
