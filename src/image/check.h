/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAGE_CHECK_H
#define IMAGE_CHECK_H

/* What the operations on a source and a destination picture check first, inside this room only. */

#include "image/image.h"

/* Both pictures are sound (image_check). */
mien_status image_check_pair(const mien_image *src, const mien_image *dst, mien_error *error);

/* Both are sound, and their formats, or their sizes, are equal; else MIEN_INVALID_ARGUMENT. */
mien_status image_check_same_format(const mien_image *src, const mien_image *dst,
                                    mien_error *error);
mien_status image_check_same_size(const mien_image *src, const mien_image *dst, mien_error *error);

#endif
